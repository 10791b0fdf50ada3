//! Merges the listing of a node with the events that arrived meanwhile: one order, each publication once. Decides
//! whether publications may be missing.
//!
//! The listing shows the node at one moment, T. All events of publications after the subscription and before T have
//! arrived (`Feed::settle`), in order. So if an event has exactly the listed revision of its item, both sequences meet
//! there: earlier events of the item are older than T, later events are newer. If no event has, the listed revision is
//! older than the subscription, and all events of the item are newer. Events of items that are not listed are placed
//! beside their neighbours.

use super::arrival::Arrival;
use super::catch_up::{FetchGoal, ListedItem};
use super::change::Via;
use super::joint::{Joint, complete_listing};
use super::known::DigestIndex;
use super::{Feed, Order};

/// The evaluation of a listing.
struct MergeResult {
    /// For each item: whether to report it.
    wanted: Vec<bool>,
    /// For each item: whether it is known and the service gives no payload.
    unseen: Vec<bool>,
    /// Whether the listing connects to the known items: no publication between them is missing.
    joined: bool,
    /// Known ids that were removed.
    gone: Vec<String>,
    /// Some known items are older than the fetched ones: they may be removed.
    partial: bool,
}

impl Feed {
    /// Handles the listed items; `whole`: they are all items of the node.
    pub(super) fn merge_held(&mut self, goal: FetchGoal, mut held: Vec<ListedItem>, whole: bool) {
        let mut waiting = self.meanwhile.take_all();
        self.drop_last_item(&mut waiting);
        let mut later = waiting.split_off(self.meanwhile.earlier.min(waiting.len()));
        Self::drop_overtaken(&mut later);
        waiting.append(&mut later);
        if goal != FetchGoal::Snapshot {
            // Items without an id cannot be recognised.
            held.retain(|held| held.item.id.is_some());
        }
        complete_listing(&mut held, &waiting);
        if waiting
            .iter()
            .any(|arrival| matches!(arrival, Arrival::Purge { .. }))
            && !held.is_empty()
        {
            return self.begin_after_purge(waiting);
        }
        let mut digests = Vec::new();
        for held in &held {
            digests.push(held.digest);
        }
        let meanwhile = &mut self.meanwhile;
        if core::mem::take(&mut meanwhile.follows_another) {
            meanwhile.overtaking = waiting.len().saturating_sub(meanwhile.earlier);
        }
        if meanwhile.is_doubtful(&digests, &waiting) {
            meanwhile.older = core::mem::take(&mut meanwhile.overtaking);
            meanwhile.put_back(waiting);
            return self.list_again(goal);
        }
        let judged = self.judge(goal, &held, whole, &waiting);
        self.known.set_complete(whole);
        if digests.iter().any(|digest| digest.has_payload()) && self.known.has_unseen() {
            for digest in &digests {
                self.known.learn(*digest);
            }
        }
        if goal == FetchGoal::Baseline {
            for held in &held {
                if let Some(id) = &held.item.id {
                    self.known.note(held.digest, id, self.settings.limit);
                }
            }
        }
        let via = if goal == FetchGoal::Snapshot {
            Via::Snapshot
        } else {
            Via::CatchUp
        };
        let mut joint = Joint {
            index: DigestIndex::of(&digests),
            digests,
            held,
            wanted: judged.wanted,
            unseen: judged.unseen,
            via,
            baseline: goal == FetchGoal::Baseline,
            told: 0,
            met: false,
            pending: Vec::new(),
            all: Vec::new(),
        };
        // Events of an earlier session are reported alone if neither side connects to them.
        let mut island = None;
        let mut earlier = core::mem::take(&mut self.meanwhile.earlier);
        let mut older = earlier + core::mem::take(&mut self.meanwhile.older);
        if goal == FetchGoal::Since && !judged.joined && earlier > 0 {
            let by_creation = self.traits.order == Order::Creation;
            let reached = waiting.iter().take(earlier).any(|arrival| {
                joint.place(arrival).is_some()
                    && (by_creation || arrival.needs_payload() || !joint.lists_another(arrival))
            });
            if !reached {
                island = Some(earlier);
            }
        }
        let superseded = joint.superseded(&waiting);
        for (arrival, superseded) in waiting.into_iter().zip(superseded) {
            if let Some(rest) = &mut island {
                if *rest == 0 {
                    joint.end_island();
                    island = None;
                } else {
                    *rest -= 1;
                }
            }
            // An event of an earlier session: if the item is listed in another revision, it was published since. The
            // gap between the sessions is closed if an earlier item is listed.
            let closed = (judged.joined || joint.met) && matches!(arrival, Arrival::Gap { .. });
            let another = older > 0 && joint.lists_another(&arrival);
            older = older.saturating_sub(1);
            joint.met |= another;
            if !closed && !superseded && !another {
                joint.join(arrival);
            }
            if earlier == 1 {
                joint.report_pending();
            }
            earlier = earlier.saturating_sub(1);
        }
        if island.is_some() {
            joint.end_island();
        }
        let all = joint.finish();

        let something = !self.known.is_empty() || self.last.is_some() || !all.is_empty();
        let silent = self.meanwhile.gap_told || self.meanwhile.purged;
        if goal == FetchGoal::Since && !judged.joined && !silent && something {
            let first = all.iter().find_map(Arrival::as_item);
            self.report_gap(first.and_then(|first| first.item.id.clone()));
        }
        if self.basis.take_outdated() {
            let first = all.iter().find_map(Arrival::as_item);
            self.report_gap(first.and_then(|first| first.item.id.clone()));
        }
        for id in judged.gone {
            self.arrivals.push_back(Arrival::gone(id));
        }
        let mut last = self.last.clone();
        let mut rest = all.into_iter();
        while let Some(mut arrival) = rest.next() {
            match &mut arrival {
                // Between the items of an earlier session and the following ones.
                Arrival::Gap { after, before } => {
                    after.clone_from(&last);
                    let next = rest.as_slice().iter().find_map(Arrival::as_item);
                    *before = next.and_then(|next| next.item.id.clone());
                }
                Arrival::Item(arrived) => {
                    if arrived.via == via {
                        self.echoes.push(arrived.digest);
                    }
                    last.clone_from(&arrived.item.id);
                }
                _ => {}
            }
            self.arrivals.push_back(arrival);
        }
        self.go_live(judged.partial);
    }

