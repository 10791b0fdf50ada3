//! One room (XEP-0045 §7): entering, being there, leaving.
//!
//! Entering has an order that a page can rely on (§7.1): the presence of those who are there, our own with status 110, what
//! was said before, and last the subject, even an empty one. Only then are we really in. Own messages are recognised by
//! their ids, so every builder here that takes an id wants one that is used nowhere else.

use std::rc::Rc;

use super::occupant::{Departure, Occupant, Occupants, User};
use super::request::{History, instant_room};
use super::{RoomEvent, RoomMessage};
use crate::jid::{Jid, JidError};
use crate::ns;
use crate::stanza::{StanzaError, message, presence, split_jid};
use crate::unicode::Unicode;
use crate::xep::delay::Delay;
use crate::xml::Element;

/// How many of our messages are remembered, to be recognised when the room sends them back.
const REMEMBERED: usize = 1024;

/// How far we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not in the room.
    Outside,
    /// Our presence is on its way.
    Joining {
        /// Its id: what refuses us carries it.
        id: String,
    },
    /// The room has let us in; history, the subject or the configuration of a new room are still to come.
    Entered {
        /// The status codes of our own presence.
        codes: Vec<u16>,
        /// Whether the subject is still to come.
        subject: bool,
        /// Whether the room is new and waits for its configuration.
        locked: bool,
    },
    /// Really in.
    Joined,
    /// Our farewell is on its way.
    Leaving,
}

/// One room, as its occupant knows it. Give [`handle`](Self::handle) everything that comes from it.
#[derive(Debug)]
pub struct RoomState {
    room: Jid,
    nick: String,
    phase: Phase,
    occupants: Occupants,
    subject: Option<String>,
    /// Ids of our messages, the newest last.
    sent: Vec<String>,
    /// The presence that asks for another nick.
    renaming: Option<Renaming>,
    /// The farewells that the room has not answered: we may be on the way in again before it does.
    farewells: u32,
}

#[derive(Debug)]
struct Renaming {
    id: String,
    /// The nick that was asked for, normalised.
    wanted: String,
}

impl RoomState {
    /// A room that we are not in. `room` is its bare JID (a resource is ignored), `nick` the name we should like to have.
    ///
    /// # Errors
    /// [`JidError`] when the nick cannot be one.
    pub fn new(room: &Jid, nick: &str, unicode: &dyn Unicode) -> Result<Self, JidError> {
        let occupant = room.with_resource(nick, unicode)?;
        Ok(Self {
            room: room.bare(),
            nick: occupant.resource().unwrap_or(nick).into(),
            phase: Phase::Outside,
            occupants: Occupants::default(),
            subject: None,
            sent: Vec::new(),
            renaming: None,
            farewells: 0,
        })
    }

    /// The room's bare JID.
    pub fn room(&self) -> &Jid {
        &self.room
    }

    /// Our nick: as asked for until the room lets us in, then as the room has it.
    pub fn nick(&self) -> &str {
        &self.nick
    }

    /// How far we are.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The subject, once it is known; empty when there is none.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Those who are in the room, we too, sorted by nick.
    pub fn occupants(&self) -> &[Rc<Occupant>] {
        self.occupants.all()
    }

    /// Who has that nick, written as the room writes it.
    pub fn occupant(&self, nick: &str) -> Option<&Rc<Occupant>> {
        self.occupants.get(nick)
    }

    /// Whether a stanza from there is for this room: the room itself or one of its occupants.
    pub fn is_from(&self, from: &str, unicode: &dyn Unicode) -> bool {
        let (bare, _) = split_jid(from);
        // Services write their own names in normal form; only one that does not costs more than a comparison.
        bare == self.room.as_str()
            || Jid::parse(bare, unicode).is_ok_and(|bare| bare.same_bare(&self.room))
    }

    /// The presence that asks to be let in; also after having been thrown out, or on a new session. The room answers within
    /// the time of a round trip or two; the caller minds that it does.
    pub fn join_presence(&mut self, id: &str, password: Option<&str>, history: History) -> Element {
        self.forget_all();
        self.phase = Phase::Joining { id: id.into() };
        let password =
            password.map(|password| Element::builder("password", ns::MUC).text(password).build());
        let x = Element::builder("x", ns::MUC)
            .children(password)
            .children(history.to_element())
            .build();
        presence::available(Some(&self.occupant_jid(&self.nick)))
            .attr("id", id)
            .child(x)
            .build()
    }

