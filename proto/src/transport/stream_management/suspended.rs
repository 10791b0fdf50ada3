//! A session without a stream: it waits to be resumed on another one (XEP-0198 1.6.3 §5), or to tell what is lost with it.

use super::{StreamManagement, parse_h};
use crate::event::{Delivery, SendId};
use crate::time::{Instant, Millis};
use crate::xml::Element;
use std::rc::Rc;

/// What a login needs to resume a session (XEP-0198 §5).
#[derive(Clone, Debug)]
pub struct Resumption {
    /// The session's `id`.
    pub previd: String,
    /// How many stanzas we have handled in it, modulo 2³².
    pub h: u32,
}

/// A stanza of a lost session.
pub struct Lost {
    /// Its text, when it is certain that it did not arrive and it may be sent again.
    pub again: Option<Rc<str>>,
    /// The name that it was sent under.
    pub name: Option<SendId>,
}

/// What the server's answer to a resumption tells of the stanzas that were sent.
#[derive(Default)]
pub struct Acknowledged {
    /// What became of those that have a name.
    pub settled: Vec<(SendId, Delivery)>,
    /// What is lost, when the session is.
    pub lost: Vec<Lost>,
    /// It is certain that what is lost has not arrived.
    pub known: bool,
    /// The session goes on.
    pub resumed: bool,
}

/// A session that lost its stream.
pub struct Suspended {
    managed: StreamManagement,
    lost_at: Instant,
}

impl Suspended {
    /// A session whose stream ended at `lost_at`.
    pub fn new(managed: StreamManagement, lost_at: Instant) -> Self {
        Self { managed, lost_at }
    }

    /// Whether the server may still have it. False after a stream that was closed in order.
    pub fn is_resumable(&self) -> bool {
        self.managed.id.is_some()
    }

    /// What a login needs to resume it; `None` when the server does not keep it any longer.
    pub fn resumption(&self, now: Instant) -> Option<Resumption> {
        let previd = self.managed.id.clone()?;
        let mut max = self.managed.max.into_iter();
        let kept = max.all(|max| now - self.lost_at <= Millis::seconds(max));
        let h = self.managed.handled;
        kept.then_some(Resumption { previd, h })
    }

    /// Whether the server is so far behind that nothing more is to be sent in it.
    pub fn is_full(&self) -> bool {
        !self.managed.has_room()
    }

    /// All that another page needs to resume it, and how long the server keeps it, about.
    pub fn snapshot(&self) -> Option<(Element, Millis)> {
        Some((self.managed.snapshot()?, self.managed.lasts()))
    }

    /// What is lost with it: of none of it is it known whether it arrived.
    pub fn lose(mut self) -> Vec<Lost> {
        self.managed.take_unacked(false)
    }

    /// `<resumed/>`: the session, and what is to be sent once more. Without the latter when the answer does not fit the session,
    /// which is over then.
    pub(in crate::transport) fn resume(
        mut self,
        now: Instant,
        resumed: &Element,
        settled: &mut Vec<(SendId, Delivery)>,
    ) -> (StreamManagement, Option<Vec<Rc<str>>>) {
        let fits = parse_h(resumed).is_some_and(|h| self.managed.acknowledge(h, settled));
        if !fits {
            self.managed.forget();
            return (self.managed, None);
        }
        let texts = self.managed.resume(now);
        (self.managed, Some(texts))
    }

    /// `<failed/>`: where it tells how far the server came, the rest has not arrived.
    pub(in crate::transport) fn refuse(mut self, failed: &Element) -> Acknowledged {
        let mut settled = Vec::new();
        let known = match parse_h(failed) {
            Some(h) => self.managed.acknowledge(h, &mut settled),
            None => false,
        };
        Acknowledged {
            settled,
            lost: self.managed.take_unacked(known),
            known,
            resumed: false,
        }
    }
}
