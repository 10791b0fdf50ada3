//! The boundary: [`core::Core`], which the surface calls, and [`sink::Sink`], which is called. Typed and named, one call an event. Nothing
//! here decides anything: the protocol is `epode_proto`'s, the shape of objects TypeScript's (pkg-template/src).
//!
//! Two rules everywhere: methods take `&self`, and no `RefCell` is borrowed while JavaScript is called.

pub mod core;
mod feeds;
mod problems;
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
