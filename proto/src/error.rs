//! Reasons for the end of a connection: a type, a code for programs and a text for people.

use super::prepare::BadOption;
use super::sasl::{ChooseError, SaslError};
use super::stanza::StanzaError;
use super::stream::error::StreamError;
use super::xep::register::Unanswered;
use super::xml::XmlError;
use std::borrow::Cow;

/// Which part of connecting took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reaching the service.
    Connecting,
    /// Waiting for the stream features.
    Features,
    /// Waiting for the page's `password` or `token` function.
    Credentials,
    /// SASL.
    Authenticating,
    /// Resource binding.
    Binding,
    /// In-band registration.
    Registering,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq)]
pub enum CloseReason {
    /// The caller disconnected.
    Requested,
    /// An option is invalid; nothing was sent.
    BadOption(BadOption),
    /// The service is unreachable.
    Unreachable,
    /// The server responds, but the browser blocks its responses (CORS).
    BlockedByCors,
    /// An `https:` page and an `http:` service.
    MixedContent,
    /// The platform has no such interface: `WebSocket` or `fetch`.
    Unsupported(&'static str),
    /// An HTTP error status.
    Http(u16),
    /// An HTTP redirect whose status browsers do not show. It is not followed: the request holds a password.
    Redirected,
    /// The response is not BOSH; describes what it is.
    NotBosh(&'static str),
    /// The frame is not XMPP over WebSocket; describes what it is.
    NotWebSocket(&'static str),
    /// The server closed the stream without a reason.
    Ended,
    /// The service has another address (`see-other-uri`: XEP-0124 §17.2, RFC 7395 §3.6.1).
    SeeOther(String),
    /// The input is not readable XML.
    BadXml(XmlError),
    /// The input is larger than the limit.
    TooLarge,
    /// The BOSH service ended the session (XEP-0124 §17).
    Terminated {
        /// XEP-0124's condition.
        condition: String,
    },
    /// The server ended the stream (RFC 6120 §4.9).
    Stream(Box<StreamError>),
    /// The server refused the login (RFC 6120 §6.5).
    AuthFailed {
        /// The SASL condition.
        condition: String,
        /// The server's text.
        text: Option<String>,
    },
    /// No usable SASL mechanism.
    NoMechanism(ChooseError),
    /// The client aborted the SASL exchange.
    Sasl(SaslError),
    /// The caller gave no credentials.
    NoCredentials,
    /// The server refused to bind.
    BindFailed(Box<StanzaError>),
    /// The account was not registered.
    Registration(RegistrationFailure),
    /// The password would be shown on an unencrypted connection.
    PlainTextRegistration,
    /// The server violated the protocol.
    PeerMisbehaved(&'static str),
    /// A phase took too long.
    TimedOut(Phase),
}

/// Why an account was not registered.
#[derive(Clone, Debug, PartialEq)]
pub enum RegistrationFailure {
    /// The server refused: `conflict` if the name is taken, `service-unavailable` if it registers no accounts.
    Refused(Box<StanzaError>),
    /// The server requires a field that was not given, or a human.
    Unanswered(Unanswered),
}

/// The advice for an HTTP redirect.
const REDIRECTED: &str = "Redirects are not followed, because the request and its password would go to another address. Give the address that the service redirects to, if it is meant to be used.";

impl CloseReason {
    /// The code for programs, one of `ErrorCode` in pkg-template/src/errors.ts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Requested | Self::Ended => "disconnected",
            Self::NotWebSocket(_) => "not-websocket",
            Self::Unreachable => "unreachable",
            Self::BlockedByCors => "blocked-by-cors",
            Self::MixedContent => "mixed-content",
            Self::Unsupported(_) => "unsupported",
            Self::Http(_) | Self::Redirected => "http-error",
            Self::NotBosh(_) => "not-bosh",
            Self::BadXml(_) => "bad-xml",
            Self::TooLarge => "too-large",
            Self::Terminated { .. } | Self::SeeOther(_) => "terminated",
            Self::Stream(_) => "stream-error",
            Self::AuthFailed { .. } => "auth-failed",
            Self::NoMechanism(ChooseError::NoneOffered) => "no-mechanism",
            Self::NoMechanism(ChooseError::OnlyPlainText | ChooseError::Weaker)
            | Self::PlainTextRegistration => "insecure",
            Self::Sasl(SaslError::ServerSignature) => "server-not-authentic",
            Self::Sasl(SaslError::BadUsername | SaslError::BadPassword) | Self::BadOption(_) => {
                "bad-argument"
            }
            Self::Sasl(SaslError::WrongCredentials) => "credentials-failed",
            Self::Sasl(_) | Self::PeerMisbehaved(_) => "protocol-error",
            Self::NoCredentials => "credentials-failed",
            Self::BindFailed(_) => "bind-failed",
            Self::Registration(_) => "registration-failed",
            Self::TimedOut(_) => "timeout",
        }
    }

    /// The protocol's condition, where there is one.
    pub fn condition(&self) -> Option<&str> {
        match self {
            Self::Terminated { condition } | Self::AuthFailed { condition, .. } => Some(condition),
            Self::Stream(error) => Some(&error.condition),
            Self::SeeOther(_) => Some("see-other-uri"),
            Self::BindFailed(error) | Self::Registration(RegistrationFailure::Refused(error)) => {
                Some(&error.condition)
            }
            _ => None,
        }
    }

    /// The server's text, if it sent one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::AuthFailed { text, .. } => text.as_deref(),
            Self::Stream(error) => error.text.as_deref(),
            Self::BindFailed(error) | Self::Registration(RegistrationFailure::Refused(error)) => {
                error.text.as_deref()
            }
            Self::Registration(RegistrationFailure::Unanswered(Unanswered::NeedsHuman {
                instructions,
                ..
            })) => instructions.as_deref(),
            _ => None,
        }
    }

