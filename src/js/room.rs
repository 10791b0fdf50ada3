//! `Room`: a room we are in, at the boundary.

use super::client::Inner;
use super::error::{Problem, freed, not_connected};
use super::listeners::Listeners;
use super::object::{Reader, date, date_now};
use super::options::Waiting;
use super::promise::{promise, spawn};
use super::registration::Registration;
use super::stanza::Stanza;
use super::views::{self, View};
use crate::web::clock::unix_millis;
use crate::web::oneshot::{Receiver, Sender, channel};
use crate::web::race::race;
use crate::web::unicode::PlatformUnicode;
use epode_proto::stanza::StanzaError;
use epode_proto::xep::muc::occupant::{Departure, Occupant, Why};
use epode_proto::xep::muc::request::History;
use epode_proto::xep::muc::room::{Phase, RoomState};
use epode_proto::xep::muc::{RoomEvent, RoomMessage};
use epode_proto::xml::Element;
use gloo_timers::callback::Timeout;
use js_sys::{Map, Promise};
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;

/// How long we wait for the subject, which ends the history, once inside, in milliseconds: some rooms send none.
const SUBJECT_TIMEOUT: u32 = 5_000;
/// How long a room may take to answer a change of nick, or a farewell, in milliseconds.
const ANSWER_TIMEOUT: u32 = 30_000;
/// How many messages are remembered, to be recognised in the history of a room that is entered again.
const HEARD: usize = 500;
/// How much further back than the last message the history is asked for, in milliseconds.
const SINCE_MARGIN: i64 = 30_000;
/// When to knock again where our nick is taken, in milliseconds, and how often: servers notice a dead session after minutes.
const KNOCK_AGAIN: u32 = 5_000;
const MOST_KNOCKS: u32 = 60;

type Outcome = Result<(), JsValue>;

/// What a room is, shared by its handle and its client.
pub struct RoomHandle {
    state: RefCell<RoomState>,
    listeners: Rc<Listeners>,
    client: Weak<Inner>,
    joining: RefCell<Option<Sender<Outcome>>>,
    renaming: RefCell<Option<Sender<Outcome>>>,
    leaving: RefCell<Vec<Sender<Outcome>>>,
    subject_timer: RefCell<Option<Timeout>>,
    /// How it was entered, for entering it again.
    entry: RefCell<Entry>,
    /// What is remembered while we are on the way back in.
    returning: RefCell<Option<Returning>>,
    /// The last messages, by nick and id: a room's history may tell them again.
    heard: RefCell<Heard>,
}

#[derive(Clone, Default)]
struct Entry {
    password: Option<String>,
    history: History,
}

/// The messages that the page has had.
#[derive(Default)]
struct Heard {
    keys: Vec<String>,
    /// When the last one came, in milliseconds since 1970.
    last: Option<i64>,
}

impl Heard {
    fn key(message: &RoomMessage) -> Option<String> {
        let mut key = message.id.clone()?;
        key.push('\n');
        key.push_str(message.nick.as_deref().unwrap_or_default());
        Some(key)
    }

    /// Notes a message. False when it is one of the past that the page has had.
    fn note(&mut self, message: &RoomMessage, now: i64) -> bool {
        self.last = Some(now);
        let Some(key) = Self::key(message) else {
            return true;
        };
        if message.time.is_some() && self.keys.contains(&key) {
            return false;
        }
        if self.keys.len() >= HEARD {
            self.keys.remove(0);
        }
        self.keys.push(key);
        true
    }
}

/// Who was there when the session was lost, and how often we have knocked since.
struct Returning {
    before: Vec<Rc<Occupant>>,
    attempt: u32,
    timer: Option<Timeout>,
}

impl RoomHandle {
    /// A room we want to enter, and how that ends.
    pub fn new(client: &Rc<Inner>, state: RoomState) -> (Rc<Self>, Receiver<Outcome>) {
        let (sender, joined) = channel();
        let room = Rc::new(Self {
            state: RefCell::new(state),
            listeners: Listeners::new(
                &[
                    "message", "subject", "join", "leave", "occupant", "nick", "out", "error",
                ],
                &["rejoin"],
            ),
            client: Rc::downgrade(client),
            joining: RefCell::new(Some(sender)),
            renaming: RefCell::default(),
            leaving: RefCell::default(),
            subject_timer: RefCell::default(),
            entry: RefCell::default(),
            returning: RefCell::default(),
            heard: RefCell::default(),
        });
        (room, joined)
    }