    /// Handles a complete archive: no publication is missing.
    pub(super) fn merge_archive(&mut self, found: Vec<Arrival>) {
        let waiting = self.meanwhile.take_all();
        let mut names = Vec::new();
        let mut digests = Vec::new();
        for mut arrival in found {
            names.extend(arrival.archived().cloned());
            if let Arrival::Item(arrived) = &mut arrival {
                arrived.via = Via::CatchUp;
                digests.push(arrived.digest);
            }
            self.arrivals.push_back(arrival);
        }
        for arrival in waiting {
            let told = match (&arrival, arrival.archived()) {
                (_, Some(name)) => names.contains(name),
                (Arrival::Gap { .. }, None) => true,
                // The last item, which a service sends on subscribing, has no archive id.
                (Arrival::Item(arrived), None) => {
                    arrived.time.is_some() || digests.contains(&arrived.digest)
                }
                _ => false,
            };
            if !told {
                self.arrivals.push_back(arrival);
            }
        }
        self.go_live(true);
    }

    /// Handles an endless archive: reports its results so far, then lists the node. The listing shows whether
    /// anything is missing between the two.
    pub(super) fn leave_archive(&mut self, found: Vec<Arrival>) {
        let mut names = Vec::new();
        let mut digests = Vec::new();
        for arrival in &found {
            names.extend(arrival.archived().cloned());
            digests.extend(arrival.as_item().map(|arrived| arrived.digest));
        }
        let told = |arrival: &Arrival| match arrival.archived() {
            Some(name) => names.contains(name),
            // The last item has no archive id.
            None => arrival
                .as_item()
                .is_some_and(|arrived| digests.contains(&arrived.digest)),
        };
        self.meanwhile.retain(|arrival| !told(arrival));
        for mut arrival in found {
            if let Arrival::Item(arrived) = &mut arrival {
                arrived.via = Via::CatchUp;
            }
            self.arrivals.push_back(arrival);
        }
        self.meanwhile.gap_told = false;
        self.list_again(FetchGoal::Since);
    }

    /// Handles a node that cannot be listed. The last item, which many services send on subscribing, may show that nothing
    /// was missed (§6.1.7).
    pub(super) fn handle_unlisted(&mut self) {
        let mut earlier = self.meanwhile.take_all();
        self.drop_last_item(&mut earlier);
        if self.basis.take_outdated() {
            let first = earlier.iter().find_map(Arrival::as_item);
            self.report_gap(first.and_then(|first| first.item.id.clone()));
        }
        let waiting = earlier.split_off(self.meanwhile.earlier.min(earlier.len()));
        let mut last = self.last.clone();
        let mut newest = self.known.digests().last().copied();
        let first = |arrivals: &[Arrival]| {
            let first = arrivals.iter().find_map(Arrival::as_item);
            first.map(|first| (first.item.id.clone(), first.digest, first.time.is_some()))
        };
        let begun = self.basis.is_known();
        for (number, mut part) in [earlier, waiting].into_iter().enumerate() {
            if number == 0 && part.is_empty() {
                continue;
            }
            let shown =
                first(&part).is_some_and(|(_, digest, delayed)| delayed && newest == Some(digest));
            Self::drop_overtaken(&mut part);
            if begun && !shown && !self.meanwhile.gap_told && !self.meanwhile.purged {
                let before = first(&part).and_then(|(id, _, _)| id);
                let after = last.clone();
                self.arrivals.push_back(Arrival::Gap { after, before });
            }
            for arrival in part {
                if let Some(arrived) = arrival.as_item() {
                    last.clone_from(&arrived.item.id);
                    newest = Some(arrived.digest);
                }
                self.arrivals.push_back(arrival);
            }
        }
        self.go_live(false);
    }

