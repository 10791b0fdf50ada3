//! XEP-0077 §3.1: registers an account on a stream before login.

use super::{Directive, Goal, Session, State, Tools};
use crate::error::{CloseReason, RegistrationFailure};
use crate::xep::register;
use crate::xml::Element;

impl Session {
    pub(super) fn ask_form(&mut self, tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        if !self.plain_text_allowed {
            return self.fail(CloseReason::PlainTextRegistration, out);
        }
        // The stream feature is optional and often absent where registration works: only a request shows it (XEP-0077
        // §8).
        let domain = self.config.domain.clone();
        let id = self.request(register::fields(Some(&domain)), tools, out);
        self.enter(State::AskingForm { id });
    }

    pub(super) fn handle_form(
        &mut self,
        reply: &Element,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
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
                self.enter(State::Registering { id });
            }
            Err(error) => self.fail(
                CloseReason::Registration(RegistrationFailure::Unanswered(error)),
                out,
            ),
        }
    }
}
