//! RFC 6120 §6, §7: from an open stream to a bound session: features → SASL → restart → bind → established;
//! or, to make an account first, features → in-band registration (XEP-0077 §3.1).
//!
//! Specification: RFC 6120.
//!
//! Knows elements and directives, no transport: what to send, when to restart, how it ended. What an earlier login has shown
//! ([`Memory`]) is said before it is asked for: the first message with the opening of the stream, and what belongs on the
//! authenticated stream with the last one. Until the server has proved itself, nothing else leaves: the page's own stanzas
//! wait for [`Directive::Established`].
//! Here is what moves between the states, which `session/state.rs` names; `session/login.rs` authenticates (RFC 6120's profile, XEP-0388's)
//! with what `mechanisms.rs` chooses and `derivation.rs` derives, `replies.rs` reads the replies to the session's own requests,
//! `binding.rs` resumes and binds, `registration.rs` makes accounts, `memory.rs` is what is remembered.
//! Left out: STARTTLS and compression (the transport's business).

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

/// What the stream is opened for.
#[derive(Clone)]
pub enum Goal {
    /// To log in and bind a resource.
    Login,
    /// To make an account, and nothing else: the fields to give, by name, `username` and `password` among them.
    Register(Vec<(String, String)>),
}

/// What the page chose.
#[derive(Clone)]
pub struct SessionConfig {
    /// What for.
    pub goal: Goal,
    /// The domain to log in to.
    pub domain: String,
    /// The account, a bare JID, where it is known before the login.
    pub account: Option<String>,
    /// The resource to ask for; the server chooses when there is none.
    pub resource: Option<String>,
    /// May a password be shown to any transport? Over TLS and on loopback it may anyway.
    pub plain_text_allowed: bool,
    /// The mechanisms that a login may use, by the names in [`sasl`](crate::sasl); `None` for all. A token is shown and asked for
    /// where `HT-SHA-256-NONE` is among them.
    pub mechanisms: Option<Vec<&'static str>>,
    /// May things be said before they are asked for?
    pub haste: bool,
}

/// What the session wants done.
#[derive(Clone, Debug)]
pub enum Directive {
    /// To be sent on the stream.
    Send(Element),
    /// A new stream is due; with what is sent right after it, unless it goes alone.
    Restart {
        /// XEP-0206 §5's way, over BOSH.
        alone: bool,
    },
    /// Credentials are due.
    WantCredentials,
    /// We are somewhere else now.
    Status(Status),
    /// The request of that id was sent a second time: a second reply to it is nobody's business.
    Repeated(String),
    /// [`Session::memory`] is another now.
    Learned,
    /// Bound, as this full JID; with what XEP-0198 says, where it was enabled by the way (XEP-0386): `<enabled/>` or `<failed/>`.
    Established(Jid, Option<Element>),
    /// The former session goes on (XEP-0198 §5): `<resumed/>`.
    Resumed(Element),
    /// It does not: `<failed/>`. A new one is bound.
    ResumeFailed(Element),
    /// The account was made.
    Registered,
    /// It is over.
    Fail(CloseReason),
}

/// What a step borrows.
pub struct Tools<'a> {
    /// For ids of iqs.
    pub ids: &'a mut Ids,
    /// For nonces.
    pub random: &'a mut dyn Random,
    /// For names and passwords.
    pub unicode: &'a dyn Unicode,
}

/// The negotiation of one session.
pub struct Session {
    config: SessionConfig,
    state: State,
    credentials: Option<Credentials>,
    /// Those in use, while another mechanism may still be tried.
    retained: Option<Credentials>,
    /// The mechanisms that this login was refused, for themselves and not for the credentials.
    refused: Vec<&'static str>,
    plain_text_allowed: bool,
    tokens_allowed: bool,
    framed: bool,
    manage: bool,
    resumption: Option<Resumption>,
    stream_management: bool,
    memory: Memory,
    /// As it was when the login began.
    remembered: Memory,
    /// What the stream offers that is not authenticated yet.
    offered: Option<Features>,
    /// May something be said early this time?
    haste: bool,
    /// Something was.
    ahead: bool,
    /// The attempt before this one said something early and failed; `true` when nothing else can have been the cause.
    suspicion: Option<bool>,
    /// How much of the way the page has been told of.
    told: u8,
    /// The keys of the last login that succeeded; outlives attempts.
    keys: Option<KeyCache>,
    next_derivation: u32,
}

