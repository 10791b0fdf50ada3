//! Interruptions: chooses the next service, suspends the session of a broken connection, resumes it or starts a new
//! one, and keeps or reports the stanzas sent meanwhile.

use super::state::{Online, State, Timer};
use super::{Connection, ConnectionPlace};
use crate::error::CloseReason;
use crate::event::{Delivery, Event, Interruption, RequestFailure, Status};
use crate::jid::Jid;
use crate::ns;
use crate::reconnect::{is_curable, may_work_elsewhere};
use crate::time::Instant;
use crate::timers::Timers;
use crate::transport::stream_management::{Lost, Suspended};
use crate::xml::{Element, Limits, parse};

/// The loss of a bound session.
struct Loss {
    /// When the outage began.
    since: Instant,
    /// The number of failed and reported attempts to save the session.
    failures: u32,
}

/// Whether a BOSH service does not know the session, as after a restart.
fn is_session_unknown(reason: &CloseReason) -> bool {
    matches!(reason, CloseReason::Terminated { condition } if condition == "item-not-found")
}

impl Connection {
    // ── end ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn handle_closed(&mut self, now: Instant, reason: CloseReason) {
        let left = self.leave();
        let place = left.place();
        let opened = left.is_opened();
        let Some(link) = left.into_link() else {
            return self.go_offline(reason);
        };
        let reason = link.blame.unwrap_or(reason);
        let outage = link.transport.outage();
        self.put_away(now, link.transport, &reason);
        let established = self.session.is_established();
        let suspicion = self.session.blames_pipelining(&reason, opened);
        self.timers.stop(Timer::Patience);
        self.timers.stop(Timer::Doubt);
        self.session.close();
        if place == ConnectionPlace::Closing || matches!(reason, CloseReason::Requested) {
            return self.go_offline(CloseReason::Requested);
        }
        if place == ConnectionPlace::Adopting {
            return self.replace_adopted(now, reason);
        }
        let deadline = self.timers.get(Timer::Deadline);
        let in_time = deadline.is_none_or(|deadline| now < deadline);
        // Before the failure is reported, try again without sending early.
        if suspicion.is_some()
            && !established
            && in_time
            && let Some(target) = self.route.target.clone()
        {
            self.returned.clear();
            return self.begin_at(now, target, suspicion);
        }
        if established && self.backoff.has_held(now) {
            self.route.redirects.note_held();
        }
        if let CloseReason::SeeOther(address) = &reason
            && let Some(moved) = self
                .route
                .target
                .as_ref()
                .and_then(|here| here.redirect(address))
            && self.route.redirects.follow(established)
        {
            if !established {
                // A redirect is not a failure and is not reported as an interruption.
                self.returned.clear();
                return self.begin_at(now, moved, None);
            }
            self.route.moved = Some(moved);
        }
        if place == ConnectionPlace::Connecting {
            // Another service may work, if there is time left.
            if in_time && may_work_elsewhere(&reason) && self.turn_to_next() {
                return self.begin(now);
            }
            return self.go_offline(reason);
        }
        if self.config.reconnect.is_none() || self.alone || !is_curable(&reason) {
            return self.go_offline(reason);
        }
        let loss = established.then(|| Loss {
            since: outage.map_or(now, |(since, _)| since),
            failures: outage.map_or(0, |(_, failures)| failures),
        });
        self.interrupt(now, reason, loss);
    }

    /// Turns to the next service. Returns false if all services have been tried.
    fn turn_to_next(&mut self) -> bool {
        self.route.turn_to_next(&self.config.services)
    }

    /// The connection is lost and will be made again.
    fn interrupt(&mut self, now: Instant, reason: CloseReason, loss: Option<Loss>) {
        self.timers.stop(Timer::Deadline);
        let established = loss.is_some();
        let mut forgotten = false;
        if let Some(loss) = loss {
            // The server has restarted and is available; the earlier pauses have already spread its clients.
            forgotten = loss.failures > 0 && is_session_unknown(&reason);
            self.route.tried = 0;
            self.backoff.note_lost(now, loss.since, loss.failures);
            if !self.suspended.as_ref().is_some_and(Suspended::is_resumable) {
                self.lose_session();
            }
            self.keep_returned();
        } else {
            self.returned.clear();
        }
        // Follow the first redirect of a session at once; pace further ones like failures, so that a redirect loop does
        // not flood the servers.
        let at_once = match self.route.moved {
            Some(_) => self.route.redirects.is_first(),
            None => forgotten || !established && self.turn_to_next(),
        };
        let others = at_once || self.route.moved.is_some();
        if !others {
            self.route.begin_round();
        }
        let retry_at = match &self.config.reconnect {
            Some(_) if at_once => {
                self.backoff.count();
                now
            }
            Some(reconnect) => now + self.backoff.next(now, reconnect, self.random.as_mut()),
            None => now,
        };
        self.timers.set(Timer::Retry, retry_at);
        self.enter(State::Interrupted(reason.clone()));
        self.report_interrupted(retry_at, reason);
    }

    /// Reports the interruption and the time of the next attempt.
    pub(super) fn report_interrupted(&mut self, retry_at: Instant, reason: CloseReason) {
        self.report_status(Status::Interrupted(Box::new(Interruption {
            reason,
            retry_at,
            attempt: self.backoff.attempt(),
        })));
    }

    /// The session cannot be resumed: reports its unsettled stanzas and requests.
    pub(super) fn lose_session(&mut self) {
        let lost = self.suspended.take().map(Suspended::lose);
        self.report_lost(lost.unwrap_or_default(), false);
    }

    /// The session is lost together with the stanzas in `lost`. `known`: none of them has arrived for certain.
    fn report_lost(&mut self, lost: Vec<Lost>, known: bool) {
        for request in self.pending.take_sent() {
            self.events.push_back(Event::Reply {
                request,
                outcome: Err(RequestFailure::Disconnected),
            });
        }
        let mut again = Vec::new();
        for Lost { again: text, name } in lost {
            // A stanza that was sent from the lost session's address must not be sent from a new address.
            let message = text
                .and_then(|text| parse(text.as_bytes().to_vec(), &Limits::default()).ok())
                .filter(|message| message.attr("from").is_none());
            match (message, name) {
                (Some(message), name) => again.push((message, name)),
                (None, Some(name)) if known => self.report_settled(name, Delivery::Undelivered),
                (None, Some(name)) => self.report_settled(name, Delivery::Unknown),
                (None, None) => {}
            }
        }
        self.outbox.keep_first(again);
    }

    /// Stanzas that BOSH returned were never sent: messages wait for the next session; all others were only meaningful
    /// in the lost session.
    pub(super) fn keep_returned(&mut self) {
        let mut kept = Vec::new();
        for (element, name) in core::mem::take(&mut self.returned) {
            if element.is("message", ns::CLIENT) {
                kept.push((element, name));
            } else if let Some(name) = name {
                self.report_settled(name, Delivery::Undelivered);
            }
        }
        self.outbox.keep_first(kept);
    }

    pub(super) fn go_offline(&mut self, reason: CloseReason) {
        self.timers = Timers::default();
        self.enter(State::Offline);
        self.route.leave();
        self.jid = None;
        self.backoff = Default::default();
        for (_, name) in core::mem::take(&mut self.returned) {
            if let Some(name) = name {
                self.report_settled(name, Delivery::Undelivered);
            }
        }
        while let Some((_, name)) = self.outbox.take() {
            if let Some(name) = name {
                self.report_settled(name, Delivery::Undelivered);
            }
        }
        self.lose_session();
        for request in self.pending.take_all() {
            self.events.push_back(Event::Reply {
                request,
                outcome: Err(RequestFailure::Disconnected),
            });
        }
        self.report_status(Status::Offline(reason));
    }

    // ── new and resumed sessions ────────────────────────────────────────────────────────────────────────────────────

    /// A new session was bound.
    pub(super) fn handle_established(
        &mut self,
        now: Instant,
        jid: Jid,
        management: Option<&Element>,
    ) {
        let offered = self.session.offers_stream_management();
        let mut lost = Vec::new();
        if let Some(transport) = self.state.transport_mut() {
            lost = transport.establish(now, management, offered);
        }
        // A session that was to be resumed but was not requested, for example because another transport is used now.
        lost.extend(
            self.suspended
                .take()
                .map(Suspended::lose)
                .unwrap_or_default(),
        );
        self.report_lost(lost, false);
        self.come_online(now);
        self.jid = Some(jid.clone());
        self.report_status(Status::Online(jid));
    }

    pub(super) fn come_online(&mut self, now: Instant) {
        self.timers = Timers::default();
        self.route.settle();
        self.backoff.note_online(now);
        if let Some(link) = self.leave().into_link() {
            let reported_trouble = None;
            self.enter(State::Online(Online {
                link,
                reported_trouble,
            }));
        }
    }

    /// The session was resumed (XEP-0198 §5): resends the stanzas that the server has not received.
    pub(super) fn handle_resumed(&mut self, now: Instant, resumed: &Element) {
        let Some(transport) = self.state.transport_mut() else {
            return;
        };
        let acknowledged = transport.resume(now, resumed);
        for (send, delivery) in acknowledged.settled {
            self.report_settled(send, delivery);
        }
        if !acknowledged.resumed {
            return;
        }
        self.come_online(now);
        if let Some(jid) = &self.jid {
            self.report_status(Status::Resumed(jid.clone()));
        }
    }

    /// The session was not resumed. If `h` shows which stanzas of the former session have arrived, the others have not.
    pub(super) fn handle_resume_failed(&mut self, failed: &Element) {
        let Some(transport) = self.state.transport_mut() else {
            return;
        };
        let acknowledged = transport.refuse_resumption(failed);
        for (send, delivery) in acknowledged.settled {
            self.report_settled(send, delivery);
        }
        self.report_lost(acknowledged.lost, acknowledged.known);
    }

    /// Sends the kept stanzas in order, after the stanzas that a new session needs first (presence, rooms). Called when
    /// there is no other output; a shell that knows earlier may call it earlier. Returns true if a stanza was sent.
    pub fn release(&mut self) -> bool {
        self.outbox.unhold();
        if !self.is_online() || self.outbox.is_empty() {
            return false;
        }
        self.flush_outbox();
        true
    }

    /// Passes all kept stanzas to the transport.
    pub(super) fn flush_outbox(&mut self) {
        self.outbox.unhold();
        self.pending.note_released();
        while let Some((stanza, name)) = self.outbox.take() {
            if name.is_some() || self.is_awaited(&stanza) {
                self.transmit(stanza, name);
            }
        }
    }

    /// Whether a kept stanza is still needed: false for a request that was given up meanwhile.
    fn is_awaited(&self, stanza: &Element) -> bool {
        let asks = matches!(stanza.attr("type"), Some("get" | "set"));
        let id = stanza.attr("id").unwrap_or_default();
        stanza.name() != "iq" || !asks || self.pending.contains(id)
    }
}
