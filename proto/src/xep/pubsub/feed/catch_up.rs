//! Fetches the items of a node as far back as necessary: a snapshot, or missed items (XEP-0060 §6.5).
//!
//! Fetches the newest items first, then older ones until known items are reached: by pages if the service supports them
//! (XEP-0059), by larger requests if not (`max_items`, §6.5.7), or by ids if it refuses those (§5.5, §6.5.8). Every
//! service lists items in some order ([`Order`]), which decides how far back is sufficient.

mod ids;
mod reach;

pub use ids::{ItemIds, list_ids};

use super::known::KnownItems;
use super::{Order, Traits};
use crate::event::RequestFailure;
use crate::stanza::ErrorKind;
use crate::time::Millis;
use crate::xep::delay::parse_date_time;
use crate::xep::disco;
use crate::xep::pubsub::digest::Digest;
use crate::xep::pubsub::{Item, request};
use crate::xep::rsm::Range;
use crate::xml::Element;
use ids::is_newest_first;
use reach::is_enough;

/// The maximal number of items fetched.
pub const MOST: usize = 20_000;
/// The estimated maximal size of one response, in bytes.
const ANSWER: usize = 4 << 20;
/// The number of items requested first if the newest known item is sufficient.
pub const FEW: usize = 20;
/// The maximal number of requests of one fetch: pages may be small.
const REQUESTS: u32 = 1_000;
/// The approximate limit of item bytes held during a fetch.
const BYTES: usize = 64 << 20;
/// The page size.
const PAGE: usize = 250;
/// The number of items fetched by id in one request.
const CHUNK: usize = 50;
/// The maximal number of attempts of a request that times out or fails temporarily.
const TRIES: u32 = 4;

/// The purpose of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchGoal {
    /// All items of the node, up to the feed's limit.
    Snapshot,
    /// The starting point only: no item is reported.
    Baseline,
    /// The missed items.
    Since,
}

/// An item of the listing.
#[derive(Clone, Debug)]
pub struct ListedItem {
    /// The item as listed.
    pub item: Item,
    /// The item's id and revision.
    pub digest: Digest,
}

impl ListedItem {
    fn of(item: Item) -> Self {
        let digest = Digest::of(&item);
        Self { item, digest }
    }
}

/// The result of a response.
#[derive(Debug)]
pub enum FetchProgress {
    /// Send the next [`CatchUp::request`].
    Ask,
    /// Send the request again after this time.
    Later(Millis),
    /// Done: the items of the node, oldest first. `whole`: certainly all of them.
    Found { held: Vec<ListedItem>, whole: bool },
    /// The items cannot be fetched.
    Nothing,
}

#[derive(Debug)]
enum FetchMethod {
    /// This number of newest items.
    Newest(usize),
    /// The page before this one.
    Before(String),
    /// The list of ids.
    ListIds,
    /// By ids: the remaining ones, newest last, and the requested ones.
    ByIds {
        left: Vec<String>,
        asked: Vec<String>,
    },
    /// By ids, the items listed without a payload: the remaining ones and the requested ones.
    Payloads {
        left: Vec<String>,
        asked: Vec<String>,
        whole: bool,
    },
}

/// A running fetch.
#[derive(Debug)]
pub struct CatchUp {
    /// The purpose.
    pub goal: FetchGoal,
    limit: usize,
    way: FetchMethod,
    held: Vec<ListedItem>,
    tries: u32,
    requests: u32,
    bytes: usize,
    /// Whether the list of ids is incomplete, so that an absent item is not certainly removed.
    partial: bool,
}

impl CatchUp {
    /// `limit`: the number of items that the feed lists.
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

    /// Builds the next request.
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

    /// Handles the reply.
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
                let ItemIds {
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
                // In the order of the list, not of the response.
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
                // If items move between requests, a page may be repeated.
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
        // Only if the service is known to report omitted items.
        let mut certain = traits.order == Order::Publication;
        let mut first = None;
        if let Some(page) = page {
            certain = true;
            // COMPAT(ejabberd): its page ids are creation times, and items are listed in this order.
            if page
                .first
                .as_deref()
                .is_some_and(|first| parse_date_time(first).is_some())
            {
                traits.order = Order::Creation;
            }
            // Items change between pages: the count is valid for a single page only.
            let total = page.count.map(|count| count as usize);
            let all = total == Some(got);
            at_start = got == 0 || page.index == Some(0) || all;
            first = page.first;
        }
        if at_start || is_enough(self.goal, self.limit, &self.held, known, *traits) {
            return self.found(at_start && certain);
        }
        match &self.way {
            // Only this response is held.
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
        // No pages: request all again and more, up to the size limit of a response.
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

    /// Whether a limit is reached: a service could continue for ever.
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

    /// Handles payloads fetched by id: some nodes list items without payloads, some have none.
    fn read_payloads(&mut self, reply: &Element) -> FetchProgress {
        let items = request::parse_items(reply);
        if let FetchMethod::Payloads { asked, .. } = &self.way
            && !items.is_empty()
        {
            // Items absent now were removed after the listing.
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
            // The start of the page was removed: begin again with the newest.
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

/// Whether the service refuses every form of the request.
fn is_denied(condition: &str) -> bool {
    matches!(
        condition,
        "forbidden" | "not-authorized" | "not-allowed" | "item-not-found" | "registration-required"
    )
}
