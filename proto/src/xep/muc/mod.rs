//! XEP-0045: Multi-User Chat 1.35.5, and XEP-0410: MUC Self-Ping 1.1.0. For occupants.
//!
//! Specification: XEP-0045 1.35.5, XEP-0410 1.1.0.
//!
//! [`rooms::Rooms`] is the machine: the rooms of one client, from the wish to enter to having left. [`event`] is what it reports;
//! [`occupant`] and [`departure`] describe people; [`request`] builds what is asked of a room. Left out so far: invitations, voice
//! requests, registration with a room, and what moderators, admins and owners do, except the instant room that every creator
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
