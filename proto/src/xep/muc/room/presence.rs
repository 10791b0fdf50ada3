//! Presences from a room: occupants, and the replies to our own presences.
//!
//! A presence is ours if it shows our full JID, if it comes from our current nick, if it carries the id of a
//! presence of ours for that nick, or if a status code marks it (see `payload.rs`); but a status code is ignored for an occupant
//! known to be another user. Without marks (§7.2.2 requires status 110) the following stanzas decide: a client that receives a
//! subject or live messages is in.

use std::rc::Rc;

use super::Room;
use super::deadlines::FOLLOW_UP_TIMEOUT;
use super::ledger::{PresenceRequest, UnansweredPresence};
use super::timers::RoomTimer;
use super::visit::VisitState;
use crate::stanza::split_jid;
use crate::time::Millis;
use crate::xep::muc::event::{CommandError, RoomEvent, RoomOutput};
use crate::xep::muc::occupant::Occupant;
use crate::xep::muc::payload::MucUser;
use crate::xep::muc::request::instant_room;
use crate::xep::muc::rooms::RoomContext;
use crate::xml::Element;

/// How long a new room may take to accept its configuration.
const CONFIGURE_TIMEOUT: Millis = Millis::seconds(30);

impl Room {
    pub(super) fn handle_presence(&mut self, shared: &mut RoomContext, stanza: &Element) {
        let nick = stanza.attr("from").and_then(|from| split_jid(from).1);
        match (stanza.attr("type"), nick) {
            (Some("error"), nick) => self.handle_presence_error(shared, nick, stanza),
            // A room may send its own presence (an avatar, XEP-0153): it is not an occupant.
            (_, None) => {}
            (None, Some(nick)) => self.handle_arrival(shared, nick, stanza),
            (Some("unavailable"), Some(nick)) => self.handle_departure(shared, nick, stanza),
            _ => {}
        }
    }

    /// Whether the occupant with this nick is known to be another user.
    pub(super) fn is_known_other(&self, nick: &str) -> bool {
        let Some(visit) = &self.visit else {
            return false;
        };
        visit.nick != nick
            && self.ledger.present.as_deref() != Some(nick)
            && visit.occupants.get(nick).is_some()
    }

    /// Whether this is our current or requested nick.
    fn is_expected(&self, nick: &str) -> bool {
        let visit = self.visit.as_ref();
        let front = self.ledger.front().filter(|step| !step.is_leave());
        self.ledger.present.as_deref() == Some(nick)
            || visit.is_some_and(|visit| visit.nick == nick)
            || front.is_some_and(|step| step.nick == nick)
    }

    /// Whether a status code makes a presence from `nick` ours.
    pub(super) fn is_marked(&self, nick: &str, user: &MucUser) -> bool {
        // Without an <item/> an occupant may have sent it: accepted only where it changes nothing.
        user.is_marked()
            && !self.is_known_other(nick)
            && (user.is_itemized() || self.is_expected(nick))
    }

    // ── available presence ──────────────────────────────────────────────────────────────────────────────────────────

    fn handle_arrival(&mut self, shared: &mut RoomContext, nick: &str, stanza: &Element) {
        let user = MucUser::of(stanza);
        let id = stanza.attr("id");
        let answers = |step: &UnansweredPresence| !step.is_leave() && step.nick == nick;
        let by_id = id.and_then(|id| self.ledger.find(id)).is_some_and(answers);
        let own = user.jid().is_some_and(|jid| shared.is_account(jid))
            || self.ledger.present.as_deref() == Some(nick)
            || by_id && !self.is_known_other(nick)
            || self.is_marked(nick, &user);
        let before = self
            .visit
            .as_ref()
            .and_then(|visit| visit.occupants.get(nick));
        let occupant = Rc::new(Occupant::parse(nick, stanza, &user, before.map(Rc::as_ref)));
        if own {
            return self.handle_own_arrival(shared, id, user.codes, occupant);
        }
        let Some(visit) = &mut self.visit else { return };
        match &mut visit.state {
            VisitState::Leaving => {}
            VisitState::Joining { unmarked } => {
                if nick == visit.nick {
                    *unmarked = Some(user.codes);
                    // A room shows no occupants to a refused client: without an error, we have joined.
                    self.timers
                        .set(RoomTimer::Subject, shared.now + FOLLOW_UP_TIMEOUT);
                }
                visit.add_silently(shared, occupant);
            }
            VisitState::Entered { .. } | VisitState::Inside => visit.add(shared, occupant),
        }
        // The old nick left without status 303, and the requested nick arrived.
        if self.vanished.is_some() && self.is_asked(nick) {
            self.handle_rename(shared, None, nick);
        }
    }

    fn is_asked(&self, nick: &str) -> bool {
        self.ledger
            .iter()
            .any(|step| matches!(step.ask, PresenceRequest::Nick(_)) && step.nick == nick)
    }

