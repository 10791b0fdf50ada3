//! Requests that leave: as many as the window takes, each with as much as fits (XEP-0124 §7, §11, §13).

use super::{BodyWriter, Bosh, Errand, Progress, Queued, Request, State};
use crate::proto::event::SendId;
use crate::proto::io::{ExchangeId, Transmit};
use crate::proto::time::Instant;
use std::rc::Rc;

/// A body is closed to further stanzas from here on, in bytes: servers limit bodies, and an answer should not wait for a long upload.
const SOFT_BODY_LIMIT: usize = 64 * 1024;

impl Bosh {
    /// Sends what may be sent.
    pub(super) fn fill_window(&mut self, now: Instant) {
        self.repeat_due(now);
        loop {
            let under_way = self.in_flight.len();
            match self.state {
                State::Closed => return,
                State::Opening { sent: true } => return,
                State::Opening { sent: false } => {
                    self.state = State::Opening { sent: true };
                    self.request_session(now);
                }
                State::Open if under_way >= self.requests => return,
                State::Open if !self.queue.is_empty() => self.request_with_queue(now, false),
                State::Open if under_way == 0 && now >= self.poll_at() => {
                    self.request_with_queue(now, false);
                }
                State::Open => return,
                State::Closing {
                    terminate_sent: true,
                    ..
                } => return,
                // One request more than the window is allowed for the good-bye (§11).
                State::Closing { .. } if under_way > self.requests => return,
                State::Closing { deadline, .. } => {
                    self.state = State::Closing {
                        terminate_sent: true,
                        deadline,
                    };
                    self.request_with_queue(now, true);
                }
            }
        }
    }

    pub(super) fn repeat_due(&mut self, now: Instant) {
        for request in &mut self.in_flight {
            if let Progress::Repeating(at) = request.progress
                && now >= at
            {
                let exchange = ExchangeId(self.next_exchange);
                self.next_exchange = self.next_exchange.wrapping_add(1);
                request.progress = Progress::Flying(exchange);
                request.sent_at = now;
                self.transmits.push_back(Transmit::Http {
                    exchange,
                    body: request.body.clone(),
                    farewell: request.errand == Errand::Farewell,
                });
            }
        }
    }

    /// §7.1.
    pub(super) fn request_session(&mut self, now: Instant) {
        let mut body = BodyWriter::new(self.next_rid);
        body.attribute("to", &self.config.to);
        if let Some(lang) = &self.config.lang {
            body.attribute("xml:lang", lang);
        }
        body.attribute("content", "text/xml; charset=utf-8");
        body.attribute("ver", "1.11");
        body.number("wait", u64::from(self.config.wait));
        body.number("hold", u64::from(self.config.hold));
        body.number("ack", 1);
        body.declare_xbosh();
        body.attribute("xmpp:version", "1.0");
        self.transmit(now, body.finish(), Vec::new(), Errand::Payload);
    }

    /// One request with as much of the queue as fits; empty when there is none.
    pub(super) fn request_with_queue(&mut self, now: Instant, terminate: bool) {
        let mut body = BodyWriter::new(self.next_rid);
        body.attribute("sid", &self.sid);
        if self.acknowledges && self.last_in_order + 1 < self.next_rid {
            body.number("ack", self.last_in_order);
        }
        let mut carried = Vec::new();
        let mut errand = if terminate {
            Errand::Farewell
        } else {
            Errand::Poll
        };
        if terminate {
            body.attribute("type", "terminate");
        } else if matches!(self.queue.front(), Some(Queued::Restart)) {
            // A restart travels alone, and empty (XEP-0206 §5).
            self.queue.pop_front();
            body.attribute("to", &self.config.to);
            if let Some(lang) = &self.config.lang {
                body.attribute("xml:lang", lang);
            }
            body.declare_xbosh();
            body.attribute("xmpp:restart", "true");
            self.transmit(now, body.finish(), carried, Errand::Payload);
            return;
        }
        while terminate || body.len() < SOFT_BODY_LIMIT {
            if !terminate && matches!(self.queue.front(), Some(Queued::Restart)) {
                break;
            }
            match self.queue.pop_front() {
                Some(Queued::Element(element, name)) => {
                    if !terminate {
                        errand = Errand::Payload;
                    }
                    body.element(&element);
                    carried.extend(name);
                }
                Some(Queued::Restart) => {}
                None => break,
            }
        }
        self.transmit(now, body.finish(), carried, errand);
    }

    pub(super) fn transmit(
        &mut self,
        now: Instant,
        body: String,
        carried: Vec<SendId>,
        errand: Errand,
    ) {
        if errand == Errand::Payload {
            // What one lingered for has come.
            self.linger_until = Instant(0);
        }
        let exchange = ExchangeId(self.next_exchange);
        self.next_exchange = self.next_exchange.wrapping_add(1);
        let body: Rc<str> = body.into();
        self.in_flight.push(Request {
            rid: self.next_rid,
            body: body.clone(),
            carried,
            errand,
            sent_at: now,
            attempts: 0,
            broken_since: None,
            overtaken_since: None,
            progress: Progress::Flying(exchange),
        });
        self.next_rid += 1;
        self.transmits.push_back(Transmit::Http {
            exchange,
            body,
            farewell: errand == Errand::Farewell,
        });
    }
}
