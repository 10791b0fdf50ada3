//! XEP-0124 in an established session: the window, the order, and the delay after an empty response.

use super::NORMAL;
use crate::support::dialogue::Dialogue;

// ── the window ──────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_stanza_is_sent_at_once_beside_the_held_request() {
    Dialogue::online(NORMAL).play(
        "A: send <message to='juliet@example.org'/>
         C: <body rid='2'><message to='juliet@example.org'/></body>
         S#1: <body><message id='in'/></body>
         E: stanza <message id='in'/>
         S#2: <body/>
         E: 0 delivered
         C: <body rid='3'/>",
    );
}

#[test]
fn stanzas_beyond_the_window_are_sent_together() {
    Dialogue::online(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         A: send <presence id='c'/>
         A: send <iq type='set' id='d'><query xmlns='urn:example'/></iq>
         S#1: <body><message id='in'/></body>
         E: stanza <message id='in'/>
         C: <body rid='3'><message id='b'/><presence id='c'/><iq type='set' id='d'><query xmlns='urn:example'/></iq></body>
         A: send <message id='e'/>
         S#2: <body><message id='in'/></body>
         E: 0 delivered
         E: stanza <message id='in'/>
         C: <body rid='4'><message id='e'/></body>
         S#3: <body><message id='in'/></body>
         E: 1 delivered
         E: 2 delivered
         E: 3 delivered
         E: stanza <message id='in'/>",
    );
}

/// Two stanzas exceed the soft limit; the third one travels in the next body.
#[test]
fn a_body_has_a_soft_limit() {
    let mut dialogue = Dialogue::online(NORMAL);
    let long = "x".repeat(40 << 10);
    dialogue.play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>",
    );
    for id in ["b", "c", "d"] {
        dialogue.play(&format!("A: send <message id='{id}' type='{long}'/>"));
    }
    dialogue.play(
        "S#1: <body><message id='in'/></body>
         E: stanza
         C: <body rid='3'><message id='b' type='*'/><message id='c' type='*'/></body>
         S#2: <body><message id='in'/></body>
         E: 0 delivered
         E: stanza
         C: <body rid='4'><message id='d' type='*'/></body>",
    );
}

/// Each dialogue checks the window; here it is three.
#[test]
fn the_server_sets_the_window() {
    Dialogue::online("wait='60' hold='1' requests='3'").play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         C: <body rid='3'><message id='b'/></body>
         A: send <message id='c'/>",
    );
}

/// XEP-0124 §7.2: without `requests` the window is one more than `hold`.
#[test]
fn the_window_without_the_attribute_requests() {
    Dialogue::online("wait='60' hold='1'").play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>",
    );
    Dialogue::online("wait='60' hold='0'").play("A: send <message id='a'/>");
}

/// A response out of order still occupies the window: the server counts from the last rid that it responded to in order.
#[test]
fn a_response_out_of_order_does_not_widen_the_window() {
    Dialogue::online(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         S#2: <body/>
         S#1: <body/>
         E: 0 delivered
         C: <body rid='3'><message id='b'/></body>",
    );
}

/// The server may lower `wait`; a request is overdue ten seconds after it.
#[test]
fn a_lower_wait_is_adopted() {
    Dialogue::online("wait='20' hold='1' requests='2'").play(
        "+29999ms
         +1ms
         C: cancel 1
         C: again 1",
    );
}

#[test]
fn a_higher_wait_is_not_adopted() {
    Dialogue::online("wait='600' hold='1' requests='2'").play(
        "+69999ms
         +1ms
         C: cancel 1
         C: again 1",
    );
}

// ── the order ───────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn responses_are_handled_in_the_order_of_requests() {
    Dialogue::online(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         S#2: <body><message id='second'/><message id='third'/></body>
         S#1: <body><message id='first'/></body>
         E: stanza <message id='first'/>
         E: 0 delivered
         E: stanza <message id='second'/>
         E: stanza <message id='third'/>
         C: <body rid='3'/>",
    );
}

