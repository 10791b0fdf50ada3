//! The states of a session's negotiation, their data, and the allowed transitions.

use super::derivation;
use crate::jid::Jid;
use crate::sasl::Mechanism;
use crate::states::Place;
use crate::stream::features::Features;

pub(super) enum State {
    Closed,
    /// The stream is open; its features have not arrived.
    Greeting,
    AwaitingCredentials {
        features: Features,
    },
    Authenticating {
        mechanism: Mechanism,
        /// The namespace of the SASL profile.
        profile: &'static str,
        /// The state that follows when the server accepts, if the elements for that state were already sent.
        next: Option<Box<State>>,
        /// The derivation of the keys, while it is awaited.
        awaited: Option<derivation::Awaited>,
    },
    /// Authenticated; the features of the new stream have not arrived.
    AwaitingFeatures,
    Resuming {
        /// `None` until the features arrive.
        features: Option<Features>,
    },
    Binding {
        id: String,
        session_required: bool,
        /// The binding request was sent before the features arrived, and has not been repeated.
        pipelined: bool,
        /// The features have arrived.
        greeted: bool,
    },
    /// Bound by the login (XEP-0386); the features of the stream have not arrived.
    Bound {
        jid: Jid,
    },
    OpeningSession {
        id: String,
        jid: Jid,
    },
    AskingForm {
        id: String,
    },
    Registering {
        id: String,
    },
    Established,
}

impl State {
    pub fn place(&self) -> SessionPlace {
        match self {
            Self::Closed => At::Closed,
            Self::Greeting => At::Greeting,
            Self::AwaitingCredentials { .. } => At::AwaitingCredentials,
            Self::Authenticating { .. } => At::Authenticating,
            Self::AwaitingFeatures => At::AwaitingFeatures,
            Self::Resuming { .. } => At::Resuming,
            Self::Binding { .. } => At::Binding,
            Self::Bound { .. } => At::Bound,
            Self::OpeningSession { .. } => At::OpeningSession,
            Self::AskingForm { .. } => At::AskingForm,
            Self::Registering { .. } => At::Registering,
            Self::Established => At::Established,
        }
    }
}

/// The states by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionPlace {
    /// No negotiation: not started, failed, or an account was registered.
    Closed,
    /// The stream is open; its features have not arrived.
    Greeting,
    /// The features have arrived; the credentials have not.
    AwaitingCredentials,
    /// A mechanism is in progress.
    Authenticating,
    /// The features of the authenticated stream have not arrived.
    AwaitingFeatures,
    /// The suspended session is being resumed (XEP-0198 §5).
    Resuming,
    /// A resource is being bound.
    Binding,
    /// A resource was bound by the login (XEP-0386); the features have not arrived.
    Bound,
    /// The server requires the session request of RFC 3921.
    OpeningSession,
    /// The registration form was requested (XEP-0077).
    AskingForm,
    /// The filled-in form was sent.
    Registering,
    /// The session is bound.
    Established,
}

use SessionPlace as At;

impl Place for SessionPlace {
    const TRANSITIONS: &'static [(Self, Self)] = &[
        (At::Closed, At::Greeting),
        // A session taken over from another page or from a web server.
        (At::Closed, At::Established),
        (At::Greeting, At::AskingForm),
        (At::Greeting, At::AwaitingCredentials),
        (At::Greeting, At::Authenticating),
        (At::Greeting, At::Closed),
        (At::AwaitingCredentials, At::Authenticating),
        (At::AwaitingCredentials, At::Closed),
        // The server refused the mechanism itself: try the next one.
        (At::Authenticating, At::Authenticating),
        // A token was refused (XEP-0484 §4.1), before or after the features arrived.
        (At::Authenticating, At::AwaitingCredentials),
        (At::Authenticating, At::Greeting),
        (At::Authenticating, At::AwaitingFeatures),
        // Requested with the login or with the restart, before the features arrived.
        (At::Authenticating, At::Resuming),
        (At::Authenticating, At::Binding),
        // XEP-0386: bound or resumed by the login.
        (At::Authenticating, At::Bound),
        (At::Authenticating, At::Established),
        (At::Authenticating, At::Closed),
        (At::AwaitingFeatures, At::Resuming),
        (At::AwaitingFeatures, At::Binding),
        (At::AwaitingFeatures, At::Closed),
        (At::Resuming, At::Established),
        // The session cannot be resumed; the features may have arrived or not.
        (At::Resuming, At::Binding),
        (At::Resuming, At::AwaitingFeatures),
        (At::Resuming, At::Closed),
        (At::Binding, At::OpeningSession),
        (At::Binding, At::Established),
        (At::Binding, At::Closed),
        (At::Bound, At::Established),
        (At::Bound, At::Closed),
        (At::OpeningSession, At::Established),
        (At::OpeningSession, At::Closed),
        (At::AskingForm, At::Registering),
        (At::AskingForm, At::Closed),
        (At::Registering, At::Closed),
        (At::Established, At::Closed),
    ];
}
