//! The browser shell: network, timers, clock, randomness, Unicode. Knows no XMPP: bytes, text and names of exchanges.
//!
//! Works in a page, a worker, a service worker and Node: nothing here needs a `window` or a DOM.

pub mod address;
mod alarm;
mod allocator;
pub mod clock;
pub mod derive;
pub mod driver;
pub mod entropy;
mod global;
pub mod http;
pub mod keeper;
mod lifecycle;
mod lock;
mod network;
pub mod platform;
pub mod race;
pub mod raw_driver;
pub mod retry_driver;
pub mod run_loop;
mod socket;
mod storage;
pub mod unicode;

pub use global::{is_hidden, next_task};
