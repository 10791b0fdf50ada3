//! The states of a session's negotiation, what belongs to each, and which may follow which.

use super::derivation;
use crate::jid::Jid;
use crate::sasl::Mechanism;
use crate::states::Place;
use crate::stream::features::Features;

pub(super) enum State {
    Closed,
    /// The stream is opened; what it offers is not known.
    Greeting,
    AwaitingCredentials {
        features: Features,
    },
    Authenticating {
        mechanism: Mechanism,
        /// Of which profile: its namespace.
        profile: &'static str,
        /// What follows at once when the server agrees, because it was said already.
        next: Option<Box<State>>,
        /// The keys are being derived.
        awaited: Option<derivation::Awaited>,
    },
    /// Authenticated; what the new stream offers is not known.
    AwaitingFeatures,
    Resuming {
        /// `None` while the stream has not said what it offers.
        features: Option<Features>,
    },
    Binding {
        id: String,
        session_required: bool,
        /// It was asked for before the stream's features came, and has not been asked for again.
        ahead: bool,
        /// They have come.
        greeted: bool,
    },
    /// Bound by the way (XEP-0386); what the stream offers is not known.
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
    /// Nothing is negotiated: not begun, failed, or an account was made.
    Closed,
    /// The stream is opened; its features have not come.
    Greeting,
    /// The features are known, the credentials are not.
    AwaitingCredentials,
    /// A mechanism is under way.
    Authenticating,
    /// The features of the authenticated stream have not come.
    AwaitingFeatures,
    /// The suspended session is being resumed (XEP-0198 §5).
    Resuming,
    /// A resource is being bound.
    Binding,
    /// A resource was bound with the login (XEP-0386); the features have not come.
    Bound,
    /// The server requires the session request of RFC 3921.
    OpeningSession,
    /// The form of a registration was asked for (XEP-0077).
    AskingForm,
    /// The form is filled in.
    Registering,
    /// Bound.
    Established,
}

use SessionPlace as At;

impl Place for SessionPlace {
    const TRANSITIONS: &'static [(Self, Self)] = &[
        (At::Closed, At::Greeting),
        // A session of another page, or of a web server.
        (At::Closed, At::Established),
        (At::Greeting, At::AskingForm),
        (At::Greeting, At::AwaitingCredentials),
        (At::Greeting, At::Authenticating),
        (At::Greeting, At::Closed),
        (At::AwaitingCredentials, At::Authenticating),
        (At::AwaitingCredentials, At::Closed),
        // The server refused the mechanism as such: the next one.
        (At::Authenticating, At::Authenticating),
        // A token was refused (XEP-0484 §4.1), before or after the features came.
        (At::Authenticating, At::AwaitingCredentials),
        (At::Authenticating, At::Greeting),
        (At::Authenticating, At::AwaitingFeatures),
        // Requested with the login or with the restart, before the features came.
        (At::Authenticating, At::Resuming),
        (At::Authenticating, At::Binding),
        // XEP-0386: bound or resumed by the login itself.
        (At::Authenticating, At::Bound),
        (At::Authenticating, At::Established),
        (At::Authenticating, At::Closed),
        (At::AwaitingFeatures, At::Resuming),
        (At::AwaitingFeatures, At::Binding),
        (At::AwaitingFeatures, At::Closed),
        (At::Resuming, At::Established),
        // The session cannot be resumed; the features are known, or not yet.
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