    pub(super) fn report_gap(&mut self, before: Option<String>) {
        self.meanwhile.gap_told = true;
        let after = self.last.clone();
        self.arrivals.push_back(Arrival::Gap { after, before });
    }

    fn judge(
        &self,
        goal: FetchGoal,
        held: &[ListedItem],
        whole: bool,
        waiting: &[Arrival],
    ) -> MergeResult {
        let known = self.known.digests();
        if goal != FetchGoal::Since {
            return MergeResult {
                wanted: vec![goal == FetchGoal::Snapshot; held.len()],
                unseen: vec![false; held.len()],
                joined: true,
                gone: Vec::new(),
                partial: false,
            };
        }
        let index = DigestIndex::of(known);
        let mut still = vec![false; known.len()];
        // For each item: its position among the known items, and whether its revision is unchanged.
        let mut places = Vec::new();
        let mut unseen = Vec::new();
        let mut highest = 0;
        for held in held {
            let place = index.place(held.digest.id, known);
            if let Some(still) = place.and_then(|place| still.get_mut(place)) {
                *still = true;
            }
            let known = place.and_then(|place| known.get(place));
            let mut same = known.is_some_and(|known| !held.digest.differs_from(*known));
            if let Some(place) = place {
                // Listed without a payload: only its position can show that the item was published again.
                same &= held.digest.has_payload() || place >= highest;
                highest = highest.max(place);
            }
            unseen.push(known.is_some() && !held.digest.has_payload());
            places.push((place, same));
        }
        let complete = self.known.is_complete();
        let at = self.anchor(&places);
        let mut wanted = Vec::new();
        for (number, (place, same)) in places.iter().enumerate() {
            let new = complete || place.is_some() || at.is_none_or(|anchor| number > anchor);
            wanted.push(!same && new);
        }
        let joined = at.is_some();
        // The known items that a complete listing would contain if they still existed.
        let from = if whole { 0 } else { known.len() };
        let mut gone = Vec::new();
        let mut partial = from > 0 && !still.iter().take(from).all(|still| *still);
        for (place, still) in still.iter().enumerate().skip(from) {
            if !still && let Some(id) = self.known.id_at(place) {
                if waiting.iter().any(|arrival| arrival.is_of(&id)) {
                    // Published after the listing, or removed before it: the list of ids decides.
                    partial = true;
                } else {
                    gone.push(String::from(&*id));
                }
            }
        }
        MergeResult {
            wanted,
            unseen,
            joined,
            gone,
            partial,
        }
    }

    /// The first listed item that was known before and has not moved: no later item can have been dropped, and the
    /// items before it are older.
    fn anchor(&self, places: &[(Option<usize>, bool)]) -> Option<usize> {
        if self.traits.order == Order::Creation {
            return places.iter().position(|(place, _)| place.is_some());
        }
        let first = places.iter().position(|(_, same)| *same)?;
        let before = places.get(..first).unwrap_or_default();
        // Two items that follow each other as before have not moved.
        for (number, pair) in places.windows(2).enumerate() {
            if let [(Some(first), true), (Some(second), true)] = pair
                && first < second
            {
                return Some(number);
            }
        }
        if before.iter().any(|(place, _)| place.is_none()) {
            // If all items are known, the items before it are new: so it was published again without a change.
            return None;
        }
        // A single item may have been published again, too. If it was not, all newer items are listed as well.
        let place = places.get(first)?.0?;
        let newer = |known: usize| places.iter().any(|(place, _)| *place == Some(known));
        (place + 1..self.known.len()).all(newer).then_some(first)
    }

    /// Handles a purge during the listing, before or after it: only the current items count.
    fn begin_after_purge(&mut self, waiting: Vec<Arrival>) {
        let mut waiting = waiting;
        let last = waiting
            .iter()
            .rposition(|arrival| matches!(arrival, Arrival::Purge { .. }));
        let rest = waiting.split_off(last.map_or(0, |at| at + 1));
        let meanwhile = &mut self.meanwhile;
        meanwhile.purged = last.is_some_and(|at| at >= meanwhile.earlier);
        meanwhile.earlier = meanwhile.earlier.saturating_sub(waiting.len());
        meanwhile.overtaking = 0;
        meanwhile.older = 0;
        meanwhile.put_back(rest);
        self.arrivals.push_back(Arrival::Purge { archived: None });
        self.known.clear();
        self.known.set_complete(true);
        self.list_again(FetchGoal::Since);
    }
}

impl Arrival {
    /// Whether a change belongs to this item.
    fn is_of(&self, id: &str) -> bool {
        match self {
            Self::Item(arrived) => arrived.item.id.as_deref() == Some(id),
            Self::Retract { id: own, .. } => own == id,
            _ => false,
        }
    }
}
