//! Events that a client reports, and outputs that its shell carries out.

use super::restoring::{ParticipantId, StepId};
use super::watches::{WatchId, Watched};
use crate::connection::SendError;
use crate::event::{Delivery, IqId, RequestFailure, SendId, Status};
use crate::handler::HandlerId;
use crate::io::{DerivationId, Transmit};
use crate::sasl::Derivation;
use crate::time::Instant;
use crate::xep::muc::{CommandError, CommandId, RoomEvent, RoomId};
use crate::xep::pubsub::feed::Change;
use crate::xep::pubsub::owner::Approval;
use crate::xep::pubsub::subscriptions::FeedId;
use crate::xml::{Element, Unreadable};
use std::rc::Rc;

/// An event of the client.
#[derive(Clone, Debug)]
pub enum ClientEvent {
    /// The state of the connection changed.
    Status(Status),
    /// A login begins: answer with `Input::Credentials`, now or later.
    CredentialsWanted,
    /// The remembered facts about the services changed: store `Connection::memory`.
    Learned,
    /// The account was registered.
    Registered,
    /// A new session has begun. What these participants send with [`Client::send_restoring`](super::Client::send_restoring)
    /// is sent before the outbox; each participant ends its part with [`Client::finish_part`](super::Client::finish_part).
    SessionStep {
        /// The id of the step.
        step: StepId,
        /// The participants of the step.
        participants: Vec<ParticipantId>,
    },
    /// A stanza for these handlers, in the order in which they were added. A handler that was removed meanwhile gets nothing.
    Stanza {
        /// The stanza. It keeps the whole received body alive: detach or pack it if you keep it.
        stanza: Element,
        /// The matching handlers; at least one.
        handlers: Vec<HandlerId>,
    },
    /// A request of the caller is settled.
    Reply {
        /// The id of the request.
        request: IqId,
        /// The reply of type `result`, or the reason why there is none.
        outcome: Result<Element, RequestFailure>,
    },
    /// Delivery of a stanza that the caller sent.
    Settled {
        /// The id of the stanza.
        send: SendId,
        /// The delivery.
        delivery: Delivery,
    },
    /// A stanza of the caller or the client was not delivered, or its delivery is unknown.
    Undelivered {
        /// The stanza.
        stanza: Element,
        /// The delivery.
        delivery: Delivery,
    },
    /// A subscribed node changed.
    Feed {
        /// The id of the feed.
        feed: FeedId,
        /// The change.
        change: Box<Change>,
    },
    /// A feed ended: the connection is offline, or a [`Change`] reported the reason. The last event of this feed.
    FeedEnded {
        /// The id of the feed.
        feed: FeedId,
        /// The feed's last position.
        position: Option<String>,
    },
    /// A room reported an event.
    Room {
        /// The id of the visit.
        room: RoomId,
        /// The event.
        event: Box<RoomEvent>,
    },
    /// A `join`, `leave_room` or `set_nick` has ended. Each is reported exactly once, unless it was abandoned.
    RoomCommand {
        /// The id of the command.
        command: CommandId,
        /// The result.
        outcome: Result<(), CommandError>,
    },
    /// The stanza of a room command could not be sent.
    RoomUnsent {
        /// The id of the command.
        command: CommandId,
        /// Why the stanza was not sent.
        error: SendError,
    },
    /// Delivery of a message to a room.
    RoomDelivery {
        /// The command that sent it.
        command: CommandId,
        /// The delivery.
        delivery: Delivery,
    },
    /// A visit to a room ended. The last event of this visit.
    RoomClosed {
        /// The id of the visit.
        room: RoomId,
        /// Our nick at the end.
        nick: String,
    },
    /// An account published an event about itself (XEP-0163).
    Personal {
        /// The matching watches.
        watches: Vec<WatchId>,
        /// The event.
        watched: Box<Watched>,
    },
    /// A service asks the owner to approve a subscription (XEP-0060 §8.6).
    ApprovalAsked {
        /// The matching watches.
        watches: Vec<WatchId>,
        /// The service that asks.
        service: String,
        /// The request.
        approval: Box<Approval>,
    },
    /// A problem that settles no command of the caller.
    Notice(Notice),
    /// An element was given to the transport; only while tapped. Secrets are masked.
    Sent(Rc<str>),
    /// An element arrived; only while tapped. Secrets are masked.
    Received(Rc<str>),
}

/// A problem that settles no command.
#[derive(Clone, Debug)]
pub enum Notice {
    /// An event names a subscribed node, but was not sent by the node's service. It was ignored.
    ForeignEvent {
        /// The sender.
        from: String,
        /// The named node.
        node: String,
        /// The message.
        stanza: Element,
    },
    /// Unreadable input: counted as received, then discarded.
    Unreadable(Unreadable),
    /// More than 1,000 stanzas arrived before the first handler was added; the oldest were discarded.
    BacklogFull,
    /// A participant of the restore step did not finish in time; the outbox was released.
    StepTimedOut {
        /// The participants that did not finish.
        participants: Vec<ParticipantId>,
        /// The rooms that did not answer.
        rooms: Vec<RoomId>,
    },
}

/// One step of [`Client::poll_output`](super::Client::poll_output). [`ClientOutput::Timeout`] is always the last.
#[derive(Clone, Debug)]
pub enum ClientOutput {
    /// An action for the network.
    Transmit(Transmit),
    /// An event for the caller.
    Event(ClientEvent),
    /// A derivation to compute in the background; answer with [`Input::Derived`](crate::io::Input::Derived).
    Derive {
        /// The id for the answer.
        id: DerivationId,
        /// The derivation.
        derivation: Derivation,
    },
    /// No output until an input or this time, when `handle_timeout` is due.
    Timeout(Option<Instant>),
}
