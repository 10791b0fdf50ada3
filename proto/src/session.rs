//! RFC 6120 §6, §7: from an open stream to a bound session: features → SASL → restart → bind → established; or, to
//! register an account, features → in-band registration (XEP-0077 §3.1).
//!
//! Specification: RFC 6120.
//!
//! The session handles elements and emits directives: what to send, when to restart the stream, how the negotiation
//! ended. It does not know the transport. It uses what earlier logins have shown ([`Memory`]) to send elements before
//! the server requests them: the first SASL message together with the opening of the stream, and the elements that
//! belong on the authenticated stream together with the last SASL message. Nothing else is sent before the server has
//! proved its identity: the page's own stanzas wait for [`Directive::Established`].
//!
//! This file moves the session between the states that `session/state.rs` names. `session/login.rs` authenticates (the
//! profiles of RFC 6120 and of XEP-0388), `mechanisms.rs` chooses the mechanism, `derivation.rs` derives the keys,
//! `replies.rs` reads the replies to the session's own requests, `binding.rs` resumes and binds, `registration.rs`
//! registers accounts, `memory.rs` holds what is remembered.
//!
//! Left out: STARTTLS and compression (they belong to the transport).

mod binding;
mod derivation;
mod login;
mod mechanisms;
pub mod memory;
mod registration;
mod replies;
mod state;

pub use memory::Memory;
pub use state::SessionPlace;

use state::State;

use super::error::{CloseReason, Phase};
use super::event::Status;
use super::jid::Jid;
use super::ns;
use super::random::{Ids, Random};
use super::sasl::{Credentials, HT_SHA_256_NONE, KeyCache};
use super::states::Place;
use super::stream::error::StreamError;
use super::stream::features::Features;
use super::transport::stream_management::Resumption;
use super::unicode::Unicode;
use super::xml::Element;

/// The purpose of the stream.
#[derive(Clone)]
pub enum Goal {
    /// Log in and bind a resource.
    Login,
    /// Register an account and nothing else, with these values of the registration fields by name, `username` and
    /// `password` among them.
    Register(Vec<(String, String)>),
}

/// The page's configuration of a session.
#[derive(Clone)]
pub struct SessionConfig {
    /// The purpose of the stream.
    pub goal: Goal,
    /// The domain to log in to.
    pub domain: String,
    /// The account, a bare JID, if it is known before the login.
    pub account: Option<String>,
    /// The resource to request; `None` lets the server choose it.
    pub resource: Option<String>,
    /// Whether a password may be sent over any transport. Over TLS and on loopback it is always allowed.
    pub plain_text_allowed: bool,
    /// The mechanisms that a login may use, by the names in [`sasl`](crate::sasl); `None` allows all. A token is used
    /// and requested only if `HT-SHA-256-NONE` is among them.
    pub mechanisms: Option<Vec<&'static str>>,
    /// Whether elements may be sent before the server has replied to the ones before them (pipelining, as in XEP-0305).
    pub pipelining: bool,
}

/// An instruction of the session to the connection.
#[derive(Clone, Debug)]
pub enum Directive {
    /// Send this element on the stream.
    Send(Element),
    /// Open a new stream. The elements sent directly after it travel with it, unless `alone` is true.
    Restart {
        /// Send the restart alone, over BOSH as XEP-0206 §5 requires.
        alone: bool,
    },
    /// Ask the page for credentials.
    WantCredentials,
    /// Report this status to the page.
    Status(Status),
    /// The request of that id was sent a second time: ignore a second reply to it.
    Repeated(String),
    /// The content of [`Session::memory`] has changed.
    Learned,
    /// The session is bound as this full JID. The element is the server's reply about XEP-0198, `<enabled/>` or
    /// `<failed/>`, if stream management was enabled with the binding (XEP-0386).
    Established(Jid, Option<Element>),
    /// The former session was resumed (XEP-0198 §5): `<resumed/>`.
    Resumed(Element),
    /// The former session was not resumed: `<failed/>`. The session binds a new one.
    ResumeFailed(Element),
    /// The account was registered.
    Registered,
    /// The negotiation has failed.
    Fail(CloseReason),
}

/// The resources that a step borrows from the connection.
pub struct Tools<'a> {
    /// Creates the ids of iqs.
    pub ids: &'a mut Ids,
    /// Creates nonces.
    pub random: &'a mut dyn Random,
    /// Prepares names and passwords.
    pub unicode: &'a dyn Unicode,
}

