//! Recognises copies of a publication that arrives once per subscription (XEP-0060 §7.1.2.4).

/// How many publications are remembered to recognise copies under another subscription. Copies arrive
/// close together.
const RECENT: usize = 16;

/// Recognises copies. Each subscription's messages come in order, so the streams of two subscriptions to one node are paired
/// front to front: a message is a copy of the oldest one that looks the same, that came under other subscriptions only, and
/// that lies after the last one paired with its own. So publishing the same item twice counts as two publications.
#[derive(Debug, Default)]
pub(super) struct CopyFilter {
    /// The subscriptions of received messages; one bit of a mask each.
    keys: Vec<SubscriptionStream>,
    recent: Vec<RecentPublication>,
    count: u32,
}

#[derive(Debug)]
pub(super) struct SubscriptionStream {
    /// A SubID, or without one the addressed JID.
    pub(super) text: String,
    pub(super) subid: bool,
    /// The number of the last publication received for it.
    last: u32,
}

#[derive(Debug)]
struct RecentPublication {
    number: u32,
    fingerprint: u32,
    mask: u32,
}

impl CopyFilter {
    /// Resets the filter if the mask has no free bits. This takes many sessions or a hostile service.
    pub(super) fn make_room(&mut self, keys: usize) {
        if self.keys.len() + keys > 32 {
            *self = Self::default();
        }
    }

    /// The bit of a subscription.
    pub(super) fn key(&mut self, text: &str, subid: bool) -> u32 {
        let known = self
            .keys
            .iter()
            .position(|key| key.subid == subid && key.text == text);
        let at = known.unwrap_or_else(|| {
            self.keys.push(SubscriptionStream {
                text: text.into(),
                subid,
                last: 0,
            });
            self.keys.len() - 1
        });
        1 << at
    }

    pub(super) fn of(&self, mask: u32) -> impl Iterator<Item = &SubscriptionStream> {
        self.keys
            .iter()
            .enumerate()
            .filter(move |(at, _)| mask & (1 << at) != 0)
            .map(|(_, key)| key)
    }

    /// Adds a publication; returns the subscriptions under which it was received before, 0 if it is new.
    pub(super) fn note(&mut self, mask: u32, fingerprint: u32) -> u32 {
        let after = self.of(mask).map(|key| key.last).max().unwrap_or(0);
        let copy = self.recent.iter_mut().find(|copied| {
            copied.number > after && copied.mask & mask == 0 && copied.fingerprint == fingerprint
        });
        let (number, before) = match copy {
            Some(copied) => {
                let before = copied.mask;
                copied.mask |= mask;
                (copied.number, before)
            }
            None => {
                self.count += 1;
                if self.recent.len() == RECENT {
                    self.recent.remove(0);
                }
                self.recent.push(RecentPublication {
                    number: self.count,
                    fingerprint,
                    mask,
                });
                (self.count, 0)
            }
        };
        for (at, key) in self.keys.iter_mut().enumerate() {
            if mask & (1 << at) != 0 {
                key.last = number;
            }
        }
        before
    }
}