    /// The cause and the advice, for people.
    pub fn advice(&self) -> String {
        let (what, detail, then) = self.sentence();
        let mut advice = String::from(what);
        advice.push_str(&detail);
        if let Self::Http(status) = self {
            advice.push_str(&status.to_string());
        }
        if let Some(text) = self.text() {
            advice.push_str(" (");
            advice.push_str(text);
            advice.push(')');
        }
        advice.push_str(". ");
        advice.push_str(then);
        advice
    }

    /// The cause, the detail and the advice.
    fn sentence(&self) -> (&'static str, Cow<'_, str>, &'static str) {
        let (what, detail, then): (_, &str, _) = match self {
            Self::Requested => ("The connection was closed on request", "", "Nothing to do."),
            Self::BadOption(option) => {
                return ("", Cow::Owned(option.to_string()), "Nothing was sent.");
            }
            Self::Unreachable => (
                "The service cannot be reached",
                "",
                "Check the network, that the server runs, and the service's address.",
            ),
            Self::BlockedByCors => (
                "The server is there, but the browser keeps its answers from this page, because they lack CORS headers",
                "",
                "Serve the BOSH service from the page's own origin (a proxy), or let the server send Access-Control-Allow-Origin.",
            ),
            Self::MixedContent => (
                "A page on https: may not use a service on http:",
                "",
                "Give the service an https: address.",
            ),
            Self::Unsupported("WebSocket") => (
                "This platform has no WebSocket: pass { WebSocket } in the options",
                "",
                "A class with the browser's interface fits, such as that of the npm package ws. Or use the address of the BOSH service.",
            ),
            Self::Unsupported(_) => (
                "This platform has no fetch: pass { fetch } in the options",
                "",
                "A function with the browser's interface fits.",
            ),
            Self::Http(404) => (
                "The service answered with HTTP status ",
                "",
                "There is nothing at this address: check its path (often /http-bind or /bosh).",
            ),
            Self::Http(401 | 403) => (
                "The service answered with HTTP status ",
                "",
                "The web server in front asks for a permission: check its configuration, or give 'headers' or 'withCredentials'.",
            ),
            Self::Http(500..) => (
                "The service answered with HTTP status ",
                "",
                "The proxy is there and the XMPP server behind it is not, or failed: check the server and its log.",
            ),
            Self::Redirected => ("The service answered with an HTTP redirect", "", REDIRECTED),
            Self::Http(300..=399) => ("The service answered with HTTP status ", "", REDIRECTED),
            Self::Http(_) => (
                "The service answered with HTTP status ",
                "",
                "Check that the address is that of a BOSH service, and its log.",
            ),
            Self::NotBosh(what) => (
                "The service does not speak BOSH: it answered with ",
                what,
                "Check the address: a page, a login portal or another program may be there.",
            ),
            Self::NotWebSocket(what) => (
                "The service does not speak XMPP over WebSocket: there was ",
                what,
                "Check the address (often /ws or /xmpp-websocket) and that the proxy passes the Upgrade on.",
            ),
            Self::Ended => ("The server closed the stream", "", "Connect anew."),
            Self::SeeOther(address) => (
                "The server wants this client to connect elsewhere: ",
                address,
                "It is not followed when it would be unencrypted, or leads in circles.",
            ),
            Self::BadXml(error) => (
                "What the service sent cannot be read: ",
                error.as_str(),
                "A proxy may have cut or changed it; if it stays so, the server is broken.",
            ),
            Self::TooLarge => (
                "The answer is larger than the limit",
                "",
                "Raise 'maxBytes' if it is meant to be so large.",
            ),
            Self::Terminated { condition } => (
                "The BOSH service ended the session: ",
                condition,
                match condition.as_str() {
                    "host-unknown" | "host-gone" | "improper-addressing" => {
                        "The server does not serve this domain, or no longer: check 'domain' or the part of 'jid' behind the @."
                    }
                    // COMPAT(ejabberd): its condition for domains without BOSH, local or not.
                    "internal-server-error" => {
                        "The server failed, or does not serve this domain: check 'domain' or the part of 'jid' behind the @, then its log."
                    }
                    "item-not-found" => {
                        "The server does not know the session, or no longer, say after a restart or a long sleep: connect anew."
                    }
                    "bad-request" => {
                        "The server could not read a request: a proxy may have changed it. Look at the server's log."
                    }
                    "other-request" => "Another request ended it, which says why: connect anew.",
                    "policy-violation" => {
                        "The server finds this client too eager: check its limits."
                    }
                    "remote-connection-failed" => {
                        "The BOSH service cannot reach the XMPP server behind it: check that it runs."
                    }
                    "remote-stream-error" => {
                        "The XMPP server behind the BOSH service ended the stream: connect anew."
                    }
                    "see-other-uri" => "The service is at another address, and did not say where.",
                    "system-shutdown" => "The server is shutting down: connect again later.",
                    _ => "Connect anew.",
                },
            ),
            Self::Stream(error) => (
                "The server ended the stream: ",
                &error.condition,
                match error.condition.as_str() {
                    "conflict" => {
                        "Another connection took the same resource: let the server choose resources, or do not connect twice."
                    }
                    "host-unknown" => {
                        "The server does not serve this domain: check 'domain' or 'jid'."
                    }
                    _ => "Connect anew.",
                },
            ),
            Self::AuthFailed { condition, .. } => (
                "The server refused the login: ",
                condition,
                "Check the user name and the password or token, and that the account exists.",
            ),
            Self::NoMechanism(ChooseError::NoneOffered) => (
                "The server offers no login mechanism that fits these credentials",
                "",
                "Enable SCRAM on the server (or PLAIN over https; ANONYMOUS on its host for anonymous logins), and check 'mechanisms' if you gave it.",
            ),
            Self::NoMechanism(ChooseError::OnlyPlainText) => (
                "Only mechanisms that show the password are left, and this connection is not encrypted",
                "",
                "Use https, enable SCRAM on the server, or set allowPlainText: true if you accept the risk.",
            ),
            Self::NoMechanism(ChooseError::Weaker) => (
                "The server offers only login mechanisms that are weaker than the one that worked before",
                "",
                "Somebody may sit between. If the server was changed on purpose, forget what was remembered of it ('memory').",
            ),
            Self::PlainTextRegistration => (
                "Registration would show the password on an unencrypted connection",
                "",
                "Use https, or set allowPlainText: true if you accept the risk.",
            ),
            Self::Sasl(SaslError::ServerSignature) => (
                "The server could not prove that it knows the password",
                "",
                "Somebody may sit between: do not log in over this network.",
            ),
            Self::Sasl(SaslError::BadUsername) => (
                "The user name holds a character that is not allowed",
                "",
                "Check the 'jid'.",
            ),
            Self::Sasl(SaslError::BadPassword) => (
                "The password is empty or holds a character that is not allowed",
                "",
                "Check the 'password'.",
            ),
            Self::Sasl(SaslError::WrongCredentials) => (
                "The 'keys' do not fit what the server asks for",
                "",
                "They belong to another salt, iteration count or mechanism: log in with the password.",
            ),
            Self::Sasl(error) => (
                "The login broke off: ",
                error.text(),
                "The server's SASL is not in order.",
            ),
            Self::NoCredentials => (
                "The 'password' or 'token' function gave no string",
                "",
                "See 'cause' for what it threw.",
            ),
            Self::BindFailed(error) => (
                "The server refused the resource: ",
                &error.condition,
                "Leave 'resource' out, so that the server chooses one.",
            ),
            Self::Registration(RegistrationFailure::Refused(error)) => (
                "The server did not make the account: ",
                &error.condition,
                match error.condition.as_str() {
                    "conflict" => "The name is taken: choose another.",
                    "service-unavailable"
                    | "feature-not-implemented"
                    | "not-allowed"
                    | "forbidden" => "Accounts cannot be registered at this server this way.",
                    "resource-constraint" | "wait" => {
                        "Too many registrations at once: try again later."
                    }
                    _ => "Check the user name and the password.",
                },
            ),
            Self::Registration(RegistrationFailure::Unanswered(Unanswered::Missing(fields))) => {
                return (
                    "The server wants more fields for the account: ",
                    Cow::Owned(listed(fields)),
                    "Give them in 'fields'.",
                );
            }
            Self::Registration(RegistrationFailure::Unanswered(Unanswered::NeedsHuman {
                addresses,
                fields,
                ..
            })) => {
                let listed = listed(addresses);
                let is_page = addresses.iter().any(
                    |one| matches!(one.get(..4), Some(start) if start.eq_ignore_ascii_case("http")),
                );
                let (detail, then) = match (addresses.is_empty(), is_page, fields.is_empty()) {
                    (true, ..) => (
                        "it names no address".to_owned(),
                        "Register in an XMPP client that shows the challenge, or ask whoever runs the server.",
                    ),
                    (_, false, _) => (
                        format!("the challenge is inside the stanza ({listed})"),
                        "Register in an XMPP client that shows it, or ask whoever runs the server.",
                    ),
                    (_, _, true) => (listed, "Open that address to register there."),
                    _ => (
                        listed,
                        "Open that address, or solve the challenge in an XMPP client that shows it.",
                    ),
                };
                return (
                    "The server wants a person to register: ",
                    Cow::Owned(detail),
                    then,
                );
            }
            Self::PeerMisbehaved(how) => (
                "The server broke the protocol: ",
                how,
                "Look at its log, and at 'received'.",
            ),
            Self::TimedOut(phase) => (
                "Connecting took too long: ",
                match phase {
                    Phase::Connecting => "the service did not answer",
                    Phase::Features => "the server did not say what it offers",
                    Phase::Credentials => "the 'password' or 'token' function did not settle",
                    Phase::Authenticating => "the login was not answered",
                    Phase::Binding => "the resource was not bound",
                    Phase::Registering => "the registration was not answered",
                },
                "Try again, or raise 'timeout'.",
            ),
        };
        (what, Cow::Borrowed(detail), then)
    }
}

/// The texts with commas between them.
fn listed(texts: &[String]) -> String {
    let mut list = String::new();
    for text in texts {
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(text);
    }
    list
}
