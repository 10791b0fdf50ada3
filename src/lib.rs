//! The WebAssembly module of the npm package `epode`: the XMPP client for web pages.
//!
//! The protocol is the crate [`epode_proto`], without IO, clock, randomness or JavaScript. On top of it, `web` is the
//! browser shell, which knows no XMPP, and `js` is the interface to the pages' JavaScript (see `ARCHITECTURE.md`).

#[cfg(target_family = "wasm")]
pub mod js;
#[cfg(target_family = "wasm")]
pub mod web;
