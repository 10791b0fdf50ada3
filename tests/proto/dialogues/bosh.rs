//! XEP-0124 once the session is there: the window, the order, requests that break, and how it ends.

use super::NORMAL;
use crate::support::dialogue::{Dialogue, config};

// ── the window ──────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_stanza_leaves_at_once_beside_the_request_that_waits() {
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
fn what_the_window_does_not_let_out_travels_together() {
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

/// Two rooms are filled above the soft limit, the third stanza travels in the next body.
#[test]
fn a_body_is_closed_when_it_is_long_enough() {
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

/// The dialogue itself holds every test to the window; here it is three.
#[test]
fn the_window_is_what_the_server_says() {
    Dialogue::online("wait='60' hold='1' requests='3'").play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         C: <body rid='3'><message id='b'/></body>
         A: send <message id='c'/>",
    );
}

/// XEP-0124 §7.2 makes `requests` one more than `hold` where the server does not say it.
#[test]
fn the_window_that_the_server_does_not_name() {
    Dialogue::online("wait='60' hold='1'").play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>",
    );
    Dialogue::online("wait='60' hold='0'").play("A: send <message id='a'/>");
}

/// An answer that came out of its turn still counts: the server counts from the last rid that it answered in order.
#[test]
fn an_answer_out_of_its_turn_does_not_widen_the_window() {
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

/// The server may lower `wait`; a request is late ten seconds after that.
#[test]
fn a_lower_wait_counts() {
    Dialogue::online("wait='20' hold='1' requests='2'").play(
        "+29999ms
         +1ms
         C: cancel 1
         C: again 1",
    );
}

#[test]
fn a_higher_wait_does_not() {
    Dialogue::online("wait='600' hold='1' requests='2'").play(
        "+69999ms
         +1ms
         C: cancel 1
         C: again 1",
    );
}

// ── the order ───────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn answers_are_handled_in_the_order_of_requests() {
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
fn an_answer_that_comes_twice_or_late_is_ignored() {
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

// ── requests that break ─────────────────────────────────────────────────────────────────────────────────────────────

/// At once, for a kept-alive connection that the server had closed; then slower; given up when the server has, too.
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
    let mut late = 0;
    for pause in [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000, 8000] {
        dialogue.play(&format!(
            "F#2: unreachable
             +{}ms
             +1ms
             C: again 2",
            pause - 1
        ));
        late += pause;
    }
    assert_eq!(late, 55_500);
    // The first request is held all that time.
    dialogue.play(
        "F#2: unreachable
         +8s
         C: again 2
         F#2: unreachable
         C: cancel 1
         E: 0 unknown
         E: 1 undelivered
         E: offline unreachable
         +600s",
    );
}

/// Nobody answers and nothing fails: both requests are late, again and again.
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
    for pause in [500, 1000] {
        dialogue.play(&format!(
            "+70s
             C: cancel 1
             C: cancel 2
             +{pause}ms
             C: again 1
             C: again 2"
        ));
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
        "S 200 image/png: <body xmlns='http://jabber.org/protocol/httpbind'/>",
    ] {
        Dialogue::online(NORMAL).play(&format!(
            "{broken}
             C: again 1
             {broken}
             +500ms
             C: again 1
             S: <body><message id='in'/></body>
             E: stanza <message id='in'/>
             C: <body rid='2'/>"
        ));
    }
}

