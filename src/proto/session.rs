//! RFC 6120 §6, §7: from an open stream to a bound session: features → SASL → restart → bind → established;
//! or, to make an account first, features → in-band registration (XEP-0077 §3.1).
//!
//! Knows elements and directives, no transport: what to send, when to restart, how it ended.
//! Left out: STARTTLS and compression (the transport's business), SASL2, Bind 2.

use super::digits::decimal;
use super::error::{CloseReason, Phase, RegistrationFailure};
use super::event::Status;
use super::jid::Jid;
use super::ns;
use super::random::{Ids, Random, token};
use super::sasl::{Credentials, Mechanism, Policy, base64, choose};
use super::stanza::StanzaError;
use super::stanza::iq::{self, Kind};
use super::stream::error::StreamError;
use super::stream::features::Features;
use super::unicode::Unicode;
use super::xep::register;
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
    /// The resource to ask for; the server chooses when there is none.
    pub resource: Option<String>,
    /// May a password be shown to any transport? Over TLS and on loopback it may anyway.
    pub plain_text_allowed: bool,
}

/// What the session wants done.
#[derive(Clone, Debug)]
pub enum Directive {
    /// To be sent on the stream.
    Send(Element),
    /// A new stream is due.
    Restart,
    /// Credentials are due.
    WantCredentials,
    /// We are somewhere else now.
    Status(Status),
    /// Bound, as this full JID.
    Established(Jid),
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

enum State {
    Closed,
    AwaitingFeatures { authenticated: bool },
    AwaitingCredentials { mechanisms: Vec<String> },
    Authenticating { mechanism: Mechanism },
    Resuming { features: Features },
    Binding { id: String, session_required: bool },
    OpeningSession { id: String, jid: Jid },
    AskingForm { id: String },
    Registering { id: String },
    Established,
}

/// The negotiation of one session.
pub struct Session {
    config: SessionConfig,
    state: State,
    credentials: Option<Credentials>,
    plain_text_allowed: bool,
    resumption: Option<Resumption>,
    stream_management: bool,
}

/// A session that may go on (XEP-0198 §5).
#[derive(Clone, Debug)]
pub struct Resumption {
    /// Its `id`.
    pub previd: String,
    /// How many stanzas we have handled in it, modulo 2³².
    pub h: u32,
}

/// The stream that a session is negotiated on.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// It is encrypted, or does not leave the machine.
    pub confidential: bool,
    /// What may be resumed on it.
    pub resumption: Option<Resumption>,
}

impl Session {
    /// Nothing has happened yet.
    pub fn new(config: SessionConfig) -> Self {
        Self {
            config,
            state: State::Closed,
            credentials: None,
            plain_text_allowed: false,
            resumption: None,
            stream_management: false,
        }
    }

    /// Does the server offer stream management on the bound stream?
    pub fn offers_stream_management(&self) -> bool {
        self.stream_management
    }

    /// A stream is being opened.
    pub fn start(&mut self, circumstances: Circumstances, out: &mut Vec<Directive>) {
        self.plain_text_allowed = self.config.plain_text_allowed || circumstances.confidential;
        self.resumption = circumstances.resumption;
        self.stream_management = false;
        self.state = State::AwaitingFeatures {
            authenticated: false,
        };
        out.push(Directive::Status(Status::Connecting));
        if matches!(self.config.goal, Goal::Login) {
            out.push(Directive::WantCredentials);
        }
    }

    /// The session is there already: it goes on from another page, or a web server has made it.
    pub fn adopt(&mut self) {
        self.state = State::Established;
    }

    /// Forget all of it.
    pub fn close(&mut self) {
        self.state = State::Closed;
        self.credentials = None;
    }

    /// Is it bound?
    pub fn is_established(&self) -> bool {
        matches!(self.state, State::Established)
    }

    /// Which phase to blame when time runs out; `opened` tells whether the stream is open.
    pub fn phase(&self, opened: bool) -> Phase {
        match self.state {
            State::AwaitingFeatures { .. } if !opened => Phase::Connecting,
            State::Closed | State::AwaitingFeatures { .. } => Phase::Features,
            State::AwaitingCredentials { .. } => Phase::Credentials,
            State::Authenticating { .. } => Phase::Authenticating,
            State::Resuming { .. }
            | State::Binding { .. }
            | State::OpeningSession { .. }
            | State::Established => Phase::Binding,
            State::AskingForm { .. } | State::Registering { .. } => Phase::Registering,
        }
    }

