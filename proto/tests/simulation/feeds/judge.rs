//! What must hold of a feed: nothing twice, nothing backwards, nothing missed in silence, no gap without need.

use super::service::{Kind, Service};
use epode_proto::xep::pubsub::feed::{Change, FeedSettings, Via};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Why a publication need not be told any more.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Current,
    /// Published again, or taken back, or gone with its node.
    Past,
}

struct Publication {
    id: String,
    content: u64,
    fate: Fate,
    told: bool,
}

pub struct Judge {
    kind: Kind,
    publications: Vec<Publication>,
    /// What was published when the feed went live first.
    begun_at: Option<u64>,
    snapshot: bool,
    /// Where the same is published again, what is listed does not tell which of the two it was.
    repeats: bool,
    /// The page asks for repetitions.
    asks_for_repeats: bool,
    /// Requests get lost.
    lossy: bool,
    /// How many were published when the feed asked first.
    asked_at: u64,
    /// What the page holds.
    map: BTreeMap<String, u64>,
    told_last: HashMap<String, u64>,
    newest_live: u64,
    newest: u64,
    newest_least: u64,
    /// The last that was told before each gap, and the first after it.
    gaps: Vec<(u64, Option<u64>)>,
    times: HashMap<(String, u64), usize>,
    /// Items that were told to be gone, because the node does not list them.
    dropped: HashSet<String>,
    /// Publications that were told, by number.
    seen: HashSet<u64>,
    tally: Tally,
}

#[derive(Default)]
pub struct Tally {
    publications: u64,
    told: u64,
    caught_up: u64,
    interruptions: u64,
    reloads: u64,
    forgotten: u64,
    gaps: u64,
    real: u64,
    undecided: u64,
    no_way: u64,
    /// Missed where all that is left of what was had was saved once more, unchanged, and so stands behind what was dropped.
    hidden: u64,
    doubles: u64,
    given_up: u64,
}

impl Tally {
    pub fn lines(&self, seeds: u64) -> String {
        format!(
            "feeds: {seeds} scenarios, {} publications, {} interruptions, {} reloads, {} nodes forgotten; told {}, of them caught up {}; \
             0 twice, 0 backwards, 0 missed in silence\n\
             gaps: {} raised, {} with publications missing, {} where nothing of what was had is there any more, {} where the service lists nothing; 0 needless; \
             {} publications behind a row that was saved unchanged, which nobody can tell\n\
             {} events delivered twice and told once; {} attempts given up",
            self.publications,
            self.interruptions,
            self.reloads,
            self.forgotten,
            self.told,
            self.caught_up,
            self.gaps,
            self.real,
            self.undecided,
            self.no_way,
            self.hidden,
            self.doubles,
            self.given_up,
        )
    }

    pub fn assert_lively(&self) {
        for (what, count) in [
            ("caught up", self.caught_up),
            ("real gaps", self.real),
            ("forgotten nodes", self.forgotten),
            ("reloads", self.reloads),
            ("events delivered twice", self.doubles),
            ("attempts given up", self.given_up),
        ] {
            assert!(count > 20, "too few: {what}");
        }
        assert!(
            self.hidden * 10_000 < self.publications,
            "too many are missed"
        );
    }
}

impl Judge {
    pub fn new(kind: Kind, settings: &FeedSettings, repeats: bool, lossy: bool) -> Self {
        Self {
            repeats,
            asks_for_repeats: settings.repeats,
            lossy,
            asked_at: 0,
            kind,
            publications: Vec::new(),
            begun_at: None,
            snapshot: settings.snapshot,
            map: BTreeMap::new(),
            told_last: HashMap::new(),
            newest_live: 0,
            newest: 0,
            newest_least: 0,
            gaps: Vec::new(),
            times: HashMap::new(),
            dropped: HashSet::new(),
            seen: HashSet::new(),
            tally: Tally::default(),
        }
    }

    pub fn add_to(&self, tally: &mut Tally) {
        tally.publications += self.publications.len() as u64;
        tally.told += self.tally.told;
        tally.caught_up += self.tally.caught_up;
        tally.interruptions += self.tally.interruptions;
        tally.reloads += self.tally.reloads;
        tally.forgotten += self.tally.forgotten;
        tally.gaps += self.tally.gaps;
        tally.real += self.tally.real;
        tally.undecided += self.tally.undecided;
        tally.no_way += self.tally.no_way;
        tally.hidden += self.tally.hidden;
        tally.doubles += self.tally.doubles;
        tally.given_up += self.tally.given_up;
    }

    /// A feed asks that knows nothing yet.
    pub fn note_begin(&mut self, count: u64) {
        self.asked_at = count;
        // What was told before it was, it had.
        if self.begun_at.is_none() {
            self.map.clear();
        }
    }

    pub fn note_doubles(&mut self, count: usize) {
        self.tally.doubles += count as u64;
    }

    pub fn note_given_up(&mut self) {
        self.tally.given_up += 1;
    }

    pub fn note_interruption(&mut self) {
        self.tally.interruptions += 1;
    }

