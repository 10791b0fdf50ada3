//! The WebAssembly module of the npm package `epode`: the XMPP client for web pages.
//!
//! The protocol itself is the crate [`epode_proto`], without IO, clock, randomness or JavaScript. On top of it stand
//! `web`, the browser shell, which knows no XMPP, and `js`, the surface that pages see (see `ARCHITECTURE.md`).

#[cfg(target_family = "wasm")]
pub mod js;
#[cfg(target_family = "wasm")]
pub mod web;
