//! XEP-0124 §14.3, §17.3: requests that break are repeated, byte for byte, until the session is lost.

use super::NORMAL;
use crate::support::dialogue::{Dialogue, config};
use epode_proto::time::Millis;

/// The first repetition is immediate, for a kept-alive connection that the server has closed; later ones are slower; it ends with the server's `inactivity`.
#[test]
fn a_broken_request_is_repeated_until_the_session_is_lost() {
    let mut dialogue = Dialogue::online(NORMAL);
    dialogue.play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         F#2: unreachable
         C: again 2",
    );
    let began = dialogue.now;
    while dialogue.now <= began + Millis::seconds(60) {
        dialogue.play(
            "F#2: unreachable
             +due
             C: again 2",
        );
    }
    // The first request is held all that time.
    dialogue.play(
        "F#2: unreachable
         C: cancel 1
         E: 0 unknown
         E: 1 undelivered
         E: offline unreachable
         +600s",
    );
}

/// No response and no failure: both requests are overdue repeatedly.
#[test]
fn a_silent_network() {
    let mut dialogue = Dialogue::online(NORMAL);
    dialogue.play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>",
    );
    dialogue.play(
        "+70s
         C: cancel 1
         C: cancel 2
         C: again 1
         C: again 2",
    );
    for _ in 0..2 {
        dialogue.play(
            "+70s
             C: cancel 1
             C: cancel 2
             +due
             C: again 1
             C: again 2",
        );
    }
    dialogue.play(
        "+70s
         C: cancel 1
         C: cancel 2
         E: 0 unknown
         E: offline unreachable",
    );
}

#[test]
fn every_kind_of_break_is_repeated() {
    for broken in [
        "F: unreachable",
        "F: blocked",
        "S 502 text/html: <html><body>Bad Gateway</body></html>",
        "S 500: ",
        "S 503 text/plain: maintenance",
        "S 408: ",
        "S 425: ",
        "S 429: ",
        "S 200 text/xml: <body xmlns='http://jabber.org/protocol/httpbind'><message",
        "S 200 text/xml: ",
        "S 200 text/html: <!DOCTYPE html><html>portal</html>",
        "S 200 text/xml: <other/>",
    ] {
        Dialogue::online(NORMAL).play(&format!(
            "{broken}
             C: again 1
             {broken}
             +due
             C: again 1
             S: <body><message id='in'/></body>
             E: stanza <message id='in'/>
             C: <body rid='2'/>"
        ));
    }
}

/// An intermittent outage does not count as one continuous outage.
#[test]
fn a_response_resets_the_count_of_failures() {
    let mut dialogue = Dialogue::online("wait='60' hold='1' requests='1'");
    for rid in 1..=5 {
        dialogue.play(&format!(
            "F: unreachable
             C: again {rid}
             F: unreachable
             +due
             C: again {rid}
             +30s
             S: <body><message id='in'/></body>
             E: stanza
             C: <body rid='{}'/>",
            rid + 1
        ));
    }
}

#[test]
fn a_broken_request_stays_in_the_window() {
    Dialogue::online(NORMAL).play(
        "F: unreachable
         C: again 1
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         F#1: unreachable
         A: send <message id='b'/>
         S#2: <body><message id='in'/></body>
         +due
         C: again 1
         S#1: <body/>
         E: 0 delivered
         E: stanza <message id='in'/>
         C: <body rid='3'><message id='b'/></body>",
    );
}

/// XEP-0124 §17.3: repeats this request and the ones before it that have no response.
#[test]
fn a_recoverable_error_repeats_all_up_to_it() {
    Dialogue::online("wait='60' hold='1' requests='3'").play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         C: <body rid='3'><message id='b'/></body>
         S#2: <body type='error'/>
         C: cancel 1
         C: again 1
         C: again 2
         S#1: <body/>
         S#2: <body/>
         E: 0 delivered
         S#3: <body/>
         E: 1 delivered
         C: <body rid='4'/>",
    );
}

