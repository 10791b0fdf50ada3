//! The surface that pages see: the only floor with JavaScript values in a signature. One exported class per file.
//!
//! Two rules everywhere: methods take `&self`, and no `RefCell` is borrowed while JavaScript is called.

pub mod client;
mod error;
pub mod feed;
mod form;
pub mod held;
pub mod item;
mod keep;
pub mod listeners;
pub mod muc;
pub mod nodes;
mod object;
mod options;
mod promise;
pub mod pubsub;
pub mod register;
pub mod registration;
pub mod room;
mod rooms;
pub mod stanza;
mod views;
mod watches;

use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");