/// The negotiation of one session.
pub struct Session {
    config: SessionConfig,
    state: State,
    credentials: Option<Credentials>,
    /// The credentials in use, kept while another mechanism may still be tried.
    retained: Option<Credentials>,
    /// The mechanisms that the server refused in this login because of the mechanism and not of the credentials.
    refused: Vec<&'static str>,
    plain_text_allowed: bool,
    tokens_allowed: bool,
    framed: bool,
    manage: bool,
    resumption: Option<Resumption>,
    stream_management: bool,
    memory: Memory,
    /// The memory as it was when the login began.
    remembered: Memory,
    /// The features of the stream before authentication.
    offered: Option<Features>,
    /// Whether elements may be pipelined in this attempt.
    pipelining: bool,
    /// Whether elements were pipelined in this attempt.
    pipelined: bool,
    /// The previous attempt pipelined elements and failed; `true` if there is no other possible cause.
    suspicion: Option<bool>,
    /// The last stage of the negotiation that was reported to the page.
    reported_stage: u8,
    /// The keys of the last successful login; they outlive attempts.
    keys: Option<KeyCache>,
    next_derivation: u32,
}

/// The stream that a session is negotiated on.
#[derive(Clone, Default)]
pub struct Circumstances {
    /// Whether the stream is encrypted, or does not leave the machine.
    pub confidential: bool,
    /// Whether a token may be used and requested on the stream.
    pub tokens: bool,
    /// Whether the transport delivers elements in order and the server answers each of them separately: a WebSocket.
    pub framed: bool,
    /// Whether to use stream management if the server offers it.
    pub manage: bool,
    /// The session that may be resumed on the stream.
    pub resumption: Option<Resumption>,
    /// What is known of the service.
    pub memory: Memory,
    /// The last attempt failed and pipelining may have been the cause ([`Session::blames_pipelining`]): do not pipeline in
    /// this attempt.
    pub suspicion: Option<bool>,
}

impl Session {
    /// Creates a session that is not started.
    pub fn new(config: SessionConfig) -> Self {
        Self {
            config,
            state: State::Closed,
            credentials: None,
            retained: None,
            refused: Vec::new(),
            plain_text_allowed: false,
            tokens_allowed: false,
            framed: false,
            manage: false,
            resumption: None,
            stream_management: false,
            memory: Memory::default(),
            remembered: Memory::default(),
            offered: None,
            pipelining: false,
            pipelined: false,
            suspicion: None,
            reported_stage: 0,
            keys: None,
            next_derivation: 0,
        }
    }

    /// Whether the server offers stream management on the bound stream.
    pub fn offers_stream_management(&self) -> bool {
        self.stream_management
    }

    /// What is known of the service at this point.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Starts the negotiation; the transport is opening a stream.
    pub fn start(
        &mut self,
        circumstances: Circumstances,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        self.plain_text_allowed = self.config.plain_text_allowed || circumstances.confidential;
        // A token's proof can be replayed by anybody who reads it.
        self.tokens_allowed =
            circumstances.tokens && self.plain_text_allowed && self.allows(HT_SHA_256_NONE);
        wipe(&mut self.retained);
        self.refused.clear();
        self.framed = circumstances.framed;
        self.manage = circumstances.manage;
        self.resumption = circumstances.resumption;
        self.stream_management = false;
        self.remembered = circumstances.memory.clone();
        self.memory = circumstances.memory;
        self.offered = None;
        self.suspicion = circumstances.suspicion;
        let again = self.suspicion.is_some();
        self.pipelining = self.config.pipelining && !again && self.memory.allows_pipelining();
        self.pipelined = false;
        if !again {
            self.reported_stage = 0;
        }
        self.enter(State::Greeting);
        self.report_stage(1, Status::Connecting, out);
        if matches!(self.config.goal, Goal::Login) {
            self.prepare(tools, out);
        }
    }

    /// Goes to the next state, which the table of transitions must allow.
    fn enter(&mut self, next: State) {
        self.state.place().check_or_stays(next.place());
        self.state = next;
    }

    /// Reports the stage to the page, unless an earlier attempt has reported it.
    fn report_stage(&mut self, stage: u8, status: Status, out: &mut Vec<Directive>) {
        if stage > self.reported_stage {
            self.reported_stage = stage;
            out.push(Directive::Status(status));
        }
    }

    /// Takes over a bound session: one of another page, or one that a web server has made.
    pub fn adopt(&mut self) {
        self.enter(State::Established);
    }

    /// Ends the negotiation and forgets its state.
    pub fn close(&mut self) {
        self.enter(State::Closed);
        wipe(&mut self.credentials);
        wipe(&mut self.retained);
    }

    /// Whether the session is bound.
    pub fn is_established(&self) -> bool {
        matches!(self.state, State::Established)
    }

    /// Whether the session is negotiating and has pipelined elements. False while the keys are derived: then the
    /// session does not wait for the server.
    pub fn is_pipelining(&self) -> bool {
        self.pipelined
            && !self.is_deriving()
            && !matches!(self.state, State::Established | State::Closed)
    }

