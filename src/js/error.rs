//! `XmppError`: every error a page gets, one real `Error` with a code for programs and a sentence for people.

use super::stanza::Stanza;
use crate::web::race::RaceError;
use epode_proto::connection::SendError;
use epode_proto::error::CloseReason;
use epode_proto::event::{Delivery, RequestFailure};
use epode_proto::stanza::StanzaError;
use epode_proto::xep::pubsub::advice::advice;
use epode_proto::xml::{Element, Unreadable, XmlError};
use js_sys::Reflect;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The platform's way to say that a callback threw.
    #[wasm_bindgen(js_name = reportError, catch)]
    fn report_error(error: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(error: &JsValue);
}

/// An error in the making: thin, because every `Result` of this floor holds one.
#[derive(Debug)]
pub struct Problem(Box<Fields>);

#[derive(Debug, Default)]
struct Fields {
    code: &'static str,
    message: String,
    condition: Option<String>,
    text: Option<String>,
    kind: Option<&'static str>,
    application: Option<String>,
    stanza: Option<Element>,
    http_status: Option<u16>,
    object: Option<String>,
    cause: Option<JsValue>,
}

impl Problem {
    /// An error with a code of `ErrorCode` and a sentence that says what to do.
    pub fn new(code: &'static str, message: &str) -> Self {
        Self::of(Fields {
            code,
            message: message.to_owned(),
            ..Fields::default()
        })
    }

    fn of(fields: Fields) -> Self {
        Self(Box::new(fields))
    }

    /// One of `ErrorCode`.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// A room's password is not sent over an open connection.
    pub fn insecure() -> Self {
        Self::new(
            "insecure",
            "The stanza shows a room's password, and the connection is not encrypted. Use https: or wss:, or set allowPlainText.",
        )
    }

    /// Is there no connection?
    pub fn is_not_connected(&self) -> bool {
        self.0.code == "not-connected"
    }

    /// What somebody threw.
    pub fn caused_by(mut self, cause: JsValue) -> Self {
        self.0.cause = Some(cause);
        self
    }

    /// What it is about: an address, which then stands at the beginning of the message. A query may hold a secret and is left out.
    pub fn about(mut self, address: &str) -> Self {
        let address = address.split(['?', '#']).next().unwrap_or_default();
        self.0.message = format!("{address}: {}", self.0.message);
        self.0.object = Some(address.to_owned());
        self
    }

    /// The stanza that told it.
    pub fn told_by(mut self, stanza: &Element) -> Self {
        self.0.stanza = Some(stanza.clone());
        self
    }

    /// An error stanza.
    pub fn of_stanza_error(
        code: &'static str,
        error: &StanzaError,
        stanza: Option<&Element>,
    ) -> Self {
        let mut message = String::from("The answer is the error ");
        message.push_str(&error.condition);
        if let Some((application, _)) = &error.application {
            message.push_str(" (");
            message.push_str(application);
            message.push(')');
        }
        if let Some(text) = &error.text {
            message.push_str(": ");
            message.push_str(text);
        }
        message.push_str(". ");
        message.push_str(advice(error).unwrap_or_else(|| error.advice()));
        Self::of(Fields {
            code,
            message,
            condition: Some(error.condition.clone()),
            text: error.text.clone(),
            kind: Some(error.kind.as_str()),
            application: error.application.as_ref().map(|(name, _)| name.clone()),
            stanza: stanza.cloned(),
            ..Fields::default()
        })
    }

    /// The JavaScript error.
    pub fn into_js(self) -> JsValue {
        let fields = *self.0;
        let error = js_sys::Error::new(&fields.message);
        error.set_name("XmppError");
        let set = |name: &str, value: JsValue| {
            // A fresh error takes any property.
            let _ = Reflect::set(&error, &name.into(), &value);
        };
        set("code", fields.code.into());
        let texts = [
            ("condition", fields.condition.as_deref()),
            ("text", fields.text.as_deref()),
            ("type", fields.kind),
            ("application", fields.application.as_deref()),
            ("object", fields.object.as_deref()),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                set(name, text.into());
            }
        }
        if let Some(stanza) = fields.stanza {
            set("stanza", Stanza::from(stanza.detach()).into());
        }
        if let Some(status) = fields.http_status {
            set("httpStatus", status.into());
        }
        if let Some(cause) = fields.cause {
            set("cause", cause);
        }
        error.into()
    }
}

impl From<Problem> for JsValue {
    fn from(problem: Problem) -> Self {
        problem.into_js()
    }
}

impl Problem {
    /// What a page is told of the end of a connection; `None` when it asked for it.
    pub fn of_end(reason: &CloseReason) -> Option<Self> {
        (*reason != CloseReason::Requested).then(|| Self::from(reason))
    }
}

