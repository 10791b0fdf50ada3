//! Fetching what a node holds, as far back as it matters: a snapshot, or what was missed.
//!
//! The newest items first, and more of them until what the feed has had is reached: by pages where the service has them
//! (XEP-0059), by asking for more where it has not (`max_items`, §6.5.7), by ids where it refuses that (§5.5, §6.5.8). Every
//! service lists its items in some order; which one decides how far back is far enough ([`Order`]).

use super::known::{DigestIndex, KnownItems};
use super::{Order, Traits};
use crate::event::RequestFailure;
use crate::ns;
use crate::stanza::ErrorKind;
use crate::time::Millis;
use crate::xep::delay::parse_date_time;
use crate::xep::disco;
use crate::xep::pubsub::digest::{Digest, hash_id};
use crate::xep::pubsub::{Item, request};
use crate::xep::rsm::{Page, Range};
use crate::xml::Element;

/// How many items are fetched at most, and held while they are.
pub const MOST: usize = 20_000;
/// How many bytes one answer may have, as far as that can be foreseen.
const ANSWER: usize = 4 << 20;
/// How many items are asked for at first where the newest known one is enough to go on from.
pub const FEW: usize = 20;
/// How many requests one fetch makes: a service may list a few items a page.
const REQUESTS: u32 = 1_000;
/// How many bytes of items are held while they are fetched, about.
const BYTES: usize = 64 << 20;
/// How many are asked for in a page.
const PAGE: usize = 250;
/// How many are fetched by their ids at once.
const CHUNK: usize = 50;
/// How often a request is made that times out, or that the service asks to repeat later.
const TRIES: u32 = 4;

/// What is fetched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchGoal {
    /// All that the node holds, up to the feed's limit.
    Snapshot,
    /// Only to know from where to go on: nothing is delivered.
    Baseline,
    /// What was missed.
    Since,
}

/// An item that the node holds.
#[derive(Clone, Debug)]
pub struct ListedItem {
    /// As it was listed.
    pub item: Item,
    /// Its id and revision.
    pub digest: Digest,
}

impl ListedItem {
    fn of(item: Item) -> Self {
        let digest = Digest::of(&item);
        Self { item, digest }
    }
}

/// What came of it.
#[derive(Debug)]
pub enum FetchProgress {
    /// Ask what [`CatchUp::request`] says now.
    Ask,
    /// Ask again after this time.
    Later(Millis),
    /// It is done: this is what the node holds, the oldest first. `whole`: all of it, for certain.
    Found { held: Vec<ListedItem>, whole: bool },
    /// There is no way to find out.
    Nothing,
}

#[derive(Debug)]
enum FetchMethod {
    /// The newest so many.
    Newest(usize),
    /// The page before this one.
    Before(String),
    /// First the list of ids.
    ListIds,
    /// By ids: those that are left, the newest last, and those that are on their way.
    ByIds {
        left: Vec<String>,
        asked: Vec<String>,
    },
    /// By ids, what was listed without a payload: those that are left, and those that are on their way.
    Payloads {
        left: Vec<String>,
        asked: Vec<String>,
        whole: bool,
    },
}

/// A fetch that is under way.
#[derive(Debug)]
pub struct CatchUp {
    /// What for.
    pub goal: FetchGoal,
    limit: usize,
    way: FetchMethod,
    held: Vec<ListedItem>,
    tries: u32,
    requests: u32,
    bytes: usize,
    /// By ids, and the list of them is not all: so it shows of no item that it is gone.
    partial: bool,
}

impl CatchUp {
    /// `limit`: how many items the feed looks at.
    pub fn new(goal: FetchGoal, known: &KnownItems, traits: Traits, limit: usize) -> Self {
        let first = match goal {
            FetchGoal::Snapshot => limit,
            FetchGoal::Baseline if traits.order == Order::Publication => FEW,
            FetchGoal::Baseline => limit,
            FetchGoal::Since if traits.order == Order::Publication => FEW,
            FetchGoal::Since => known.len() + FEW,
        };
        Self {
            goal,
            limit,
            way: FetchMethod::Newest(first),
            held: Vec::new(),
            tries: 0,
            requests: 0,
            bytes: 0,
            partial: false,
        }
    }