    /// The page's answer to [`Directive::WantCredentials`].
    pub fn handle_credentials(
        &mut self,
        credentials: Option<Credentials>,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        match (&mut self.state, credentials) {
            (
                State::AwaitingFeatures {
                    authenticated: false,
                }
                | State::AwaitingCredentials { .. },
                None,
            ) => self.fail(CloseReason::NoCredentials, out),
            (State::AwaitingCredentials { mechanisms }, Some(credentials)) => {
                let mechanisms = core::mem::take(mechanisms);
                self.authenticate(&mechanisms, credentials, tools, out);
            }
            (
                State::AwaitingFeatures {
                    authenticated: false,
                },
                credentials,
            ) => self.credentials = credentials,
            // The login has gone on, or is over: nobody wants them.
            _ => {}
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
            ns::SASL => self.handle_sasl(element, tools, out),
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

    // ── features ────────────────────────────────────────────────────────────────────────────────────────────────────

    fn handle_features(
        &mut self,
        features: Features,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        let State::AwaitingFeatures { authenticated } = self.state else {
            return;
        };
        if authenticated {
            self.resume_or_bind(features, tools, out);
        } else if let Goal::Register(_) = self.config.goal {
            self.ask_form(tools, out);
        } else if let Some(credentials) = self.credentials.take() {
            self.authenticate(&features.mechanisms, credentials, tools, out);
        } else {
            self.state = State::AwaitingCredentials {
                mechanisms: features.mechanisms,
            };
        }
    }

    // ── SASL ────────────────────────────────────────────────────────────────────────────────────────────────────────

    fn authenticate(
        &mut self,
        offered: &[String],
        credentials: Credentials,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        out.push(Directive::Status(Status::Authenticating));
        let offered: Vec<&str> = offered.iter().map(String::as_str).collect();
        let policy = Policy {
            plain_text_allowed: self.plain_text_allowed,
            minimum: None,
        };
        let name = match choose(&offered, credentials.kind(), &policy) {
            Ok(name) => name,
            Err(error) => return self.fail(CloseReason::NoMechanism(error), out),
        };
        let nonce = token(tools.random, 32);
        match Mechanism::start(name, credentials, nonce, tools.unicode) {
            Ok((mechanism, initial)) => {
                let mut auth = Element::builder("auth", ns::SASL).attr("mechanism", name);
                if let Some(initial) = initial {
                    auth = auth.text(&sasl_text(&initial));
                }
                out.push(Directive::Send(auth.build()));
                self.state = State::Authenticating { mechanism };
            }
            Err(error) => self.fail(CloseReason::Sasl(error), out),
        }
    }

    fn handle_sasl(&mut self, element: &Element, _tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        let State::Authenticating { mechanism } = &mut self.state else {
            return;
        };
        let text = element.text();
        let data = match text.trim() {
            "" => None,
            "=" => Some(Vec::new()),
            data => match base64::decode(data) {
                Some(data) => Some(data),
                None => {
                    let reason = CloseReason::PeerMisbehaved("SASL data that is not base64");
                    return self.fail(reason, out);
                }
            },
        };
        match element.name() {
            "challenge" => match mechanism.handle_challenge(&data.unwrap_or_default()) {
                Ok(response) => {
                    let element = Element::builder("response", ns::SASL)
                        .text(&base64::encode(&response))
                        .build();
                    out.push(Directive::Send(element));
                }
                Err(error) => self.fail(CloseReason::Sasl(error), out),
            },
            "success" => match mechanism.handle_success(data.as_deref()) {
                Ok(()) => {
                    self.state = State::AwaitingFeatures {
                        authenticated: true,
                    };
                    out.push(Directive::Restart);
                }
                Err(error) => self.fail(CloseReason::Sasl(error), out),
            },
            "failure" => {
                let condition = element
                    .children()
                    .find(|child| child.name() != "text")
                    .map_or_else(
                        || "not-authorized".to_owned(),
                        |child| child.name().to_owned(),
                    );
                let text = element
                    .child_text("text", ns::SASL)
                    .or_else(|| mechanism.reason().map(str::to_owned));
                self.fail(CloseReason::AuthFailed { condition, text }, out);
            }
            _ => {}
        }
    }

    // ── resuming ────────────────────────────────────────────────────────────────────────────────────────────────────

    fn resume_or_bind(
        &mut self,
        features: Features,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        self.stream_management = features.stream_management;
        match self.resumption.take() {
            Some(resumption) if features.stream_management => {
                let resume = Element::builder("resume", ns::STREAM_MANAGEMENT)
                    .attr("h", &decimal(u64::from(resumption.h)))
                    .attr("previd", &resumption.previd)
                    .build();
                out.push(Directive::Send(resume));
                self.state = State::Resuming { features };
            }
            _ => self.bind(&features, tools, out),
        }
    }

    fn handle_resumption(
        &mut self,
        element: &Element,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        let State::Resuming { features } = &mut self.state else {
            return;
        };
        let features = core::mem::take(features);
        match element.name() {
            "resumed" => {
                self.state = State::Established;
                out.push(Directive::Resumed(element.clone()));
            }
            "failed" => {
                out.push(Directive::ResumeFailed(element.clone()));
                self.bind(&features, tools, out);
            }
            _ => self.state = State::Resuming { features },
        }
    }

    // ── binding ─────────────────────────────────────────────────────────────────────────────────────────────────────

    fn bind(&mut self, features: &Features, tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        if !features.bind {
            let reason = CloseReason::PeerMisbehaved("no resource binding after login");
            return self.fail(reason, out);
        }
        out.push(Directive::Status(Status::Binding));
        let mut bind = Element::builder("bind", ns::BIND);
        if let Some(resource) = &self.config.resource {
            bind = bind.element("resource", ns::BIND, |element| element.text(resource));
        }
        let id = self.request(iq::request(Kind::Set, None, bind.build()), tools, out);
        self.state = State::Binding {
            id,
            session_required: features.session_required,
        };
    }

    /// Sends an iq and returns its id.
    fn request(&self, request: Element, tools: &mut Tools<'_>, out: &mut Vec<Directive>) -> String {
        let id = tools.ids.next_id();
        out.push(Directive::Send(request.with_attr("id", &id)));
        id
    }

    fn handle_iq(&mut self, reply: &Element, tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        let expected = match &self.state {
            State::Binding { id, .. }
            | State::OpeningSession { id, .. }
            | State::AskingForm { id }
            | State::Registering { id } => id,
            _ => return,
        };
        if reply.attr("id") != Some(expected.as_str()) {
            return;
        }
        let failed = match reply.attr("type") {
            Some("result") => None,
            Some("error") => Some(Box::new(StanzaError::parse(reply))),
            _ => return,
        };
        match core::mem::replace(&mut self.state, State::Closed) {
            State::Binding {
                session_required, ..
            } => match failed {
                Some(error) => self.fail(CloseReason::BindFailed(error), out),
                None => self.handle_bound(reply, session_required, tools, out),
            },
            State::OpeningSession { jid, .. } => match failed {
                Some(error) => self.fail(CloseReason::BindFailed(error), out),
                None => self.establish(jid, out),
            },
            State::AskingForm { .. } => match failed {
                Some(error) => self.fail(
                    CloseReason::Registration(RegistrationFailure::Refused(error)),
                    out,
                ),
                None => self.handle_form(reply, tools, out),
            },
            State::Registering { .. } => match failed {
                Some(error) => self.fail(
                    CloseReason::Registration(RegistrationFailure::Refused(error)),
                    out,
                ),
                None => {
                    self.close();
                    out.push(Directive::Registered);
                }
            },
            other => self.state = other,
        }
    }

    fn handle_bound(
        &mut self,
        reply: &Element,
        session_required: bool,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        let jid = reply
            .child("bind", ns::BIND)
            .and_then(|bind| bind.child_text("jid", ns::BIND))
            .and_then(|jid| Jid::parse(jid.trim(), tools.unicode).ok())
            .filter(|jid| !jid.is_bare());
        let Some(jid) = jid else {
            let reason = CloseReason::PeerMisbehaved("a binding without a full JID");
            return self.fail(reason, out);
        };
        if session_required {
            let session = Element::builder("session", ns::SESSION).build();
            let id = self.request(iq::request(Kind::Set, None, session), tools, out);
            self.state = State::OpeningSession { id, jid };
        } else {
            self.establish(jid, out);
        }
    }

    fn establish(&mut self, jid: Jid, out: &mut Vec<Directive>) {
        self.state = State::Established;
        out.push(Directive::Established(jid));
    }

    // ── registration ────────────────────────────────────────────────────────────────────────────────────────────────

    fn ask_form(&mut self, tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        if !self.plain_text_allowed {
            return self.fail(CloseReason::PlainTextRegistration, out);
        }
        // The stream feature is optional and often left out where registration works: asking is the test (XEP-0077 §8).
        let domain = self.config.domain.clone();
        let id = self.request(register::fields(Some(&domain)), tools, out);
        self.state = State::AskingForm { id };
    }

    fn handle_form(&mut self, reply: &Element, tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        let Goal::Register(account) = &self.config.goal else {
            return;
        };
        let Some(requirements) = register::Requirements::parse(reply) else {
            let reason = CloseReason::PeerMisbehaved("a registration form that is none");
            return self.fail(reason, out);
        };
        match requirements.answer(Some(&self.config.domain), account) {
            Ok(request) => {
                let id = self.request(request, tools, out);
                self.state = State::Registering { id };
            }
            Err(error) => self.fail(
                CloseReason::Registration(RegistrationFailure::Unanswered(error)),
                out,
            ),
        }
    }
}

/// RFC 6120 §6.4.2: an empty initial response is `=`.
fn sasl_text(data: &[u8]) -> String {
    if data.is_empty() {
        "=".to_owned()
    } else {
        base64::encode(data)
    }
}
