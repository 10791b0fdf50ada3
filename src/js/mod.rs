//! The boundary: [`core::Core`], which the surface calls, and [`sink::Sink`], which the module calls. Every call is
//! typed and named; one call for each event. No decision is made here: `epode_proto` implements the protocol, and
//! TypeScript (pkg-template/src) defines the objects.
//!
//! Two rules everywhere: methods take `&self`, and no `RefCell` is borrowed while JavaScript is called.

pub mod core;
mod crossing;
mod feeds;
mod problems;
mod retry;
mod rooms;
mod sasl;
pub mod settings;
pub mod shell;
pub mod sink;
mod stream;
mod telling;

use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str =
    r#"import type { Settings, Sink, StreamSettings, StreamSink } from "./core.js";"#;