/// A server with a short `inactivity` may still respond slowly: requests are repeated for 30 s.
#[test]
fn a_short_inactivity() {
    let mut dialogue = Dialogue::online("wait='60' hold='1' requests='1' inactivity='1'");
    dialogue.play(
        "F: unreachable
         C: again 1",
    );
    let began = dialogue.now;
    while dialogue.now <= began + Millis::seconds(30) {
        dialogue.play(
            "F: unreachable
             +due
             C: again 1",
        );
    }
    dialogue.play(
        "F: unreachable
         E: offline unreachable",
    );
}

#[test]
fn a_response_above_the_limit_is_not_requested_again() {
    Dialogue::online(NORMAL).play(
        "F: too-large
         C: <body rid='2' type='terminate'/>
         E: offline too-large",
    );
    let mut config = config();
    config.bosh.limits.bytes = 1000;
    let long = "x".repeat(1000);
    Dialogue::online_with(config.clone(), NORMAL).play(&format!(
        "S: <body><message id='{long}'/></body>
         C: <body rid='2' type='terminate'/>
         E: offline too-large"
    ));
    // The page of a proxy that has lost its server may be long: that says nothing of the next answer.
    Dialogue::online_with(config, NORMAL).play(&format!(
        "S 502 text/html: <html>{long}</html>
         C: again 1"
    ));
}

/// Content that the network cannot have damaged would be the same again: it is reported, and the session continues.
#[test]
fn an_unreadable_response_that_does_not_change() {
    let deep = "<a>".repeat(200);
    for (body, reason) in [
        (
            "<!DOCTYPE body [<!ENTITY lol 'lol'>]><body xmlns='http://jabber.org/protocol/httpbind'>&lol;</body>",
            "unreadable: not allowed in XMPP: DTD",
        ),
        (
            &format!("<body xmlns='http://jabber.org/protocol/httpbind'>{deep}"),
            "unreadable in body: elements nested too deep",
        ),
    ] {
        Dialogue::online(NORMAL).play(&format!(
            "S 200 text/xml: {body}
             E: {reason}
             C: <body rid='2'/>
             S: <body><message id='in'/></body>
             E: stanza <message id='in'/>
             C: <body rid='3'/>"
        ));
    }
}

/// A response that may have been truncated or changed in transit is requested again. If it stays the same, the server sent it. The
/// delivery of the request's stanzas is then unknown.
#[test]
fn a_response_that_stays_unreadable_is_reported() {
    for (broken, reason) in [
        ("<message id='a'><body>", "the document ends too early"),
        ("<message></iq></body>", "an end tag that closes nothing"),
        ("<message>&nbsp;</message></body>", "an undefined entity"),
    ] {
        let broken =
            format!("S#2 200 text/xml: <body xmlns='http://jabber.org/protocol/httpbind'>{broken}");
        Dialogue::online(NORMAL).play(&format!(
            "A: send <message id='a'/>
             C: <body rid='2'><message id='a'/></body>
             S: <body><message id='in'/></body>
             E: stanza
             {broken}
             C: again 2
             {broken}
             +500ms
             C: again 2
             {broken}
             E: unreadable in body: {reason}
             E: 0 unknown
             C: <body rid='3'/>"
        ));
    }
}

/// A single break is not reported; a longer outage is, and so is its end. Meanwhile no new request is sent: the delivery of a stanza
/// sent into a broken network could stay unknown.
#[test]
fn an_outage_is_reported() {
    let mut dialogue = Dialogue::online(NORMAL);
    dialogue.tells_trouble = true;
    dialogue.play(
        "F: unreachable
         C: again 1
         F: unreachable
         E: interrupted 1 unreachable
         A: send <message id='a'/>
         +due
         C: again 1
         +149ms
         +1ms
         C: <body rid='2'><message id='a'/></body>
         F#1: unreachable
         E: interrupted 2 unreachable
         A: send <message id='b'/>
         A: wake
         E: interrupted 2 unreachable
         C: again 1
         S#1: <body/>
         E: resumed romeo@example.org/orchard
         C: <body rid='3'><message id='b'/></body>
         S#2: <body/>
         E: 0 delivered
         E: 1 delivered",
    );
}
