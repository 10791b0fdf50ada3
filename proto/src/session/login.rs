//! RFC 6120 §6 and XEP-0388: authenticates the client to the server and the server to the client.
//!
//! XEP-0388 is preferred if the server offers both profiles: it saves the restart, and binding and resuming travel with
//! it. A token of an earlier login (XEP-0484) is used before credentials are requested. Left out: tasks after
//! `<continue/>`; the invalidation of tokens (it takes a separate login).

use super::mechanisms::blames_mechanism;
use super::{Directive, Session, State, Tools, wipe};
use crate::error::CloseReason;
use crate::event::Status;
use crate::jid::Jid;
use crate::ns;
use crate::random::token;
use crate::sasl::wire::{SaslElement, auth};
use crate::sasl::{Credentials, CredentialsKind, HT_SHA_256_NONE, Mechanism};
use crate::sasl2::{self, Granted, Offer};
use crate::stream::features::Features;
use crate::xml::Element;

impl Session {
    // ── start ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Called while the stream is being opened: sends early what is known and asks the page for credentials.
    pub(super) fn prepare(&mut self, tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        if !self.has_token() {
            out.push(Directive::WantCredentials);
        } else if self.pipelining
            && let Some(offer) = self.memory.sasl2.clone().filter(|offer| offer.tokens)
        {
            self.pipelined = true;
            self.show_token(&offer, tools, out);
        }
    }

    /// Whether only credentials are missing for sending the first SASL message early.
    pub fn awaits_early_credentials(&self) -> bool {
        matches!(self.state, State::Greeting)
            && !self.has_token()
            && self.early_mechanism().is_some()
    }

    /// Whether there is a token that may be used on this stream.
    fn has_token(&self) -> bool {
        self.memory.token.is_some() && self.tokens_allowed
    }

    /// The page's answer to [`Directive::WantCredentials`].
    pub fn handle_credentials(
        &mut self,
        credentials: Option<Credentials>,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        match (&mut self.state, credentials) {
            (State::Greeting | State::AwaitingCredentials { .. }, None) => {
                self.fail(CloseReason::NoCredentials, out);
            }
            (State::AwaitingCredentials { features }, Some(credentials)) => {
                let features = core::mem::take(features);
                self.authenticate(features, credentials, tools, out);
            }
            (State::Greeting, Some(credentials)) => {
                let early = self.early_mechanism();
                match early.filter(|name| credentials.kind().can_use(name)) {
                    Some(name) => {
                        self.pipelined = true;
                        let offer = self.memory.sasl2.clone();
                        self.log_in(name, offer.as_ref(), credentials, tools, out);
                    }
                    None => self.credentials = Some(credentials),
                }
            }
            // The login has continued or ended: the credentials are not needed.
            _ => {}
        }
    }

    /// Handles the offered mechanisms if nothing was sent early.
    pub(super) fn handle_offer(
        &mut self,
        features: Features,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        if self.has_token() {
            let offer = features.sasl2.clone().filter(|offer| offer.tokens);
            match offer {
                Some(offer) => {
                    self.offered = Some(features);
                    self.show_token(&offer, tools, out);
                }
                None => {
                    self.enter(State::AwaitingCredentials { features });
                    out.push(Directive::WantCredentials);
                }
            }
        } else if let Some(credentials) = self.credentials.take() {
            self.authenticate(features, credentials, tools, out);
        } else {
            self.enter(State::AwaitingCredentials { features });
        }
    }

    pub(super) fn authenticate(
        &mut self,
        features: Features,
        credentials: Credentials,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        self.report_stage(2, Status::Authenticating, out);
        match self.best(&features, credentials.kind()) {
            Ok(name) => {
                self.memory.settled = true;
                self.memory.reads_apart |= self.framed && features.reads_apart;
                let is_name = |offered: &String| offered == name;
                let otherwise = features.mechanisms.iter().any(is_name);
                let wanted = |offer: &Offer| {
                    let sound = self.pipelining && (self.framed || !offer.flawed);
                    (sound || !otherwise) && offer.mechanisms.iter().any(is_name)
                };
                let offer = features.sasl2.clone().filter(wanted);
                // It is not known yet whether the server supports XEP-0388 as it offers it.
                self.pipelined |= otherwise && offer.is_some() && self.remembered.sasl2.is_none();
                self.offered = Some(features);
                self.log_in(name, offer.as_ref(), credentials, tools, out);
            }
            Err(error) => self.fail(CloseReason::NoMechanism(error), out),
        }
    }