    /// Handles our own presence: this is our nick in the room.
    fn handle_own_arrival(
        &mut self,
        shared: &mut RoomContext,
        id: Option<&str>,
        codes: Vec<u16>,
        occupant: Rc<Occupant>,
    ) {
        let nick = occupant.nick.clone();
        let answered = match id
            .and_then(|id| self.ledger.find(id))
            .filter(|step| !step.is_leave())
        {
            Some(step) => Some(step.id.clone()),
            None => self.answered_by_arrival(&nick),
        };
        let step = answered.and_then(|id| self.ledger.take(&id));
        let known = self.ledger.present.replace(nick.clone());
        let Some((before, step)) = step else {
            return self.handle_own_update(shared, known.as_deref(), occupant);
        };
        self.settle_skipped(shared, before, &CommandError::TimedOut);
        match step.ask {
            PresenceRequest::Join => {
                let joins = self
                    .visit
                    .as_ref()
                    .is_some_and(|visit| visit.id == step.visit && visit.is_joining());
                if joins {
                    return self.handle_entered(shared, codes, occupant);
                }
                // Two joins were sent: the room sends its history twice.
                if let Some(visit) = self.visit.as_mut().filter(|visit| visit.id == step.visit) {
                    visit.report_kept(shared);
                    visit.heard.begin_history(step.sent);
                    visit.open_history = true;
                    self.doubt(shared.now);
                }
                // The reply belongs to an earlier visit: occupants listed for it may be gone when ours begins.
                if let Some(visit) = self.visit.as_mut().filter(|visit| visit.is_joining()) {
                    visit.occupants.clear();
                    return;
                }
                self.handle_own_update(shared, known.as_deref(), occupant);
            }
            PresenceRequest::Nick(waiting) => {
                self.vanished = None;
                self.timers.stop(RoomTimer::Rename);
                if let Some(waiting) = waiting {
                    shared.settle(waiting.command, Ok(()));
                }
                let same = known.as_deref() == Some(nick.as_str());
                self.handle_own_update(shared, known.as_deref(), occupant);
                // The requested nick is normalised to the current one.
                if let Some(visit) = self.visit.as_ref().filter(|_| same) {
                    shared.emit(
                        visit.id,
                        RoomEvent::NickChanged {
                            from: nick.clone(),
                            to: nick,
                            own: true,
                        },
                    );
                }
            }
            PresenceRequest::Leave(_) => {}
        }
    }

    /// The step that our presence under that nick is the reply to, by order.
    fn answered_by_arrival(&self, nick: &str) -> Option<String> {
        let step = self.ledger.front()?;
        let present = self.ledger.present.as_deref();
        let answers = match &step.ask {
            PresenceRequest::Join => true,
            // Our presence for another reason is not a reply.
            PresenceRequest::Nick(_) => step.nick == nick || present != Some(nick),
            PresenceRequest::Leave(_) => false,
        };
        answers.then(|| step.id.clone())
    }

    /// Our presence changed, or our nick.
    fn handle_own_update(
        &mut self,
        shared: &mut RoomContext,
        known: Option<&str>,
        occupant: Rc<Occupant>,
    ) {
        let Some(visit) = &mut self.visit else { return };
        if visit.is_joining() || visit.is_leaving() {
            return;
        }
        let to = occupant.nick.clone();
        if known.is_some_and(|known| known != to) {
            self.vanished = None;
            self.timers.stop(RoomTimer::Rename);
            let from = core::mem::replace(&mut visit.nick, to.clone());
            visit.rename(shared, from, &to, true);
        }
        visit.add(shared, occupant);
    }

    /// Handles the completed admission to the room.
    fn handle_entered(
        &mut self,
        shared: &mut RoomContext,
        codes: Vec<u16>,
        occupant: Rc<Occupant>,
    ) {
        let Some(visit) = &mut self.visit else { return };
        visit.nick.clone_from(&occupant.nick);
        visit.heard.note_entered(shared.unix_ms);
        visit.add_silently(shared, occupant);
        self.timers.stop(RoomTimer::Answer);
        self.timers.stop(RoomTimer::Rejoin);
        self.timers
            .set(RoomTimer::Subject, shared.now + FOLLOW_UP_TIMEOUT);
        let created = codes.contains(&201);
        visit.configurations = 0;
        visit.enter(VisitState::Entered {
            codes,
            subject: true,
            locked: created.then(|| shared.request_token()),
        });
        self.configure(shared);
    }

    /// Configures the room, if it is new (§10.1.2).
    pub(super) fn configure(&mut self, shared: &mut RoomContext) {
        let Some(visit) = &mut self.visit else { return };
        if let VisitState::Entered {
            locked: Some(locked),
            ..
        } = &mut visit.state
        {
            let request = shared.request_token();
            *locked = request;
            visit.configurations += 1;
            shared.push(RoomOutput::Request {
                request,
                iq: instant_room(self.jid.as_str()),
                timeout: CONFIGURE_TIMEOUT,
            });
        }
    }

    /// Infers the join: the received stanza is sent to occupants only.
    pub(super) fn enter_unmarked(&mut self, shared: &mut RoomContext) {
        let Some(visit) = &mut self.visit else { return };
        let VisitState::Joining { unmarked } = &mut visit.state else {
            return;
        };
        let codes = unmarked.take().unwrap_or_default();
        let (id, nick) = (visit.id, visit.nick.clone());
        let join = self
            .ledger
            .iter()
            .find(|step| step.visit == id && matches!(step.ask, PresenceRequest::Join));
        let join = join.map(|step| step.id.clone());
        if let Some((before, _)) = join.and_then(|id| self.ledger.take(&id)) {
            self.settle_skipped(shared, before, &CommandError::TimedOut);
        }
        self.ledger.present = Some(nick.clone());
        let visit = self.visit.as_ref();
        let listed = visit.and_then(|visit| visit.occupants.get(&nick)).cloned();
        let occupant = listed.unwrap_or_else(|| {
            Rc::new(Occupant {
                nick,
                ..Occupant::default()
            })
        });
        self.handle_entered(shared, codes, occupant);
    }
}
