//! `Room`: a visit to a room, at the boundary.

use super::error::{Problem, freed, not_connected};
use super::inner::{Inner, Outcome, RoomListener};
use super::listeners::Listeners;
use super::object::{date, date_now};
use super::options::Waiting;
use super::promise::promise;
use super::reader::Reader;
use super::registration::Registration;
use super::stanza::Stanza;
use super::views::{self, View};
use crate::web::race::race;
use epode_proto::client::Client;
use epode_proto::stanza::StanzaError;
use epode_proto::time::{Instant, Millis};
use epode_proto::xep::muc::departure::{Departure, DepartureReason};
use epode_proto::xep::muc::occupant::Occupant;
use epode_proto::xep::muc::room::visit::Visit;
use epode_proto::xep::muc::{CommandId, Ended, RoomEvent, RoomId, RoomMessage, RoomRefusal};
use epode_proto::xml::Element;
use futures_channel::oneshot::Receiver;
use js_sys::{Map, Promise};
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;

/// How long a room may take to answer a change of nick, or a leave.
const ANSWER_TIMEOUT: Millis = Millis::seconds(30);

/// One visit, shared by the page's object and its client.
pub struct RoomHandle {
    id: RoomId,
    jid: String,
    /// Our nick when the visit was over; before, the one that was asked for.
    nick: RefCell<String>,
    listeners: Rc<Listeners>,
    client: Weak<Inner>,
}

impl RoomHandle {
    /// A visit that begins.
    pub fn new(client: &Rc<Inner>, id: RoomId, jid: &str, nick: &str) -> Rc<Self> {
        Rc::new(Self {
            id,
            jid: jid.to_owned(),
            nick: RefCell::new(nick.to_owned()),
            listeners: Listeners::new(
                &[
                    "message", "subject", "join", "leave", "occupant", "nick", "out", "error",
                ],
                &["rejoin"],
            ),
            client: Rc::downgrade(client),
        })
    }

    /// What the page gets.
    pub fn into_js(self: Rc<Self>) -> JsValue {
        let held = Rc::clone(self.listeners.held());
        let room = Room(self).into();
        held.belong_to(&room);
        room
    }

    fn client(&self) -> Result<Rc<Inner>, Problem> {
        let client = self.client.upgrade();
        client
            .filter(|client| !client.freed.get())
            .ok_or_else(freed)
    }

    /// Reads the visit; `None` when it is over.
    fn read<R>(&self, read: impl FnOnce(&Visit) -> R) -> Option<R> {
        let client = self.client.upgrade()?;
        client.driver.read(|client| client.visit(self.id).map(read))
    }

    fn nick(&self) -> String {
        self.read(|visit| visit.nick().to_owned())
            .unwrap_or_else(|| self.nick.borrow().clone())
    }

    // ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────

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

    fn tell_out(&self, client: &Inner, ended: &Ended) {
        let (reason, text, alternative) = match ended {
            // A room may answer our good-bye to the server before the server does.
            Ended::Departed(_) if client.status.get() == "disconnecting" => {
                ("disconnected", None, None)
            }
            Ended::Departed(departure) => (
                why(departure),
                departure.reason.as_deref(),
                departure.alternative.as_deref(),
            ),
            Ended::Refused(error) => ("refused", Some(error.condition.as_str()), None),
            Ended::Insecure => ("refused", Some("insecure"), None),
            Ended::GivenUp => ("error", None, None),
            Ended::Disconnected => ("disconnected", None, None),
        };
        let event = views::Out {
            reason,
            text,
            alternative,
        };
        self.emit("out", &event.to_js());
    }

    fn occupant_to_js(&self, occupant: &Occupant) -> JsValue {
        views::Occupant {
            nick: &occupant.nick,
            role: occupant.role.as_str(),
            affiliation: occupant.affiliation.as_str(),
            jid: occupant.jid.as_deref(),
            show: occupant.show.as_deref(),
            status_text: occupant.status.as_deref(),
            own: self.nick() == occupant.nick,
        }
        .to_js()
    }

    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Sends something, and waits until the server has it.
    fn deliver(
        &self,
        begin: impl FnOnce(&mut Client, Instant) -> Result<CommandId, RoomRefusal>,
    ) -> Promise {
        let sent = self.client().and_then(|client| client.tell_in_room(begin));
        promise(async move {
            let delivery = sent?.await.ok().transpose()?;
            super::requests::delivered(delivery)
        })
    }
}