    /// The session is gone, and with it every room: nothing is told, and nothing more will come.
    pub fn reset(&mut self) {
        self.forget_all();
        self.farewells = 0;
        self.phase = Phase::Outside;
    }

    /// Says something to all. `id` recognises it when it comes back.
    pub fn message(&mut self, id: &str, body: &str) -> Element {
        self.sent(id);
        self.to_all(id, message::text_child("body", body))
    }

    /// Sets the subject; an empty one clears it.
    pub fn set_subject(&mut self, id: &str, subject: &str) -> Element {
        self.sent(id);
        self.to_all(id, message::text_child("subject", subject))
    }

    /// A message to the room that was built elsewhere was sent with this id.
    pub fn sent(&mut self, id: &str) {
        if self.sent.len() == REMEMBERED {
            self.sent.remove(0);
        }
        self.sent.push(id.into());
    }

    /// Says something to one occupant alone (§7.5).
    pub fn private(&self, id: &str, nick: &str, body: &str) -> Element {
        message::builder(&self.occupant_jid(nick), "chat")
            .attr("id", id)
            .child(message::text_child("body", body))
            .element("x", ns::MUC_USER, |x| x)
            .build()
    }

    /// Asks for another nick (§7.6). [`RoomEvent::NickChanged`] or [`RoomEvent::NickRefused`] answers.
    ///
    /// # Errors
    /// [`JidError`] when it cannot be one.
    pub fn change_nick(
        &mut self,
        id: &str,
        nick: &str,
        unicode: &dyn Unicode,
    ) -> Result<Element, JidError> {
        let occupant = self.room.with_resource(nick, unicode)?;
        self.renaming = Some(Renaming {
            id: id.into(),
            wanted: occupant.resource().unwrap_or(nick).into(),
        });
        Ok(presence::available(Some(occupant.as_str()))
            .attr("id", id)
            .build())
    }

    /// Goes, with a parting word; [`RoomEvent::Left`] answers.
    pub fn leave(&mut self, status: Option<&str>) -> Element {
        if self.phase != Phase::Outside {
            self.phase = Phase::Leaving;
            self.farewells += 1;
        }
        presence::unavailable(Some(&self.occupant_jid(&self.nick)), status)
    }

    /// The reply to the configuration of a new room has come: a result or an error.
    pub fn configured(&mut self, reply: &Element) -> Vec<RoomEvent> {
        let mut events = Vec::new();
        if let Phase::Entered { locked, .. } = &mut self.phase {
            if *locked && reply.attr("type") == Some("result") {
                *locked = false;
                self.complete(&mut events);
            } else if *locked {
                // A locked room is no room (§10.1.1): nobody else gets in, and the service may remove it.
                self.forget_all();
                self.phase = Phase::Outside;
                events.push(RoomEvent::JoinFailed(StanzaError::parse(reply)));
            }
        }
        events
    }

    /// The subject has not come although the room has let us in: some rooms send none. Enters without.
    pub fn skip_subject(&mut self) -> Vec<RoomEvent> {
        let mut events = Vec::new();
        self.end_history(&mut events);
        events
    }

    /// Takes in a presence or a message that [`is_from`](Self::is_from) this room.
    pub fn handle(&mut self, stanza: &Element) -> Vec<RoomEvent> {
        let mut events = Vec::new();
        let nick = stanza.attr("from").and_then(|from| split_jid(from).1);
        match (stanza.name(), stanza.attr("type")) {
            ("presence", Some("error")) => self.presence_error(stanza, &mut events),
            ("presence", kind) => {
                // A room may have presence of its own (a picture, XEP-0153): it is no occupant.
                if let Some(nick) = nick {
                    match kind {
                        None => self.arrival(nick, stanza, &mut events),
                        Some("unavailable") => self.departure(nick, stanza, &mut events),
                        Some(_) => {}
                    }
                }
            }
            ("message", Some("error")) => events.push(RoomEvent::Bounced {
                id: stanza.attr("id").map(Into::into),
                nick: nick.map(Into::into),
                error: StanzaError::parse(stanza),
            }),
            ("message", Some("groupchat")) => self.groupchat(nick, stanza, &mut events),
            ("message", _) => match nick {
                Some(_) => events.push(RoomEvent::Private(self.read(nick, stanza))),
                None => configuration(stanza, &mut events),
            },
            _ => {}
        }
        events
    }