    /// Starts the login with that mechanism, in XEP-0388's profile if the server offers it.
    fn log_in(
        &mut self,
        name: &'static str,
        offer: Option<&Offer>,
        credentials: Credentials,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        self.report_stage(2, Status::Authenticating, out);
        // The server may turn out not to support this mechanism: another one then needs the credentials.
        self.retained =
            (credentials.kind() == CredentialsKind::Password).then(|| credentials.clone());
        let nonce = token(tools.random, 32);
        let (mechanism, initial) = match Mechanism::start(name, credentials, nonce, tools.unicode) {
            Ok(begun) => begun,
            Err(error) => return self.fail(CloseReason::Sasl(error), out),
        };
        let (profile, element) = match offer {
            Some(offer) => {
                let initial = initial.as_deref();
                let element = self.compose(name, initial, offer, false, tools);
                (ns::SASL2, element)
            }
            None => (ns::SASL, auth(name, initial.as_deref())),
        };
        out.push(Directive::Send(element));
        self.enter(State::Authenticating {
            mechanism,
            profile,
            next: None,
            awaited: None,
        });
    }

    fn show_token(&mut self, offer: &Offer, tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        self.report_stage(2, Status::Authenticating, out);
        let Some((username, token)) = &self.memory.token else {
            return;
        };
        match Mechanism::start_token(username, token.secret.clone()) {
            Ok((mechanism, initial)) => {
                let name = mechanism.name();
                let element = self.compose(name, Some(&initial), offer, true, tools);
                out.push(Directive::Send(element));
                self.enter(State::Authenticating {
                    mechanism,
                    profile: ns::SASL2,
                    next: None,
                    awaited: None,
                });
            }
            Err(_) => self.drop_token(out),
        }
    }

    /// Builds `<authenticate/>` with every element that may travel in it.
    fn compose(
        &mut self,
        name: &str,
        initial: Option<&[u8]>,
        offer: &Offer,
        is_token: bool,
        tools: &mut Tools<'_>,
    ) -> Element {
        let mut inline = Vec::new();
        if self.framed && offer.resume {
            inline.extend(self.resume());
        }
        // Binding with XEP-0386 lets the server choose the resource, so a resource chosen by the page is bound
        // separately. A session that may be resumed must be refused before another one is bound.
        let resumes_later = inline.is_empty() && self.resumption.is_some();
        if offer.bind && self.config.resource.is_none() && !resumes_later {
            let manage = self.framed && self.manage && offer.enable;
            let enable = manage.then(|| {
                Element::builder("enable", ns::STREAM_MANAGEMENT)
                    .attr("resume", "true")
                    .build()
            });
            inline.push(sasl2::bind(enable));
        }
        if is_token {
            inline.push(sasl2::use_token());
        } else if offer.tokens && self.tokens_allowed && self.config.account.is_some() {
            inline.push(sasl2::request_token());
        }
        let agent = offer.tokens.then(|| self.memory.agent(tools.random));
        sasl2::authenticate(name, initial, agent.as_deref(), inline)
    }