    /// What is to be asked now.
    pub fn request(&self, service: &str, node: &str) -> Element {
        let service = Some(service);
        match &self.way {
            FetchMethod::Newest(count) => {
                let count = u32::try_from(*count).unwrap_or(u32::MAX);
                request::items(service, node, Some(count), &[], None)
            }
            FetchMethod::Before(first) => {
                let range = Range {
                    max: Some(PAGE as u32),
                    before: Some(first.clone()),
                    ..Range::default()
                };
                request::page(service, node, &range, None)
            }
            FetchMethod::ListIds => disco::items(service, Some(node)),
            FetchMethod::ByIds { asked, .. } | FetchMethod::Payloads { asked, .. } => {
                request::items(service, node, None, asked, None)
            }
        }
    }

    /// The answer to it.
    pub fn handle_reply(
        &mut self,
        known: &KnownItems,
        traits: &mut Traits,
        outcome: &Result<Element, RequestFailure>,
    ) -> FetchProgress {
        self.requests += 1;
        match outcome {
            Ok(reply) => self.read(known, traits, reply),
            Err(failure) => self.fail(failure),
        }
    }

    fn read(&mut self, known: &KnownItems, traits: &mut Traits, reply: &Element) -> FetchProgress {
        let whole = match &mut self.way {
            FetchMethod::ListIds => {
                let List {
                    ids: mut left,
                    whole,
                } = list_ids(reply);
                if is_newest_first(&left, known, *traits) {
                    left.reverse();
                }
                let most = match self.goal {
                    FetchGoal::Since => MOST,
                    _ => self.limit.min(MOST),
                };
                self.partial = !whole || self.goal == FetchGoal::Since && left.len() > most;
                left.drain(..left.len().saturating_sub(most));
                return self.ask_by_ids(left);
            }
            FetchMethod::ByIds { left, asked } => {
                let mut items = request::parse_items(reply);
                let mut held = Vec::new();
                // In the order of the list, whatever the order of the answer.
                for id in asked.iter() {
                    let at = items.iter().position(|item| item.id.as_ref() == Some(id));
                    if let Some(at) = at {
                        held.push(ListedItem::of(items.swap_remove(at)));
                    }
                }
                held.append(&mut self.held);
                self.held = held;
                self.bytes += reply.held_bytes();
                let exhausted = self.requests >= REQUESTS || self.bytes >= BYTES;
                if exhausted && !left.is_empty() {
                    return self.found(false);
                }
                if !left.is_empty() && !is_enough(self.goal, self.limit, &self.held, known, *traits)
                {
                    let left = core::mem::take(left);
                    return self.ask_by_ids(left);
                }
                left.is_empty() && !self.partial
            }
            FetchMethod::Newest(_) | FetchMethod::Before(_) => {
                return self.read_page(known, traits, reply);
            }
            FetchMethod::Payloads { .. } => return self.read_payloads(reply),
        };
        self.found(whole)
    }

    fn read_page(
        &mut self,
        known: &KnownItems,
        traits: &mut Traits,
        reply: &Element,
    ) -> FetchProgress {
        let page = request::parse_page(reply);
        let mut held = Vec::new();
        for item in request::parse_items(reply) {
            held.push(ListedItem::of(item));
        }
        let got = held.len();
        let asked = match &self.way {
            FetchMethod::Newest(asked) => *asked,
            _ => {
                // Where items move while pages are turned, a page may come again.
                let newer = &self.held;
                held.retain(|older| !newer.iter().any(|newer| newer.digest.id == older.digest.id));
                if held.is_empty() && got > 0 {
                    self.tries += 1;
                }
                held.append(&mut self.held);
                PAGE
            }
        };
        self.held = held;
        let mut at_start = got < asked;
        // Only where the service is known to say so when it leaves something out.
        let mut certain = traits.order == Order::Publication;
        let mut first = None;
        if let Some(page) = page {
            certain = true;
            // COMPAT(ejabberd): its pages are named by the times at which items were created, and listed so.
            if page
                .first
                .as_deref()
                .is_some_and(|first| parse_date_time(first).is_some())
            {
                traits.order = Order::Creation;
            }
            // Between pages items come and go: then their number shows nothing.
            let total = page.count.map(|count| count as usize);
            let all = total == Some(got);
            at_start = got == 0 || page.index == Some(0) || all;
            first = page.first;
        }
        if at_start || is_enough(self.goal, self.limit, &self.held, known, *traits) {
            return self.found(at_start && certain);
        }
        match &self.way {
            // Nothing is held but this answer.
            FetchMethod::Newest(_) => self.bytes = reply.held_bytes(),
            _ => self.bytes += reply.held_bytes(),
        }
        if self.is_exhausted() {
            return self.found(false);
        }
        if self.tries > TRIES {
            self.held.clear();
            self.way = FetchMethod::ListIds;
            return FetchProgress::Ask;
        }
        if let Some(first) = first {
            self.way = FetchMethod::Before(first);
            return FetchProgress::Ask;
        }
        // All of it once more, and more: there are no pages here. As much as one answer may hold.
        let each = reply.held_bytes() / got.max(1) + 1;
        let more = (asked * 5).min(MOST).min(ANSWER / each);
        if more <= got {
            return self.found(false);
        }
        self.way = FetchMethod::Newest(more);
        FetchProgress::Ask
    }

