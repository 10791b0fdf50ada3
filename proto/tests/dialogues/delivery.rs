//! The delivery of a sent stanza: when it is settled, and what is reported when the session is lost.

use super::NORMAL;
use crate::support::dialogue::Dialogue;

/// An online session with a stanza in rid 2, beside the empty rid 1 that the server holds.
fn sent(session: &str) -> Dialogue {
    sent_after(session, "0s")
}

fn sent_after(session: &str, span: &str) -> Dialogue {
    let mut dialogue = Dialogue::online(session);
    let ack = if session.contains("ack=") {
        "ack='0'"
    } else {
        ""
    };
    dialogue.play(&format!(
        "+{span}
         A: send <message id='a'/>
         C: <body rid='2' {ack}><message id='a'/></body>"
    ));
    dialogue
}

#[test]
fn the_response_to_the_request_settles() {
    sent(NORMAL).play(
        "S#2: <body/>
         S#1: <body><message id='in'/></body>
         E: stanza
         E: 0 delivered
         C: <body rid='3'/>",
    );
}

#[test]
fn an_acknowledgement_settles() {
    let mut dialogue = sent("wait='60' hold='1' requests='3' ack='1'");
    dialogue.play(
        "A: send <message id='b'/>
         C: <body rid='3' ack='0'><message id='b'/></body>
         S#1: <body ack='2'><message id='in'/></body>
         E: 0 delivered
         E: stanza
         S#2: <body ack='1'><message id='in'/></body>
         E: stanza
         S#3: <body><message id='in'/></body>
         E: 1 delivered
         E: stanza
         C: <body rid='4'/>",
    );
}

/// §9.1: an acknowledgement is sent while a response is missing, and omitted if the server can infer it.
#[test]
fn responses_are_acknowledged() {
    Dialogue::online("wait='60' hold='1' requests='3' ack='1'").play(
        "S: <body><message id='in'/></body>
         E: stanza
         C: <body rid='2'/>
         A: send <message id='a'/>
         C: <body rid='3' ack='1'><message id='a'/></body>
         S#3: <body/>
         A: send <message id='b'/>
         C: <body rid='4' ack='1'><message id='b'/></body>
         S#2: <body><message id='in'/></body>
         E: stanza
         E: 0 delivered
         A: send <message id='c'/>
         C: <body rid='5' ack='3'><message id='c'/></body>
         A: disconnect
         E: disconnecting
         C: <body rid='6' ack='3' type='terminate'><presence type='unavailable'/></body>
         S#4: <body type='terminate'/>
         C: cancel 5
         C: cancel 6
         E: 1 delivered
         E: 2 delivered
         E: offline disconnected",
    );
}

/// The session is opened with `ack='1'`; a server that does not return it does not use acknowledgements.
#[test]
fn no_acknowledgements_without_server_support() {
    Dialogue::online("wait='60' hold='1' requests='3'").play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         S#2: <body/>
         A: send <message id='b'/>
         C: <body rid='3'><message id='b'/></body>",
    );
}

// ── the early release ───────────────────────────────────────────────────────────────────────────────────────────────

/// COMPAT(ejabberd, Prosody): the held request is released because the next one has arrived, which is then held.
#[test]
fn the_early_release_of_the_held_request_settles() {
    sent_after(NORMAL, "54s").play(
        "+500ms
         S#1: <body/>
         E: 0 delivered
         +50s
         S#2: <body><message id='in'/></body>
         E: stanza
         C: <body rid='3'/>",
    );
}

/// A release at the end of `wait` does not show that the next request has arrived.
#[test]
fn a_release_at_the_end_of_wait_does_not_settle() {
    for (before, after) in [("54s", "1s"), ("54s", "6s"), ("0s", "60s")] {
        sent_after(NORMAL, before).play(&format!(
            "+{after}
             S#1: <body/>
             +1s
             C: <body rid='3'><iq type='get' id='$word'><ping xmlns='urn:xmpp:ping'/></iq></body>
             S#2: <body/>
             E: 0 delivered"
        ));
    }
    // `wait` is what the server made of it.
    sent_after("wait='20' hold='1' requests='2'", "15s").play(
        "+1s
         S#1: <body/>
         +1s
         C: <body rid='3'><iq type='get' id='$word'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#2: <body/>
         E: 0 delivered",
    );
}

#[test]
fn a_server_without_hold_releases_nothing() {
    sent("wait='60' hold='0' requests='2'").play(
        "S#1: <body/>
         S#2: <body/>
         E: 0 delivered
         C: <body rid='3'/>",
    );
}

/// The server counts from the first arrival of the request, whose time is unknown.
#[test]
fn the_release_of_a_repeated_request_does_not_settle() {
    Dialogue::online(NORMAL).play(
        "+50s
         F: unreachable
         C: again 1
         A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         +10s
         S#1: <body/>
         +1s
         C: <body rid='3'><iq type='get' id='$word'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#2: <body/>
         E: 0 delivered",
    );
}

