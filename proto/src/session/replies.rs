//! The session's own requests, and their replies: by id and by sender (RFC 6120 §8.1.2.1).

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
        let failed = match reply.attr("type") {
            Some("result") => None,
            Some("error") => Some(Box::new(StanzaError::parse(reply))),
            _ => return,
        };
        match core::mem::replace(&mut self.state, State::Closed) {
            State::Binding {
                session_required,
                ahead,
                ..
            } => match failed {
                Some(error) => self.fail(CloseReason::BindFailed(error), out),
                None => self.handle_bound(reply, session_required, ahead, tools, out),
            },
            State::OpeningSession { jid, .. } => match failed {
                Some(error) => self.fail(CloseReason::BindFailed(error), out),
                None => self.establish(jid, None, out),
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

    /// Whether a reply comes from the server that we log in to (RFC 6120 §8.1.2.1): without `from`, from the domain, or from the
    /// account. Once a resource is bound, strangers can send stanzas of any id.
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
                // Which account it is may only be known from this very reply.
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
