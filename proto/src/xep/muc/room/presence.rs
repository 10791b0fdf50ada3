//! What presences from a room mean: who is there, and what became of our own presences.
//!
//! A presence is ours if it shows our full JID, if it comes from the nick under which the room has us, if it carries the id of a
//! presence of ours for that nick, or if a status code says so (see `payload.rs`); but a status code does not make us somebody
//! whom we know as another. Rooms that mark nothing (§7.2.2 asks for status 110) are understood by what follows: whoever gets a
//! subject or live talk is in.

use std::rc::Rc;

use super::Room;
use super::deadlines::SOON;
use super::ledger::{Ask, Step};
use super::timers::Timer;
use super::visit::State;
use crate::stanza::split_jid;
use crate::time::Millis;
use crate::xep::muc::event::{CommandError, RoomEvent, RoomOutput};
use crate::xep::muc::occupant::Occupant;
use crate::xep::muc::payload::User;
use crate::xep::muc::request::instant_room;
use crate::xep::muc::rooms::Shared;
use crate::xml::Element;

/// How long a new room may take to accept its configuration.
const CONFIGURE_TIMEOUT: Millis = Millis::seconds(30);

impl Room {
    pub(super) fn handle_presence(&mut self, shared: &mut Shared, stanza: &Element) {
        let nick = stanza.attr("from").and_then(|from| split_jid(from).1);
        match (stanza.attr("type"), nick) {
            (Some("error"), nick) => self.handle_presence_error(shared, nick, stanza),
            // A room may have presence of its own (a picture, XEP-0153): it is no occupant.
            (_, None) => {}
            (None, Some(nick)) => self.handle_arrival(shared, nick, stanza),
            (Some("unavailable"), Some(nick)) => self.handle_departure(shared, nick, stanza),
            _ => {}
        }
    }

    /// Whether we know the occupant with that nick as another than us.
    pub(super) fn is_known_other(&self, nick: &str) -> bool {
        let Some(visit) = &self.visit else {
            return false;
        };
        visit.nick != nick
            && self.ledger.present.as_deref() != Some(nick)
            && visit.occupants.get(nick).is_some()
    }

    /// Whether that is the nick that we have or want.
    fn is_expected(&self, nick: &str) -> bool {
        let visit = self.visit.as_ref();
        let front = self.ledger.front().filter(|step| !step.is_leave());
        self.ledger.present.as_deref() == Some(nick)
            || visit.is_some_and(|visit| visit.nick == nick)
            || front.is_some_and(|step| step.nick == nick)
    }

    /// Whether a status code makes a presence from `nick` ours.
    pub(super) fn is_marked(&self, nick: &str, user: &User) -> bool {
        // Without an <item/> it may be what an occupant sent: believed where it changes nothing.
        user.is_marked()
            && !self.is_known_other(nick)
            && (user.is_itemized() || self.is_expected(nick))
    }

    // ── available ───────────────────────────────────────────────────────────────────────────────────────────────────

    fn handle_arrival(&mut self, shared: &mut Shared, nick: &str, stanza: &Element) {
        let user = User::of(stanza);
        let id = stanza.attr("id");
        let answers = |step: &Step| !step.is_leave() && step.nick == nick;
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
            State::Leaving => {}
            State::Joining { unmarked } => {
                if nick == visit.nick {
                    *unmarked = Some(user.codes);
                    // A room shows nobody to those whom it refuses: without an error, we are in.
                    self.timers.set(Timer::Subject, shared.now + SOON);
                }
                visit.add_silently(shared, occupant);
            }
            State::Entered { .. } | State::Inside => visit.add(shared, occupant),
        }
        // The old nick has gone without a word, and the asked one has come.
        if self.vanished.is_some() && self.is_asked(nick) {
            self.handle_rename(shared, None, nick);
        }
    }

    fn is_asked(&self, nick: &str) -> bool {
        self.ledger
            .iter()
            .any(|step| matches!(step.ask, Ask::Nick(_)) && step.nick == nick)
    }

    /// The room has us, under that nick.
    fn handle_own_arrival(
        &mut self,
        shared: &mut Shared,
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
            Ask::Join => {
                let joins = self
                    .visit
                    .as_ref()
                    .is_some_and(|visit| visit.id == step.visit && visit.is_joining());
                if joins {
                    return self.handle_entered(shared, codes, occupant);
                }
                // The room was asked twice: it sends its history twice.
                if let Some(visit) = self.visit.as_mut().filter(|visit| visit.id == step.visit) {
                    visit.report_kept(shared);
                    visit.heard.begin_history(step.sent);
                    visit.open_history = true;
                    self.doubt(shared.now);
                }
                // An earlier visit's: those who were listed for it may be gone when ours begins.
                if let Some(visit) = self.visit.as_mut().filter(|visit| visit.is_joining()) {
                    visit.occupants.clear();
                    return;
                }
                self.handle_own_update(shared, known.as_deref(), occupant);
            }
            Ask::Nick(waiting) => {
                self.vanished = None;
                self.timers.stop(Timer::Rename);
                if let Some(waiting) = waiting {
                    shared.settle(waiting.command, Ok(()));
                }
                let same = known.as_deref() == Some(nick.as_str());
                self.handle_own_update(shared, known.as_deref(), occupant);
                // What was asked for comes down to the nick that we have.
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
            Ask::Leave(_) => {}
        }
    }

    /// The step that our presence under that nick answers, by order.
    fn answered_by_arrival(&self, nick: &str) -> Option<String> {
        let step = self.ledger.front()?;
        let present = self.ledger.present.as_deref();
        let answers = match &step.ask {
            Ask::Join => true,
            // Our presence for another reason is no answer.
            Ask::Nick(_) => step.nick == nick || present != Some(nick),
            Ask::Leave(_) => false,
        };
        answers.then(|| step.id.clone())
    }

    /// Our presence changed, or our nick.
    fn handle_own_update(
        &mut self,
        shared: &mut Shared,
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
            self.timers.stop(Timer::Rename);
            let from = core::mem::replace(&mut visit.nick, to.clone());
            visit.rename(shared, from, &to, true);
        }
        visit.add(shared, occupant);
    }

    /// The room has let us in.
    fn handle_entered(&mut self, shared: &mut Shared, codes: Vec<u16>, occupant: Rc<Occupant>) {
        let Some(visit) = &mut self.visit else { return };
        visit.nick.clone_from(&occupant.nick);
        visit.heard.note_entered(shared.unix_ms);
        visit.add_silently(shared, occupant);
        self.timers.stop(Timer::Answer);
        self.timers.stop(Timer::Knock);
        self.timers.set(Timer::Subject, shared.now + SOON);
        let created = codes.contains(&201);
        let locked = created.then(|| shared.request_token());
        visit.enter(State::Entered {
            codes,
            subject: true,
            locked,
        });
        if let Some(request) = locked {
            shared.push(RoomOutput::Request {
                request,
                iq: instant_room(self.jid.as_str()),
                timeout: CONFIGURE_TIMEOUT,
            });
        }
    }

    /// Nothing has said that we are in, but only those who are in get what has come.
    pub(super) fn enter_unmarked(&mut self, shared: &mut Shared) {
        let Some(visit) = &mut self.visit else { return };
        let State::Joining { unmarked } = &mut visit.state else {
            return;
        };
        let codes = unmarked.take().unwrap_or_default();
        let (id, nick) = (visit.id, visit.nick.clone());
        let join = self
            .ledger
            .iter()
            .find(|step| step.visit == id && matches!(step.ask, Ask::Join));
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
