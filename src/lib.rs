//! epode: the XMPP client for web pages.
//!
//! One crate, three floors, data flowing one way (see `ARCHITECTURE.md`):
//! [`proto`] is XMPP itself, without IO, clock, randomness or JavaScript, and is tested natively;
//! `web` is the browser shell, which knows no XMPP; `js` is the surface that pages see.

pub mod proto;

#[cfg(target_family = "wasm")]
pub mod js;
#[cfg(target_family = "wasm")]
pub mod web;
