//! How a connection lasts: which service is tried, what becomes of a session when its connection breaks, resuming it or
//! beginning a new one, and what was sent meanwhile.

use super::Connection;
use crate::error::CloseReason;
use crate::event::{Delivery, Event, Interruption, RequestFailure, Status};
use crate::jid::Jid;
use crate::ns;
use crate::random::{below_2_53, token};
use crate::reconnect::{is_curable, may_work_elsewhere};
use crate::session::{Circumstances, Resumption, Tools};
use crate::time::{Instant, Millis};
use crate::transport::bosh::{Bosh, BoshConfig};
use crate::transport::stream_management::{Lost, StreamManagement, parse_h};
use crate::transport::websocket::{WebSocket, WebSocketConfig};
use crate::transport::{Kind, Service, Transport};
use crate::xml::{Element, Limits, parse};

/// After binding over BOSH, how long to wait for something to send, usually presence, before an empty request is sent.
const LINGER: Millis = Millis(50);
/// How long the first request over BOSH waits for credentials that can travel in it: a page's function that has them gives
/// them at once, one that has to ask for them takes longer than any round trip.
const HOLD: Millis = Millis(20);
/// How long a login at which something was said early may take, before it is tried without: a server may have lost it.
const HASTY: Millis = Millis::seconds(4);
/// How long a socket may take to open when there is another way in.
const OPEN_WITHIN: Millis = Millis::seconds(8);
/// How often a server may send us elsewhere before that is called a circle.
const MOST_MOVES: u32 = 4;
/// The most requests one session may count up to: far beyond any session's life, far below 2⁵³ (XEP-0124 §7.1).
const RID_ROOM: u64 = 1 << 40;

impl Connection {
    // ── beginning ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// The service whose turn it is.
    fn next_service(&mut self) -> Option<Service> {
        if let Some(moved) = self.moved.take() {
            self.memory = None;
            return Some(moved);
        }
        self.tried += 1;
        self.memory = Some(self.service);
        self.config.services.get(self.service).cloned()
    }

    /// Opens a stream at the service whose turn it is.
    pub(super) fn begin(&mut self, now: Instant) {
        if let Some(service) = self.next_service() {
            self.begin_at(now, &service, None);
        }
    }

    /// Opens a stream there. `suspicion`: haste may have been why the last attempt failed (see
    /// [`Circumstances::suspicion`]).
    fn begin_at(&mut self, now: Instant, service: &Service, suspicion: Option<bool>) {
        let resumption = match (&self.managed, service.kind) {
            (Some(managed), Kind::WebSocket) => managed.resumption(now, self.lost_at),
            _ => None,
        };
        let spares = resumption.is_some();
        let memory = self.memory.and_then(|at| self.memories.get(at));
        let circumstances = Circumstances {
            confidential: service.confidential,
            framed: service.kind == Kind::WebSocket,
            manage: self.config.stream_management,
            memory: memory.cloned().unwrap_or_default(),
            suspicion,
            resumption: resumption.map(|(previd, h)| Resumption {
                previd: previd.to_owned(),
                h,
            }),
        };
        self.transport = Some(self.open(now, service));
        self.spare(spares);
        self.opened = false;
        if service.kind == Kind::Bosh && !self.throttled {
            self.hold = now + HOLD;
        }
        // A server that says nothing to what it does not expect is not waited for until the end.
        let patience = Millis(self.config.timeout.0 / 3).min(HASTY);
        self.patience = Some(now + patience);
        let mut out = Vec::new();
        let mut tools = Tools {
            ids: &mut self.ids,
            random: self.random.as_mut(),
            unicode: self.unicode.as_ref(),
        };
        self.session.start(circumstances, &mut tools, &mut out);
        self.follow(now, out);
    }

