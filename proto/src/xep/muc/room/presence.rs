//! What presences from a room mean: who is there, and what became of our own presences.
//!
//! A presence is ours if it shows our full JID, if it comes from the nick under which the room has us, if it carries the id of a
//! presence of ours for that nick, or if a status code says so (see `payload.rs`); but a status code does not make us somebody
//! whom we know as another. Rooms that mark nothing (§7.2.2 asks for status 110) are understood by what follows: whoever gets a
//! subject or live talk is in.

use std::rc::Rc;

use super::ledger::{Ask, Step};
use super::timers::Timer;
use super::visit::State;
use super::{Room, Visit};
use crate::stanza::{StanzaError, split_jid};
use crate::time::Millis;
use crate::xep::muc::departure::Departure;
use crate::xep::muc::event::{CommandError, Ended, RoomEvent, RoomOutput};
use crate::xep::muc::occupant::Occupant;
use crate::xep::muc::payload::User;
use crate::xep::muc::request::instant_room;
use crate::xep::muc::rooms::Shared;
use crate::xml::Element;

/// How long to wait for the subject once inside: some rooms send none.
const SUBJECT_TIMEOUT: Millis = Millis::seconds(5);
/// How long to wait for the presence under the new nick when the one under the old nick is gone.
const RENAME_TIMEOUT: Millis = Millis::seconds(5);
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
    fn is_known_other(&self, nick: &str) -> bool {
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
    fn is_marked(&self, nick: &str, user: &User) -> bool {
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
                    *unmarked = user.codes;
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
        visit.add_silently(shared, occupant);
        self.timers.stop(Timer::Answer);
        self.timers.stop(Timer::Knock);
        self.timers
            .set(Timer::Subject, shared.now + SUBJECT_TIMEOUT);
        let created = codes.contains(&201);
        let locked = created.then(|| shared.request_token());
        visit.state = State::Entered {
            codes,
            subject: true,
            locked,
        };
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
        let codes = core::mem::take(unmarked);
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

    // ── unavailable ─────────────────────────────────────────────────────────────────────────────────────────────────

    fn handle_departure(&mut self, shared: &mut Shared, nick: &str, stanza: &Element) {
        let user = User::of(stanza);
        let present = self.ledger.present.as_deref() == Some(nick);
        let jid = user.jid().is_some_and(|jid| shared.is_account(jid));
        let own = present || (jid || self.is_marked(nick, &user)) && !self.is_known_other(nick);
        if let Some(to) = user.next_nick() {
            let to = to.to_owned();
            return if own {
                self.handle_rename(shared, stanza.attr("id"), &to);
            } else if let Some(visit) = &mut self.visit {
                visit.rename(shared, nick.into(), &to, false);
            };
        }
        let changes = user.has(303);
        let removal = user.is_removal();
        let departure = Departure::parse(stanza, user);
        if own {
            return self.handle_own_departure(
                shared,
                stanza.attr("id"),
                departure,
                changes,
                removal,
            );
        }
        let Some(visit) = &mut self.visit else { return };
        let Some(occupant) = visit.occupants.remove(nick) else {
            return;
        };
        if !visit.is_joining() {
            shared.emit(
                visit.id,
                RoomEvent::OccupantLeft {
                    occupant,
                    departure,
                },
            );
        }
    }

    /// Our nick changes: to which one we asked for, or which one the room gives us.
    fn handle_rename(&mut self, shared: &mut Shared, id: Option<&str>, to: &str) {
        let by_id = id.and_then(|id| self.ledger.find(id));
        let is_nick = |step: &&Step| matches!(step.ask, Ask::Nick(_));
        let by_nick = || {
            self.ledger
                .iter()
                .filter(is_nick)
                .find(|step| step.nick == to)
        };
        let step = by_id
            .filter(is_nick)
            .or_else(by_nick)
            .or_else(|| self.ledger.front().filter(is_nick));
        if let Some(id) = step.map(|step| step.id.clone())
            && let Some((before, step)) = self.ledger.take(&id)
        {
            self.settle_skipped(shared, before, &CommandError::TimedOut);
            if let Ask::Nick(Some(waiting)) = step.ask {
                shared.settle(waiting.command, Ok(()));
            }
        }
        self.vanished = None;
        self.timers.stop(Timer::Rename);
        self.ledger.present = Some(to.into());
        let Some(visit) = &mut self.visit else { return };
        if !visit.is_joining() {
            let from = core::mem::replace(&mut visit.nick, to.into());
            visit.rename(shared, from, to, true);
        }
    }

    fn handle_own_departure(
        &mut self,
        shared: &mut Shared,
        id: Option<&str>,
        departure: Departure,
        changes: bool,
        removal: bool,
    ) {
        let left = id
            .and_then(|id| self.ledger.find(id))
            .filter(|step| step.is_leave())
            .map(|step| step.id.clone());
        if let Some((mut before, step)) = left.and_then(|id| self.ledger.take(&id)) {
            before.push(step);
            return self.handle_left(shared, before);
        }
        let inside = self.ledger.present.is_some();
        let front = self.ledger.front();
        // A change of nick in two presences that nothing connects.
        let leaves = self.ledger.iter().any(Step::is_leave);
        let renames = !leaves && front.is_some_and(|step| matches!(step.ask, Ask::Nick(_)));
        if inside && !removal && (renames || changes) {
            let wanted = front.map(|step| step.nick.clone()).filter(|_| renames);
            let came = wanted.filter(|wanted| {
                let visit = self.visit.as_ref();
                visit.is_some_and(|visit| visit.occupants.get(wanted).is_some())
            });
            if let Some(wanted) = came {
                return self.handle_rename(shared, None, &wanted);
            }
            self.vanished = Some(departure);
            self.timers.set(Timer::Rename, shared.now + RENAME_TIMEOUT);
            return;
        }
        // The room does not answer the leave of somebody who is not in; if one does, it does not remove anybody by it.
        if (inside || !removal)
            && let Some(steps) = self.ledger.take_leave()
        {
            return self.handle_left(shared, steps);
        }
        let joining = self.visit.as_ref().filter(|visit| visit.is_joining());
        let turn = joining.is_some_and(|visit| self.ledger.is_turn_of(visit.id));
        self.ledger.present = None;
        if joining.is_some() && !turn {
            return;
        }
        if turn && let Some(id) = self.ledger.front().map(|step| step.id.clone()) {
            let _ = self.ledger.take(&id);
        }
        self.end(
            shared,
            CommandError::SentAway(departure.clone()),
            Ended::Departed(departure),
        );
    }

    /// The room has let us go.
    fn handle_left(&mut self, shared: &mut Shared, steps: Vec<Step>) {
        self.ledger.present = None;
        if let Some(visit) = self.visit.as_mut().filter(|visit| visit.is_joining()) {
            // Those who were listed for the earlier visit.
            visit.occupants.clear();
        }
        self.settle_skipped(shared, steps, &CommandError::Left);
    }

    // ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A refusal carries the id of what it refuses. Without an id it has to come from the room itself, or from the address that
    /// the presence was sent to, if that is nobody's: an occupant may send errors, too.
    fn handle_presence_error(&mut self, shared: &mut Shared, nick: Option<&str>, stanza: &Element) {
        let id = stanza.attr("id");
        let refused = match id.and_then(|id| self.ledger.find(id)) {
            Some(step) => Some(step.id.clone()),
            None if id.is_some() => None,
            None => {
                let others = nick.is_some_and(|nick| self.is_known_other(nick));
                let front = self.ledger.front().filter(|_| !others);
                let front = front.filter(|step| {
                    let present = self.ledger.present.as_deref();
                    nick.is_none_or(|nick| nick == step.nick || Some(nick) == present)
                });
                front.map(|step| step.id.clone())
            }
        };
        let error = StanzaError::parse(stanza);
        let Some((before, step)) = refused.and_then(|id| self.ledger.take(&id)) else {
            return self.handle_stray_error(shared, nick, error, stanza);
        };
        self.settle_skipped(shared, before, &CommandError::TimedOut);
        match step.ask {
            Ask::Join => {
                let current = self.visit.as_ref().filter(|visit| visit.id == step.visit);
                if current.is_some_and(Visit::is_joining) {
                    self.ledger.present = None;
                    self.handle_join_refused(shared, error, stanza);
                } else if self.visit.as_ref().is_none_or(|visit| !visit.is_joined()) {
                    self.ledger.present = None;
                }
            }
            Ask::Nick(waiting) => {
                if not_in(&error) {
                    self.doubt(shared.now);
                }
                if let Some(waiting) = waiting {
                    let stanza = stanza.clone();
                    let error = CommandError::Refused { error, stanza };
                    shared.settle(waiting.command, Err(error));
                }
            }
            // What refuses a leave does not know us any more.
            Ask::Leave(_) => self.handle_left(shared, vec![step]),
        }
    }

    /// The room refuses something else, a presence that the caller built for instance.
    fn handle_stray_error(
        &mut self,
        shared: &mut Shared,
        nick: Option<&str>,
        error: StanzaError,
        stanza: &Element,
    ) {
        let present = self.ledger.present.as_deref();
        let Some(visit) = self.visit.as_ref().filter(|visit| visit.is_joined()) else {
            return;
        };
        // From another's address it is that occupant's error, and says nothing about us.
        if nick.is_some_and(|nick| present != Some(nick)) {
            return;
        }
        let doubtful = not_in(&error);
        shared.emit(
            visit.id,
            RoomEvent::Bounced {
                id: stanza.attr("id").map(Into::into),
                nick: None,
                error,
                stanza: stanza.clone(),
            },
        );
        if doubtful {
            self.doubt(shared.now);
        }
    }
}

/// Whether an error may mean that the room does not have us.
pub(super) fn not_in(error: &StanzaError) -> bool {
    // The ordinary refusals: no voice, a bad message, a limit.
    !matches!(
        error.condition.as_str(),
        "forbidden" | "conflict" | "policy-violation" | "resource-constraint" | "jid-malformed"
    )
}

impl Visit {
    /// Notes an occupant. False when there are too many.
    fn has_room(&mut self, shared: &mut Shared, nick: &str) -> bool {
        if !self.occupants.is_full() || self.occupants.get(nick).is_some() {
            return true;
        }
        if !core::mem::replace(&mut self.crowded, true) {
            shared.emit(self.id, RoomEvent::Crowded);
        }
        false
    }

    fn add_silently(&mut self, shared: &mut Shared, occupant: Rc<Occupant>) {
        if self.has_room(shared, &occupant.nick) {
            self.occupants.insert(occupant);
        }
    }

    fn add(&mut self, shared: &mut Shared, occupant: Rc<Occupant>) {
        if !self.has_room(shared, &occupant.nick) {
            return;
        }
        match self.occupants.insert(occupant.clone()) {
            None if self.returning.is_some() => {}
            None => shared.emit(self.id, RoomEvent::OccupantJoined(occupant)),
            Some(before) if before != occupant => {
                shared.emit(self.id, RoomEvent::OccupantChanged(occupant));
            }
            Some(_) => {}
        }
    }

    /// An occupant's entry moves to another nick; the presence under the new one follows.
    fn rename(&mut self, shared: &mut Shared, from: String, to: &str, own: bool) {
        let Some(occupant) = self.occupants.remove(&from) else {
            return;
        };
        let mut occupant = Occupant::clone(&occupant);
        occupant.nick = to.into();
        self.occupants.insert(Rc::new(occupant));
        if !self.is_joining() {
            let to = to.into();
            shared.emit(self.id, RoomEvent::NickChanged { from, to, own });
        }
    }
}
