//! Broken requests (XEP-0124 §14.3, §17): repeated byte for byte, after pauses that grow with the outage, until the
//! session is lost.

use super::answers::number;
use super::{Bosh, Progress, Request, TransportEvent};
use crate::error::CloseReason;
use crate::event::Delivery;
use crate::io::{ExchangeId, Transmit};
use crate::ns;
use crate::time::{Instant, Millis};
use crate::xml::{Element, Unreadable, XmlError};

/// A response that left the server this recently may still arrive.
const ON_ITS_WAY: Millis = Millis::seconds(1);
/// The smallest number of repetitions of a request before the session is given up.
const FEWEST_ATTEMPTS: usize = 3;

/// The type of the placeholder for an unreadable response. It shows nothing about the delivery of its request.
pub(super) const UNREADABLE: &str = "unreadable";
/// How often the same unreadable bytes must come to count as the server's response and not as damage by the network.
const MOST_DAMAGED: usize = 3;
/// The state of a session whose requests break.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// When the next attempt is due or, while its response is awaited, when it was sent.
    pub retry_at: Instant,
    /// The number of that attempt, from 1.
    pub attempt: u32,
    /// Why the last attempt failed.
    pub reason: CloseReason,
}

impl Bosh {
    pub(super) fn handle_broken(
        &mut self,
        now: Instant,
        exchange: ExchangeId,
        reason: CloseReason,
    ) {
        let opening = self.is_opening();
        let over = self.is_over();
        let patience = self.terms.inactivity;
        let legacy = self.terms.legacy;
        let Some(request) = self.request_mut(exchange) else {
            return;
        };
        let broken_since = *request.broken_since.get_or_insert(now);
        request.attempts += 1;
        request.pauses += 1;
        // The first repetition is immediate: most often the server has closed a kept-alive connection.
        let first = request.pauses == 1;
        // Elapsed time is not enough: a single attempt may have hung for all of it.
        let given_up = now - broken_since > patience && request.attempts > FEWEST_ATTEMPTS;
        let at = if first { now } else { self.next_attempt(now) };
        self.outage.since.get_or_insert(now);
        self.outage.reason = reason.clone();
        if let Some(request) = self.request_mut(exchange) {
            request.progress = Progress::Repeating(at);
        }
        if over {
            return self.abandon_broken(now);
        }
        if opening {
            // There is no session yet that a repetition could save.
            return self.end(reason);
        }
        match reason {
            CloseReason::Http(status @ (400 | 403 | 404)) if legacy => {
                let condition = match status {
                    400 => "bad-request",
                    403 => "policy-violation",
                    _ => "item-not-found",
                };
                let condition = condition.to_owned();
                self.end(CloseReason::Terminated { condition });
            }
            // A manager that supports `ver` does not send these statuses (§17.1): they come from an intermediary and
            // may be temporary. The same applies to redirects: a network that requires a login answers with them.
            CloseReason::Http(300..=399 | 400 | 403 | 404 | 408 | 425 | 429) if !given_up => {}
            CloseReason::Http(status) if status < 500 => {
                self.end(reason);
            }
            // A repetition would fail in the same way, while the server considers the session alive.
            CloseReason::TooLarge => self.dismiss(now, reason),
            _ if given_up => self.end(reason),
            _ => {}
        }
    }

    /// Handles a body that cannot be read. It may have been cut or changed by the network, so the request is repeated.
    /// If the body stays the same, or holds content that no network inserts, it is the server's response: reported, and
    /// treated as a response without a payload.
    pub(super) fn handle_unreadable(
        &mut self,
        now: Instant,
        exchange: ExchangeId,
        unreadable: Unreadable,
        print: u32,
    ) {
        let opening = self.is_opening();
        let Some(request) = self.request_mut(exchange) else {
            return;
        };
        // Damage by a network differs each time.
        request.damaged = match request.damaged {
            (known, times) if known == print => (print, times + 1),
            _ => (print, 1),
        };
        let times = request.damaged.1;
        let damaged = matches!(
            unreadable.error,
            XmlError::Truncated | XmlError::Malformed(_) | XmlError::NotUtf8
        );
        if opening || damaged && times < MOST_DAMAGED {
            return self.handle_broken(now, exchange, CloseReason::BadXml(unreadable.error));
        }
        let event = TransportEvent::Unreadable(unreadable);
        self.events.push_back(event);
        let empty = Element::builder("body", ns::HTTP_BIND)
            .attr("type", UNREADABLE)
            .build();
        self.handle_readable(now, exchange, empty);
    }