    fn open(&mut self, now: Instant, service: &Service) -> Transport {
        let bosh = &self.config.bosh;
        let session = &self.config.session;
        // XEP-0388 §2.1 and XEP-0484 §4.1 want it; nobody else should read it.
        let tells = service.confidential || session.plain_text_allowed;
        let from = session.account.clone().filter(|_| tells);
        match service.kind {
            Kind::Bosh => {
                let config = BoshConfig {
                    address: service.address.clone(),
                    from,
                    ..bosh.clone()
                };
                let rid = 1 + below_2_53(self.random.as_mut()) % ((1 << 53) - RID_ROOM);
                let seed = if config.keys {
                    token(self.random.as_mut(), 32)
                } else {
                    String::new()
                };
                let bosh = Bosh::new(config, rid, seed, self.next_exchange);
                Transport::Bosh(Box::new(bosh))
            }
            Kind::WebSocket => {
                let elsewhere = self.config.services.len() > 1;
                self.socket_address = service.address.clone();
                let config = WebSocketConfig {
                    address: service.address.clone(),
                    to: bosh.to.clone(),
                    from,
                    lang: bosh.lang.clone(),
                    limits: bosh.limits,
                    open_within: elsewhere.then_some(OPEN_WITHIN),
                };
                let socket = self.next_socket_id();
                Transport::WebSocket(Box::new(WebSocket::new(config, socket, now)))
            }
        }
    }

    /// Tries again.
    pub(super) fn retry(&mut self, now: Instant) {
        self.retry_at = None;
        self.deadline = Some(now + self.config.timeout);
        self.begin(now);
    }