    /// Knocks.
    pub fn enter(&self, password: Option<String>, history: History) -> Result<(), Problem> {
        self.entry.replace(Entry { password, history });
        self.knock(history)
    }

    fn knock(&self, history: History) -> Result<(), Problem> {
        let client = self.client()?;
        let id = client.driver.change(|connection, _| connection.next_id());
        let password = self.entry.borrow().password.clone();
        let presence = self
            .state
            .borrow_mut()
            .join_presence(&id, password.as_deref(), history);
        client.send(presence)?;
        Ok(())
    }

    // ── in a new session ────────────────────────────────────────────────────────────────────────────────────────────

    /// The session in which we were in is lost, and there is another one.
    pub fn rejoin(&self, client: &Rc<Inner>) {
        let phase = self.state.borrow().phase().clone();
        self.settle(&self.renaming, || {
            Err(Problem::new(
                "disconnected",
                "The session was lost before the room answered.",
            )
            .into_js())
        });
        match phase {
            Phase::Outside => {}
            Phase::Leaving => {
                // The room has noticed by itself.
                let jid = self.state.borrow().room().as_str().to_owned();
                client.rooms.borrow_mut().remove(&jid);
                self.state.borrow_mut().reset();
                for sender in core::mem::take(&mut *self.leaving.borrow_mut()) {
                    sender.send(Ok(()));
                }
                self.listeners.close();
            }
            _ if self.joining.borrow().is_some() => {
                // The page still waits for the first time.
                let history = self.entry.borrow().history;
                let _ = self.knock(history);
            }
            _ => {
                let mut returning = self.returning.borrow_mut();
                if returning.is_none() {
                    *returning = Some(Returning {
                        before: self.state.borrow().occupants().to_vec(),
                        attempt: 0,
                        timer: None,
                    });
                }
                drop(returning);
                self.return_in();
            }
        }
    }

    /// Knocks once more, and asks for what was said since.
    fn return_in(&self) {
        let history = match self.heard.borrow().last {
            // Clocks differ; what comes twice is recognised.
            Some(last) => History {
                since: Some(last - SINCE_MARGIN),
                ..History::default()
            },
            None => self.entry.borrow().history,
        };
        let _ = self.knock(history);
    }

    /// Our own former self may still be in there under our nick, until the server has noticed that it is gone.
    fn handle_join_failed(self: &Rc<Self>, error: &StanzaError, stanza: &Element) {
        if self.settle(&self.joining, || Err(refused(error, stanza))) {
            return;
        }
        let mut returning = self.returning.borrow_mut();
        let Some(back) = returning.as_mut() else {
            return;
        };
        back.attempt += 1;
        if error.condition == "conflict" && back.attempt <= MOST_KNOCKS {
            let room = Rc::downgrade(self);
            back.timer = Some(Timeout::new(KNOCK_AGAIN, move || {
                if let Some(room) = room.upgrade() {
                    room.return_in();
                }
            }));
            return;
        }
        returning.take();
        drop(returning);
        let jid = self.state.borrow().room().as_str().to_owned();
        if let Some(client) = self.client.upgrade() {
            client.rooms.borrow_mut().remove(&jid);
        }
        let event = views::Out {
            reason: "refused",
            text: Some(&error.condition),
            alternative: None,
        };
        self.emit("out", &event.to_js());
        self.listeners.close();
    }

    /// We are in again: those who are gone have left.
    fn handle_returned(&self) {
        let Some(Returning { before, .. }) = self.returning.take() else {
            return;
        };
        for occupant in before {
            if self.state.borrow().occupant(&occupant.nick).is_none() {
                let event = views::Leave {
                    occupant: self.occupant_to_js(&occupant),
                    reason: "disconnected",
                    text: None,
                };
                self.emit("leave", &event.to_js());
            }
        }
        self.emit("rejoin", &JsValue::UNDEFINED);
    }

    /// Was that one there before the session was lost?
    fn was_there(&self, nick: &str) -> bool {
        let returning = self.returning.borrow();
        let before = returning.as_ref().map(|returning| &returning.before);
        before.is_some_and(|before| before.iter().any(|occupant| occupant.nick == nick))
    }

    /// What is said in the room, each message once.
    fn hear(&self, message: &RoomMessage, private: bool) {
        #[allow(clippy::cast_possible_truncation)]
        let now = unix_millis() as i64;
        if private || self.heard.borrow_mut().note(message, now) {
            self.emit("message", &message_to_js(message, private));
        }
    }