/// Waits for the room's answer, as long as the page does.
async fn answered(
    client: &Rc<Inner>,
    command: CommandId,
    answer: Receiver<Outcome>,
    waiting: Waiting,
) -> Result<JsValue, JsValue> {
    match race(answer, waiting.signal, None).await {
        Ok(outcome) => outcome.unwrap_or_else(|_| Err(not_connected().into_js()))?,
        Err(lost) => {
            client.abandon_command(command);
            return Err(Problem::from(lost).into_js());
        }
    }
    Ok(JsValue::UNDEFINED)
}

fn refused(error: &StanzaError, stanza: &Element) -> JsValue {
    Problem::of_stanza_error("stanza-error", error, Some(stanza)).into_js()
}

fn lost(message: &Element) -> JsValue {
    Problem::new(
        "undelivered",
        "The room had lost us before it saw this message: it reached nobody. Send it again after 'rejoin'.",
    )
    .told_by(message)
    .into_js()
}

fn unreachable() -> JsValue {
    Problem::new(
        "timeout",
        "The room does not answer: whether we are still in it is not known. It is asked again.",
    )
    .into_js()
}

fn crowded() -> JsValue {
    Problem::new(
        "too-large",
        "The room has more than 20,000 occupants: the others are not listed.",
    )
    .into_js()
}

fn why(departure: &Departure) -> &'static str {
    match departure.why {
        DepartureReason::Left => "left",
        DepartureReason::Kicked => "kicked",
        DepartureReason::Banned => "banned",
        DepartureReason::AffiliationLost | DepartureReason::MembersOnly => "removed",
        DepartureReason::Shutdown => "shutdown",
        DepartureReason::Technical => "error",
        DepartureReason::Destroyed => "destroyed",
        DepartureReason::Missed => "disconnected",
    }
}

fn message_to_js(message: &RoomMessage, private: bool) -> JsValue {
    views::RoomMessage {
        nick: message.nick.as_deref(),
        body: message.body.as_deref().unwrap_or_default(),
        id: message.id.as_deref(),
        time: message.time.map(date).into(),
        received_at: date_now(),
        delayed: message.delayed,
        own: message.own,
        private,
        stanza: Stanza::from(message.stanza.detach()).into(),
    }
    .to_js()
}

impl RoomListener for RoomHandle {
    fn tell(&self, client: &Inner, event: &RoomEvent) {
        match event {
            RoomEvent::Joined { .. } | RoomEvent::Configured { .. } => {}
            RoomEvent::Rejoined { .. } => self.emit("rejoin", &JsValue::UNDEFINED),
            RoomEvent::Message(message) => self.emit("message", &message_to_js(message, false)),
            RoomEvent::Private(message) => self.emit("message", &message_to_js(message, true)),
            RoomEvent::Subject { subject, nick, .. } => {
                let nick = nick.as_deref();
                self.emit("subject", &views::Subject { subject, nick }.to_js());
            }
            RoomEvent::OccupantJoined(occupant) => {
                self.emit("join", &self.occupant_to_js(occupant))
            }
            RoomEvent::OccupantChanged(occupant) => {
                self.emit("occupant", &self.occupant_to_js(occupant));
            }
            RoomEvent::OccupantLeft {
                occupant,
                departure,
            } => {
                let event = views::Leave {
                    occupant: self.occupant_to_js(occupant),
                    reason: why(departure),
                    text: departure.reason.as_deref(),
                };
                self.emit("leave", &event.to_js());
            }
            RoomEvent::NickChanged { from, to, own } => {
                let own = *own;
                self.emit("nick", &views::Nick { from, to, own }.to_js());
            }
            RoomEvent::Bounced { error, stanza, .. } => {
                self.emit("error", &refused(error, stanza));
            }
            RoomEvent::Lost { message } => self.emit("error", &lost(message)),
            RoomEvent::Unreachable => self.emit("error", &unreachable()),
            RoomEvent::Crowded => self.emit("error", &crowded()),
            RoomEvent::Out(ended) => self.tell_out(client, ended),
        }
    }