/// The first release settles only the second request; the third one stays pending.
#[test]
fn a_release_settles_only_the_next_request() {
    Dialogue::online("wait='60' hold='1' requests='3'").play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         C: <body rid='3'><message id='b'/></body>
         S#1: <body/>
         E: 0 delivered
         S#2: <body/>
         E: 1 delivered",
    );
}

/// A response with content was sent because of the content.
#[test]
fn a_response_with_stanzas_is_not_a_release() {
    sent(NORMAL).play(
        "S#1: <body><message id='in'/></body>
         E: stanza
         +1s
         C: <body rid='3'><iq type='get' id='$word'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#2: <body><message id='in'/></body>
         E: 0 delivered
         E: stanza",
    );
}

/// If no release is expected, the own server is pinged: the reply travels with the awaited response and is not
/// reported. One ping is enough, and none is sent if no delivery is pending.
#[test]
fn the_reply_to_a_ping_settles() {
    sent(NORMAL).play(
        "S#1: <body><message id='in'/></body>
         E: stanza
         +59ms
         +1ms
         C: <body rid='3'><iq type='get' id='$word'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#2: <body><iq type='result' id='$word'/></body>
         E: 0 delivered
         +50s",
    );
}

/// A slow server is pinged again for stanzas sent after the first ping.
#[test]
fn several_pings() {
    Dialogue::online("wait='60' hold='1' requests='6'").play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         +150ms
         C: <body rid='3'><iq type='get' id='$one'><ping xmlns='urn:xmpp:ping'/></iq></body>
         A: send <message id='b'/>
         C: <body rid='4'><message id='b'/></body>
         +150ms
         C: <body rid='5'><iq type='get' id='$two'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#1: <body><iq type='result' id='$one'/></body>
         S#2: <body><iq type='error' id='$two'/></body>
         E: 0 delivered
         S#3: <body><iq type='result' id='$one'/></body>
         E: stanza <iq type='result' id='$one'/>
         S#4: <body type='terminate' condition='host-gone'/>
         C: cancel 5
         E: 1 unknown
         E: offline terminated host-gone",
    );
}

/// A broken request is repeated first, and only then followed by a ping.
#[test]
fn no_ping_for_a_broken_request() {
    sent(NORMAL).play(
        "F#2: unreachable
         C: again 2
         F#2: unreachable
         S#1: <body><message id='in'/></body>
         E: stanza
         +due
         C: again 2
         +149ms
         +1ms
         C: <body rid='3'><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>",
    );
}

/// The repetition of a request that has arrived may find that the session has ended.
#[test]
fn the_delivery_of_a_repeated_request_in_a_lost_session_is_unknown() {
    sent(NORMAL).play(
        "S#1: <body><message id='in'/></body>
         E: stanza
         F#2: unreachable
         C: again 2
         S#2: <body type='terminate' condition='item-not-found'/>
         E: 0 unknown
         E: offline terminated item-not-found",
    );
}

#[test]
fn no_ping_while_the_window_is_full_or_nothing_is_pending() {
    sent(NORMAL).play("+40s");
    Dialogue::online(NORMAL).play(
        "A: request <iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>
         C: <body rid='2'><iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#1: <body/>
         +20s",
    );
}

// ── losses ──────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn sent_stanzas_are_unknown_and_unsent_ones_undelivered() {
    let mut dialogue = sent(NORMAL);
    dialogue.play(
        "A: send <message id='b'/>
         A: request <iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>
         S#1: <body type='terminate' condition='internal-server-error'/>
         C: cancel 2
         E: 0 unknown
         E: 1 undelivered
         E: request 0 disconnected
         E: offline terminated internal-server-error",
    );
}

/// The content of a later response is delivered even if the earlier response never arrives.
#[test]
fn a_response_out_of_order_settles_when_the_session_is_lost() {
    sent(NORMAL).play(
        "S#2: <body><message id='in'/></body>
         S#1 403: 
         E: 0 delivered
         E: hole
         E: stanza <message id='in'/>
         E: offline terminated policy-violation",
    );
}

/// Each stanza is settled once, by the first sign.
#[test]
fn settled_once() {
    sent("wait='60' hold='1' requests='2' ack='1'").play(
        "S#1: <body ack='2'/>
         E: 0 delivered
         S#2: <body ack='2' type='terminate' condition='host-gone'/>
         E: offline terminated host-gone",
    );
}

/// If a later request has a response and an earlier one has not, the earlier one is repeated soon, not after `wait`.
#[test]
fn an_overtaken_response_is_requested_again() {
    sent(NORMAL).play(
        "S#2: <body><message id='second'/></body>
         +4999ms
         +1ms
         C: cancel 1
         C: again 1
         S#1: <body><message id='first'/></body>
         E: stanza <message id='first'/>
         E: 0 delivered
         E: stanza <message id='second'/>
         C: <body rid='3'/>",
    );
}

/// `item-not-found`: there is no session that could have received the stanza.
#[test]
fn stanzas_sent_to_a_lost_session_are_undelivered() {
    sent(NORMAL).play(
        "S#1: <body><message id='in'/></body>
         E: stanza
         S#2: <body type='terminate' condition='item-not-found'/>
         E: 0 undelivered
         E: offline terminated item-not-found",
    );
}
