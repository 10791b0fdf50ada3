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
use crate::proto::stanza::StanzaError;
use crate::proto::xep::muc::occupant::{Departure, Occupant, Why};
use crate::proto::xep::muc::request::History;
use crate::proto::xep::muc::room::{Phase, RoomState};
use crate::proto::xep::muc::{RoomEvent, RoomMessage};
use crate::proto::xml::Element;
use crate::web::oneshot::{Receiver, Sender, channel};
use crate::web::race::race;
use crate::web::unicode::PlatformUnicode;
use gloo_timers::callback::Timeout;
use js_sys::{Map, Promise};
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;

/// How long we wait for the subject, which ends the history, once inside, in milliseconds: some rooms send none.
const SUBJECT_TIMEOUT: u32 = 5_000;
/// How long a room may take to answer a change of nick, or a farewell, in milliseconds.
const ANSWER_TIMEOUT: u32 = 30_000;

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
                &[],
            ),
            client: Rc::downgrade(client),
            joining: RefCell::new(Some(sender)),
            renaming: RefCell::default(),
            leaving: RefCell::default(),
            subject_timer: RefCell::default(),
        });
        (room, joined)
    }

    /// Knocks.
    pub fn enter(&self, password: Option<&str>, history: History) -> Result<(), Problem> {
        let client = self.client()?;
        let id = client.driver.change(|connection, _| connection.next_id());
        let presence = self
            .state
            .borrow_mut()
            .join_presence(&id, password, history);
        client.send(presence)?;
        Ok(())
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
                RoomEvent::JoinFailed(error) => {
                    self.settle(&self.joining, || Err(refused(&error, stanza)));
                }
                RoomEvent::Created { request } => self.configure(client, request),
                RoomEvent::Joined { .. } => {
                    self.settle(&self.joining, || Ok(()));
                }
                RoomEvent::Message(message) => {
                    self.emit("message", &message_to_js(&message, false))
                }
                RoomEvent::Private(message) => self.emit("message", &message_to_js(&message, true)),
                RoomEvent::Subject { subject, nick, .. } => {
                    let event = views::Subject {
                        subject: &subject,
                        nick: nick.as_deref(),
                    };
                    self.emit("subject", &event.to_js());
                }
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
            if *self.state.borrow().phase() != Phase::Joined {
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

impl From<Rc<RoomHandle>> for Room {
    fn from(room: Rc<RoomHandle>) -> Self {
        Self(room)
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
