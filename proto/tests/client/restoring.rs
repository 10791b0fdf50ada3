//! The step at the beginning of a session: a participant that is slow, never finishes, fails, is interrupted, or finishes late.

use super::present;
use crate::support::channel::{ClientDialogue, client_config};

/// Two stanzas are kept during an interruption.
const KEPT: &str = "A: send <message id='a'/>
     A: send <message id='b'/>";

fn interrupted_with(participants: usize) -> ClientDialogue {
    let mut dialogue = present();
    for _ in 0..participants {
        dialogue.play("A: participant");
    }
    dialogue.lose_connection();
    dialogue.play(KEPT);
    dialogue
}

/// A new session after an interruption, in its step with one participant.
fn in_step() -> ClientDialogue {
    let mut dialogue = interrupted_with(1);
    dialogue.log_in("");
    dialogue.play(
        "C: <presence/>
         E: step 2 of 1
         E: online romeo@example.org/orchard",
    );
    dialogue
}

/// Without participants, the outbox is sent at once, after presence.
#[test]
fn presence_is_sent_before_the_outbox() {
    let mut dialogue = interrupted_with(0);
    dialogue.log_in("");
    dialogue.play(
        "C: <presence/>
         C: <message id='a'/>
         C: <message id='b'/>
         E: online romeo@example.org/orchard",
    );
}

/// A slow participant: its stanzas are sent first, those of the caller last.
#[test]
fn the_step_waits_for_a_slow_participant() {
    let mut dialogue = in_step();
    dialogue.play(
        "A: send <message id='c'/>
         +4s
         A: restore <iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>
         C: <iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>
         W: <iq type='result' id='carbons'/>
         E: reply 0 <iq type='result' id='carbons'/>
         A: done 1
         C: <message id='a'/>
         C: <message id='b'/>
         C: <message id='c'/>",
    );
}

/// The step waits for all participants, in any order.
#[test]
fn the_step_waits_for_all_participants() {
    let mut dialogue = interrupted_with(2);
    dialogue.log_in("");
    dialogue.play(
        "C: <presence/>
         E: step 2 of 1 2
         E: online romeo@example.org/orchard
         A: done 2
         A: done 2
         A: done 1
         C: <message id='a'/>
         C: <message id='b'/>",
    );
}

/// The step ends after ten seconds if a participant never finishes: the outbox is sent, and the caller gets a notice.
#[test]
fn a_participant_that_never_finishes() {
    let mut dialogue = interrupted_with(2);
    dialogue.log_in("");
    dialogue.play(
        "C: <presence/>
         E: step 2 of 1 2
         E: online romeo@example.org/orchard
         A: done 1
         +9999ms
         +1ms
         E: step timed out: 2
         C: <message id='a'/>
         C: <message id='b'/>
         A: done 2
         A: send <message id='c'/>
         C: <message id='c'/>",
    );
}

/// A participant that fails also finishes its part.
#[test]
fn a_participant_that_is_refused() {
    let mut dialogue = in_step();
    dialogue.play(
        "A: restore <iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>
         C: <iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>
         W: <iq type='error' id='carbons'><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
         E: request 0 refused not-allowed
         A: done 1
         C: <message id='a'/>
         C: <message id='b'/>",
    );
}

/// The step does not wait for a removed participant.
#[test]
fn a_participant_that_is_removed() {
    let mut dialogue = in_step();
    dialogue.play(
        "A: remove participant 1
         C: <message id='a'/>
         C: <message id='b'/>",
    );
}

/// An interruption cancels the step. The outbox stays; the next session has its own step, and calls for
/// the former one are ignored.
#[test]
fn an_interruption_cancels_the_step() {
    let mut dialogue = in_step();
    let former = dialogue.step.clone().expect("a step");
    dialogue.lose_connection();
    dialogue.log_in("");
    dialogue.play(
        "C: <presence/>
         E: step 3 of 1
         E: online romeo@example.org/orchard",
    );
    for participant in &former.1 {
        dialogue.client.finish_part(former.0, *participant);
    }
    dialogue.play(
        "A: send <message id='c'/>
         A: done 1
         C: <message id='a'/>
         C: <message id='b'/>
         C: <message id='c'/>",
    );
}

/// A stanza that a participant sends after the step is an ordinary stanza.
#[test]
fn a_late_participant() {
    let mut dialogue = in_step();
    dialogue.play(
        "+10s
         E: step timed out: 1
         C: <message id='a'/>
         C: <message id='b'/>
         A: restore <message id='late'/>
         C: <message id='late'/>
         A: done 1",
    );
}

/// The first session also has a step: a participant sends its requests before the caller's first stanza.
#[test]
fn the_first_session_has_a_step() {
    let mut dialogue = ClientDialogue::new(client_config());
    dialogue.play(
        "A: participant
         A: connect
         E: connecting
         E: credentials wanted
         C: socket
         A: anonymous",
    );
    dialogue.log_in("");
    dialogue.play(
        "E: step 1 of 1
         E: online romeo@example.org/orchard
         A: send <message id='a'/>
         A: restore <message id='p'/>
         C: <message id='p'/>
         A: done 1
         C: <message id='a'/>
         +0s
         C: <presence/>",
    );
}

/// A disconnect during the step sends the outbox first: nothing is lost.
#[test]
fn a_disconnect_during_the_step() {
    let mut dialogue = in_step();
    dialogue.play(
        "A: disconnect
         C: <message id='a'/>
         C: <message id='b'/>
         C: <presence type='unavailable'/>
         C: <framing:close/>
         E: disconnecting",
    );
}
