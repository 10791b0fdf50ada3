//! Presence errors from a room.

use super::ledger::PresenceRequest;
use super::{Room, Visit};
use crate::stanza::StanzaError;
use crate::xep::muc::event::{CommandError, RoomEvent};
use crate::xep::muc::rooms::RoomContext;
use crate::xml::Element;

impl Room {
    /// A refusal carries the id of the refused presence. Without an id it must come from the room itself, or from the address that
    /// the presence was sent to, if no occupant has it: an occupant can also send errors.
    pub(super) fn handle_presence_error(
        &mut self,
        shared: &mut RoomContext,
        nick: Option<&str>,
        stanza: &Element,
    ) {
        let id = stanza.attr("id");
        let refused = match id.and_then(|id| self.ledger.find(id)) {
            Some(step) => Some(step.id.clone()),
            None if id.is_some() => None,
            None => {
                let others = nick.is_some_and(|nick| self.is_known_other(nick));
                let front = self.ledger.front().filter(|_| !others);
                let front = front.filter(|step| {
                    let present = self.ledger.present.as_deref();
                    nick.is_none_or(|nick| nick == step.nick || Some(nick) == present)
                });
                front.map(|step| step.id.clone())
            }
        };
        let error = StanzaError::parse(stanza);
        let Some((before, step)) = refused.and_then(|id| self.ledger.take(&id)) else {
            return self.handle_stray_error(shared, nick, error, stanza);
        };
        self.settle_skipped(shared, before, &CommandError::TimedOut);
        match step.ask {
            PresenceRequest::Join => {
                let current = self.visit.as_ref().filter(|visit| visit.id == step.visit);
                if current.is_some_and(Visit::is_joining) {
                    self.ledger.present = None;
                    self.handle_join_refused(shared, error, stanza);
                } else if self.visit.as_ref().is_none_or(|visit| !visit.is_joined()) {
                    self.ledger.present = None;
                }
            }
            PresenceRequest::Nick(waiting) => {
                if not_in(&error) {
                    self.doubt(shared.now);
                }
                if let Some(waiting) = waiting {
                    let stanza = stanza.clone();
                    let error = CommandError::Refused { error, stanza };
                    shared.settle(waiting.command, Err(error));
                }
            }
            // A room that refuses a leave no longer lists us as an occupant.
            PresenceRequest::Leave(_) => self.handle_left(shared, vec![step]),
        }
    }

    /// Handles the refusal of another presence, for example one built by the caller.
    fn handle_stray_error(
        &mut self,
        shared: &mut RoomContext,
        nick: Option<&str>,
        error: StanzaError,
        stanza: &Element,
    ) {
        let present = self.ledger.present.as_deref();
        let Some(visit) = self.visit.as_ref().filter(|visit| visit.is_joined()) else {
            return;
        };
        // An error from another occupant's address does not concern our membership.
        if nick.is_some_and(|nick| present != Some(nick)) {
            return;
        }
        let doubtful = not_in(&error);
        shared.emit(
            visit.id,
            RoomEvent::Bounced {
                id: stanza.attr("id").map(Into::into),
                nick: None,
                error,
                stanza: stanza.clone(),
            },
        );
        if doubtful {
            self.doubt(shared.now);
        }
    }
}

/// Whether an error may mean that we are not an occupant.
pub(super) fn not_in(error: &StanzaError) -> bool {
    // The ordinary refusals: no voice, a bad message, a limit.
    !matches!(
        error.condition.as_str(),
        "forbidden" | "conflict" | "policy-violation" | "resource-constraint" | "jid-malformed"
    )
}
