//! Sessions that outlive their page: handed over on a reload ([`Connection::snapshot`], [`Connection::restore`]), or
//! made by a web server before the page is loaded ([`Connection::attach`]).
//!
//! Over BOSH the session continues (XEP-0124 1.11.2 §14.3: unanswered requests are repeated byte for byte) as soon as a
//! ping has shown that the server still has it. Over WebSocket the session is resumed (XEP-0198 1.6.3 §5), which takes
//! a login.
//!
//! Left out: the ids of sent stanzas, and requests that waited for their reply. The code that sent them is gone with
//! its page.

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

/// The largest snapshot, in bytes: browsers limit a page's whole storage to a few megabytes.
const LARGEST: usize = 1 << 20;

/// The data with which another page continues a session. It holds no password, but it gives full access to the session.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// XML in the namespace `urn:epode:session:0`.
    pub text: String,
    /// About how long the server keeps the session from now on.
    pub lasts: Millis,
}

/// A session that a web server has made.
#[derive(Clone, Copy, Debug)]
pub struct Prebound<'a> {
    /// The full JID of the session.
    pub jid: &'a Jid,
    /// The `sid` of XEP-0124.
    pub sid: &'a str,
    /// The rid of the next request.
    pub rid: u64,
    /// There are no credentials: a lost session cannot be replaced by a new one.
    pub alone: bool,
}

/// An adopted session that the server has not confirmed yet.
pub(super) struct Adopted {
    /// The id of the ping that checks the session.
    pub ping: String,
    /// The session comes from another page and not from a web server.
    restored: bool,
}

impl Connection {
    /// The data with which another page continues the session. Take it last, when this connection sends nothing any
    /// more. `None` if no session can be continued, or the snapshot is larger than 1 MiB.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let jid = self.jid.as_ref()?;
        if self.is_closing() {
            return None;
        }
        let running = self.state.transport().and_then(Transport::snapshot);
        let suspended = self.suspended.as_ref().and_then(Suspended::snapshot);
        let (session, lasts) = running.or(suspended)?;
        // The session stays at the address where it was bound, even while other addresses are tried.
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

    /// Continues the session of a [`Snapshot`]; [`Status::Resumed`] reports success. If the server has lost the
    /// session, a new one is made, which [`Status::Online`] reports. Returns false and does nothing if the text is not
    /// a snapshot, belongs to another account or service, or the connection is not offline.
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

    /// Continues a session that a web server has made, over the first BOSH service; [`Status::Online`] reports that the
    /// server has confirmed it. Returns false and does nothing if the parameters are not valid or the connection is not
    /// offline.
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
        self.report_status(Status::Connecting);
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

    /// Whether this is the reply that confirms the adopted session.
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
        self.report_status(status);
        true
    }

    /// How long the server may be silent in an adopted session: a third of the time for connecting, so that enough is
    /// left for a login.
    fn adoption_patience(&self) -> Millis {
        Millis(self.config.timeout.0 / 3)
    }

    /// Gives up an unconfirmed session if the server accepts requests and answers none. COMPAT(Prosody 0.12): a session
    /// in which a request with a later rid came first, and lost its HTTP connection, never answers again.
    pub(super) fn doubt_adopted(&mut self, now: Instant) {
        let State::Adopting(attempt, _) = &self.state else {
            return;
        };
        // Broken requests show that the network fails, not the session.
        let troubled = attempt.link.transport.trouble().is_some();
        let heard_at = if troubled { now } else { attempt.heard_at };
        let until = heard_at + self.adoption_patience();
        if now < until {
            self.timers.set(Timer::Patience, until);
        } else {
            self.fail(now, CloseReason::TimedOut(Phase::Connecting));
        }
    }

    /// Replaces an adopted session that the server does not have by a new one, if there is time left.
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

    /// Another connection has taken the session over: drops it here without ending it.
    pub fn forfeit(&mut self, now: Instant) {
        self.lose_session();
        if let Some(transport) = self.state.transport_mut() {
            transport.forfeit();
        }
        self.settle(now);
    }

    /// Called when the page is about to sleep or to be left: asks the server for a pause of the session if it supports
    /// pauses (XEP-0124 §10).
    pub fn pause(&mut self, now: Instant) {
        let may_pause = self.session.is_established() && !self.is_closing();
        if let Some(transport) = self.state.transport_mut().filter(|_| may_pause) {
            transport.pause(now);
        }
    }
}

/// The position of the service with that address.
fn position(config: &Config, address: &str) -> Option<usize> {
    let mut services = config.services.iter();
    services.position(|service| *service.address == *address)
}
