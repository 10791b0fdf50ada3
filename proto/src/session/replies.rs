//! The session's own requests and their replies, matched by id and sender (RFC 6120 §8.1.2.1).

use super::{Directive, Session, State, Tools};
use crate::error::{CloseReason, RegistrationFailure};
use crate::iq::is_from_own_side;
use crate::jid::Jid;
use crate::stanza::StanzaError;
use crate::xml::Element;

impl Session {
    pub(super) fn handle_iq(
        &mut self,
        reply: &Element,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        let expected = match &self.state {
            State::Binding { id, .. }
            | State::OpeningSession { id, .. }
            | State::AskingForm { id }
            | State::Registering { id } => id,
            _ => return,
        };
        if reply.attr("id") != Some(expected.as_str()) || !self.is_from_server(reply, tools) {
            return;
        }
        match reply.attr("type") {
            Some("result") => self.handle_result(reply, tools, out),
            Some("error") => {
                let error = Box::new(StanzaError::parse(reply));
                let reason = match self.state {
                    State::AskingForm { .. } | State::Registering { .. } => {
                        CloseReason::Registration(RegistrationFailure::Refused(error))
                    }
                    _ => CloseReason::BindFailed(error),
                };
                self.fail(reason, out);
            }
            _ => {}
        }
    }

    /// Handles the result of the request that the session waits for.
    fn handle_result(&mut self, reply: &Element, tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        match &self.state {
            State::Binding {
                session_required,
                pipelined,
                ..
            } => self.handle_bound(reply, *session_required, *pipelined, tools, out),
            State::OpeningSession { jid, .. } => self.establish(jid.clone(), None, out),
            State::AskingForm { .. } => self.handle_form(reply, tools, out),
            State::Registering { .. } => {
                self.close();
                out.push(Directive::Registered);
            }
            _ => {}
        }
    }

    /// Whether a reply comes from the server of the login (RFC 6120 §8.1.2.1): without `from`, from the domain, or from
    /// the account. Once a resource is bound, strangers can send stanzas with any id.
    fn is_from_server(&self, reply: &Element, tools: &Tools<'_>) -> bool {
        let Some(from) = reply.attr("from") else {
            return true;
        };
        let Ok(from) = Jid::parse(from, tools.unicode) else {
            return false;
        };
        if let State::OpeningSession { jid, .. } = &self.state
            && is_from_own_side(reply, Some(jid), tools.unicode)
        {
            return true;
        }
        let account = self.config.account.as_deref();
        from.domain() == self.config.domain
            && match from.local() {
                None => from.is_bare(),
                // The account may only become known with this reply.
                Some(_) => account.is_none_or(|account| from.bare().as_str() == account),
            }
    }

    /// Sends an iq and returns its id.
    pub(super) fn request(
        &self,
        request: Element,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) -> String {
        let id = tools.ids.next_id();
        out.push(Directive::Send(request.with_attr("id", &id)));
        id
    }
}
