//! A session that outlives its page: handed over on a reload ([`Connection::snapshot`], [`Connection::restore`]), or made by a
//! web server for a page that is only then loaded ([`Connection::attach`]).
//!
//! Over BOSH the session simply goes on (XEP-0124 1.11.2 §14.3: what was unanswered is repeated byte for byte), once a ping
//! has shown that the server still knows it. Over WebSocket it is resumed (XEP-0198 1.6.3 §5), which takes a login.
//! Left out: the names that stanzas were sent under, and requests that waited for their reply. Whoever sent them is gone.

use super::policy::Target;
use super::state::{Attempt, Link, State, Timer};
use super::{Config, Connection};
use crate::error::CloseReason;
use crate::error::Phase;
use crate::event::Status;
use crate::handler::is_stanza;
use crate::jid::Jid;
use crate::ns;
use crate::time::{Instant, Millis};
use crate::transport::stream_management::Suspended;
use crate::transport::{Restored, Transport};
use crate::xep::ping;
use crate::xml::{Element, Limits, parse};

/// A snapshot larger than this is none, in bytes: pages keep a few megabytes for all that they keep.
const LARGEST: usize = 1 << 20;

/// What another page needs to go on with a session. There is no password in it; but whoever has it has the session.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// XML, of `urn:epode:session:0`.
    pub text: String,
    /// How long the server keeps the session from now on, about.
    pub lasts: Millis,
}

/// A session that somebody else made.
#[derive(Clone, Copy, Debug)]
pub struct Prebound<'a> {
    /// The full JID that it is bound to.
    pub jid: &'a Jid,
    /// XEP-0124 `sid`.
    pub sid: &'a str,
    /// The rid of the next request.
    pub rid: u64,
    /// There are no credentials: when the session is lost, that is the end.
    pub alone: bool,
}

/// A session that was taken over and has not yet been shown to be there.
pub(super) struct Adopted {
    /// The id of the ping that asks for it.
    pub ping: String,
    /// By a page that had it, not from a web server.
    restored: bool,
}

impl Connection {
    /// All that another page needs to go on with the session: taken last, when this one does nothing any more. `None` when
    /// there is none that could go on, or it is too much (1 MiB).
    pub fn snapshot(&self) -> Option<Snapshot> {
        let jid = self.jid.as_ref()?;
        if self.is_closing() {
            return None;
        }
        let running = self.state.transport().and_then(Transport::snapshot);
        let suspended = self.suspended.as_ref().and_then(Suspended::snapshot);
        let (session, lasts) = running.or(suspended)?;
        // A session stays where it was bound, whatever is tried meanwhile.
        let target = self.route.session_target.as_ref();
        let target = target.filter(|one| one.may_be_handed_over())?;
        let mut snapshot = Element::builder("session", ns::EPODE_SESSION)
            .attr("service", &target.service().address)
            .attr("jid", jid.as_str())
            .attr("alone", if self.alone { "1" } else { "0" })
            .child(session);
        for stanza in self.outbox.iter() {
            snapshot = snapshot.child(stanza.clone());
        }
        let text = snapshot.build().to_xml();
        (text.len() <= LARGEST).then_some(Snapshot { text, lasts })
    }

    /// Goes on with the session of a [`Snapshot`]: [`Status::Resumed`] tells when it does. When the server does not know it any
    /// more a new one is made, which [`Status::Online`] tells. False, and nothing begins, when it is no snapshot, or one of
    /// another account or service, or this is not offline.
    pub fn restore(&mut self, now: Instant, text: &str) -> bool {
        self.is_offline() && self.fault.is_none() && self.try_restore(now, text).is_some()
    }

    fn try_restore(&mut self, now: Instant, text: &str) -> Option<()> {
        let snapshot = parse(text.as_bytes().to_vec(), &Limits::default()).ok()?;
        if !snapshot.is("session", ns::EPODE_SESSION) {
            return None;
        }
        let jid = Jid::parse(snapshot.attr("jid")?, self.unicode.as_ref()).ok()?;
        let position = position(&self.config, snapshot.attr("service")?)?;
        let target = Target::configured(position, self.config.services.get(position)?);
        let mut children = snapshot.children();
        let session = children.next()?;
        let mut kept = Vec::new();
        for stanza in children {
            if !is_stanza(&stanza) {
                return None;
            }
            kept.push((stanza.detach(), None));
        }
        if jid.is_bare() || jid.domain() != self.config.session.domain {
            return None;
        }
        let restored = Transport::restore(self.opening(&target), now, self.names, &session)?;
        self.route.session_target = Some(target.clone());
        self.route.service = position;
        self.route.target = Some(target);
        self.outbox.keep_first(kept);
        match restored {
            Restored::Running(transport) => {
                self.alone = snapshot.attr("alone") == Some("1");
                self.adopt(now, transport, jid, true);
            }
            Restored::Suspended(suspended) => {
                self.suspended = Some(suspended);
                self.jid = Some(jid);
                self.alone = false;
                self.set_out(now);
            }
        }
        Some(())
    }

