//! Events as the words of a dialogue.

use epode_proto::error::{CloseReason, RegistrationFailure};
use epode_proto::event::{Delivery, Event, RequestFailure, Status};
use epode_proto::xep::register::Unanswered;
use epode_proto::xml::{Element, Limits, parse};

/// An event in words, and the element that belongs to it.
pub fn tell(event: &Event) -> (String, Option<Element>) {
    match event {
        Event::Status(status) => (status_words(status), None),
        Event::CredentialsWanted => ("credentials wanted".into(), None),
        Event::Learned => ("learned".into(), None),
        Event::Hole => ("hole".into(), None),
        Event::Registered => ("registered".into(), None),
        Event::Stanza(stanza) => ("stanza".into(), Some(stanza.clone())),
        Event::Unreadable(unreadable) => {
            let name = match unreadable.name.as_str() {
                "" => String::new(),
                name => format!(" in {name}"),
            };
            (format!("unreadable{name}: {}", unreadable.error), None)
        }
        Event::Reply { request, outcome } => {
            let number = request.0;
            match outcome {
                Ok(reply) => (format!("reply {number}"), Some(reply.clone())),
                Err(RequestFailure::Refused { error, reply }) => (
                    format!("refused {number} {}", error.condition),
                    Some(reply.clone()),
                ),
                Err(RequestFailure::TimedOut) => (format!("request {number} timed out"), None),
                Err(RequestFailure::Disconnected) => {
                    (format!("request {number} disconnected"), None)
                }
            }
        }
        Event::Settled { send, delivery } => {
            let what = match delivery {
                Delivery::Delivered => "delivered",
                Delivery::Undelivered => "undelivered",
                Delivery::Unknown => "unknown",
            };
            (format!("{} {what}", send.0), None)
        }
        Event::Sent(xml) => ("sent".into(), Some(element(xml))),
        Event::Received(xml) => ("received".into(), Some(element(xml))),
    }
}

fn element(xml: &str) -> Element {
    parse(xml.as_bytes().to_vec(), &Limits::default()).expect("well-formed XML in an event")
}

/// A status in words.
pub fn status_words(status: &Status) -> String {
    match status {
        Status::Connecting => "connecting".into(),
        Status::Authenticating => "authenticating".into(),
        Status::Binding => "binding".into(),
        Status::Online(jid) => format!("online {}", jid.as_str()),
        Status::Resumed(jid) => format!("resumed {}", jid.as_str()),
        Status::Interrupted(interruption) => format!(
            "interrupted {} {}",
            interruption.attempt,
            reason_words(&interruption.reason)
        ),
        Status::Disconnecting => "disconnecting".into(),
        Status::Offline(reason) => format!("offline {}", reason_words(reason)),
    }
}

/// The code, the particular, and the server's words in brackets.
pub fn reason_words(reason: &CloseReason) -> String {
    let mut words = reason.code().to_owned();
    let particular = match reason {
        CloseReason::Http(status) => status.to_string(),
        CloseReason::NotBosh(what)
        | CloseReason::NotWebSocket(what)
        | CloseReason::PeerMisbehaved(what) => (*what).into(),
        CloseReason::BadXml(error) => error.to_string(),
        CloseReason::Sasl(error) => error.name().into(),
        CloseReason::TimedOut(phase) => phase.name().into(),
        CloseReason::Registration(RegistrationFailure::Unanswered(unanswered)) => {
            match unanswered {
                Unanswered::Missing(fields) => format!("missing {}", fields.join(" ")),
                Unanswered::NeedsHuman { addresses, .. } => {
                    format!("needs a person at {}", addresses.join(" "))
                }
            }
        }
        reason => reason.condition().unwrap_or_default().into(),
    };
    if !particular.is_empty() {
        words.push(' ');
        words.push_str(&particular);
    }
    if let CloseReason::Stream(error) = reason
        && let Some(application) = &error.application
    {
        words.push(' ');
        words.push_str(application);
    }
    if let Some(text) = reason.text() {
        words.push_str(" (");
        words.push_str(text);
        words.push(')');
    }
    words
}

/// Why a request has no result.
pub fn failure_words(failure: &RequestFailure) -> String {
    match failure {
        RequestFailure::Refused { error, .. } => format!("refused {}", error.condition),
        RequestFailure::TimedOut => "timed out".into(),
        RequestFailure::Disconnected => "disconnected".into(),
    }
}