    /// The phase to report when time runs out. `opened`: the stream is open.
    pub fn phase(&self, opened: bool) -> Phase {
        match self.state {
            State::Closed | State::Greeting | State::Authenticating { .. } if !opened => {
                Phase::Connecting
            }
            State::Closed | State::Greeting | State::AwaitingFeatures => Phase::Features,
            State::AwaitingCredentials { .. } => Phase::Credentials,
            State::Authenticating { .. } => Phase::Authenticating,
            State::Resuming { .. }
            | State::Binding { .. }
            | State::Bound { .. }
            | State::OpeningSession { .. }
            | State::Established => Phase::Binding,
            State::AskingForm { .. } | State::Registering { .. } => Phase::Registering,
        }
    }

    /// Whether pipelining may have caused this end of the connection; `Some(true)` if there is no other possible
    /// cause. Then an attempt without pipelining is worthwhile and is not reported to the page. An end that is
    /// caused by the password, the server's identity or the server's offer is not retried.
    pub fn blames_pipelining(&self, reason: &CloseReason, opened: bool) -> Option<bool> {
        if !self.pipelined {
            return None;
        }
        match reason {
            CloseReason::AuthFailed { condition, .. } => matches!(
                condition.as_str(),
                "aborted" | "incorrect-encoding" | "invalid-mechanism" | "malformed-request"
            )
            .then_some(true),
            CloseReason::Stream(error) => (!matches!(
                error.condition.as_str(),
                "conflict" | "host-gone" | "host-unknown" | "see-other-host" | "system-shutdown"
            ))
            .then_some(true),
            CloseReason::BindFailed(_)
            | CloseReason::PeerMisbehaved(_)
            | CloseReason::Terminated { .. } => Some(true),
            CloseReason::TimedOut(_) => opened.then_some(true),
            // Networks cause these ends, too.
            CloseReason::Ended
            | CloseReason::Unreachable
            | CloseReason::Http(_)
            | CloseReason::NotBosh(_)
            | CloseReason::NotWebSocket(_) => opened.then_some(false),
            _ => None,
        }
    }

    /// Handles an element of the stream before the session is established.
    pub fn handle_element(
        &mut self,
        element: &Element,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        if let Some(error) = StreamError::parse(element) {
            self.fail(CloseReason::Stream(Box::new(error)), out);
            return;
        }
        if let Some(features) = Features::parse(element) {
            self.handle_features(features, tools, out);
            return;
        }
        match element.ns() {
            ns::SASL | ns::SASL2 => self.handle_sasl(element, tools, out),
            ns::STREAM_MANAGEMENT => self.handle_resumption(element, tools, out),
            ns::CLIENT if element.name() == "iq" => self.handle_iq(element, tools, out),
            // No other element has a meaning before the session is bound.
            _ => {}
        }
    }

    fn fail(&mut self, reason: CloseReason, out: &mut Vec<Directive>) {
        self.close();
        out.push(Directive::Fail(reason));
    }

    fn handle_features(
        &mut self,
        features: Features,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        let authenticated = matches!(
            self.state,
            State::AwaitingFeatures | State::Resuming { .. } | State::Binding { .. }
        );
        if authenticated && self.framed {
            self.memory.reads_apart = features.reads_apart;
        }
        match &mut self.state {
            State::Greeting => match self.config.goal {
                Goal::Register(_) => self.ask_form(tools, out),
                Goal::Login => self.handle_offer(features, tools, out),
            },
            // The login began before the features were known.
            State::Authenticating { .. } if self.offered.is_none() => {
                self.check_offer(features, out);
            }
            State::AwaitingFeatures => self.resume_or_bind(features, tools, out),
            State::Bound { jid } => {
                let jid = jid.clone();
                self.stream_management = features.stream_management;
                self.establish(jid, None, out);
            }
            State::Resuming { features: known } => {
                self.stream_management = features.stream_management;
                *known = Some(features);
            }
            State::Binding {
                session_required,
                greeted,
                ..
            } => {
                self.stream_management = features.stream_management;
                *session_required = features.session_required;
                *greeted = true;
            }
            _ => {}
        }
    }

    /// Remembers what the successful login has shown.
    fn learn(&mut self, out: &mut Vec<Directive>) {
        match self.suspicion.take() {
            Some(certain) => self.memory.doubt(certain),
            None if self.pipelined => self.memory.doubts = 0,
            None => {}
        }
        if let Some(features) = self.offered.take() {
            let framed = self.framed;
            self.memory.sasl2 = features.sasl2.filter(|offer| framed || !offer.flawed);
            if let Some(offer) = &mut self.memory.sasl2 {
                offer.mechanisms = Vec::new();
            }
        }
        self.report_learned(out);
    }

    fn report_learned(&mut self, out: &mut Vec<Directive>) {
        if self.memory != self.remembered {
            self.remembered = self.memory.clone();
            out.push(Directive::Learned);
        }
    }
}

/// Overwrites credentials that are no longer needed.
fn wipe(credentials: &mut Option<Credentials>) {
    if let Some(credentials) = credentials.take() {
        credentials.wipe();
    }
}
