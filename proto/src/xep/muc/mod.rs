//! XEP-0045: Multi-User Chat 1.35.5, and XEP-0410: MUC Self-Ping 1.1.0. For occupants.
//!
//! Specification: XEP-0045 1.35.5, XEP-0410 1.1.0.
//!
//! [`rooms::Rooms`] is the state machine: the rooms of one client, from join to leave. [`event`] has its outputs;
//! [`occupant`] and [`departure`] describe occupants; [`request`] builds the stanzas to a room. Left out: invitations, voice
//! requests, registration with a room, and the use cases of moderators, admins and owners, except the instant room that every creator
//! needs.

pub mod departure;
pub mod event;
pub mod occupant;
mod payload;
pub mod request;
pub mod room;
pub mod rooms;

pub use event::{
    CommandError, CommandId, Ended, RequestToken, RoomEvent, RoomId, RoomMessage, RoomOutput,
    RoomRefusal,
};
pub use rooms::{JoinOptions, Rooms};