    // ── SASL elements ───────────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn handle_sasl(
        &mut self,
        element: &Element,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        let State::Authenticating {
            mechanism,
            profile,
            next,
            ..
        } = &mut self.state
        else {
            return;
        };
        if element.ns() != *profile {
            return;
        }
        match SaslElement::read(element) {
            None => {}
            Some(SaslElement::Garbled) => {
                let reason = CloseReason::PeerMisbehaved("SASL data that is not base64");
                self.fail(reason, out);
            }
            Some(SaslElement::Challenge(_)) if next.is_some() => {
                let reason = CloseReason::PeerMisbehaved("a challenge when all was said");
                self.fail(reason, out);
            }
            Some(SaslElement::Challenge(data)) => self.handle_challenge(&data, tools, out),
            Some(SaslElement::Success(data)) => match mechanism.handle_success(data.as_deref()) {
                Ok(()) => {
                    wipe(&mut self.retained);
                    if let Some(keys) = &mut self.keys {
                        mechanism.keep_keys(keys);
                    }
                    if mechanism.name() != HT_SHA_256_NONE {
                        self.memory.mechanism = Some(mechanism.name());
                    }
                    let next = next.take();
                    self.handle_success(element, next, tools, out);
                }
                Err(error) => self.fail(CloseReason::Sasl(error), out),
            },
            Some(SaslElement::Continue(tasks)) => {
                let reason = CloseReason::AuthFailed {
                    condition: "continue".to_owned(),
                    text: Some(tasks.join(", ")),
                };
                self.fail(reason, out);
            }
            Some(SaslElement::Failure { condition, text }) => {
                if mechanism.name() == HT_SHA_256_NONE {
                    return self.drop_token(out);
                }
                let name = mechanism.name();
                let text = text.or_else(|| mechanism.reason().map(str::to_owned));
                let all_said = next.is_some();
                let reason = CloseReason::AuthFailed { condition, text };
                if all_said || !blames_mechanism(&reason, name) {
                    return self.fail(reason, out);
                }
                self.try_another(name, reason, tools, out);
            }
        }
    }

    /// Sends the elements that follow a success together with the last SASL message, if pipelining is allowed: over BOSH,
    /// once a first login has shown how the server treats a restart; over WebSocket, once the server has shown that it
    /// reads each frame separately.
    ///
    /// COMPAT(Prosody 0.12, 13): frames that arrive in one read are joined before they are parsed. The new stream then
    /// opens within the parser of the old one, and the new parser takes the next stanza but one for a second root: the
    /// session ends right after it was bound. Whether frames are read together depends on timing, so one success proves
    /// nothing.
    pub(super) fn pipeline_restart(&mut self, tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        let known = match self.framed {
            true => self.memory.reads_apart,
            false => self.memory.bind_with_restart.is_some(),
        };
        if !self.pipelining || !known {
            return;
        }
        let waiting = self.pipeline_binding(tools, out);
        self.pipelined = true;
        if let State::Authenticating { next, .. } = &mut self.state {
            *next = Some(Box::new(waiting));
        }
    }

    fn handle_success(
        &mut self,
        success: &Element,
        next: Option<Box<State>>,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        if let Some(granted) = Granted::parse(success) {
            return self.handle_granted(granted, tools, out);
        }
        let next = match next {
            Some(next) => *next,
            None if self.pipelining => self.pipeline_binding(tools, out),
            None => {
                out.push(Directive::Restart { alone: true });
                State::AwaitingFeatures
            }
        };
        self.enter(next);
        if matches!(self.state, State::Binding { .. }) {
            self.report_stage(3, Status::Binding, out);
        }
    }

    /// XEP-0388: the client is authenticated, and possibly bound or resumed as well. The stream does not restart.
    fn handle_granted(
        &mut self,
        granted: Granted,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        let jid = Jid::parse(&granted.identity, tools.unicode).ok();
        let local = jid.as_ref().and_then(Jid::local);
        if let (Some(token), Some(local)) = (granted.token, local) {
            self.memory.token = Some((local.to_owned(), token));
        }
        match granted.resumption {
            Some(resumed) if resumed.name() == "resumed" && self.resumption.is_some() => {
                return self.go_on(&resumed, out);
            }
            Some(failed) if failed.name() == "failed" => {
                self.resumption = None;
                out.push(Directive::ResumeFailed(failed));
            }
            _ => {}
        }
        match (granted.bound, jid) {
            // The features of the authenticated stream follow.
            (None, _) => self.enter(State::AwaitingFeatures),
            (Some(bound), Some(jid)) if !jid.is_bare() => {
                let mut children = bound.children();
                let management = children.find(|child| child.ns() == ns::STREAM_MANAGEMENT);
                if self.framed && self.manage && management.is_none() {
                    // The features that follow (XEP-0388 §2.6.1) show whether stream management can be enabled.
                    self.enter(State::Bound { jid });
                } else {
                    self.establish(jid, management, out);
                }
            }
            _ => {
                let reason = CloseReason::PeerMisbehaved("a binding without a full JID");
                self.fail(reason, out);
            }
        }
    }

    /// XEP-0484 §4.1: a refused token is forgotten, and the login continues with another mechanism on the same stream.
    fn drop_token(&mut self, out: &mut Vec<Directive>) {
        self.memory.token = None;
        self.report_learned(out);
        let state = match self.offered.take() {
            Some(features) => State::AwaitingCredentials { features },
            None => State::Greeting,
        };
        self.enter(state);
        out.push(Directive::WantCredentials);
    }
}
