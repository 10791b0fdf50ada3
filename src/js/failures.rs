//! What went wrong with a client's stanzas, requests and rooms, as `problems.rs` does it.

use super::crossing::Crossing;
use super::sink::Sink;
use epode_proto::connection::SendError;
use epode_proto::event::{Delivery, RequestFailure};
use epode_proto::stanza::StanzaError;
use epode_proto::xep::muc::{CommandError, RoomRefusal};
use epode_proto::xml::{Element, Unreadable, XmlError};
use wasm_bindgen::JsValue;

/// The problem of a stanza that was not sent.
pub fn of_send(error: SendError) -> &'static str {
    match error {
        SendError::NotConnected => "not-connected",
        SendError::NotAStanza => "not-a-stanza",
        SendError::IllegalCharacter => "illegal-character",
        SendError::NotARequest => "not-a-request",
        SendError::DuplicateId => "duplicate-id",
        SendError::OutboxFull => "outbox-full",
        SendError::Insecure => "open-password",
        SendError::BadAddress => "bad-address",
    }
}

/// Why a room's command was not accepted.
pub fn of_room(refusal: RoomRefusal) -> &'static str {
    match refusal {
        RoomRefusal::BadNick(_) => "bad-nick",
        RoomRefusal::AlreadyIn => "already-in",
        RoomRefusal::NotIn => "not-in",
        RoomRefusal::Insecure => "open-password",
    }
}

impl Sink {
    /// The error that an error stanza reports.
    pub fn refusal(&self, error: &StanzaError, stanza: Option<&Element>) -> JsValue {
        let application = error.application.as_ref();
        let Crossing { text, words } = Crossing::of_optional(stanza);
        self.stanza_error(
            &error.condition,
            error.kind.as_str(),
            error.text.as_deref(),
            application.map(|(name, _)| name.as_str()),
            application.map(|(_, ns)| ns.as_str()),
            &text,
            &words,
        )
        .unwrap_or_else(|thrown| thrown)
    }

    /// The error of a request that has no result.
    pub fn failure(&self, failure: &RequestFailure) -> JsValue {
        match failure {
            RequestFailure::Refused { error, reply } => self.refusal(error, Some(reply)),
            RequestFailure::TimedOut => self.error("no-reply"),
            RequestFailure::Disconnected => self.error("no-connection-left"),
        }
    }

    /// The error of a stanza that did not arrive, or whose delivery is unknown; `undefined` if it was delivered.
    pub fn delivery(&self, delivery: Delivery) -> JsValue {
        match delivery {
            Delivery::Delivered => JsValue::UNDEFINED,
            Delivery::Undelivered => self.error("undelivered"),
            Delivery::Unknown => self.error("unknown"),
        }
    }

    /// The error of a failed room command. `end`: the error of the connection's end, if that is the cause.
    pub fn command_failure(&self, error: &CommandError, end: impl FnOnce() -> JsValue) -> JsValue {
        let kind = match error {
            CommandError::Refused { error, stanza } => return self.refusal(error, Some(stanza)),
            CommandError::TimedOut => "no-answer",
            CommandError::SentAway(_) => "sent-away",
            CommandError::Left => "left-first",
            CommandError::SessionLost => "session-lost",
            CommandError::Insecure => "open-password",
            CommandError::Offline => {
                let end = end();
                if !end.is_undefined() {
                    return end;
                }
                "room-offline"
            }
        };
        self.error(kind)
    }

    /// The error of unreadable input.
    pub fn unreadable(&self, unreadable: &Unreadable) -> JsValue {
        let kind = match unreadable.error {
            XmlError::TooLarge => "unreadable-large",
            _ => "unreadable",
        };
        let name = &unreadable.name;
        let named = (!name.is_empty()).then(|| format!(": a <{name}> element"));
        self.detailed(
            kind,
            named.as_deref(),
            Some(unreadable.error.as_str()),
            None,
        )
    }
}
