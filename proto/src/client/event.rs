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
        /// Which step.
        step: StepId,
        /// Who takes part.
        participants: Vec<ParticipantId>,
    },
    /// A stanza for these handlers, in the order in which they were added. A handler that was removed meanwhile gets nothing.
    Stanza {
        /// The stanza. It keeps the whole body that it came in: detach or pack what is kept.
        stanza: Element,
        /// At least one.
        handlers: Vec<HandlerId>,
    },
    /// A request of the caller's is settled.
    Reply {
        /// Which.
        request: IqId,
        /// The reply of type `result`, or the reason why there is none.
        outcome: Result<Element, RequestFailure>,
    },
    /// Delivery of a stanza that the caller sent.
    Settled {
        /// Which.
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
    /// Something changed in a subscribed node.
    Feed {
        /// Which feed.
        feed: FeedId,
        /// What.
        change: Box<Change>,
    },
    /// A feed ended: the connection is offline, or a [`Change`] reported the reason. The last event of this feed.
    FeedEnded {
        /// Which feed.
        feed: FeedId,
        /// The feed's last position.
        position: Option<String>,
    },
    /// Something happened in a room.
    Room {
        /// In which visit.
        room: RoomId,
        /// What.
        event: Box<RoomEvent>,
    },
    /// A `join`, `leave_room` or `set_nick` is over. Each is reported exactly once, unless it was abandoned.
    RoomCommand {
        /// Which.
        command: CommandId,
        /// How it ended.
        outcome: Result<(), CommandError>,
    },
    /// The stanza of a room command could not be sent.
    RoomUnsent {
        /// Which.
        command: CommandId,
        /// Why.
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
        /// Which visit.
        room: RoomId,
        /// Our nick at the end.
        nick: String,
    },
    /// An account published an event about itself (XEP-0163).
    Personal {
        /// Who watches for it.
        watches: Vec<WatchId>,
        /// What.
        watched: Box<Watched>,
    },
    /// A service asks the owner to approve a subscription (XEP-0060 §8.6).
    ApprovalAsked {
        /// Who watches for it.
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
        /// Who sent it.
        from: String,
        /// The node it names.
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
        /// Those that did not finish.
        participants: Vec<ParticipantId>,
        /// The rooms that did not answer.
        rooms: Vec<RoomId>,
    },
}

/// One step of [`Client::poll_output`](super::Client::poll_output). [`ClientOutput::Timeout`] is always the last.
#[derive(Clone, Debug)]
pub enum ClientOutput {
    /// For the network.
    Transmit(Transmit),
    /// For the caller.
    Event(ClientEvent),
    /// A derivation to compute in the background; answer with [`Input::Derived`](crate::io::Input::Derived).
    Derive {
        /// Under which name to answer.
        id: DerivationId,
        /// What to compute.
        derivation: Derivation,
    },
    /// No output until an input or this time, when `handle_timeout` is due.
    Timeout(Option<Instant>),
}