/// A network that comes and goes is not one that has been away all the time.
#[test]
fn an_answer_ends_the_count_of_what_broke() {
    let mut dialogue = Dialogue::online(NORMAL);
    for rid in 1..=5 {
        dialogue.play(&format!(
            "F: unreachable
             C: again {rid}
             F: unreachable
             +500ms
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
fn what_is_broken_waits_in_the_window() {
    Dialogue::online(NORMAL).play(
        "F: unreachable
         C: again 1
         F: unreachable
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         S#2: <body><message id='in'/></body>
         +500ms
         C: again 1
         S#1: <body/>
         E: 0 delivered
         E: stanza <message id='in'/>
         C: <body rid='3'><message id='b'/></body>",
    );
}

/// XEP-0124 §17.3: this request, and the unanswered ones before it.
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

/// A server that forgets quickly may still be slow to answer: it is tried for half a minute.
#[test]
fn a_short_inactivity() {
    let mut dialogue = Dialogue::online("wait='60' hold='1' requests='2' inactivity='1'");
    dialogue.play(
        "F: unreachable
         C: again 1",
    );
    for pause in [500, 1000, 2000, 4000, 8000, 8000] {
        dialogue.play(&format!(
            "F: unreachable
             +{pause}ms
             C: again 1"
        ));
    }
    dialogue.play(
        "+10s
         F: unreachable
         E: offline unreachable",
    );
}

#[test]
fn an_answer_that_is_larger_than_the_limit_would_be_so_again() {
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

#[test]
fn what_xmpp_forbids_would_be_forbidden_again() {
    for (body, reason) in [
        (
            "<!DOCTYPE body [<!ENTITY lol 'lol'>]><body xmlns='http://jabber.org/protocol/httpbind'>&lol;</body>",
            "not allowed in XMPP: DTD",
        ),
        (
            "<body xmlns='http://jabber.org/protocol/httpbind'><!-- a comment --></body>",
            "not allowed in XMPP: comment",
        ),
        (
            "<body xmlns='http://jabber.org/protocol/httpbind'><?php ?></body>",
            "not allowed in XMPP: processing instruction",
        ),
    ] {
        Dialogue::online(NORMAL).play(&format!(
            "S 200 text/xml: {body}
             C: <body rid='2' type='terminate'/>
             E: offline bad-xml {reason}"
        ));
    }
    let deep = "<a>".repeat(200);
    Dialogue::online(NORMAL).play(&format!(
        "S 200 text/xml: <body xmlns='http://jabber.org/protocol/httpbind'>{deep}
         C: <body rid='2' type='terminate'/>
         E: offline bad-xml elements nested too deep"
    ));
}

// ── how it ends ─────────────────────────────────────────────────────────────────────────────────────────────────────

/// §17.2: how connection managers of before `ver` said it.
#[test]
fn http_statuses_of_old_connection_managers() {
    for (status, condition) in [
        (400, "terminated bad-request"),
        (403, "terminated policy-violation"),
        (404, "terminated item-not-found"),
        (401, "http-error 401"),
        (405, "http-error 405"),
        (410, "http-error 410"),
    ] {
        Dialogue::online(NORMAL).play(&format!(
            "A: send <message id='a'/>
             C: <body rid='2'><message id='a'/></body>
             A: send <message id='b'/>
             S#1 {status} text/html: <html>sorry</html>
             C: cancel 2
             E: 0 unknown
             E: 1 undelivered
             E: offline {condition}"
        ));
    }
}

/// ejabberd says it twice: by the status and in a body, whose condition counts.
#[test]
fn an_http_error_with_a_body_of_its_own() {
    Dialogue::online(NORMAL).play(
        "S 404 text/html: <body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='policy-violation'/>
         E: offline terminated policy-violation",
    );
}

#[test]
fn each_terminal_condition() {
    for condition in [
        "bad-request",
        "host-gone",
        "host-unknown",
        "improper-addressing",
        "internal-server-error",
        "item-not-found",
        "other-request",
        "policy-violation",
        "remote-connection-failed",
        "remote-stream-error",
        "see-other-uri",
        "system-shutdown",
        "undefined-condition",
    ] {
        Dialogue::online(NORMAL).play(&format!(
            "S: <body type='terminate' condition='{condition}'/>
             E: offline terminated {condition}"
        ));
        super::opened(config()).play(&format!(
            "S: <body type='terminate' condition='{condition}'/>
             E: offline terminated {condition}"
        ));
    }
    Dialogue::online(NORMAL).play(
        "S: <body type='terminate'/>
         E: offline terminated undefined-condition",
    );
}

#[test]
fn stanzas_before_the_end_are_handed_on() {
    Dialogue::online(NORMAL).play(
        "S: <body type='terminate' condition='system-shutdown'><message id='a'/><message id='b'/></body>
         E: stanza <message id='a'/>
         E: stanza <message id='b'/>
         E: offline terminated system-shutdown",
    );
    Dialogue::online(NORMAL).play(
        "S: <body type='terminate' condition='remote-stream-error'><message id='a'/><stream:error>
              <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
              <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Too fast.</text>
              <rate xmlns='urn:example'/></stream:error></body>
         E: stanza <message id='a'/>
         E: offline stream-error policy-violation rate (Too fast.)",
    );
}

#[test]
fn a_stream_error_without_a_terminate_ends_the_session_too() {
    Dialogue::online(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         S#1: <body><message id='in'/><stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></body>
         E: stanza <message id='in'/>
         C: <body rid='3' type='terminate'/>
         C: cancel 2
         E: 0 unknown
         E: 1 undelivered
         E: offline stream-error conflict",
    );
}

/// The end may be told by a later request; what an earlier one brings still comes first.
#[test]
fn an_end_that_comes_out_of_its_turn() {
    Dialogue::online(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         S#2: <body type='terminate' condition='system-shutdown'><message id='second'/></body>
         S#1: <body><message id='first'/></body>
         E: stanza <message id='first'/>
         E: 0 unknown
         E: stanza <message id='second'/>
         E: offline terminated system-shutdown",
    );
}

/// A session that is over answers no repetition: the reason that is known already is the one to tell.
#[test]
fn an_end_that_comes_out_of_its_turn_and_a_break() {
    for order in [
        "F#1: unreachable
         C: again 1
         F#1: unreachable
         S#2: <body type='terminate' condition='system-shutdown'><message id='second'/></body>",
        "S#2: <body type='terminate' condition='system-shutdown'><message id='second'/></body>
         F#1: unreachable",
        "S#2: <body type='terminate' condition='system-shutdown'><message id='second'/></body>
         S#1 404: ",
    ] {
        Dialogue::online(NORMAL).play(&format!(
            "A: send <message id='a'/>
             C: <body rid='2'><message id='a'/></body>
             {order}
             E: 0 unknown
             E: stanza <message id='second'/>
             E: offline terminated system-shutdown"
        ));
    }
}

/// What an earlier request would have brought is waited for, but not long.
#[test]
fn an_end_that_comes_out_of_its_turn_and_silence() {
    Dialogue::online(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         S#2: <body type='terminate' condition='system-shutdown'><message id='second'/></body>
         +2999ms
         +1ms
         C: cancel 1
         E: 0 unknown
         E: stanza <message id='second'/>
         E: offline terminated system-shutdown",
    );
    Dialogue::online(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         S#2: <body type='terminate' condition='system-shutdown'><message id='second'/></body>
         A: abort
         C: cancel 1
         E: 0 unknown
         E: stanza <message id='second'/>
         E: offline disconnected",
    );
}

// ── haste and polling ───────────────────────────────────────────────────────────────────────────────────────────────

/// §11: two empty requests closer than `polling` are overactivity, whatever makes the server answer at once.
#[test]
fn emptiness_is_not_answered_with_haste() {
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
fn a_server_that_names_no_polling_interval() {
    Dialogue::online("wait='60' hold='1' requests='2'").play(
        "S: <body/>
         +1999ms
         +1ms
         C: <body rid='2'/>",
    );
}

/// A stanza need not wait for the next poll.
#[test]
fn a_polling_session() {
    Dialogue::online("wait='0' hold='0' requests='1' polling='10'").play(
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

/// One request at a time, and the server holds it: a stanza waits for its turn, and nothing is lost.
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
fn numbers_that_a_server_should_not_say() {
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
fn stanzas_that_inherit_the_wrappers_namespace_are_stanzas() {
    Dialogue::online(NORMAL).play(
        "A: tap
         S 200 text/xml: <body xmlns='http://jabber.org/protocol/httpbind'><message id='a' type='chat' xml:lang='en'><body>hi</body><x xmlns='urn:example'><body/></x></message><other/></body>
         E: received
         E: stanza <message id='a' type='chat' xml:lang='en'><body xmlns='jabber:client'>hi</body><x xmlns='urn:example'><body/></x></message>
         E: received <other/>
         C: <body rid='2'/>",
    );
}
