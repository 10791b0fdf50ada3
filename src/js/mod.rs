//! The boundary: what the surface calls (`core::Core`; `stream::StreamCore`, `sasl::SaslCore` and `retry::RetryCore` in the
//! module of the feature `stream`), and [`sink::Sink`], which the module calls. Every call is typed and named; one call for each event.
//! No decision is made here: `epode_proto` implements the protocol, and TypeScript (pkg-template/src) defines the objects.
//!
//! Two rules everywhere: methods take `&self`, and no `RefCell` is borrowed while JavaScript is called.

#[cfg(feature = "client")]
mod client_settings;
#[cfg(feature = "client")]
pub mod core;
mod crossing;
#[cfg(feature = "client")]
mod failures;
#[cfg(feature = "client")]
mod feeds;
pub mod jid;
mod listener;
mod problems;
#[cfg(feature = "stream")]
pub mod retry;
#[cfg(feature = "client")]
mod rooms;
#[cfg(feature = "stream")]
pub mod sasl;
pub mod settings;
#[cfg(feature = "client")]
pub mod shell;
pub mod sink;
#[cfg(feature = "stream")]
pub mod stream;
#[cfg(feature = "client")]
mod telling;

use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str =
    r#"import type { Settings, Sink, StreamSettings, StreamSink } from "./core.js";"#;
