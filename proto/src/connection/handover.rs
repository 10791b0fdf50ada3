//! A session that outlives its page: handed over on a reload ([`Connection::snapshot`], [`Connection::restore`]), or made by a
//! web server for a page that is only then loaded ([`Connection::attach`]).
//!
//! Over BOSH the session simply goes on (XEP-0124 1.11.2 §14.3: what was unanswered is repeated byte for byte), once a ping
//! has shown that the server still knows it. Over WebSocket it is resumed (XEP-0198 1.6.3 §5), which takes a login.
//! Left out: the names that stanzas were sent under, and requests that waited for their reply. Whoever sent them is gone.

use super::policy::{Redirects, Target};
use super::{Config, Connection};
use crate::error::{CloseReason, Phase};
use crate::event::Status;
use crate::handler::is_stanza;
use crate::jid::Jid;
use crate::ns;
use crate::time::{Instant, Millis};
use crate::transport::bosh::Bosh;
use crate::transport::stream_management::StreamManagement;
use crate::transport::{Kind, Transport};
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
    ping: String,
    /// By a page that had it, not from a web server.
    restored: bool,
}

impl Connection {
    /// All that another page needs to go on with the session: taken last, when this one does nothing any more. `None` when
    /// there is none that could go on, or it is too much (1 MiB).
    pub fn snapshot(&self) -> Option<Snapshot> {
        let jid = self.jid.as_ref()?;
        if self.closing {
            return None;
        }
        let (target, session, lasts) = match (&self.transport, &self.managed) {
            (Some(Transport::Bosh(bosh)), _) if self.session.is_established() => {
                (&self.target, bosh.snapshot()?, bosh.lasts())
            }
            // A WebSocket's session outlives its socket, and stays where it was bound, whatever is tried meanwhile.
            (_, Some(managed)) => (&self.session_target, managed.snapshot()?, managed.lasts()),
            _ => return None,
        };
        let target = target.as_ref().filter(|one| one.may_be_handed_over())?;
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
        let kind = target.service().kind;
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
        match kind {
            Kind::Bosh => {
                let config = self.bosh_config(&target);
                let bosh = Bosh::restore(config, &session, now, self.next_exchange)?;
                self.alone = snapshot.attr("alone") == Some("1");
                self.adopt(now, bosh, jid, true);
            }
            Kind::WebSocket => {
                let silence = self.config.silence;
                self.managed = Some(StreamManagement::restore(&session, now, silence)?);
                self.lost_at = now;
                self.jid = Some(jid);
                self.session_target = Some(target.clone());
            }
        }
        self.target = Some(target);
        self.outbox.keep_first(kept);
        self.service = position;
        if kind == Kind::WebSocket {
            self.alone = false;
            self.tried = 0;
            self.set_out(now);
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
        let Some(position) = services.iter().position(|one| one.kind == Kind::Bosh) else {
            return false;
        };
        let Some(service) = services.get(position) else {
            return false;
        };
        let target = Target::configured(position, service);
        let config = self.bosh_config(&target);
        let Some(bosh) = Bosh::attach(config, sid, rid, self.next_exchange) else {
            return false;
        };
        self.service = position;
        self.target = Some(target);
        self.alone = alone;
        self.adopt(now, bosh, jid.clone(), false);
        true
    }

    fn adopt(&mut self, now: Instant, mut bosh: Bosh, jid: Jid, restored: bool) {
        bosh.set_hidden(self.hidden);
        self.redirects = Redirects::default();
        self.deadline = Some(now + self.config.timeout);
        self.patience = (!self.alone).then(|| now + self.adoption_patience());
        self.transport = Some(Transport::Bosh(Box::new(bosh)));
        self.opened = true;
        self.jid = Some(jid);
        self.session.adopt();
        self.tell_status(Status::Connecting);
        let ping = self.ids.next_id();
        self.transmit(ping::request(None).with_attr("id", &ping), None);
        self.adopted = Some(Adopted { ping, restored });
    }

    /// Is it the reply that shows that the session is there?
    pub(super) fn is_proof(&mut self, now: Instant, id: &str) -> bool {
        let proof = |adopted: &mut Adopted| adopted.ping == id;
        let (Some(adopted), Some(jid)) = (self.adopted.take_if(proof), self.jid.clone()) else {
            return false;
        };
        if self.closing {
            // The page has said good-bye meanwhile.
            return true;
        }
        self.come_online(now);
        self.tell_status(if adopted.restored {
            Status::Resumed(jid)
        } else {
            Status::Online(jid)
        });
        true
    }

    /// How long the server may be silent in an adopted session. A third of the time for connecting: enough is left for a login.
    fn adoption_patience(&self) -> Millis {
        Millis(self.config.timeout.0 / 3)
    }

    /// An adopted session has not been shown to be there. Give it up if the server takes requests and answers none. COMPAT(Prosody
    /// 0.12): a session in which a request with a later rid came first, and lost its HTTP connection, never answers again.
    pub(super) fn doubt_adopted(&mut self, now: Instant) {
        let troubled =
            matches!(&self.transport, Some(Transport::Bosh(bosh)) if bosh.trouble().is_some());
        // Requests that break show that the network fails, not the session.
        let heard_at = if troubled { now } else { self.heard_at };
        let until = heard_at + self.adoption_patience();
        if now < until {
            self.patience = Some(until);
        } else {
            self.fail(now, CloseReason::TimedOut(Phase::Connecting));
        }
    }

    /// An adopted session is not there: a new one is made in its place, as long as there is time. False when none was in
    /// question.
    pub(super) fn replace_adopted(&mut self, now: Instant, reason: &CloseReason) -> bool {
        if self.adopted.take().is_none() {
            return false;
        }
        let late = self.deadline.is_some_and(|deadline| now >= deadline);
        if self.alone || late {
            self.go_offline(reason.clone());
        } else {
            self.jid = None;
            self.keep_returned();
            self.tried = 0;
            self.begin(now);
        }
        true
    }

    /// The session has gone on elsewhere: it is left to whoever has it, and lost for us.
    pub fn forfeit(&mut self, now: Instant) {
        self.lose_session(false);
        if let Some(transport) = &mut self.transport {
            let condition = "item-not-found".to_owned();
            transport.end(CloseReason::Terminated { condition });
        }
        self.settle(now);
    }

    /// The page is about to sleep, or to go: where the server lets sessions rest, it is asked to (XEP-0124 §10).
    pub fn pause(&mut self, now: Instant) {
        if let Some(Transport::Bosh(bosh)) = &mut self.transport
            && self.session.is_established()
            && !self.closing
        {
            bosh.pause(now);
        }
    }
}

/// Which of the services is at that address?
fn position(config: &Config, address: &str) -> Option<usize> {
    let mut services = config.services.iter();
    services.position(|service| *service.address == *address)
}