    /// We are not coming after all.
    pub fn withdraw(&self) {
        if let Ok(client) = self.client() {
            let presence = self.state.borrow_mut().leave(None);
            client.post(presence);
        }
    }

    /// Is a stanza from there for this room?
    pub fn is_from(&self, from: &str) -> bool {
        self.state.borrow().is_from(from, &PlatformUnicode)
    }

    /// The connection is gone.
    pub fn lose(&self, error: Option<&JsValue>) {
        self.state.borrow_mut().reset();
        self.returning.take();
        let cause = || {
            error.cloned().unwrap_or_else(|| {
                Problem::new(
                    "disconnected",
                    "The connection was closed before the room answered.",
                )
                .into_js()
            })
        };
        let was_joining = self.settle(&self.joining, || Err(cause()));
        self.settle(&self.renaming, || Err(cause()));
        for sender in core::mem::take(&mut *self.leaving.borrow_mut()) {
            sender.send(Ok(()));
        }
        if !was_joining {
            let event = views::Out {
                reason: "disconnected",
                text: None,
                alternative: None,
            };
            self.emit("out", &event.to_js());
        }
        self.listeners.close();
    }

    /// A presence or message from the room.
    pub fn handle(self: &Rc<Self>, client: &Rc<Inner>, stanza: &Element) {
        let events = self.state.borrow_mut().handle(stanza);
        self.tell(client, events, stanza);
        self.mind_subject(stanza);
    }

    /// Inside, and waiting for the subject: not for ever.
    fn mind_subject(self: &Rc<Self>, stanza: &Element) {
        let waiting = matches!(*self.state.borrow().phase(), Phase::Entered { .. });
        if !waiting {
            self.subject_timer.replace(None);
        } else if self.subject_timer.borrow().is_none() {
            let room = Rc::downgrade(self);
            let stanza = stanza.clone();
            let timer = Timeout::new(SUBJECT_TIMEOUT, move || {
                let Some(room) = room.upgrade() else { return };
                let Ok(client) = room.client() else { return };
                let events = room.state.borrow_mut().skip_subject();
                room.tell(&client, events, &stanza);
            });
            self.subject_timer.replace(Some(timer));
        }
    }

    fn client(&self) -> Result<Rc<Inner>, Problem> {
        let client = self.client.upgrade();
        client
            .filter(|client| !client.freed.get())
            .ok_or_else(freed)
    }

    fn settle(
        &self,
        waiting: &RefCell<Option<Sender<Outcome>>>,
        outcome: impl FnOnce() -> Outcome,
    ) -> bool {
        let sender = waiting.borrow_mut().take();
        let waited = sender.is_some();
        if let Some(sender) = sender {
            sender.send(outcome());
        }
        waited
    }

    fn emit(&self, kind: &'static str, event: &JsValue) {
        if !self.listeners.emit(kind, event)
            && let Some(client) = self.client.upgrade()
        {
            client.complain(Problem::new(
                "too-large",
                "A room has kept more than 1,000 events of a kind that nobody listens to: the oldest are dropped. Add a listener.",
            ));
        }
    }

    fn tell(self: &Rc<Self>, client: &Rc<Inner>, events: Vec<RoomEvent>, stanza: &Element) {
        for event in events {
            match event {
                RoomEvent::JoinFailed(error) => self.handle_join_failed(&error, stanza),
                RoomEvent::Created { request } => self.configure(client, request),
                RoomEvent::Joined { .. } => {
                    self.settle(&self.joining, || Ok(()));
                    self.handle_returned();
                }
                RoomEvent::Message(message) => self.hear(&message, false),
                RoomEvent::Private(message) => self.hear(&message, true),
                RoomEvent::Subject { subject, nick, .. } => {
                    let event = views::Subject {
                        subject: &subject,
                        nick: nick.as_deref(),
                    };
                    self.emit("subject", &event.to_js());
                }
                RoomEvent::OccupantJoined(occupant) if self.was_there(&occupant.nick) => {}
                RoomEvent::OccupantJoined(occupant) => {
                    self.emit("join", &self.occupant_to_js(&occupant));
                }
                RoomEvent::OccupantChanged(occupant) => {
                    self.emit("occupant", &self.occupant_to_js(&occupant));
                }
                RoomEvent::OccupantLeft {
                    occupant,
                    departure,
                } => {
                    let event = views::Leave {
                        occupant: self.occupant_to_js(&occupant),
                        reason: why(&departure),
                        text: departure.reason.as_deref(),
                    };
                    self.emit("leave", &event.to_js());
                }
                RoomEvent::NickChanged { from, to, own } => {
                    if own {
                        self.settle(&self.renaming, || Ok(()));
                    }
                    let event = views::Nick {
                        from: &from,
                        to: &to,
                        own,
                    };
                    self.emit("nick", &event.to_js());
                }
                RoomEvent::NickRefused(error) => {
                    self.settle(&self.renaming, || Err(refused(&error, stanza)));
                }
                RoomEvent::Configured { .. } => {}
                RoomEvent::Bounced { error, .. } => self.emit("error", &refused(&error, stanza)),
                RoomEvent::Left(departure) => self.handle_out(client, &departure),
            }
        }
    }