    fn close(&self, nick: String) {
        self.nick.replace(nick);
        self.listeners.close();
    }

    fn tell_disconnected(&self) {
        let event = views::Out {
            reason: "disconnected",
            text: None,
            alternative: None,
        };
        self.emit("out", &event.to_js());
        self.listeners.close();
    }
}

/// A room we are in.
#[wasm_bindgen(skip_typescript)]
pub struct Room(Rc<RoomHandle>);

#[wasm_bindgen]
impl Room {
    /// What the entry's getters read, by their place in its list: jid, nick, subject.
    #[wasm_bindgen(js_name = _field)]
    pub fn field(&self, index: u8) -> Option<String> {
        match index {
            0 => Some(self.0.jid.clone()),
            1 => Some(self.0.nick()),
            _ => self
                .0
                .read(|visit| visit.subject().map(str::to_owned))
                .flatten(),
        }
    }

    /// Are we in?
    #[wasm_bindgen(getter)]
    pub fn joined(&self) -> bool {
        self.0.read(Visit::is_joined).unwrap_or_default()
    }

    /// Who is in, by nick.
    #[wasm_bindgen(getter)]
    pub fn occupants(&self) -> Map {
        let map = Map::new();
        let occupants = self.0.read(|visit| visit.occupants().to_vec());
        for occupant in occupants.unwrap_or_default() {
            map.set(
                &occupant.nick.as_str().into(),
                &self.0.occupant_to_js(&occupant),
            );
        }
        map
    }

    /// Registers a listener.
    pub fn on(&self, kind: &str, listener: &JsValue) -> Result<Registration, JsValue> {
        Ok(super::listeners::listen(&self.0.listeners, kind, listener)?)
    }

    /// Says something to all.
    pub fn send(&self, body: &str) -> Promise {
        let id = self.0.id;
        self.0
            .deliver(|client, now| client.send_to_room(now, id, body))
    }

    /// Says something to one occupant.
    #[wasm_bindgen(js_name = sendPrivate)]
    pub fn send_private(&self, nick: &str, body: &str) -> Promise {
        let id = self.0.id;
        self.0
            .deliver(|client, now| client.send_private(now, id, nick, body))
    }

    /// Sets the subject.
    #[wasm_bindgen(js_name = setSubject)]
    pub fn set_subject(&self, subject: &str) -> Promise {
        let id = self.0.id;
        self.0
            .deliver(|client, now| client.set_subject(now, id, subject))
    }

    /// Changes our nick; resolves when the room has confirmed it.
    #[wasm_bindgen(js_name = setNick)]
    pub fn set_nick(&self, nick: String, options: JsValue) -> Promise {
        let room = Rc::clone(&self.0);
        promise(async move {
            let waiting = Waiting::read(&options)?;
            let client = room.client()?;
            let timeout = waiting.timeout.unwrap_or(ANSWER_TIMEOUT);
            let asked =
                client.ask_room(|client, now| client.set_nick(now, room.id, &nick, timeout))?;
            match asked {
                Some((command, answer)) => answered(&client, command, answer, waiting).await,
                None => Ok(JsValue::UNDEFINED),
            }
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
            if room.read(|_| ()).is_none() {
                return Ok(JsValue::UNDEFINED);
            }
            let client = room.client()?;
            let timeout = waiting.timeout.unwrap_or(ANSWER_TIMEOUT);
            let status = status.as_deref();
            let asked = client
                .ask_room(|client, now| Ok(client.leave_room(now, room.id, status, timeout)))?;
            match asked {
                Some((command, answer)) => answered(&client, command, answer, waiting).await,
                None => Ok(JsValue::UNDEFINED),
            }
        })
    }
}
