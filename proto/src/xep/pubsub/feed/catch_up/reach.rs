//! How far back a fetch must reach: until the fetched items connect to the known ones.

use super::super::known::{DigestIndex, KnownItems};
use super::super::{Order, Traits};
use super::{FetchGoal, ListedItem};

/// Whether the fetched items reach back far enough.
pub(super) fn is_enough(
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

/// Reaches back to an item that has not moved: all new items are listed behind it. An item
/// published again without change proves nothing, and runs of them are common if rows are saved without change;
/// nor does the only item of a node.
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

/// As many items as are known plus the new ones: in creation order a republished item keeps its position.
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
