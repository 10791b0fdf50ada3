//! Reasons for the end of a connection: a type, a code for programs, and the name of the sentence for people.

use super::prepare::BadOption;
use super::sasl::{ChooseError, SaslError};
use super::stanza::StanzaError;
use super::stream::error::StreamError;
use super::xep::register::Unanswered;
use super::xml::XmlError;
use std::borrow::Cow;

/// The phase of connecting that took too long.
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

impl Phase {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Features => "features",
            Self::Credentials => "credentials",
            Self::Authenticating => "authenticating",
            Self::Binding => "binding",
            Self::Registering => "registering",
        }
    }
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
    /// The password would be sent over an unencrypted connection.
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

    /// The protocol's condition, if there is one.
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

    /// The name of the sentence that people read, in pkg-template/src/advice.ts: the code, where it has one sentence.
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::BadOption(option) => option.sentence(),
            Self::Redirected => "redirected",
            Self::SeeOther(_) => "see-other-uri",
            Self::NoMechanism(ChooseError::OnlyPlainText) => "only-plain-text",
            Self::NoMechanism(ChooseError::Weaker) => "weaker-mechanisms",
            Self::PlainTextRegistration => "plain-text-registration",
            Self::Sasl(SaslError::ServerSignature) => "server-not-authentic",
            Self::Sasl(SaslError::BadUsername) => "bad-username",
            Self::Sasl(SaslError::BadPassword) => "bad-password",
            Self::Sasl(SaslError::WrongCredentials) => "unfit-keys",
            Self::Sasl(_) => "login-broke-off",
            Self::Registration(RegistrationFailure::Unanswered(unanswered)) => match unanswered {
                Unanswered::Missing(_) => "fields-missing",
                Unanswered::NeedsHuman { fields, .. } if fields.is_empty() => "person-wanted",
                Unanswered::NeedsHuman { .. } => "person-or-answer-wanted",
            },
            _ => self.code(),
        }
    }

    /// What the sentence tells besides the condition, the HTTP status and the server's text: an address, names of fields, how the
    /// protocol was violated.
    pub fn detail(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::BadOption(option) => option.name.into(),
            Self::Unsupported(what)
            | Self::NotBosh(what)
            | Self::NotWebSocket(what)
            | Self::PeerMisbehaved(what) => (*what).into(),
            Self::SeeOther(address) => address.into(),
            Self::BadXml(error) => error.as_str().into(),
            Self::Sasl(error) => error.name().into(),
            Self::Registration(RegistrationFailure::Unanswered(
                Unanswered::Missing(names)
                | Unanswered::NeedsHuman {
                    addresses: names, ..
                },
            )) => names.join(", ").into(),
            Self::TimedOut(phase) => phase.name().into(),
            _ => return None,
        })
    }
}
