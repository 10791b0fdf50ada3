//! Pending iq requests and their replies (RFC 6120 §8.2.3).
//!
//! A reply belongs to a request if its id **and** its sender match (§8.1.2.1, §8.2.3): an id alone can be guessed.

use super::event::{IqId, RequestFailure};
use super::jid::Jid;
use super::stanza::StanzaError;
use super::time::Instant;
use super::unicode::Unicode;
use super::vec_map::VecMap;
use super::xml::Element;

struct PendingIq {
    request: IqId,
    /// The normalised `to`; `None` for our own account and server.
    to: Option<Jid>,
    deadline: Option<Instant>,
    /// The request is still in the outbox.
    kept: bool,
}

/// The requests that are not settled.
#[derive(Default)]
pub struct PendingIqs {
    by_id: VecMap<String, PendingIq>,
    /// A lower bound of all deadlines.
    earliest: Option<Instant>,
}

impl PendingIqs {
    /// Whether a request with this id is pending.
    pub fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Adds a request. `own` is the session's full JID, if bound.
    pub fn insert(
        &mut self,
        id: &str,
        request: IqId,
        to: Option<Jid>,
        own: Option<&Jid>,
        deadline: Option<Instant>,
        kept: bool,
    ) {
        let to = to.filter(|to| !own.is_some_and(|own| is_own_side(to, own)));
        if let Some(deadline) = deadline {
            self.earliest = Some(self.earliest.map_or(deadline, |known| known.min(deadline)));
        }
        let pending = PendingIq {
            request,
            to,
            deadline,
            kept,
        };
        self.by_id.insert(id.to_owned(), pending);
    }

    /// Removes a request that the caller abandoned.
    pub fn forget(&mut self, request: IqId) {
        self.by_id.retain(|pending| pending.request != request);
    }

    /// Settles the request that `stanza`, an iq of type `result` or `error`, replies to.
    pub fn settle(
        &mut self,
        stanza: &Element,
        own: Option<&Jid>,
        unicode: &dyn Unicode,
    ) -> Option<(IqId, Result<Element, RequestFailure>)> {
        let id = stanza.attr("id")?;
        let pending = self.by_id.get(id)?;
        let from = stanza.attr("from");
        let fits = match (&pending.to, from) {
            (None, None) => true,
            (Some(_), None) => false,
            (expected, Some(from)) => {
                let from = Jid::parse(from, unicode).ok()?;
                match expected {
                    Some(to) => *to == from,
                    None => own.is_some_and(|own| is_own_side(&from, own)),
                }
            }
        };
        if !fits {
            return None;
        }
        let pending = self.by_id.remove(id)?;
        let outcome = if stanza.attr("type") == Some("result") {
            Ok(stanza.clone())
        } else {
            Err(RequestFailure::Refused {
                error: StanzaError::parse(stanza),
                reply: stanza.clone(),
            })
        };
        Some((pending.request, outcome))
    }

    /// The earliest time at which a request may time out.
    pub fn deadline(&self) -> Option<Instant> {
        self.earliest
    }

    /// Takes the requests that have timed out.
    pub fn take_late(&mut self, now: Instant) -> Vec<IqId> {
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return Vec::new();
        }
        let mut late = Vec::new();
        self.earliest = None;
        let earliest = &mut self.earliest;
        self.by_id.retain(|pending| match pending.deadline {
            Some(deadline) if deadline <= now => {
                late.push(pending.request);
                false
            }
            Some(deadline) => {
                *earliest = Some(earliest.map_or(deadline, |known| known.min(deadline)));
                true
            }
            None => true,
        });
        late
    }

    /// Marks the requests in the outbox as sent.
    pub fn note_released(&mut self) {
        self.by_id.retain_mut(|pending| {
            pending.kept = false;
            true
        });
    }

    /// Takes the requests that were sent in a session that is lost.
    pub fn take_sent(&mut self) -> Vec<IqId> {
        let mut sent = Vec::new();
        self.by_id.retain(|pending| {
            if !pending.kept {
                sent.push(pending.request);
            }
            pending.kept
        });
        sent
    }

    /// Takes all requests: the connection has ended.
    pub fn take_all(&mut self) -> Vec<IqId> {
        self.earliest = None;
        let mut all = Vec::new();
        for (_, pending) in core::mem::take(&mut self.by_id).into_entries() {
            all.push(pending.request);
        }
        all
    }
}

/// Whether `stanza` comes from our own side (RFC 6120 §8.1.2.1): it has no `from`, or one of our account, session or server. No other
/// entity may answer a request sent without `to`. `own` is the session's full JID.
pub fn is_from_own_side(stanza: &Element, own: Option<&Jid>, unicode: &dyn Unicode) -> bool {
    match (stanza.attr("from"), own) {
        (None, _) => true,
        (Some(from), Some(own)) => {
            Jid::parse(from, unicode).is_ok_and(|from| is_own_side(&from, own))
        }
        (Some(_), None) => false,
    }
}

/// Our own account, session or server: they answer for each other (§8.1.2.1: no `from` at all, or one of these).
fn is_own_side(jid: &Jid, own: &Jid) -> bool {
    jid == own
        || jid.is_bare()
            && jid.domain() == own.domain()
            && (jid.local().is_none() || jid.local() == own.local())
}