    fn handle_out(&self, client: &Rc<Inner>, departure: &Departure) {
        let jid = self.state.borrow().room().as_str().to_owned();
        client.rooms.borrow_mut().remove(&jid);
        let joining = self.settle(&self.joining, || {
            Err(Problem::new("disconnected", "The room sent us away while we entered.").into_js())
        });
        self.settle(&self.renaming, || {
            Err(Problem::new("disconnected", "We left the room before it answered.").into_js())
        });
        let leaving = core::mem::take(&mut *self.leaving.borrow_mut());
        if leaving.is_empty() && !joining {
            // A room may answer our good-bye to the server before the server does.
            let reason = if client.status.get() == "disconnecting" {
                "disconnected"
            } else {
                why(departure)
            };
            let event = views::Out {
                reason,
                text: departure.reason.as_deref(),
                alternative: departure.alternative.as_deref(),
            };
            self.emit("out", &event.to_js());
        }
        for sender in leaving {
            sender.send(Ok(()));
        }
        self.listeners.close();
    }

    /// A new room is locked until its owner, that is we, takes it as it is.
    fn configure(self: &Rc<Self>, client: &Rc<Inner>, request: Element) {
        let room = Rc::clone(self);
        let client = Rc::clone(client);
        spawn(async move {
            match client.request(request, Waiting::default()).await {
                Ok(reply) => {
                    let events = room.state.borrow_mut().configured(&reply);
                    room.tell(&client, events, &reply);
                }
                Err(problem) => {
                    room.settle(&room.joining, || Err(problem.into_js()));
                    room.withdraw();
                }
            }
        });
    }

    fn occupant_to_js(&self, occupant: &Occupant) -> JsValue {
        let own = self.state.borrow().nick() == occupant.nick;
        views::Occupant {
            nick: &occupant.nick,
            role: occupant.role.as_str(),
            affiliation: occupant.affiliation.as_str(),
            jid: occupant.jid.as_deref(),
            show: occupant.show.as_deref(),
            status_text: occupant.status.as_deref(),
            own,
        }
        .to_js()
    }

    /// Sends what `build` makes, and waits until the server has it.
    fn deliver(&self, build: impl FnOnce(&mut RoomState, &str) -> Element) -> Promise {
        let prepared = self.client().and_then(|client| {
            let inside = *self.state.borrow().phase() == Phase::Joined;
            // On the way back in, what is said follows us.
            if !inside && self.returning.borrow().is_none() {
                return Err(Problem::new(
                    "not-connected",
                    "We are not in this room any more. Join it again.",
                ));
            }
            let id = client.driver.change(|connection, _| connection.next_id());
            let message = build(&mut self.state.borrow_mut(), &id);
            let sent = client.send(message)?;
            Ok(sent)
        });
        promise(async move {
            let delivery = prepared?.await;
            super::client::delivered(delivery)
        })
    }
}

fn refused(error: &StanzaError, stanza: &Element) -> JsValue {
    Problem::of_stanza_error("stanza-error", error, Some(stanza)).into_js()
}

fn why(departure: &Departure) -> &'static str {
    match departure.why {
        Why::Left => "left",
        Why::Kicked => "kicked",
        Why::Banned => "banned",
        Why::AffiliationLost | Why::MembersOnly => "removed",
        Why::Shutdown => "shutdown",
        Why::Technical => "error",
        Why::Destroyed => "destroyed",
    }
}

fn message_to_js(message: &RoomMessage, private: bool) -> JsValue {
    views::RoomMessage {
        nick: message.nick.as_deref(),
        body: message.body.as_deref().unwrap_or_default(),
        id: message.id.as_deref(),
        time: message.time.map(date).into(),
        received_at: date_now(),
        delayed: message.time.is_some(),
        own: message.own,
        private,
        stanza: Stanza::from(message.stanza.detach()).into(),
    }
    .to_js()
}