#[test]
fn a_duplicate_or_late_response_is_ignored() {
    let mut dialogue = Dialogue::online(NORMAL);
    let poll = dialogue.exchange_count();
    dialogue.play(&format!(
        "S@{poll}: <body><message id='once'/></body>
         E: stanza <message id='once'/>
         C: <body rid='2'/>
         S@{poll}: <body><message id='once'/></body>
         F@{poll}: unreachable
         S@{poll} 404: gone
         +70s
         C: cancel 2
         C: again 2
         S@{}: <body><message id='late'/></body>
         S: <body><message id='again'/></body>
         E: stanza <message id='again'/>
         C: <body rid='3'/>",
        poll + 1
    ));
}

// ── empty responses and polling ─────────────────────────────────────────────────────────────────────────────────────

/// §11: two empty requests within `polling` are overactivity, even if the server responds at once.
#[test]
fn an_empty_response_is_not_followed_by_a_request_at_once() {
    Dialogue::online("wait='60' hold='1' requests='2' polling='5'").play(
        "+1s
         S: <body/>
         +3999ms
         +1ms
         C: <body rid='2'/>
         S: <body/>
         +4999ms
         +1ms
         C: <body rid='3'/>
         S: <body><message id='in'/></body>
         E: stanza <message id='in'/>
         C: <body rid='4'/>
         +60s
         S: <body/>
         C: <body rid='5'/>",
    );
}

#[test]
fn a_server_without_a_polling_interval() {
    Dialogue::online("wait='60' hold='1' requests='2'").play(
        "S: <body/>
         +1999ms
         +1ms
         C: <body rid='2'/>",
    );
}

/// A stanza does not wait for the next poll.
#[test]
fn a_polling_session() {
    Dialogue::online("wait='60' hold='0' requests='1' polling='10'").play(
        "S: <body/>
         +4s
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         S: <body/>
         E: 0 delivered
         C: <body rid='3'><message id='b'/></body>
         S: <body/>
         E: 1 delivered
         +6s
         C: <body rid='4'/>
         S: <body><message id='in'/></body>
         E: stanza <message id='in'/>
         C: <body rid='5'/>
         S: <body/>
         +10s
         C: <body rid='6'/>",
    );
}

/// With one request at a time, which the server holds, a stanza waits for the response, and nothing is lost.
#[test]
fn a_window_of_one() {
    Dialogue::online("wait='60' hold='1' requests='1'").play(
        "A: send <message id='a'/>
         +60s
         S: <body/>
         C: <body rid='2'><message id='a'/></body>
         S: <body/>
         E: 0 delivered
         C: <body rid='3'/>",
    );
}

#[test]
fn invalid_numbers_from_a_server() {
    for session in [
        "wait='0' hold='0' requests='0' polling='0' inactivity='0'",
        "wait='-1' hold='x' requests='' polling='1e9' inactivity='99999999999999999999999'",
        "wait='18446744073709551615' hold='18446744073709551615' requests='18446744073709551615' \
         polling='18446744073709551615' inactivity='18446744073709551615' ack='18446744073709551615'",
    ] {
        let mut dialogue = Dialogue::online(session);
        dialogue.play(
            "S: <body/>
             +600s",
        );
        assert!(dialogue.expect_request().attr("rid").is_some());
        dialogue.forgive();
    }
}

#[test]
fn stanzas_in_the_namespace_of_the_body_are_stanzas() {
    Dialogue::online(NORMAL).play(
        "A: tap
         S 200 text/xml: <body xmlns='http://jabber.org/protocol/httpbind'><message id='a' type='chat' xml:lang='en'><body>hi</body><x xmlns='urn:example'><body/></x></message><other/></body>
         E: received
         E: stanza <message id='a' type='chat' xml:lang='en'><body xmlns='jabber:client'>hi</body><x xmlns='urn:example'><body/></x></message>
         E: received <other/>
         C: <body rid='2'/>",
    );
}