    fn presence_error(&mut self, stanza: &Element, events: &mut Vec<RoomEvent>) {
        let answered = stanza.attr("id");
        // An error without an id is taken for the answer to what is being asked.
        let answers = |id: &str| answered.is_none_or(|answered| answered == id);
        match &self.phase {
            Phase::Joining { id } if answers(id) => {
                self.forget_all();
                self.phase = Phase::Outside;
                events.push(RoomEvent::JoinFailed(StanzaError::parse(stanza)));
            }
            Phase::Entered { .. } | Phase::Joined => {
                let error = StanzaError::parse(stanza);
                let renaming = self.renaming.as_ref();
                events.push(if renaming.is_some_and(|asked| answers(&asked.id)) {
                    self.renaming = None;
                    RoomEvent::NickRefused(error)
                } else {
                    RoomEvent::Bounced {
                        id: answered.map(Into::into),
                        nick: None,
                        error,
                    }
                });
            }
            Phase::Leaving => {
                // What refuses a farewell does not know us any more.
                self.forget_all();
                self.farewells = self.farewells.saturating_sub(1);
                self.phase = Phase::Outside;
                events.push(RoomEvent::Left(Departure::parse(stanza, User::default())));
            }
            _ => {}
        }
    }

    fn arrival(&mut self, nick: &str, stanza: &Element, events: &mut Vec<RoomEvent>) {
        let user = User::of(stanza);
        let occupant = Rc::new(Occupant::parse(nick, stanza, &user));
        match &self.phase {
            Phase::Outside | Phase::Leaving => {}
            Phase::Joining { .. } if !user.has(110) => {
                self.occupants.insert(occupant);
            }
            Phase::Joining { .. } => {
                self.nick = nick.into();
                self.farewells = 0;
                self.occupants.insert(occupant);
                let locked = user.has(201);
                self.phase = Phase::Entered {
                    codes: user.codes,
                    subject: true,
                    locked,
                };
                if locked {
                    let request = instant_room(self.room.as_str());
                    events.push(RoomEvent::Created { request });
                }
            }
            Phase::Entered { .. } | Phase::Joined => {
                if user.has(110) {
                    self.own_presence(nick, stanza.attr("id"), events);
                }
                match self.occupants.insert(occupant.clone()) {
                    None => events.push(RoomEvent::OccupantJoined(occupant)),
                    Some(before) if before != occupant => {
                        events.push(RoomEvent::OccupantChanged(occupant));
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// Our own presence has come while we are in: it may answer a wish for another nick.
    fn own_presence(&mut self, nick: &str, id: Option<&str>, events: &mut Vec<RoomEvent>) {
        if nick != self.nick {
            // The room gave us another nick without the farewell of the old one (example 51).
            self.renaming = None;
            let from = core::mem::replace(&mut self.nick, nick.into());
            self.renamed(from, nick, true, events);
        } else if let Some(asked) = &self.renaming {
            // What was asked for comes down to the nick that we have.
            if asked.wanted == nick || id == Some(asked.id.as_str()) {
                self.renaming = None;
                events.push(RoomEvent::NickChanged {
                    from: nick.into(),
                    to: nick.into(),
                    own: true,
                });
            }
        }
    }

    fn departure(&mut self, nick: &str, stanza: &Element, events: &mut Vec<RoomEvent>) {
        let user = User::of(stanza);
        // Only someone inside is told by nick alone (examples 113, 202): before, whoever has the nick that we should like may go.
        let inside = !matches!(self.phase, Phase::Outside | Phase::Joining { .. });
        let own = user.has(110) || (inside && nick == self.nick);
        if user.has(303) {
            let to = user.item.as_ref().and_then(|item| item.attr("nick"));
            if let Some(to) = to {
                if own && self.phase != Phase::Outside {
                    self.nick = to.into();
                    self.renaming = None;
                }
                self.renamed(nick.into(), to, own, events);
                return;
            }
        }
        let departure = Departure::parse(stanza, user);
        if !own {
            if let Some(occupant) = self.occupants.remove(nick)
                && !matches!(self.phase, Phase::Joining { .. })
            {
                events.push(RoomEvent::OccupantLeft {
                    occupant,
                    departure,
                });
            }
            return;
        }
        let stale = matches!(self.phase, Phase::Joining { .. }) && self.farewells > 0;
        self.farewells = self.farewells.saturating_sub(1);
        if stale || self.phase == Phase::Outside {
            return;
        }
        self.forget_all();
        self.phase = Phase::Outside;
        events.push(RoomEvent::Left(departure));
    }

    /// Someone's entry moves to another nick; the presence under the new one follows.
    fn renamed(&mut self, from: String, to: &str, own: bool, events: &mut Vec<RoomEvent>) {
        let Some(occupant) = self.occupants.remove(&from) else {
            return;
        };
        let mut occupant = Occupant::clone(&occupant);
        occupant.nick = to.into();
        self.occupants.insert(Rc::new(occupant));
        if !matches!(self.phase, Phase::Joining { .. }) {
            events.push(RoomEvent::NickChanged {
                from,
                to: to.into(),
                own,
            });
        }
    }

    fn groupchat(&mut self, nick: Option<&str>, stanza: &Element, events: &mut Vec<RoomEvent>) {
        if self.phase == Phase::Outside {
            return;
        }
        let text = self.read(nick, stanza);
        // With a body (or a thread) it is a message that happens to have a subject (§8.1).
        let subject = match text.body {
            None if !stanza.has_child("thread", ns::CLIENT) => message::subject(stanza),
            _ => None,
        };
        if let Some(subject) = subject {
            self.subject = Some(subject.clone());
            events.push(RoomEvent::Subject {
                subject,
                nick: text.nick,
                time: text.time,
            });
            self.end_history(events);
        } else if nick.is_none() && text.body.is_none() {
            configuration(stanza, events);
        } else {
            // What is not held back is said now, so that history is over; the subject should have come before it.
            if nick.is_some() && text.time.is_none() {
                self.end_history(events);
            }
            events.push(RoomEvent::Message(text));
        }
    }

    fn end_history(&mut self, events: &mut Vec<RoomEvent>) {
        if let Phase::Entered { subject, .. } = &mut self.phase {
            *subject = false;
            self.complete(events);
        }
    }

    /// Really in, when nothing more is to come.
    fn complete(&mut self, events: &mut Vec<RoomEvent>) {
        if let Phase::Entered {
            codes,
            subject: false,
            locked: false,
        } = &mut self.phase
        {
            let codes = core::mem::take(codes);
            self.phase = Phase::Joined;
            events.push(RoomEvent::Joined { codes });
        }
    }

    fn read(&self, nick: Option<&str>, stanza: &Element) -> RoomMessage {
        let id = stanza.attr("id");
        RoomMessage {
            nick: nick.map(Into::into),
            id: id.map(Into::into),
            body: message::body(stanza),
            time: Delay::of(stanza, self.room.as_str()).map(|delay| delay.stamp),
            // Anyone can repeat an id of ours that they have seen, but not under our nick.
            own: nick == Some(self.nick.as_str())
                && id.is_some_and(|id| self.sent.iter().any(|own| own == id)),
            stanza: stanza.clone(),
        }
    }

    fn to_all(&self, id: &str, child: Element) -> Element {
        message::builder(self.room.as_str(), "groupchat")
            .attr("id", id)
            .child(child)
            .build()
    }

    fn occupant_jid(&self, nick: &str) -> String {
        [self.room.as_str(), "/", nick].concat()
    }

    fn forget_all(&mut self) {
        self.occupants.clear();
        self.subject = None;
        self.renaming = None;
    }
}

/// A message of the room about itself.
fn configuration(stanza: &Element, events: &mut Vec<RoomEvent>) {
    let codes = User::of(stanza).codes;
    if !codes.is_empty() {
        events.push(RoomEvent::Configured { codes });
    }
}