/// A room we are in.
#[wasm_bindgen(skip_typescript)]
pub struct Room(Rc<RoomHandle>);

impl RoomHandle {
    /// What the page gets.
    pub fn into_js(self: Rc<Self>) -> JsValue {
        let held = Rc::clone(self.listeners.held());
        let room = Room(self).into();
        held.belong_to(&room);
        room
    }
}

#[wasm_bindgen]
impl Room {
    /// What the entry's getters read, by their place in its list: jid, nick, subject.
    #[wasm_bindgen(js_name = _field)]
    pub fn field(&self, index: u8) -> Option<String> {
        let state = self.0.state.borrow();
        match index {
            0 => Some(state.room().as_str()),
            1 => Some(state.nick()),
            _ => state.subject(),
        }
        .map(str::to_owned)
    }

    /// Are we in?
    #[wasm_bindgen(getter)]
    pub fn joined(&self) -> bool {
        *self.0.state.borrow().phase() == Phase::Joined
    }

    /// Who is in, by nick.
    #[wasm_bindgen(getter)]
    pub fn occupants(&self) -> Map {
        let map = Map::new();
        let occupants = self.0.state.borrow().occupants().to_vec();
        for occupant in occupants {
            map.set(
                &occupant.nick.as_str().into(),
                &self.0.occupant_to_js(&occupant),
            );
        }
        map
    }

    /// Registers a listener.
    pub fn on(&self, kind: &str, listener: &JsValue) -> Result<Registration, JsValue> {
        Ok(super::client::listen(&self.0.listeners, kind, listener)?)
    }

    /// Says something to all.
    pub fn send(&self, body: &str) -> Promise {
        self.0.deliver(|state, id| state.message(id, body))
    }

    /// Says something to one occupant.
    #[wasm_bindgen(js_name = sendPrivate)]
    pub fn send_private(&self, nick: &str, body: &str) -> Promise {
        self.0.deliver(|state, id| state.private(id, nick, body))
    }

    /// Sets the subject.
    #[wasm_bindgen(js_name = setSubject)]
    pub fn set_subject(&self, subject: &str) -> Promise {
        self.0.deliver(|state, id| state.set_subject(id, subject))
    }

    /// Changes our nick; resolves when the room has confirmed it.
    #[wasm_bindgen(js_name = setNick)]
    pub fn set_nick(&self, nick: String, options: JsValue) -> Promise {
        let room = Rc::clone(&self.0);
        promise(async move {
            let waiting = Waiting::read(&options)?;
            let client = room.client()?;
            if room.state.borrow().nick() == nick {
                return Ok(JsValue::UNDEFINED);
            }
            let id = client.driver.change(|connection, _| connection.next_id());
            let presence = room
                .state
                .borrow_mut()
                .change_nick(&id, &nick, &PlatformUnicode);
            let presence = presence.map_err(|_| {
                Problem::new(
                    "bad-jid",
                    "The nick holds a character that is not allowed, is empty, or too long.",
                )
            })?;
            let (sender, renamed) = channel();
            room.renaming.replace(Some(sender));
            client.send(presence)?;
            let timeout = milliseconds(&waiting);
            let outcome = race(renamed, waiting.signal, timeout)
                .await
                .map_err(Problem::from)?;
            outcome.unwrap_or_else(|| Err(not_connected().into_js()))?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Leaves; resolves when the room has let us go.
    pub fn leave(&self, options: JsValue) -> Promise {
        let room = Rc::clone(&self.0);
        promise(async move {
            let read = Reader::of(&options);
            let status = read.text("status");
            let waiting = Waiting::from(&read);
            read.done()?;
            if *room.state.borrow().phase() == Phase::Outside {
                return Ok(JsValue::UNDEFINED);
            }
            let client = room.client()?;
            let (sender, left) = channel();
            room.leaving.borrow_mut().push(sender);
            let presence = room.state.borrow_mut().leave(status.as_deref());
            client.send(presence)?;
            let timeout = milliseconds(&waiting);
            race(left, waiting.signal, timeout)
                .await
                .map_err(Problem::from)?;
            Ok(JsValue::UNDEFINED)
        })
    }
}

fn milliseconds(waiting: &Waiting) -> Option<u32> {
    let timeout = waiting
        .timeout
        .map_or(Ok(ANSWER_TIMEOUT), |timeout| u32::try_from(timeout.0));
    timeout.ok()
}