    fn ask_by_ids(&mut self, mut left: Vec<String>) -> FetchProgress {
        let asked = left.split_off(left.len().saturating_sub(CHUNK));
        if asked.is_empty() {
            return self.found(!self.partial);
        }
        self.way = FetchMethod::ByIds { left, asked };
        FetchProgress::Ask
    }

    /// Whether no more is fetched, whatever there is: a service could go on for ever.
    fn is_exhausted(&self) -> bool {
        self.held.len() >= MOST || self.requests >= REQUESTS || self.bytes >= BYTES
    }

    fn found(&mut self, whole: bool) -> FetchProgress {
        let mut left = Vec::new();
        for held in &self.held {
            if held.item.payload.is_none() {
                left.extend(held.item.id.clone());
            }
        }
        if left.is_empty()
            || matches!(
                self.way,
                FetchMethod::ByIds { .. } | FetchMethod::Payloads { .. }
            )
        {
            return self.finish(whole);
        }
        self.ask_payloads(left, whole)
    }

    fn ask_payloads(&mut self, mut left: Vec<String>, whole: bool) -> FetchProgress {
        let asked = left.split_off(left.len().saturating_sub(CHUNK));
        self.way = FetchMethod::Payloads { left, asked, whole };
        FetchProgress::Ask
    }

    /// Some nodes list items without payloads, and give them by id; some give none.
    fn read_payloads(&mut self, reply: &Element) -> FetchProgress {
        let items = request::parse_items(reply);
        if let FetchMethod::Payloads { asked, .. } = &self.way
            && !items.is_empty()
        {
            // What is not there any more was dropped since it was listed.
            let is_there = |id: &Option<String>| {
                id.as_ref().is_none_or(|id| !asked.contains(id))
                    || items.iter().any(|item| item.id == *id)
            };
            self.held.retain(|held| is_there(&held.item.id));
        }
        let mut some = false;
        for item in items {
            let Some(at) = self.held.iter().position(|held| held.item.id == item.id) else {
                continue;
            };
            if let Some(held) = self.held.get_mut(at).filter(|_| item.payload.is_some()) {
                some = true;
                *held = ListedItem::of(item);
            }
        }
        self.bytes += reply.held_bytes();
        let exhausted = self.requests >= REQUESTS || self.bytes >= BYTES;
        match &mut self.way {
            FetchMethod::Payloads { left, whole, .. } if some && !exhausted && !left.is_empty() => {
                let (left, whole) = (core::mem::take(left), *whole);
                self.ask_payloads(left, whole)
            }
            FetchMethod::Payloads { whole, .. } => {
                let whole = *whole;
                self.finish(whole)
            }
            _ => self.finish(false),
        }
    }

    fn finish(&mut self, whole: bool) -> FetchProgress {
        FetchProgress::Found {
            held: core::mem::take(&mut self.held),
            whole,
        }
    }

    fn fail(&mut self, failure: &RequestFailure) -> FetchProgress {
        let error = match failure {
            RequestFailure::Refused { error, .. } if error.kind != ErrorKind::Wait => error,
            _ if self.tries < TRIES => {
                self.tries += 1;
                return FetchProgress::Later(Millis::seconds(1 << self.tries));
            }
            _ => match self.way {
                FetchMethod::Payloads { whole, .. } => return self.finish(whole),
                _ => return FetchProgress::Nothing,
            },
        };
        let again = self.tries < TRIES && error.condition == "item-not-found";
        self.way = match &self.way {
            // Where the page began is gone: from the newest once more.
            FetchMethod::Before(_) if again => {
                self.tries += 1;
                FetchMethod::Newest(self.held.len() + FEW)
            }
            FetchMethod::Before(_) => FetchMethod::ListIds,
            FetchMethod::Payloads { whole, .. } => {
                let whole = *whole;
                return self.finish(whole);
            }
            _ if is_denied(&error.condition) => return FetchProgress::Nothing,
            FetchMethod::Newest(_) => FetchMethod::ListIds,
            _ => return FetchProgress::Nothing,
        };
        self.held.clear();
        FetchProgress::Ask
    }
}

