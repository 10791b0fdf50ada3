//! Rooms on a client: joining, and rejoining in a new session.

use super::present;
use crate::support::channel::ClientDialogue;

/// The room admits us: two occupants, the last one is us.
fn let_in(dialogue: &mut ClientDialogue) {
    dialogue.play(
        "W: <presence from='lobby@conference.example.org/juliet'><x xmlns='http://jabber.org/protocol/muc#user'>
              <item affiliation='member' role='participant'/></x></presence>
         W: <presence from='lobby@conference.example.org/romeo' id='$join'><x xmlns='http://jabber.org/protocol/muc#user'>
              <item affiliation='member' role='participant'/><status code='110'/></x></presence>",
    );
}

const SUBJECT: &str =
    "W: <message from='lobby@conference.example.org' type='groupchat'><subject/></message>
     E: room 1 subject";

/// In the room: visit 1, joined by command 2.
fn inside() -> ClientDialogue {
    let mut dialogue = present();
    dialogue.play("A: join romeo");
    dialogue.play("C: <presence to='lobby@conference.example.org/romeo' id='$join'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
    let_in(&mut dialogue);
    dialogue.play(SUBJECT);
    dialogue.play(
        "E: command 2 done
         E: room 1 joined",
    );
    dialogue
}

/// A stanza from the room goes to the room and to a matching handler.
#[test]
fn a_room_gets_its_messages() {
    let mut dialogue = inside();
    dialogue.play(
        "W: <message from='lobby@conference.example.org/juliet' type='groupchat' id='1'><body>hello</body></message>
         E: room 1 message of juliet: hello
         A: handler type=groupchat
         W: <message from='lobby@conference.example.org/juliet' type='groupchat' id='2'><body>there</body></message>
         E: room 1 message of juliet: there
         E: stanza for 0",
    );
}

/// In a new session the client joins again; messages sent meanwhile wait until the room has admitted it.
#[test]
fn messages_wait_for_the_room() {
    let mut dialogue = inside();
    dialogue.lose_connection();
    dialogue.play("A: say 1 kept");
    dialogue.log_in("");
    dialogue.names.set("join", "");
    dialogue.play("C: <presence/>");
    dialogue.play(JOIN_FOR_THE_REST);
    dialogue.play("E: online romeo@example.org/orchard");
    dialogue.play("+2s");
    let_in_again(&mut dialogue);
    dialogue.play(
        "C: <message to='lobby@conference.example.org' type='groupchat' id='*'><body>kept</body></message>
         E: command 3 delivered",
    );
    dialogue.play(SUBJECT);
    dialogue.play("E: room 1 rejoined");
}

const JOIN_AGAIN: &str = "C: <presence to='lobby@conference.example.org/romeo' id='$again'>
       <x xmlns='http://jabber.org/protocol/muc'/></presence>";

/// The calendar stands still; what the room said before it was asked first has come.
const JOIN_FOR_THE_REST: &str = "C: <presence to='lobby@conference.example.org/romeo' id='$again'>
       <x xmlns='http://jabber.org/protocol/muc'><history since='*'/></x></presence>";

fn let_in_again(dialogue: &mut ClientDialogue) {
    let again = dialogue.names.get("again").to_owned();
    dialogue.names.set("join", &again);
    let_in(dialogue);
}

/// Our own ghost still has the nick: the outbox does not wait for its end, and the join is repeated.
#[test]
fn a_ghost_does_not_block_other_rooms() {
    let mut dialogue = inside();
    dialogue.lose_connection();
    dialogue.play("A: send <message id='kept'/>");
    dialogue.log_in("");
    dialogue.play("C: <presence/>");
    dialogue.play(JOIN_FOR_THE_REST);
    dialogue.play(
        "E: online romeo@example.org/orchard
         W: <presence type='error' id='$again' from='lobby@conference.example.org/romeo'><error type='cancel'>
              <conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
         C: <message id='kept'/>
         +5s
         C: <presence to='lobby@conference.example.org/romeo' id='$third'>
           <x xmlns='http://jabber.org/protocol/muc'><history since='*'/></x></presence>",
    );
    let third = dialogue.names.get("third").to_owned();
    dialogue.names.set("join", &third);
    let_in(&mut dialogue);
    dialogue.play(SUBJECT);
    dialogue.play("E: room 1 rejoined");
}

/// A room without a reply delays the outbox by at most ten seconds.
#[test]
fn a_room_that_does_not_reply() {
    let mut dialogue = inside();
    dialogue.lose_connection();
    dialogue.play("A: send <message id='kept'/>");
    dialogue.log_in("");
    dialogue.play("C: <presence/>");
    dialogue.play(JOIN_FOR_THE_REST);
    dialogue.play(
        "E: online romeo@example.org/orchard
         +10s
         E: step timed out: room 1
         C: <message id='kept'/>",
    );
}

/// A room joined during an interruption is joined once in the new session, before the outbox.
#[test]
fn a_join_during_an_interruption() {
    let mut dialogue = present();
    dialogue.lose_connection();
    dialogue.play("A: send <message id='kept'/>\nA: join romeo");
    dialogue.log_in("");
    dialogue.play("C: <presence/>");
    dialogue.play(JOIN_AGAIN);
    dialogue.play("E: online romeo@example.org/orchard");
    let_in_again(&mut dialogue);
    dialogue.play("C: <message id='kept'/>");
    dialogue.play(SUBJECT);
    dialogue.play(
        "E: command 2 done
         E: room 1 joined",
    );
}

/// A leave during an interruption is not sent in a new session, in which we are not in the room.
#[test]
fn a_leave_during_an_interruption() {
    let mut dialogue = inside();
    dialogue.lose_connection();
    dialogue.play("A: leave 1");
    dialogue.log_in("");
    dialogue.play(
        "C: <presence/>
         E: command 3 done
         E: room 1 closed
         E: online romeo@example.org/orchard",
    );
}

/// At offline the room is closed, and pending commands fail.
#[test]
fn offline_closes_rooms() {
    let mut dialogue = inside();
    dialogue.play("A: leave 1");
    dialogue.take_frames();
    dialogue.play("A: abort");
    let words = dialogue.take_words();
    assert!(
        words.iter().any(|words| words.starts_with("command 3")),
        "{words:?}"
    );
    assert!(words.contains(&"room 1 closed".to_owned()), "{words:?}");
}
