//! The surface that pages see: the only floor with JavaScript values in a signature. One exported class per file.
//!
//! Two rules everywhere: methods take `&self`, and no `RefCell` is borrowed while JavaScript is called.

pub mod client;
mod error;
pub mod feed;
mod form;
pub mod held;
mod inner;
pub mod item;
mod keep;
pub mod listeners;
mod login;
pub mod muc;
pub mod node_views;
pub mod nodes;
mod object;
mod options;
mod promise;
pub mod pubsub;
mod reader;
mod reading;
pub mod register;
pub mod registration;
mod requests;
pub mod room;
mod rooms;
pub mod stanza;
mod telling;
mod views;
mod watches;

use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");