    /// Goes on with a session that somebody else made, over the first BOSH service: [`Status::Online`] tells when the server
    /// knows it. False, and nothing begins, when that cannot be one, or this is not offline.
    pub fn attach(&mut self, now: Instant, prebound: Prebound<'_>) -> bool {
        let Prebound {
            jid,
            sid,
            rid,
            alone,
        } = prebound;
        let domain = &self.config.session.domain;
        let ready = self.is_offline() && self.fault.is_none();
        if !ready || jid.is_bare() || jid.domain() != *domain {
            return false;
        }
        let services = &self.config.services;
        let Some(position) = services.iter().position(|one| one.kind.can_attach()) else {
            return false;
        };
        let Some(service) = services.get(position) else {
            return false;
        };
        let target = Target::configured(position, service);
        let opening = self.opening(&target);
        let Some(transport) = Transport::attach(opening, self.names, sid, rid) else {
            return false;
        };
        self.route.session_target = Some(target.clone());
        self.route.service = position;
        self.route.target = Some(target);
        self.alone = alone;
        self.adopt(now, transport, jid.clone(), false);
        true
    }

    fn adopt(&mut self, now: Instant, transport: Transport, jid: Jid, restored: bool) {
        self.route.begin();
        self.timers.set(Timer::Deadline, now + self.config.timeout);
        if !self.alone {
            self.timers
                .set(Timer::Patience, now + self.adoption_patience());
        }
        self.jid = Some(jid);
        self.session.adopt();
        self.tell_status(Status::Connecting);
        let ping = self.ids.next_id();
        let request = ping::request(None).with_attr("id", &ping);
        let attempt = Attempt {
            link: Link {
                transport,
                blame: None,
            },
            opened: true,
            begun_at: now,
            heard_at: now,
        };
        self.enter(State::Adopting(attempt, Adopted { ping, restored }));
        self.transmit(request, None);
    }

    /// Is it the reply that shows that the session is there?
    pub(super) fn is_proof(&mut self, now: Instant, id: &str) -> bool {
        let State::Adopting(_, adopted) = &self.state else {
            return false;
        };
        let Some(jid) = self.jid.clone().filter(|_| adopted.ping == id) else {
            return false;
        };
        let status = match adopted.restored {
            true => Status::Resumed(jid),
            false => Status::Online(jid),
        };
        self.come_online(now);
        self.tell_status(status);
        true
    }

    /// How long the server may be silent in an adopted session. A third of the time for connecting: enough is left for a login.
    fn adoption_patience(&self) -> Millis {
        Millis(self.config.timeout.0 / 3)
    }

    /// An adopted session has not been shown to be there. Give it up if the server takes requests and answers none. COMPAT(Prosody
    /// 0.12): a session in which a request with a later rid came first, and lost its HTTP connection, never answers again.
    pub(super) fn doubt_adopted(&mut self, now: Instant) {
        let State::Adopting(attempt, _) = &self.state else {
            return;
        };
        // Requests that break show that the network fails, not the session.
        let troubled = attempt.link.transport.trouble().is_some();
        let heard_at = if troubled { now } else { attempt.heard_at };
        let until = heard_at + self.adoption_patience();
        if now < until {
            self.timers.set(Timer::Patience, until);
        } else {
            self.fail(now, CloseReason::TimedOut(Phase::Connecting));
        }
    }

    /// An adopted session is not there: a new one is made in its place, as long as there is time.
    pub(super) fn replace_adopted(&mut self, now: Instant, reason: CloseReason) {
        if self.alone || self.timers.is_due(Timer::Deadline, now) {
            self.go_offline(reason);
        } else {
            self.jid = None;
            self.keep_returned();
            self.route.tried = 0;
            self.begin(now);
        }
    }

    /// The session has gone on elsewhere: it is left to whoever has it, and lost for us.
    pub fn forfeit(&mut self, now: Instant) {
        self.lose_session();
        if let Some(transport) = self.state.transport_mut() {
            transport.forfeit();
        }
        self.settle(now);
    }

    /// The page is about to sleep, or to go: where the server lets sessions rest, it is asked to (XEP-0124 §10).
    pub fn pause(&mut self, now: Instant) {
        let may_pause = self.session.is_established() && !self.is_closing();
        if let Some(transport) = self.state.transport_mut().filter(|_| may_pause) {
            transport.pause(now);
        }
    }
}

/// Which of the services is at that address?
fn position(config: &Config, address: &str) -> Option<usize> {
    let mut services = config.services.iter();
    services.position(|service| *service.address == *address)
}