impl From<&CloseReason> for Problem {
    fn from(reason: &CloseReason) -> Self {
        Self::of(Fields {
            code: reason.code(),
            message: reason.advice(),
            condition: reason.condition().map(str::to_owned),
            text: reason.text().map(str::to_owned),
            http_status: match reason {
                CloseReason::Http(status) => Some(*status),
                _ => None,
            },
            ..Fields::default()
        })
    }
}

impl From<&Unreadable> for Problem {
    fn from(unreadable: &Unreadable) -> Self {
        let mut message =
            String::from("Something that the server sent cannot be read, and is lost");
        if !unreadable.name.is_empty() {
            message.push_str(": a <");
            message.push_str(&unreadable.name);
            message.push_str("> element");
        }
        message.push_str(" (");
        message.push_str(unreadable.error.as_str());
        message.push_str("). The session goes on. Look at the server's log: it, or a proxy before it, writes XML that is none.");
        let code = match unreadable.error {
            XmlError::TooLarge => "too-large",
            _ => "bad-xml",
        };
        Self::new(code, &message)
    }
}

impl From<RequestFailure> for Problem {
    fn from(failure: RequestFailure) -> Self {
        match failure {
            RequestFailure::Refused { error, reply } => {
                Self::of_stanza_error("stanza-error", &error, Some(&reply))
            }
            RequestFailure::TimedOut => Self::new(
                "timeout",
                "No reply came in time. Give the request a longer timeout, or check that its addressee exists.",
            ),
            RequestFailure::Disconnected => Self::new(
                "disconnected",
                "The connection ended before the reply came. Whether the request was carried out is not known: connect again and look, or repeat it if that does no harm.",
            ),
        }
    }
}

impl From<SendError> for Problem {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotConnected => not_connected(),
            SendError::NotAStanza => Self::new(
                "bad-stanza",
                "Only <message/>, <presence/> and <iq/> in the namespace jabber:client (or in none) can be sent.",
            ),
            SendError::IllegalCharacter => illegal_character(),
            SendError::NotARequest => Self::new(
                "bad-stanza",
                "A request is an <iq/> of type get or set with exactly one child element.",
            ),
            SendError::DuplicateId => Self::new(
                "bad-stanza",
                "A request with this id is still waiting for its reply. Leave the id out, and epode chooses one.",
            ),
            SendError::OutboxFull => Self::new(
                "outbox-full",
                "More waits to be sent than is kept: 10,000 stanzas or 16 MiB while reconnecting, 65,536 or 64 MiB that the server has not taken while online. Await the promises of send().",
            ),
            SendError::Insecure => Self::insecure(),
            SendError::BadAddress => Self::new(
                "bad-jid",
                "The 'to' of the stanza is not a JID. A JID is user@domain, domain, or either with /resource.",
            ),
        }
    }
}

impl From<RaceError> for Problem {
    fn from(lost: RaceError) -> Self {
        match lost {
            RaceError::Aborted(reason) => {
                Self::new(
                    "aborted",
                    "The AbortSignal was aborted; 'cause' is its reason. What was sent already may still be carried out.",
                )
                .caused_by(reason)
            }
            RaceError::TimedOut => Self::new(
                "timeout",
                "No answer came in time. Try again, or give it a longer timeout.",
            ),
        }
    }
}

/// Why a stanza is not known to have arrived; `None` when it is.
pub fn of_delivery(delivery: Delivery) -> Option<Problem> {
    match delivery {
        Delivery::Delivered => None,
        Delivery::Undelivered => Some(Problem::new(
            "undelivered",
            "The connection ended before the stanza left. Send it again when online.",
        )),
        Delivery::Unknown => Some(Problem::new(
            "unknown",
            "The connection ended after the stanza left and before the server confirmed it. It may have arrived: send it again only if it may arrive twice.",
        )),
    }
}

/// The client is gone, and what lived on it.
pub fn freed() -> Problem {
    Problem::new("freed", "The client was freed. Make a new one.")
}

/// There is no connection.
pub fn not_connected() -> Problem {
    Problem::new(
        "not-connected",
        "There is no connection. Await connect() first, and listen for 'status'.",
    )
}

/// A control character or the like.
pub fn illegal_character() -> Problem {
    Problem::new(
        "bad-stanza",
        "The text holds a character that XML cannot carry (a control character, half of a surrogate pair, U+FFFE or U+FFFF). Remove it before sending.",
    )
}

/// Reports what a callback of the page threw, as an uncaught error would be: the callback stays registered.
pub fn report(error: &JsValue) {
    if report_error(error).is_err() {
        // COMPAT(Node 20, Safari < 15.4): no reportError.
        console_error(error);
    }
}