    pub fn note_reload(&mut self, _has_position: bool) {
        self.tally.reloads += 1;
        // A new page knows nothing but the position.
        self.map.clear();
    }

    pub fn note_forgotten(&mut self) {
        self.tally.forgotten += 1;
        self.note_purge();
    }

    pub fn note_publication(&mut self, number: u64, id: &str, content: u64, service: &Service) {
        assert_eq!(number, self.publications.len() as u64 + 1);
        for publication in &mut self.publications {
            if publication.id == id {
                publication.fate = Fate::Past;
            }
        }
        self.publications.push(Publication {
            id: id.into(),
            content,
            fate: Fate::Current,
            told: false,
        });
        let _ = service;
    }

    pub fn note_retract(&mut self, id: &str) {
        for publication in &mut self.publications {
            if publication.id == id {
                publication.fate = Fate::Past;
            }
        }
    }

    pub fn note_purge(&mut self) {
        for publication in &mut self.publications {
            publication.fate = Fate::Past;
        }
    }

    pub fn note_change(&mut self, change: &Change, service: &Service) {
        match change {
            Change::Item { item, via, time } => {
                let id = item.id.clone().expect("an id");
                let content = item
                    .payload
                    .as_ref()
                    .map(|payload| payload.attr("n").expect("n").parse().expect("a number"));
                // What the node has dropped by now, and the last item, which a service sends to who subscribes, have no sure
                // place in the order.
                let placed = time.is_none()
                    && service
                        .items
                        .iter()
                        .any(|item| item.id == id && Some(item.content) == content);
                self.note_item(id, content, *via, !placed);
            }
            Change::Retract { id, via } => {
                self.map.remove(id);
                if *via == Via::CatchUp {
                    // The list of ids shows that it was dropped.
                    self.dropped.insert(id.clone());
                }
            }
            Change::Purge => self.map.clear(),
            Change::Gap { .. } => self.note_gap(service),
            Change::Live => {
                self.begun_at.get_or_insert(service.count);
                // A node that was empty and is empty: what came and went between, nobody can tell, and no gap is told.
                if service.items.is_empty() && self.seen.is_empty() {
                    for publication in &mut self.publications {
                        publication.fate = Fate::Past;
                    }
                }
            }
            Change::Subscribed(_) | Change::Subscription(_) | Change::Configuration => {}
            Change::Refused(_) | Change::Delete { .. } | Change::End => panic!("over: {change:?}"),
        }
    }

    fn note_item(&mut self, id: String, content: Option<u64>, via: Via, unplaced: bool) {
        self.tally.told += 1;
        self.tally.caught_up += u64::from(via == Via::CatchUp);
        // The same twice in a row is a repetition, however it comes.
        assert!(
            self.asks_for_repeats
                || content.is_none()
                || via == Via::Snapshot
                || self.map.get(&id).copied() != content,
            "{id} {content:?} is told again"
        );
        if !self.snapshot && via == Via::Live {
            self.note_news(&id, content);
        }
        let Some(content) = content else {
            // Dropped before it could be fetched.
            assert!(self.kind.bare || self.kind.lists_bare, "no payload");
            for publication in &mut self.publications {
                publication.told |= publication.id == id;
            }
            // What the page holds is now unknown: the same payload, once it is there, is news.
            self.map.remove(&id);
            self.told_last.entry(id).or_default();
            return;
        };
        // The same content may have been published several times: it may be told as often, and as any of them in turn.
        let is_it =
            |publication: &Publication| publication.id == id && publication.content == content;
        let published = self
            .publications
            .iter()
            .filter(|publication| is_it(publication))
            .count();
        let count = self.times.entry((id.clone(), content)).or_default();
        *count += 1;
        // A copy of its event that was still on its way when an item was dropped cannot be told from a publication.
        let copies = usize::from(self.dropped.contains(&id));
        assert!(
            *count <= published + copies || self.kind.bare || self.looks_alike(),
            "{id} {content} is told twice, or was never published"
        );
        let after = match (self.kind.is_by_publication(), via) {
            _ if self.repeats || unplaced || self.looks_alike() => 0,
            (true, _) => self.newest,
            (false, Via::Live) => self.newest_live,
            (false, _) => 0,
        };
        let mut at = self
            .publications
            .iter()
            .enumerate()
            .position(|(at, publication)| is_it(publication) && at as u64 >= after);
        if self.repeats && via != Via::Live {
            at = self.publications.iter().rposition(is_it);
        }
        for publication in &mut self.publications {
            publication.told |= publication.id == id && publication.content == content;
        }
        self.told_last.entry(id.clone()).or_default();
        self.map.insert(id.clone(), content);
        let Some(at) = at else {
            assert!(self.kind.bare, "{id} {content} comes after {after}");
            return;
        };
        let number = at as u64 + 1;
        self.seen.insert(number);
        let last = self.told_last.insert(id.clone(), content).unwrap_or(0);
        assert!(last <= content, "{id} goes back from {last} to {content}");
        if via == Via::Live && !unplaced {
            self.newest_live = number;
        }
        if !unplaced {
            self.newest = self.newest.max(number);
            let least = self
                .publications
                .iter()
                .position(|publication| publication.id == id && publication.content == content);
            self.newest_least = self.newest_least.max(least.map_or(0, |at| at as u64 + 1));
        }
        // Published several times with this content, it may stand for the last.
        let newest = self
            .publications
            .iter()
            .rposition(|publication| publication.id == id && publication.content == content);
        let newest = newest.map_or(number, |at| at as u64 + 1);
        if !unplaced {
            for gap in &mut self.gaps {
                gap.1.get_or_insert(newest);
            }
        }
        self.map.insert(id, content);
    }

