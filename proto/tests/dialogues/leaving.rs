//! Unloading and hidden pages: what is sent at once, what waits, and that no timer is needed.

use super::NORMAL;
use crate::support::dialogue::{Dialogue, config};

/// The terminating request is sent at once, with the queued stanzas.
#[test]
fn the_terminating_request_of_an_unloading_page() {
    Dialogue::online("wait='60' hold='1' requests='1' inactivity='60' polling='5'").play(
        "+1s
         A: send <message id='a'/>
         A: leave
         A: disconnect
         C: <body rid='2' type='terminate'><message id='a'/><presence type='unavailable'/></body>
         E: disconnecting
         S: <body type='terminate'/>
         C: cancel 2
         E: 0 delivered
         E: offline disconnected",
    );
}

/// Browsers abort the held request of an unloading page. It is empty, so it is not repeated before the terminating request.
#[test]
fn a_broken_poll_is_not_repeated() {
    Dialogue::online(NORMAL).play(
        "A: leave
         F: unreachable
         +10s
         A: disconnect
         C: <body rid='2' type='terminate'><presence type='unavailable'/></body>
         E: disconnecting
         +3s
         C: cancel 2
         E: offline disconnected",
    );
    // A page that comes back, from the back/forward cache.
    Dialogue::online(NORMAL).play(
        "A: leave
         F: unreachable
         +60s
         A: return
         C: again 1
         S: <body><message id='in'/></body>
         E: stanza
         C: <body rid='2'/>",
    );
}

/// A request that was just sent may not have arrived, and would be aborted with the page.
#[test]
fn unconfirmed_requests_are_repeated() {
    Dialogue::online(NORMAL).play(
        "+1s
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: leave
         A: disconnect
         C: again 2
         C: <body rid='3' type='terminate'><presence type='unavailable'/></body>
         E: disconnecting
         S#3: <body type='terminate'/>
         E: 0 delivered
         +3s
         C: cancel *
         C: cancel *
         E: offline disconnected",
    );
}

/// An empty request that was just sent may never leave the browser. The server would wait for it and not process the
/// terminating request.
#[test]
fn a_poll_that_was_just_sent_is_repeated() {
    for (age, again) in [("+249ms", "C: again 1"), ("+250ms", "")] {
        Dialogue::online(NORMAL).play(&format!(
            "{age}
             A: leave
             A: disconnect
             {again}
             C: <body rid='2' type='terminate'><presence type='unavailable'/></body>
             E: disconnecting
             +3s
             C: cancel *
             C: cancel *
             E: offline disconnected"
        ));
    }
}

/// Browsers complete a limited amount of data for an unloaded page. The terminating request must be within the limit.
#[test]
fn a_long_queue_does_not_block_the_terminating_request() {
    let mut dialogue =
        Dialogue::online("wait='60' hold='1' requests='1' inactivity='60' polling='5'");
    let long = "x".repeat(20_000);
    dialogue.play("+1s");
    for id in ["a", "b", "c"] {
        dialogue.play(&format!(
            "A: send <message id='{id}'><body>{long}</body></message>"
        ));
    }
    dialogue.play(&format!(
        "A: leave
         A: disconnect
         E: disconnecting
         E: 1 undelivered
         E: 2 undelivered
         C: <body rid='2' type='terminate'><message id='a'><body>{long}</body></message><presence type='unavailable'/></body>
         S#1: <body type='terminate'/>
         C: cancel 2
         E: 0 delivered
         E: offline disconnected"
    ));
}

/// Timers of hidden pages fire once a second, later once a minute. The ping that confirms the first stanza is therefore sent with
/// it, so that the server responds to the request that carries both.
#[test]
fn nothing_waits_for_a_timer_on_a_hidden_page() {
    let mut dialogue = Dialogue::new(config());
    dialogue.tells_trouble = false;
    dialogue.play(
        "A: hidden
         A: connect
         E: connecting
         E: credentials wanted",
    );
    dialogue.finish_login(NORMAL);
    dialogue.count_from_here();
    dialogue.play(
        "C: <body rid='1'/>
         S: <body/>
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/><iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S: <body><iq type='result' id='$ping'/></body>
         E: 0 delivered
         +5s
         C: <body rid='3'/>
         // Where a request is held, its release tells.
         A: send <message id='b'/>
         C: <body rid='4'><message id='b'/></body>
         S#3: <body/>
         E: 1 delivered",
    );
}