/// The stream that a session is negotiated on.
#[derive(Clone, Default)]
pub struct Circumstances {
    /// It is encrypted, or does not leave the machine.
    pub confidential: bool,
    /// A token may be shown on it, and asked for.
    pub tokens: bool,
    /// What is sent arrives in order by itself, and each element is answered by itself: a WebSocket.
    pub framed: bool,
    /// Stream management is wanted, where there is any.
    pub manage: bool,
    /// What may be resumed on it.
    pub resumption: Option<Resumption>,
    /// What is known of the service.
    pub memory: Memory,
    /// The last attempt failed where haste may have been the cause ([`Session::blames_haste`]): none of it this time.
    pub suspicion: Option<bool>,
}

impl Session {
    /// Nothing has happened yet.
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
            haste: false,
            ahead: false,
            suspicion: None,
            told: 0,
            keys: None,
            next_derivation: 0,
        }
    }

    /// Does the server offer stream management on the bound stream?
    pub fn offers_stream_management(&self) -> bool {
        self.stream_management
    }

    /// What is known of the service by now.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// A stream is being opened.
    pub fn start(
        &mut self,
        circumstances: Circumstances,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        self.plain_text_allowed = self.config.plain_text_allowed || circumstances.confidential;
        // Whoever reads the proof that a token makes can use it.
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
        self.haste = self.config.haste && !again && self.memory.allows_haste();
        self.ahead = false;
        if !again {
            self.told = 0;
        }
        self.enter(State::Greeting);
        self.tell(1, Status::Connecting, out);
        if matches!(self.config.goal, Goal::Login) {
            self.prepare(tools, out);
        }
    }

    /// Goes to the next state, which the table of transitions must allow.
    fn enter(&mut self, next: State) {
        self.state.place().check_or_stays(next.place());
        self.state = next;
    }

    /// Tells the page how far we are, unless a first attempt at the same has.
    fn tell(&mut self, stage: u8, status: Status, out: &mut Vec<Directive>) {
        if stage > self.told {
            self.told = stage;
            out.push(Directive::Status(status));
        }
    }

    /// The session is there already: it goes on from another page, or a web server has made it.
    pub fn adopt(&mut self) {
        self.enter(State::Established);
    }

    /// Forget all of it.
    pub fn close(&mut self) {
        self.enter(State::Closed);
        wipe(&mut self.credentials);
        wipe(&mut self.retained);
    }

    /// Is it bound?
    pub fn is_established(&self) -> bool {
        matches!(self.state, State::Established)
    }

    /// Is it on its way there, and was something said before it was asked for? While the keys are derived, the server is not the one
    /// to wait for.
    pub fn is_hasty(&self) -> bool {
        self.ahead
            && !self.is_deriving()
            && !matches!(self.state, State::Established | State::Closed)
    }

    /// Which phase to blame when time runs out; `opened` tells whether the stream is open.
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

    /// May what was said early be why the connection ended like this? `Some(true)`: nothing else comes to mind. Then the
    /// same without haste is worth an attempt, of which the page need not hear. What the password, the server's identity or
    /// its offer is the reason of is not tried again.
    pub fn blames_haste(&self, reason: &CloseReason, opened: bool) -> Option<bool> {
        if !self.ahead {
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
            // Networks do that, too.
            CloseReason::Ended
            | CloseReason::Unreachable
            | CloseReason::Http(_)
            | CloseReason::NotBosh(_)
            | CloseReason::NotWebSocket(_) => opened.then_some(false),
            _ => None,
        }
    }

    /// An element of the stream, while not established.
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
            // Nothing else has a meaning before the session is bound.
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
            // The login has begun before it was known what is offered.
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

    /// It worked: what is to be remembered of it.
    fn learn(&mut self, out: &mut Vec<Directive>) {
        match self.suspicion.take() {
            Some(certain) => self.memory.doubt(certain),
            None if self.ahead => self.memory.doubts = 0,
            None => {}
        }
        if let Some(features) = self.offered.take() {
            let framed = self.framed;
            self.memory.sasl2 = features.sasl2.filter(|offer| framed || !offer.flawed);
            if let Some(offer) = &mut self.memory.sasl2 {
                offer.mechanisms = Vec::new();
            }
        }
        self.tell_learned(out);
    }

    fn tell_learned(&mut self, out: &mut Vec<Directive>) {
        if self.memory != self.remembered {
            self.remembered = self.memory.clone();
            out.push(Directive::Learned);
        }
    }
}

/// Credentials that are not wanted any more are overwritten.
fn wipe(credentials: &mut Option<Credentials>) {
    if let Some(credentials) = credentials.take() {
        credentials.wipe();
    }
}