    /// To a page that asks for repetitions: the last item that a service sends without a stamp, and a publication.
    fn looks_alike(&self) -> bool {
        self.asks_for_repeats && self.kind.last_item && !self.kind.stamps
    }

    /// What was there before the feed asked is no news, where the service shows it, or stamps the last item.
    fn note_news(&self, id: &str, content: Option<u64>) {
        let shows = !self.kind.mute && !self.kind.only_ids && !self.lossy && !self.kind.by_creation;
        let is_old = |(number, publication): (u64, &Publication)| {
            number <= self.asked_at && publication.id == id && Some(publication.content) == content
        };
        let mut numbered = (1..).zip(&self.publications);
        let old = numbered.any(is_old);
        let repeated = self.repeats || self.kind.bare || self.kind.lists_bare;
        // What an earlier attempt had subscribed to may still come.
        let earlier = self.tally.given_up + self.tally.interruptions > 0 || self.kind.slow > 0;
        assert!(
            !(shows && old) || repeated || earlier || self.begun_at.is_some(),
            "{id} {content:?} was there before"
        );
    }

    fn note_gap(&mut self, service: &Service) {
        self.tally.gaps += 1;
        self.gaps.push((self.newest_least, None));
        if self.kind.mute {
            self.tally.no_way += 1;
            return;
        }
        // Is something still there of what was told, unmoved? Then it could have been seen that nothing is missing.
        let shown = service.items.iter().filter(|item| {
            let last = self
                .publications
                .iter()
                .rposition(|publication| publication.id == item.id)
                .expect("published");
            self.seen.contains(&(last as u64 + 1))
        });
        // One alone may have been published again, the same as before; and ids are listed in no order that is told.
        assert!(
            shown.count() <= 1 || self.kind.only_ids,
            "a gap, although {:?} are there",
            service
                .items
                .iter()
                .map(|item| &item.id)
                .collect::<Vec<_>>()
        );
    }

    pub fn judge_end(&mut self, service: &Service) {
        let begun_at = self.begun_at.expect("it went live");
        let mut explained = vec![false; self.gaps.len()];
        let mut old = HashSet::new();
        for (number, publication) in (1..).zip(&self.publications) {
            if number <= begun_at && !self.snapshot {
                old.insert((publication.id.clone(), publication.content));
            }
            // The same under the same id once more is the same.
            let same = (publication.id.clone(), publication.content);
            if publication.told || self.times.contains_key(&same) || old.contains(&same) {
                continue;
            }
            let held = service
                .items
                .iter()
                .any(|item| item.id == publication.id && item.content == publication.content);
            // Where the first of several payloads is fetched as the last, places are not known exactly.
            let mut covered = self.kind.bare && !self.gaps.is_empty();
            for (gap, explained) in self.gaps.iter().zip(&mut explained) {
                // Where the oldest by creation is dropped first, that counts, whenever it was published last.
                let created = self
                    .publications
                    .iter()
                    .position(|other| other.id == publication.id);
                let created = created.map_or(0, |at| at as u64 + 1);
                let is_in = |number| gap.0 < number && gap.1.is_none_or(|after| number < after);
                if is_in(number) || self.kind.by_creation && is_in(created) {
                    covered = true;
                    *explained = true;
                }
            }
            if held {
                let unlisted = self.kind.mute && (covered || number <= begun_at);
                assert!(
                    unlisted || number <= begun_at && !self.snapshot,
                    "{} {} is there, and was never told",
                    publication.id,
                    publication.content
                );
                continue;
            }
            let had = self.told_last.contains_key(&publication.id)
                || old.iter().any(|(id, _)| *id == publication.id);
            let update = self.kind.by_creation && had;
            if !covered
                && (self.repeats || self.kind.lists_bare)
                && self.kind.keeps <= 10
                && publication.fate == Fate::Current
                && number > begun_at
                && !update
            {
                self.tally.hidden += 1;
                continue;
            }
            assert!(
                covered || number <= begun_at || publication.fate == Fate::Past || update,
                "publication {number} of {} is missed in silence, gaps: {:?}",
                publication.id,
                self.gaps
            );
        }
        for explained in explained {
            if explained {
                self.tally.real += 1;
            } else if !self.kind.mute {
                self.tally.undecided += 1;
            }
        }
        // A node that is listed shows what is gone.
        if !self.kind.mute {
            for (id, content) in &self.map {
                let held = service.items.iter().find(|item| item.id == *id);
                assert_eq!(
                    held.map(|item| item.content),
                    Some(*content),
                    "{id} is not what the node holds"
                );
            }
        }
    }
}
