//! Rooms (XEP-0045) in the simulation: a service with several rooms behind both ways in, other occupants that follow a script,
//! and what the page does in rooms. What must hold is in `judge.rs`.

mod figures;
mod judge;
mod kind;
mod page;
mod pings;
mod plan;
mod robots;
mod room;
mod service;
mod stanzas;

pub use figures::Figures;
pub use judge::RoomJudge;
pub use page::PageRooms;
pub use plan::{Plan, RoomAct};
pub use room::{Desk, EPOCH};
pub use service::{Letter, MucService, is_for_rooms, is_from_rooms};