    /// When the session's broken requests are repeated: together with those that already wait, or after a pause as
    /// [`Reconnect`](crate::reconnect::Reconnect) defines it.
    fn next_attempt(&mut self, now: Instant) -> Instant {
        for request in &self.in_flight {
            if let Progress::Repeating(at) = request.progress
                && is_troubled(request)
                && at > now
            {
                return at;
            }
        }
        self.outage.failures = self.outage.failures.saturating_add(1);
        let outage = self.outage.since.map_or(Millis(0), |since| now - since);
        let number = self.roll();
        now + self.config.pauses.pause(outage, number)
    }

    /// 53 bits that differ from session to session (SplitMix64, from the first rid).
    fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.dice;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) >> 11
    }

    /// The state of a session whose requests broke more than once. `None` if no request is broken, and after a single
    /// break: that request is repeated at once, and the cause is most often the end of an idle HTTP connection.
    pub fn trouble(&self) -> Option<Trouble> {
        if !self.is_open() {
            return None;
        }
        let mut due: Option<Instant> = None;
        let mut sent = None;
        for request in self.in_flight.iter().filter(|one| is_troubled(one)) {
            match request.progress {
                Progress::Repeating(at) => due = Some(due.map_or(at, |known| known.min(at))),
                Progress::InFlight(_) => sent = sent.max(Some(request.sent_at)),
                Progress::Answered { .. } => {}
            }
        }
        Some(Trouble {
            retry_at: due.or(sent)?,
            attempt: self.outage.failures.max(1),
            reason: self.outage.reason.clone(),
        })
    }

    /// Since when no request has been answered although some broke, and the number of failed attempts since then.
    pub fn outage(&self) -> Option<(Instant, u32)> {
        Some((self.outage.since?, self.outage.failures))
    }

    /// §9.2: a response may report that an earlier response was not acknowledged. If that response is missing, its
    /// request is repeated now.
    pub(super) fn handle_report(&mut self, now: Instant, rid: u64, reporter: &Element) {
        let Some(missing) = number(reporter, "report").filter(|missing| *missing < rid) else {
            return;
        };
        if number(reporter, "time").is_some_and(|time| time < ON_ITS_WAY.0) {
            return;
        }
        let mut lost = None;
        for request in &mut self.in_flight {
            if request.rid == missing {
                match &mut request.progress {
                    Progress::InFlight(exchange) => lost = Some(*exchange),
                    Progress::Repeating(at) => *at = now.min(*at),
                    Progress::Answered { .. } => {}
                }
            }
        }
        if let Some(exchange) = lost {
            self.abandon_transmission(now, exchange, CloseReason::Unreachable);
        }
    }

    /// §17.3, recoverable: repeats the request and all unanswered ones before it.
    pub(super) fn repeat_up_to(&mut self, now: Instant, rid: u64) {
        let mut due = Vec::new();
        for request in &self.in_flight {
            if let Progress::InFlight(exchange) = request.progress
                && request.rid <= rid
            {
                due.push((exchange, request.rid == rid));
            }
        }
        // The answered request, the last one, goes first: if the session ends with another one, the answered one must
        // not count as open.
        while let Some((exchange, answered)) = due.pop() {
            let reason = CloseReason::Terminated {
                condition: "undefined-condition".to_owned(),
            };
            if answered {
                self.handle_broken(now, exchange, reason);
            } else {
                self.abandon_transmission(now, exchange, reason);
            }
        }
    }

    /// Stops waiting for that response, unless the session has ended meanwhile.
    pub(super) fn abandon_transmission(
        &mut self,
        now: Instant,
        exchange: ExchangeId,
        reason: CloseReason,
    ) {
        if self.request_mut(exchange).is_some() {
            self.transmits.push_back(Transmit::CancelHttp(exchange));
            self.handle_broken(now, exchange, reason);
        }
    }

    /// The session has ended: requests that broke before the terminating response will get no response.
    pub(super) fn abandon_broken(&mut self, now: Instant) {
        let before = self.in_flight.len();
        while let Some(front) = self.in_flight.first() {
            if !matches!(front.progress, Progress::Repeating(_)) {
                break;
            }
            let request = self.in_flight.remove(0);
            self.settle(request.carried, Delivery::Unknown);
        }
        if self.in_flight.len() < before {
            self.events.push_back(TransportEvent::Hole);
            self.handle_in_order(now);
        }
    }
}

/// Whether the request broke more than once.
pub(super) fn is_troubled(request: &Request) -> bool {
    request.attempts > 1
}
