//! A session without a stream: it is resumed on another stream (XEP-0198 1.6.3 §5), or its stanzas are reported as
//! lost.

use super::{StreamManagement, parse_h};
use crate::event::{Delivery, SendId};
use crate::time::{Instant, Millis};
use crate::xml::Element;
use std::rc::Rc;

/// The data that a login needs to resume a session (XEP-0198 §5).
#[derive(Clone, Debug)]
pub struct Resumption {
    /// The session's `id`.
    pub previd: String,
    /// The number of handled stanzas, modulo 2³².
    pub h: u32,
}

/// A stanza of a lost session.
pub struct Lost {
    /// The stanza's text, if it certainly did not arrive and may be sent again.
    pub again: Option<Rc<str>>,
    /// The id under which the stanza was sent.
    pub name: Option<SendId>,
}

/// The result of the server's reply to a resumption for the sent stanzas.
#[derive(Default)]
pub struct Acknowledged {
    /// The delivery of the stanzas that have an id.
    pub settled: Vec<(SendId, Delivery)>,
    /// The stanzas of a lost session.
    pub lost: Vec<Lost>,
    /// Whether the lost stanzas certainly have not arrived.
    pub known: bool,
    /// Whether the session was resumed.
    pub resumed: bool,
}

/// A session that lost its stream.
pub struct Suspended {
    managed: StreamManagement,
    lost_at: Instant,
}

impl Suspended {
    /// Suspends a session whose stream ended at `lost_at`.
    pub fn new(managed: StreamManagement, lost_at: Instant) -> Self {
        Self { managed, lost_at }
    }

    /// Whether the server may still have the session. False after a stream that was closed in order.
    pub fn is_resumable(&self) -> bool {
        self.managed.id.is_some()
    }

    /// The data that a login needs to resume the session; `None` if the server has dropped it by now.
    pub fn resumption(&self, now: Instant) -> Option<Resumption> {
        let previd = self.managed.id.clone()?;
        let mut max = self.managed.max.into_iter();
        let kept = max.all(|max| now - self.lost_at <= Millis::seconds(max));
        let h = self.managed.handled;
        kept.then_some(Resumption { previd, h })
    }

    /// Whether the server is so far behind that no more stanzas may be sent in the session.
    pub fn is_full(&self) -> bool {
        !self.managed.has_room()
    }

    /// The data with which another page resumes the session, and about how long the server keeps it.
    pub fn snapshot(&self) -> Option<(Element, Millis)> {
        Some((self.managed.snapshot()?, self.managed.lasts()))
    }

    /// The lost stanzas of the session; whether they arrived is unknown.
    pub fn lose(mut self) -> Vec<Lost> {
        self.managed.take_unacked(false)
    }

    /// Handles `<resumed/>`: returns the session and the texts to resend; `None` instead of the texts if the reply does
    /// not fit the session, which has ended then.
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

    /// Handles `<failed/>`: if it holds the server's count, the remaining stanzas have not arrived.
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
