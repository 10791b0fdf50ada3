//! Which handlers get a stanza, and which requests get a default reply.

use super::present;
use crate::support::channel::{ClientDialogue, client_config};

/// A stanza goes to all handlers that match, in the order in which they were added.
#[test]
fn handlers_are_called_in_order() {
    let mut dialogue = present();
    dialogue.play(
        "A: handler name=message
         A: handler type=chat
         A: handler name=presence
         W: <message type='chat' from='juliet@example.org/x' id='1'/>
         E: stanza for 0 1 <message type='chat' from='juliet@example.org/x' id='1'/>
         A: unhandle 0
         W: <message type='chat' from='juliet@example.org/x' id='2'/>
         E: stanza for 1
         W: <message from='juliet@example.org/x' id='3'/>",
    );
}

/// Stanzas before the first handler are kept for it, and for the other handlers of the same turn.
#[test]
fn stanzas_before_the_first_handler() {
    let mut dialogue = present();
    dialogue.play(
        "W: <message id='1'/>
         W: <message id='2'/>
         A: handler name=message
         E: stanza for 0 <message id='1'/>
         E: stanza for 0 <message id='2'/>
         W: <message id='3'/>
         E: stanza for 0 <message id='3'/>
         A: unhandle 0
         W: <message id='4'/>",
    );
}

/// At most 1,000 stanzas are kept, and the caller gets one notice.
#[test]
fn the_backlog_is_bounded() {
    let mut dialogue = present();
    for number in 0..1000 {
        dialogue.play(&format!("W: <message id='{number}'/>"));
    }
    dialogue.play(
        "W: <message id='1000'/>
         E: backlog full
         W: <message id='1001'/>
         A: handler id=1
         A: handler id=2
         E: ?none",
    );
}

/// The client replies to a request that no handler matches.
#[test]
fn default_replies() {
    let mut dialogue = present();
    dialogue.play(
        "W: <iq type='get' id='p' from='example.org'><ping xmlns='urn:xmpp:ping'/></iq>
         C: <iq type='result' id='p' to='example.org'/>
         W: <iq type='set' id='x' from='example.org'><what xmlns='urn:example:x'/></iq>
         C: <iq type='error' id='x' to='example.org'><error type='cancel'>
              <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
}

/// A handler that matches requests by name replaces the default reply.
#[test]
fn a_handler_replaces_the_default_reply() {
    let mut dialogue = present();
    dialogue.play(
        "A: handler name=iq type=set
         W: <iq type='set' id='x' from='example.org'><what xmlns='urn:example:x'/></iq>
         E: stanza for 0
         W: <iq type='get' id='p' from='example.org'><ping xmlns='urn:xmpp:ping'/></iq>
         C: <iq type='result' id='p' to='example.org'/>",
    );
}

/// A handler that matches everything does not replace the default reply.
#[test]
fn an_observer_does_not_replace_the_default_reply() {
    let mut dialogue = present();
    dialogue.play(
        "A: handler name=iq
         W: <iq type='get' id='p' from='example.org'><ping xmlns='urn:xmpp:ping'/></iq>
         E: stanza for 0
         C: <iq type='result' id='p' to='example.org'/>",
    );
}

/// The client runs over bytes alone: login, a message in each direction, disconnect.
#[test]
fn a_session_over_a_byte_channel() {
    let mut dialogue = ClientDialogue::online(client_config(), "");
    dialogue.play("+0s\nC: <presence/>");
    dialogue.tells_delivery = true;
    dialogue.play(
        "A: handler name=message
         A: send <message to='juliet@example.org' id='out'><body>ü</body></message>
         C: <message to='juliet@example.org' id='out'><body>ü</body></message>
         E: 1 delivered
         W: <message from='juliet@example.org/balcony' id='in'><body>ö</body></message>
         E: stanza for 0 <message from='juliet@example.org/balcony' id='in'><body>ö</body></message>
         A: disconnect
         C: <presence type='unavailable'/>
         C: <framing:close/>
         E: disconnecting
         W: <framing:close/>
         C: close
         E: offline disconnected",
    );
}
