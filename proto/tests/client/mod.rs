//! The whole client over a byte channel: routing, own presence and capabilities, requests, feeds, and the step of a new session.

mod capabilities;
mod feeds;
mod requests;
mod restoring;
mod rooms;
mod routing;

use crate::support::channel::{ClientDialogue, client_config};
use epode_proto::client::ClientEvent;

/// Logged in, with initial presence sent.
fn present() -> ClientDialogue {
    let mut dialogue = ClientDialogue::online(client_config(), "");
    dialogue.play("+0s\nC: <presence/>");
    dialogue
}

/// Events are plain data that could be sent to another thread.
#[test]
fn events_do_not_borrow() {
    fn is_plain<T: Clone + 'static>() {}
    is_plain::<ClientEvent>();
}