    // ── ending ──────────────────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn handle_closed(&mut self, now: Instant, reason: CloseReason) {
        let bosh = matches!(self.transport, Some(Transport::Bosh(_)));
        if let Some(mut transport) = self.transport.take() {
            while let Some(transmit) = transport.poll_transmit(now) {
                self.leftover.push_back(transmit);
            }
            if let Transport::Bosh(bosh) = transport {
                self.next_exchange = bosh.next_exchange();
            }
        }
        // A stream error tells more than the end of the transport that it brings about.
        let reason = self.blame.take().unwrap_or(reason);
        let established = self.session.is_established();
        let suspicion = self.session.blames_haste(&reason, self.opened);
        self.patience = None;
        self.session.close();
        self.asked.clear();
        self.troubled = false;
        let was_closing = core::mem::take(&mut self.closing);
        if was_closing || reason == CloseReason::Requested {
            return self.go_offline(CloseReason::Requested);
        }
        if self.replace_adopted(now, &reason) {
            return;
        }
        // Before anybody hears of it: the same without what was said early.
        if suspicion.is_some()
            && !established
            && self.deadline.is_none_or(|deadline| now < deadline)
            && let Some(at) = self.memory
            && let Some(service) = self.config.services.get(at).cloned()
        {
            self.returned.clear();
            return self.begin_at(now, &service, suspicion);
        }
        if let CloseReason::SeeOther(address) = &reason
            && self.moves < MOST_MOVES
            && let Some(service) = self.config.services.get(self.service)
            && let Some(moved) = service.moved_to(address)
        {
            self.moves += 1;
            self.moved = Some(moved);
            if !self.lasting {
                return self.begin(now);
            }
        }
        if !self.lasting {
            // Another way in may do, as long as there is time.
            let left = self.deadline.is_none_or(|deadline| now < deadline);
            if left && may_work_elsewhere(&reason) && self.turn_to_next() {
                return self.begin(now);
            }
            return self.go_offline(reason);
        }
        if self.config.reconnect.is_none() || self.alone || !is_curable(&reason) {
            return self.go_offline(reason);
        }
        self.interrupt(now, reason, established, bosh);
    }

    /// The next service's turn; false when all have had theirs.
    fn turn_to_next(&mut self) -> bool {
        let count = self.config.services.len();
        if self.tried >= count {
            return false;
        }
        self.service = (self.service + 1) % count;
        true
    }

    /// The connection is gone, and will be made again.
    fn interrupt(&mut self, now: Instant, reason: CloseReason, established: bool, bosh: bool) {
        self.deadline = None;
        if established {
            self.online = false;
            self.lost_at = now;
            self.tried = 0;
            self.moves = 0;
            self.backoff.note_lost(now);
            let mut resumable = false;
            if let Some(managed) = &self.managed {
                // After a frame that was too large the stream was closed in order, and the session with it.
                resumable = !bosh && managed.is_resumable() && reason != CloseReason::TooLarge;
            }
            if !resumable {
                self.lose_session(false);
            }
            self.keep_returned();
        } else {
            self.returned.clear();
        }
        let others = self.moved.is_some() || !established && self.turn_to_next();
        if !others && self.tried > 0 {
            // A new round, from the first of them.
            self.tried = 0;
            self.service = 0;
        }
        let retry_at = match &self.config.reconnect {
            Some(_) if others => now,
            Some(reconnect) => now + self.backoff.next(reconnect, self.random.as_mut()),
            None => now,
        };
        self.retry_at = Some(retry_at);
        self.tell_status(Status::Interrupted(Box::new(Interruption {
            reason,
            retry_at,
            attempt: self.backoff.attempt(),
        })));
    }

    /// The session will not come back: whoever waited for something from it is told.
    pub(super) fn lose_session(&mut self, known: bool) {
        for request in self.pending.take_sent() {
            self.events.push_back(Event::Reply {
                request,
                outcome: Err(RequestFailure::Disconnected),
            });
        }
        let Some(mut managed) = self.managed.take() else {
            return;
        };
        let mut again = Vec::new();
        for Lost { again: text, name } in managed.take_unacked(known) {
            // What was sent with the lost session's address cannot be said in a new one's name.
            let message = text
                .and_then(|text| parse(text.as_bytes().to_vec(), &Limits::default()).ok())
                .filter(|message| message.attr("from").is_none());
            match (message, name) {
                (Some(message), name) => again.push((message, name)),
                (None, Some(name)) if known => self.tell_settled(name, Delivery::Undelivered),
                (None, Some(name)) => self.tell_settled(name, Delivery::Unknown),
                (None, None) => {}
            }
        }
        self.outbox.keep_first(again);
    }

    /// What BOSH gave back never left: messages wait for the next session, the rest had a meaning in the lost one only.
    pub(super) fn keep_returned(&mut self) {
        let mut kept = Vec::new();
        for (element, name) in core::mem::take(&mut self.returned) {
            if element.is("message", ns::CLIENT) {
                kept.push((element, name));
            } else if let Some(name) = name {
                self.tell_settled(name, Delivery::Undelivered);
            }
        }
        self.outbox.keep_first(kept);
    }

    pub(super) fn go_offline(&mut self, reason: CloseReason) {
        self.deadline = None;
        self.retry_at = None;
        self.moved = None;
        self.jid = None;
        self.adopted = None;
        self.lasting = false;
        self.online = false;
        self.backoff = Default::default();
        for (_, name) in core::mem::take(&mut self.returned) {
            if let Some(name) = name {
                self.tell_settled(name, Delivery::Undelivered);
            }
        }
        while let Some((_, name)) = self.outbox.take() {
            if let Some(name) = name {
                self.tell_settled(name, Delivery::Undelivered);
            }
        }
        self.lose_session(false);
        for request in self.pending.take_all() {
            self.events.push_back(Event::Reply {
                request,
                outcome: Err(RequestFailure::Disconnected),
            });
        }
        self.tell_status(Status::Offline(reason));
    }

    // ── being there again ───────────────────────────────────────────────────────────────────────────────────────────

    /// A new session is bound.
    pub(super) fn handle_established(
        &mut self,
        now: Instant,
        jid: Jid,
        management: Option<&Element>,
    ) {
        // One that was to be resumed and was not even asked for, say because the way in is another now.
        self.lose_session(false);
        self.come_online(now);
        match &mut self.transport {
            Some(Transport::Bosh(bosh)) if self.throttled => bosh.linger(now),
            Some(Transport::Bosh(bosh)) => bosh.linger(now + LINGER),
            Some(Transport::WebSocket(_)) => {
                let mut managed = StreamManagement::new(now, self.config.silence);
                let wanted = self.config.stream_management;
                let mut enable = None;
                match management {
                    Some(enabled) if enabled.name() == "enabled" => managed.handle_enabled(enabled),
                    Some(_) => {}
                    None if wanted && self.session.offers_stream_management() => {
                        enable = Some(managed.enable());
                    }
                    None => {}
                }
                self.managed = Some(managed);
                if let Some(enable) = enable {
                    self.transmit(enable, None);
                }
            }
            None => {}
        }
        self.jid = Some(jid.clone());
        self.tell_status(Status::Online(jid));
    }

    /// Over WebSocket: is there a session that the stream must not take along when it fails?
    fn spare(&mut self, spares: bool) {
        if let Some(Transport::WebSocket(socket)) = &mut self.transport {
            socket.spare(spares);
        }
    }

    pub(super) fn come_online(&mut self, now: Instant) {
        self.spare(false);
        self.deadline = None;
        self.patience = None;
        self.lasting = true;
        self.online = true;
        self.tried = 0;
        self.moves = 0;
        self.backoff.note_online(now);
    }

    /// The session goes on (XEP-0198 §5): what the server has not had is sent once more.
    pub(super) fn handle_resumed(&mut self, now: Instant, resumed: &Element) {
        let mut settled = Vec::new();
        let mut texts = None;
        if let Some(managed) = &mut self.managed {
            let plausible = parse_h(resumed).is_some_and(|h| managed.acknowledge(h, &mut settled));
            texts = plausible.then(|| managed.resume(now));
        }
        for (send, delivery) in settled {
            self.tell_settled(send, delivery);
        }
        self.spare(false);
        let Some(texts) = texts else {
            self.lose_session(false);
            let reason = CloseReason::PeerMisbehaved("a resumption that does not fit the session");
            return self.fail(now, reason);
        };
        if let Some(Transport::WebSocket(socket)) = &mut self.transport {
            for text in texts {
                socket.send_text(text);
            }
        }
        self.come_online(now);
        if let Some(jid) = &self.jid {
            self.tell_status(Status::Resumed(jid.clone()));
        }
    }

    /// It does not. `h` tells what of the former session has arrived; then the rest has not.
    pub(super) fn handle_resume_failed(&mut self, failed: &Element) {
        self.spare(false);
        let mut settled = Vec::new();
        let known = match (&mut self.managed, parse_h(failed)) {
            (Some(managed), Some(h)) => managed.acknowledge(h, &mut settled),
            _ => false,
        };
        for (send, delivery) in settled {
            self.tell_settled(send, delivery);
        }
        self.lose_session(known);
    }

    /// What was kept leaves now, in order: whatever a new session needs before it (presence, rooms) is sent by then. Called
    /// when there is nothing else to do; sooner by a shell that knows. True when something left.
    pub fn release(&mut self) -> bool {
        if !self.online || self.outbox.is_empty() {
            return false;
        }
        self.pending.note_released();
        while let Some((stanza, name)) = self.outbox.take() {
            if name.is_some() || self.is_awaited(&stanza) {
                self.transmit(stanza, name);
            }
        }
        true
    }

    /// Is it not a request that was given up while it was kept?
    fn is_awaited(&self, stanza: &Element) -> bool {
        let asks = matches!(stanza.attr("type"), Some("get" | "set"));
        let id = stanza.attr("id").unwrap_or_default();
        stanza.name() != "iq" || !asks || self.pending.contains(id)
    }

    // ── stream management ───────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn handle_management(&mut self, now: Instant, element: &Element) {
        let Some(managed) = &mut self.managed else {
            return;
        };
        let mut settled = Vec::new();
        let mut plausible = true;
        match element.name() {
            "r" => {
                if let Some(ack) = managed.ack() {
                    self.transmit(ack, None);
                }
            }
            "a" => plausible = managed.handle_ack(element, &mut settled),
            "enabled" => managed.handle_enabled(element),
            "failed" => managed.handle_refused(),
            _ => {}
        }
        for (send, delivery) in settled {
            self.tell_settled(send, delivery);
        }
        if !plausible {
            self.lose_session(false);
            let reason = CloseReason::PeerMisbehaved("more acknowledged than was sent");
            self.fail(now, reason);
        }
    }

    /// The server has closed the stream after we did: it has read all of it.
    pub(super) fn acknowledge_all(&mut self) {
        let mut settled = Vec::new();
        if let Some(managed) = &mut self.managed {
            managed.acknowledge_all(&mut settled);
        }
        for (send, delivery) in settled {
            self.tell_settled(send, delivery);
        }
    }
}
