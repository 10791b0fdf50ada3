//! What a client reports, and what it wants from its shell.

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

/// Something happened.
#[derive(Clone, Debug)]
pub enum ClientEvent {
    /// The state of the connection changed.
    Status(Status),
    /// A login begins: answer with `Input::Credentials`, now or later.
    CredentialsWanted,
    /// What is remembered of the services changed: `Connection::memory`.
    Learned,
    /// The account was made.
    Registered,
    /// A new session has begun. What these participants send with [`Client::send_restoring`](super::Client::send_restoring)
    /// goes before what was kept; each ends its part with [`Client::finish_part`](super::Client::finish_part).
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
        /// The reply of type `result`, or why there is none.
        outcome: Result<Element, RequestFailure>,
    },
    /// What became of a stanza that the caller sent.
    Settled {
        /// Which.
        send: SendId,
        /// What is known.
        delivery: Delivery,
    },
    /// A stanza, the caller's or the client's own, was not delivered, or nobody knows whether it was.
    Undelivered {
        /// The stanza.
        stanza: Element,
        /// What is known.
        delivery: Delivery,
    },
    /// Something changed in a subscribed node.
    Feed {
        /// Which feed.
        feed: FeedId,
        /// What.
        change: Box<Change>,
    },
    /// A feed is over: the connection is offline, or a [`Change`] told why. Nothing follows for it.
    FeedEnded {
        /// Which feed.
        feed: FeedId,
        /// Where it stood.
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
    /// The stanza of a room's command could not be sent.
    RoomUnsent {
        /// Which.
        command: CommandId,
        /// Why.
        error: SendError,
    },
    /// What became of a message to a room.
    RoomDelivery {
        /// The command that sent it.
        command: CommandId,
        /// What is known.
        delivery: Delivery,
    },
    /// A visit to a room is over. Nothing follows for it.
    RoomClosed {
        /// Which visit.
        room: RoomId,
        /// Our nick at the end.
        nick: String,
    },
    /// An account published something about itself (XEP-0163).
    Personal {
        /// Who watches for it.
        watches: Vec<WatchId>,
        /// What.
        watched: Box<Watched>,
    },
    /// A service asks whether somebody may subscribe (XEP-0060 §8.6).
    ApprovalAsked {
        /// Who watches for it.
        watches: Vec<WatchId>,
        /// The service that asks.
        service: String,
        /// What it asks.
        approval: Box<Approval>,
    },
    /// Something went wrong that settles no promise of the caller's.
    Notice(Notice),
    /// An element was given to the transport; only while tapped. Secrets are masked.
    Sent(Rc<str>),
    /// An element arrived; only while tapped. Secrets are masked.
    Received(Rc<str>),
}

/// Something went wrong that settles nothing.
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
    /// Something came that cannot be read: it counts as received and is lost.
    Unreadable(Unreadable),
    /// More than 1,000 stanzas came before there was a handler: the oldest were dropped.
    BacklogFull,
    /// A participant of a new session's step did not finish in time; what was kept was released.
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
    /// To be computed beside everything else, to be answered by [`Input::Derived`](crate::io::Input::Derived).
    Derive {
        /// Under which name to answer.
        id: DerivationId,
        /// What to compute.
        derivation: Derivation,
    },
    /// Nothing more for now: call `handle_timeout` at that time, if any.
    Timeout(Option<Instant>),
}
