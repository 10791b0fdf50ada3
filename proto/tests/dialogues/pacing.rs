//! The pace of BOSH requests: which are spaced, which wait for the end of the caller's turn, and which do not wait.

use super::NORMAL;
use crate::support::dialogue::{Dialogue, config};
use epode_proto::connection::Config;

/// Three requests may be in flight.
const WIDE: &str = "wait='60' hold='2' requests='3' inactivity='60' polling='5'";

fn spaced() -> Config {
    let mut config = config();
    config.bosh.spaced = true;
    config
}

/// Of two requests that are sent at once, the later one may arrive first.
#[test]
fn requests_are_spaced() {
    Dialogue::online_with(spaced(), WIDE).play(
        "+1s
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         +24ms
         A: send <message id='c'/>
         +1ms
         C: <body rid='3'><message id='b'/><message id='c'/></body>",
    );
}

/// The response shows that the server has the earlier request.
#[test]
fn a_response_ends_the_spacing() {
    Dialogue::online_with(spaced(), NORMAL).play(
        "+1s
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         S: <body/>
         E: 0 delivered
         C: <body rid='3'><message id='b'/></body>",
    );
    // So does a break, as far as can be known.
    Dialogue::online_with(spaced(), NORMAL).play(
        "+1s
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         F: unreachable
         C: again 1",
    );
}

/// A stanza that the page sends from a callback replaces the empty request.
#[test]
fn an_empty_request_waits_for_the_end_of_the_turn() {
    Dialogue::online_with(spaced(), NORMAL).play(
        "+1s
         S: <body><message id='in'/></body>
         E: stanza
         +4ms
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         S: <body/>
         E: 0 delivered
         +4ms
         +1ms
         C: <body rid='3'/>",
    );
}

/// Timers of a hidden page are too slow: requests are sent at once, an empty one after the caller's turn, in the next task.
#[test]
fn a_hidden_page_has_no_spacing() {
    Dialogue::online_with(spaced(), WIDE).play(
        "+1s
         A: hidden
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         C: <body rid='3'><message id='b'/></body>
         S: <body/>
         E: 0 delivered
         S: <body/>
         E: 1 delivered
         S: <body/>
         +due
         C: <body rid='4'/>
         // What the page says in its turn takes the place of the empty request.
         S: <body><message id='in'/></body>
         E: stanza
         A: send <message id='c'/>
         C: <body rid='5'><message id='c'/><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>
         A: visible
         A: send <message id='d'/>
         +24ms
         +1ms
         C: <body rid='6'><message id='d'/></body>",
    );
    // A page that is hidden while an empty request waits has had its turn when the next task runs.
    Dialogue::online_with(spaced(), NORMAL).play(
        "+1s
         S: <body/>
         A: hidden
         +due
         C: <body rid='2'/>",
    );
}

/// A response with content to an earlier request does not show that the last one has arrived.
#[test]
fn a_push_does_not_end_the_spacing() {
    Dialogue::online_with(spaced(), WIDE).play(
        "+1s
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         S: <body><message id='in'/></body>
         E: stanza
         +24ms
         +1ms
         C: <body rid='3'><message id='b'/></body>",
    );
}

/// The response to an earlier request does not show that the last one has arrived, and no request follows the terminating one.
#[test]
fn the_terminating_request_is_always_spaced() {
    Dialogue::online_with(spaced(), NORMAL).play(
        "+1s
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: disconnect
         E: disconnecting
         S: <body/>
         E: 0 delivered
         +24ms
         +1ms
         C: <body rid='3' type='terminate'><presence type='unavailable'/></body>
         S#3: <body type='terminate'/>
         +3s
         C: cancel 2
         E: offline disconnected",
    );
}

/// Timers may not fire any more.
#[test]
fn the_terminating_request_of_an_unloading_or_hidden_page_does_not_wait() {
    for act in ["hidden", "leave"] {
        let mut dialogue = Dialogue::online_with(spaced(), NORMAL);
        dialogue.play(
            "+1s
             A: send <message id='a'/>
             C: <body rid='2'><message id='a'/></body>",
        );
        dialogue.play(&format!("A: {act}\nA: disconnect"));
        if act == "leave" {
            dialogue.play("C: again 2");
        }
        dialogue.play(
            "C: <body rid='3' type='terminate'><presence type='unavailable'/></body>
             E: disconnecting",
        );
        dialogue.forgive();
    }
    // One that waits leaves when the page does.
    let mut dialogue = Dialogue::online_with(spaced(), NORMAL);
    dialogue.play(
        "A: disconnect
         E: disconnecting
         A: leave
         C: again 1
         C: <body rid='2' type='terminate'><presence type='unavailable'/></body>",
    );
}

/// Repetitions are also requests, and are sent first.
#[test]
fn repetitions_are_spaced() {
    Dialogue::online_with(spaced(), NORMAL).play(
        "+1s
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         F#2: unreachable
         C: again 2
         F#1: unreachable
         C: again 1
         F#1: unreachable
         F#2: unreachable
         A: wake
         C: again 1
         +24ms
         +1ms
         C: again 2",
    );
}

/// A pause that arrives first would end the request before it, so no pause is sent.
#[test]
fn no_pause_right_after_a_request() {
    let session = "wait='60' hold='1' requests='2' inactivity='60' polling='5' maxpause='120'";
    Dialogue::online_with(spaced(), session).play(
        "+1s
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: leave
         A: pause
         A: return
         +25ms
         A: pause
         C: <body rid='3' pause='120'/>",
    );
}
