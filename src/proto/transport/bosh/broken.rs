//! Requests that break (XEP-0124 §14.3, §17): repeated byte for byte, slower and slower, until the session is lost.

use super::{Bosh, Progress, State};
use crate::proto::error::CloseReason;
use crate::proto::event::Delivery;
use crate::proto::io::{ExchangeId, Transmit};
use crate::proto::time::{Instant, Millis};
use crate::proto::xml::XmlError;

/// When a broken request is repeated, by attempt: at once, for a kept-alive connection that the server had closed; then slower.
const BACKOFF: [Millis; 6] = [
    Millis(0),
    Millis(500),
    Millis(1_000),
    Millis(2_000),
    Millis(4_000),
    Millis(8_000),
];
/// How often a request is repeated at least before the session is given up.
const FEWEST_ATTEMPTS: usize = 3;

impl Bosh {
    pub(super) fn handle_broken(
        &mut self,
        now: Instant,
        exchange: ExchangeId,
        reason: CloseReason,
    ) {
        let opening = matches!(self.state, State::Opening { .. });
        let over = self.is_over();
        let patience = self.patience;
        let Some(request) = self.flying(exchange) else {
            return;
        };
        let broken_since = *request.broken_since.get_or_insert(now);
        let pause = BACKOFF
            .get(request.attempts)
            .or(BACKOFF.last())
            .copied()
            .unwrap_or_default();
        request.attempts += 1;
        // Time alone is no proof: one attempt that hung for all of it may have been bad luck.
        let given_up = now - broken_since > patience && request.attempts > FEWEST_ATTEMPTS;
        request.progress = Progress::Repeating(now + pause);
        if over {
            return self.give_up_broken(now);
        }
        if opening {
            // There is no session yet that a repetition could save.
            return self.end(reason);
        }
        match reason {
            CloseReason::Http(status @ (400 | 403 | 404)) => {
                // Only managers older than `ver` say it this way (§17.2).
                let condition = match status {
                    400 => "bad-request",
                    403 => "policy-violation",
                    _ => "item-not-found",
                };
                let condition = condition.to_owned();
                self.end(CloseReason::Terminated { condition });
            }
            CloseReason::Http(status) if status < 500 && !matches!(status, 408 | 425 | 429) => {
                self.end(reason);
            }
            // It would be so again, and the server thinks that all is well.
            reason if is_refused(&reason) => self.dismiss(now, reason),
            _ if given_up => self.end(reason),
            _ => {}
        }
    }

    /// §17.3, recoverable: the request and all unanswered ones before it are repeated.
    pub(super) fn repeat_up_to(&mut self, now: Instant, rid: u64) {
        let mut due = Vec::new();
        for request in &self.in_flight {
            if let Progress::Flying(exchange) = request.progress
                && request.rid <= rid
            {
                due.push((exchange, request.rid == rid));
            }
        }
        for (exchange, answered) in due {
            let reason = CloseReason::Terminated {
                condition: "undefined-condition".to_owned(),
            };
            if answered {
                self.handle_broken(now, exchange, reason);
            } else {
                self.break_off(now, exchange, reason);
            }
        }
    }

    /// Waits no longer for that answer; unless the session has ended meanwhile.
    pub(super) fn break_off(&mut self, now: Instant, exchange: ExchangeId, reason: CloseReason) {
        if self.flying(exchange).is_some() {
            self.transmits.push_back(Transmit::CancelHttp(exchange));
            self.handle_broken(now, exchange, reason);
        }
    }

    /// The session is over: what broke before the answer that said so will never be answered.
    pub(super) fn give_up_broken(&mut self, now: Instant) {
        let before = self.in_flight.len();
        while let Some(front) = self.in_flight.first() {
            if !matches!(front.progress, Progress::Repeating(_)) {
                break;
            }
            let request = self.in_flight.remove(0);
            self.settle(request.carried, Delivery::Unknown);
        }
        if self.in_flight.len() < before {
            self.handle_in_order(now);
        }
    }
}

/// Is it an answer that arrived whole and was refused here?
fn is_refused(reason: &CloseReason) -> bool {
    match reason {
        CloseReason::TooLarge => true,
        CloseReason::BadXml(error) => !matches!(
            error,
            XmlError::Truncated | XmlError::Malformed(_) | XmlError::NotUtf8
        ),
        _ => false,
    }
}
