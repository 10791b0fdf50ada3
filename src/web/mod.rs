//! The browser shell: network, timers, clock, randomness, Unicode. Knows no XMPP: bytes, text and names of exchanges.
//!
//! Works in a page, a worker, a service worker and Node: nothing here needs a `window` or a DOM.

pub mod address;
mod alarm;
mod allocator;
pub mod clock;
pub mod derive;
#[cfg(feature = "client")]
pub mod driver;
pub mod entropy;
mod global;
pub mod http;
#[cfg(feature = "client")]
pub mod keeper;
mod lifecycle;
#[cfg(feature = "client")]
mod lock;
mod network;
pub mod platform;
pub mod race;
#[cfg(feature = "stream")]
pub mod raw_driver;
pub mod retry_driver;
pub mod run_loop;
mod socket;
#[cfg(feature = "client")]
mod storage;
pub mod unicode;

pub use global::{is_hidden, next_task};
