//! RFC 6120 §7 and XEP-0198 §5: resumes the former session or binds a resource on the authenticated stream.

use super::{Directive, Session, State, Tools};
use crate::error::CloseReason;
use crate::event::Status;
use crate::jid::Jid;
use crate::ns;
use crate::stanza::iq::{self, IqType};
use crate::stream::features::Features;
use crate::xml::Element;

impl Session {
    /// Requests the authenticated stream and, before its features arrive, a session on it. Returns the state that waits
    /// for the reply. Only called if pipelining is allowed.
    pub(super) fn pipeline_binding(
        &mut self,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) -> State {
        // COMPAT(ejabberd): over BOSH, elements that travel with a restart are not read (XEP-0206 §5 forbids them).
        let alone = !self.framed && self.memory.bind_with_restart == Some(false);
        out.push(Directive::Restart { alone });
        if alone {
            return State::AwaitingFeatures;
        }
        self.pipelined = true;
        if let Some(resume) = self.resume() {
            out.push(Directive::Send(resume));
            self.resumption = None;
            return State::Resuming { features: None };
        }
        let id = self.request(self.bind_request(), tools, out);
        State::Binding {
            id,
            session_required: false,
            pipelined: true,
            greeted: false,
        }
    }

    /// `<resume/>`, if there is a session to resume.
    pub(super) fn resume(&self) -> Option<Element> {
        let resumption = self.resumption.as_ref()?;
        let resume = Element::builder("resume", ns::STREAM_MANAGEMENT)
            .attr("h", &resumption.h.to_string())
            .attr("previd", &resumption.previd);
        Some(resume.build())
    }

    fn bind_request(&self) -> Element {
        let mut bind = Element::builder("bind", ns::BIND);
        if let Some(resource) = &self.config.resource {
            bind = bind.element("resource", ns::BIND, |element| element.text(resource));
        }
        iq::request(IqType::Set, None, bind.build())
    }

    pub(super) fn resume_or_bind(
        &mut self,
        features: Features,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        self.stream_management = features.stream_management;
        match self.resume() {
            Some(resume) if features.stream_management => {
                out.push(Directive::Send(resume));
                self.resumption = None;
                self.enter(State::Resuming {
                    features: Some(features),
                });
            }
            _ => self.bind(&features, tools, out),
        }
    }

    pub(super) fn handle_resumption(
        &mut self,
        element: &Element,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        let State::Resuming { features } = &mut self.state else {
            return;
        };
        match element.name() {
            "resumed" => self.go_on(element, out),
            "failed" => {
                out.push(Directive::ResumeFailed(element.clone()));
                match features.take() {
                    Some(features) => self.bind(&features, tools, out),
                    None => self.enter(State::AwaitingFeatures),
                }
            }
            _ => {}
        }
    }

    /// The former session was resumed.
    pub(super) fn go_on(&mut self, resumed: &Element, out: &mut Vec<Directive>) {
        self.enter(State::Established);
        self.learn(out);
        out.push(Directive::Resumed(resumed.clone()));
    }

    fn bind(&mut self, features: &Features, tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        if !features.bind {
            let reason = CloseReason::PeerMisbehaved("no resource binding after login");
            return self.fail(reason, out);
        }
        self.report_stage(3, Status::Binding, out);
        let id = self.request(self.bind_request(), tools, out);
        self.enter(State::Binding {
            id,
            session_required: features.session_required,
            pipelined: false,
            greeted: true,
        });
    }

    /// Called after all elements of one response were handled. Over BOSH, if the response holds the features of the new
    /// stream and no reply to the binding request that travelled with the restart, the server did not read that
    /// request: send it again under the same id.
    pub fn handle_silence(&mut self, out: &mut Vec<Directive>) {
        let State::Binding {
            id,
            pipelined: pipelined @ true,
            greeted: true,
            ..
        } = &mut self.state
        else {
            return;
        };
        if self.framed {
            return;
        }
        *pipelined = false;
        let id = id.clone();
        self.memory.bind_with_restart = Some(false);
        let request = self.bind_request().with_attr("id", &id);
        out.push(Directive::Send(request));
        out.push(Directive::Repeated(id));
    }

    pub(super) fn handle_bound(
        &mut self,
        reply: &Element,
        session_required: bool,
        pipelined: bool,
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
        if pipelined && !self.framed {
            self.memory.bind_with_restart = Some(true);
        }
        if session_required {
            let session = Element::builder("session", ns::SESSION).build();
            let id = self.request(iq::request(IqType::Set, None, session), tools, out);
            self.enter(State::OpeningSession { id, jid });
        } else {
            self.establish(jid, None, out);
        }
    }

    /// The session is bound. `management`: the server's reply about XEP-0198, if stream management was enabled with the
    /// binding.
    pub(super) fn establish(
        &mut self,
        jid: Jid,
        management: Option<Element>,
        out: &mut Vec<Directive>,
    ) {
        self.enter(State::Established);
        self.learn(out);
        out.push(Directive::Established(jid, management));
    }
}