/// Is the question itself unwelcome, in whatever way it is asked?
fn is_denied(condition: &str) -> bool {
    matches!(
        condition,
        "forbidden" | "not-authorized" | "not-allowed" | "item-not-found" | "registration-required"
    )
}

/// The ids of a node's items (§5.5), in the service's order.
pub struct List {
    pub ids: Vec<String>,
    /// The service does not say that there are others (XEP-0059 §2.1).
    pub whole: bool,
}

/// Reads the list of a node's items.
pub fn list_ids(reply: &Element) -> List {
    let query = reply.child("query", ns::DISCO_ITEMS);
    let mut ids = Vec::new();
    for item in query.iter().flat_map(Element::children) {
        // Of the address nothing is needed: without one the item is there, too.
        if item.is("item", ns::DISCO_ITEMS)
            && let Some(id) = item.attr("name")
        {
            ids.push(id.into());
        }
    }
    let page = query.as_ref().and_then(Page::child_of);
    let whole = query.is_some()
        && page.is_none_or(|page| page.count.is_some_and(|count| count as usize == ids.len()));
    List { ids, whole }
}

/// XEP-0060 gives the list of ids no order. What the feed had shows it, else what is known of the service.
fn is_newest_first(ids: &[String], known: &KnownItems, traits: Traits) -> bool {
    let (mut up, mut down) = (0, 0);
    let mut before = None;
    for id in ids {
        let place = known.place(hash_id(id));
        if let (Some(before), Some(place)) = (before, place) {
            if before < place {
                up += 1;
            } else {
                down += 1;
            }
        }
        before = place.or(before);
    }
    if up == down {
        traits.order == Order::Publication
    } else {
        down > up
    }
}

/// Does what was fetched reach back far enough?
fn is_enough(
    goal: FetchGoal,
    limit: usize,
    held: &[ListedItem],
    known: &KnownItems,
    traits: Traits,
) -> bool {
    match goal {
        FetchGoal::Baseline if traits.order == Order::Publication => true,
        FetchGoal::Snapshot | FetchGoal::Baseline => held.len() >= limit,
        FetchGoal::Since => {
            let index = DigestIndex::of(known.digests());
            match traits.order {
                Order::Publication => reaches(held, known, &index),
                Order::Creation => covers(held, known, &index),
                Order::Unknown => reaches(held, known, &index) && covers(held, known, &index),
            }
        }
    }
}

/// Down to an item that has not moved: nothing that is new stands before it, and all that was newer is listed, too. An item
/// that was published again the same as before shows nothing, and whole runs of them are common where rows are saved unchanged;
/// nor does the only item of a node that held no other.
fn reaches(held: &[ListedItem], known: &KnownItems, index: &DigestIndex) -> bool {
    let digests = known.digests();
    let mut there = vec![false; digests.len()];
    for held in held {
        let place = index.place(held.digest.id, digests);
        if let Some(there) = place.and_then(|place| there.get_mut(place)) {
            *there = true;
        }
    }
    let missing = there.iter().rposition(|there| !there);
    let from = missing.map_or(0, |missing| missing + 1);
    for held in held {
        match index.place(held.digest.id, digests) {
            Some(place)
                if place >= from
                    && digests
                        .get(place)
                        .is_some_and(|known| !held.digest.differs_from(*known))
                    && (place + 1 < digests.len()
                        || digests.len() == 1 && !known.is_complete()) =>
            {
                return true;
            }
            None if known.is_complete() => return false,
            _ => {}
        }
    }
    false
}

/// As many as the feed has had, and what is new besides: what was published again stands anywhere among them.
fn covers(held: &[ListedItem], known: &KnownItems, index: &DigestIndex) -> bool {
    let mut reached = false;
    let mut enough = known.len();
    for held in held {
        if index.place(held.digest.id, known.digests()).is_some() {
            reached = true;
        } else if reached {
            enough += 1;
        }
    }
    reached && held.len() >= enough
}
