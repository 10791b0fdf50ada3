//! RFC 7395: the same session over a WebSocket, one element a frame.

use crate::support::dialogue::{Dialogue, config, service, socket_config};
use epode_proto::connection::{Config, SendError};
use epode_proto::ns;
use epode_proto::transport::Kind;
use epode_proto::xml::Element;

const SM: &str = "<sm:sm/>";

fn plain() -> Dialogue {
    Dialogue::online_over_socket(socket_config(), "")
}

/// The socket is open and the stream header was sent.
fn opening() -> Dialogue {
    let mut dialogue = Dialogue::new(socket_config());
    dialogue.play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: socket wss://example.org/ws
         W: opened
         C: <framing:open to='example.org' version='1.0'/>",
    );
    dialogue
}

#[test]
fn a_login() {
    Dialogue::new(socket_config()).play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: socket wss://example.org/ws
         A: anonymous
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         W: <framing:open from='example.org' id='s1' version='1.0'/>
         W: <stream:features><sasl:mechanisms><sasl:mechanism>ANONYMOUS</sasl:mechanism></sasl:mechanisms></stream:features>
         C: <sasl:auth mechanism='ANONYMOUS'/>
         E: authenticating
         W: <sasl:success/>
         C: <framing:open to='example.org' version='1.0'/>
         W: <framing:open from='example.org' id='s2' version='1.0'/>
         W: <stream:features><bind:bind/></stream:features>
         C: <iq type='set' id='$bind'><bind:bind/></iq>
         E: binding
         W: <iq type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>
         E: online romeo@example.org/orchard",
    );
}

#[test]
fn stanzas_go_both_ways() {
    plain().play(
        "W: <message id='in'/>
         E: stanza <message id='in'/>
         A: request <iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>
         C: <iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>
         W: <iq type='result' id='1'/>
         E: reply 0",
    );
}

/// Without stream management, the reply to a ping settles the stanzas before it.
#[test]
fn the_reply_to_a_ping_settles() {
    plain().play(
        "A: send <message id='a'/>
         C: <message id='a'/>
         C: <iq type='get' id='$one'><ping xmlns='urn:xmpp:ping'/></iq>
         A: send <message id='b'/>
         C: <message id='b'/>
         C: <iq type='get' id='$two'><ping xmlns='urn:xmpp:ping'/></iq>
         W: <iq type='result' id='$one'/>
         E: 0 delivered
         W: closed
         E: 1 unknown
         E: offline unreachable",
    );
}

#[test]
fn the_server_must_accept_the_subprotocol() {
    Dialogue::new(socket_config()).play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: socket
         W: opened without xmpp
         C: close
         E: offline not-websocket a socket without the subprotocol xmpp",
    );
}

#[test]
fn a_close_waits_for_the_servers_close() {
    plain().play(
        "A: disconnect
         C: <presence type='unavailable'/>
         C: <framing:close/>
         E: disconnecting
         W: <message id='in'/>
         E: stanza
         W: <framing:close/>
         C: close
         E: offline disconnected",
    );
    plain().play(
        "A: disconnect
         C: <presence type='unavailable'/>
         C: <framing:close/>
         E: disconnecting
         +3s
         C: close
         E: offline disconnected",
    );
}

/// Two `<close/>` that cross: the server's belongs to its error and does not settle stanzas in transit.
#[test]
fn a_stream_error_is_not_a_reply_to_close() {
    plain().play(
        "A: send <message id='a'/>
         C: <message id='a'/>
         C: <iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq>
         A: disconnect
         C: <presence type='unavailable'/>
         C: <framing:close/>
         E: disconnecting
         W: <stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
         E: 0 unknown
         E: offline disconnected
         C: close",
    );
}

/// A `<close/>` with a redirect (RFC 7395 §3.6.1) is not the reply to ours.
#[test]
fn a_redirect_is_not_a_reply_to_close() {
    for (close, delivery) in [
        (
            "<framing:close see-other-uri='wss://other.example.org/ws'/>",
            "unknown",
        ),
        ("<framing:close/>", "delivered"),
    ] {
        plain().play(&format!(
            "A: send <message id='a'/>
             C: <message id='a'/>
             C: <iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq>
             A: disconnect
             C: <presence type='unavailable'/>
             C: <framing:close/>
             E: disconnecting
             W: {close}
             C: close
             E: 0 {delivery}
             E: offline disconnected"
        ));
    }
}

/// Only a `<close/>` in the framing namespace closes the stream.
#[test]
fn a_close_in_another_namespace_is_ignored() {
    plain().play(
        "W: raw <close xmlns='urn:example'/>
         W: <framing:close/>
         C: <framing:close/>
         C: close
         E: offline disconnected",
    );
}

#[test]
fn a_redirect_is_followed() {
    opening().play(
        "W: <framing:close see-other-uri='wss://other.example/ws'/>
         C: <framing:close/>
         C: close
         E: connecting
         E: credentials wanted
         C: socket wss://other.example/ws",
    );
    opening().play(
        "W: <framing:close see-other-uri='ws://other.example/ws'/>
         C: <framing:close/>
         C: close
         E: offline terminated see-other-uri",
    );
}

#[test]
fn the_next_service_is_tried() {
    let both = Config {
        services: vec![
            service(Kind::WebSocket, "wss://example.org/ws"),
            service(Kind::Bosh, "https://example.org/http-bind"),
        ],
        ..config()
    };
    let mut dialogue = Dialogue::new(both.clone());
    dialogue.play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: socket
         W: closed
         E: connecting
         E: credentials wanted",
    );
    dialogue.expect_request();
    let mut dialogue = Dialogue::new(both);
    dialogue.play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: socket
         +8s
         C: close
         E: connecting
         E: credentials wanted",
    );
    dialogue.expect_request();
}

#[test]
fn a_dead_link_is_detected() {
    plain().play(
        "+30s
         C: <iq type='get' id='$one'><ping xmlns='urn:xmpp:ping'/></iq>
         W: <iq type='result' id='$one'/>
         +30s
         C: <iq type='get' id='$two'><ping xmlns='urn:xmpp:ping'/></iq>
         +9s
         W: <message id='in'/>
         E: stanza
         +10s
         C: close
         E: offline unreachable",
    );
}

// ── XEP-0198 ────────────────────────────────────────────────────────────────────────────────────────────────────────

fn managed() -> Dialogue {
    let config = Config {
        reconnect: Some(Default::default()),
        ..socket_config()
    };
    let mut dialogue = Dialogue::online_over_socket(config, SM);
    dialogue.play(
        "C: <sm:enable resume='true'/>
         W: <sm:enabled id='here' resume='true'/>",
    );
    dialogue
}

/// The socket breaks; another one is open, authenticated, and requests the former session.
fn broken(dialogue: &mut Dialogue, h: u32) {
    dialogue.play("W: closed");
    dialogue.interrupted();
    dialogue.play(
        "+2s
         E: credentials wanted
         C: socket
         A: anonymous",
    );
    dialogue.authenticate_over_socket(SM);
    dialogue.play(&format!("C: <sm:resume h='{h}' previd='here'/>"));
}

#[test]
fn acknowledgements_settle() {
    managed().play(
        "A: send <message id='a'/>
         C: <message id='a'/>
         C: <sm:r/>
         W: <sm:r/>
         C: <sm:a h='0'/>
         W: <message id='in'/>
         E: stanza
         W: <sm:r/>
         C: <sm:a h='1'/>
         W: <sm:a h='1'/>
         E: 0 delivered",
    );
}

/// A stream that stalls while it requests the session is dropped without a `<close/>`: if both arrived late, the
/// session would be resumed, ended in order, and lost.
#[test]
fn a_stalled_resumption_sends_no_close() {
    let mut dialogue = managed();
    broken(&mut dialogue, 0);
    dialogue.play("+30s\nC: close");
    dialogue.interrupted();
    dialogue.forgive();
}

#[test]
fn a_session_is_resumed() {
    let mut dialogue = managed();
    dialogue.play(
        "W: <message id='one'/>
         E: stanza
         A: send <message id='a'/>
         C: <message id='a'/>
         C: <sm:r/>
         A: send <message id='b'/>
         C: <message id='b'/>
         C: <sm:r/>
         W: <sm:a h='1'/>
         E: 0 delivered
         A: request 60s <iq type='get' id='7'><ping xmlns='urn:xmpp:ping'/></iq>
         C: <iq type='get' id='7'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    broken(&mut dialogue, 1);
    // What is sent meanwhile waits its turn.
    dialogue.play(
        "A: send <message id='c'/>
         W: <sm:resumed h='1' previd='here'/>
         C: <message id='b'/>
         C: <iq type='get' id='7'><ping xmlns='urn:xmpp:ping'/></iq>
         E: resumed romeo@example.org/orchard
         C: <message id='c'/>
         C: <sm:r/>
         W: <iq type='result' id='7'/>
         E: reply 0
         W: <sm:a h='4'/>
         E: 1 delivered
         E: 2 delivered
         W: <sm:r/>
         C: <sm:a h='2'/>",
    );
}

/// What the server says it had is delivered; of the rest it is certain that it had not, and messages are sent anew.
#[test]
fn a_session_is_not_resumed() {
    let mut dialogue = managed();
    dialogue.play(
        "A: send <message id='a'/>
         C: <message id='a'/>
         C: <sm:r/>
         A: send <message id='b'/>
         C: <message id='b'/>
         C: <sm:r/>
         A: send <presence/>
         C: <presence/>
         C: <sm:r/>
         A: request 60s <iq type='get' id='7'><ping xmlns='urn:xmpp:ping'/></iq>
         C: <iq type='get' id='7'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    broken(&mut dialogue, 0);
    dialogue.play(
        "W: <sm:failed h='1'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></sm:failed>
         C: <iq type='set' id='$again'><bind:bind/></iq>
         E: 0 delivered
         E: request 0 disconnected
         E: 2 undelivered
         W: <iq type='result' id='$again'><bind:bind><bind:jid>romeo@example.org/balcony</bind:jid></bind:bind></iq>
         C: <sm:enable resume='true'/>
         E: online romeo@example.org/balcony
         C: <message id='b'/>
         C: <sm:r/>",
    );
}

/// A server that has forgotten all of it: what was not acknowledged may have arrived, or not.
#[test]
fn a_session_is_unknown() {
    let mut dialogue = managed();
    dialogue.play(
        "A: send <message id='a'/>
         C: <message id='a'/>
         C: <sm:r/>",
    );
    broken(&mut dialogue, 0);
    dialogue.play(
        "W: <sm:failed/>
         C: <iq type='set' id='$again'><bind:bind/></iq>
         E: 0 unknown",
    );
    dialogue.forgive();
}

/// However many questions are out: what was sent behind them would never be heard of.
#[test]
fn the_last_acknowledgement_request_precedes_close() {
    managed().play(
        "A: send <message id='a'/>
         C: <message id='a'/>
         C: <sm:r/>
         A: send <message id='b'/>
         C: <message id='b'/>
         C: <sm:r/>
         A: send <message id='c'/>
         C: <message id='c'/>
         C: <sm:r/>
         A: send <message id='d'/>
         C: <message id='d'/>
         A: disconnect
         C: <presence type='unavailable'/>
         C: <sm:r/>
         C: <sm:a h='0'/>
         C: <framing:close/>
         E: disconnecting
         W: <sm:a h='3'/>
         E: 0 delivered
         E: 1 delivered
         E: 2 delivered
         W: <sm:a h='5'/>
         E: 3 delivered
         W: <framing:close/>
         C: close
         E: offline disconnected",
    );
}

#[test]
fn the_acknowledgement_before_close_settles() {
    managed().play(
        "W: <message id='in'/>
         E: stanza
         A: send <message id='a'/>
         C: <message id='a'/>
         C: <sm:r/>
         A: disconnect
         C: <presence type='unavailable'/>
         C: <sm:a h='1'/>
         C: <framing:close/>
         E: disconnecting
         W: <sm:a h='2'/>
         E: 0 delivered
         W: <framing:close/>
         C: close
         E: offline disconnected",
    );
}

/// A server that acknowledges what was never sent is not in its senses: nothing it says is built upon.
#[test]
fn an_acknowledgement_of_too_many_stanzas() {
    let mut dialogue = managed();
    dialogue.play("W: <sm:a h='1'/>\nC: <framing:close/>\nC: close");
    assert!(
        dialogue
            .next_words()
            .starts_with("interrupted 1 protocol-error")
    );
}

/// Without stream management a session that broke is lost, and a new one begins.
#[test]
fn a_new_session_begins() {
    let config = Config {
        reconnect: Some(Default::default()),
        ..socket_config()
    };
    let mut dialogue = Dialogue::online_over_socket(config, "");
    dialogue.play(
        "A: request 60s <iq type='get' id='7'><ping xmlns='urn:xmpp:ping'/></iq>
         C: <iq type='get' id='7'><ping xmlns='urn:xmpp:ping'/></iq>
         W: closed
         E: request 0 disconnected",
    );
    dialogue.interrupted();
    dialogue.play(
        "A: send <message id='a'/>
         A: request 60s <iq type='get' id='8'><ping xmlns='urn:xmpp:ping'/></iq>
         A: request 1ms <iq type='set' id='9'><late xmlns='urn:example'/></iq>
         +1ms
         E: request 2 timed out
         +2s
         E: credentials wanted
         C: socket
         A: anonymous",
    );
    // What nobody waits for any more does not leave.
    dialogue.log_in_over_socket("");
    dialogue.play(
        "E: online romeo@example.org/orchard
         C: <message id='a'/>
         C: <iq type='get' id='8'><ping xmlns='urn:xmpp:ping'/></iq>
         C: <iq type='get' id='$word'><ping xmlns='urn:xmpp:ping'/></iq>
         W: <iq type='result' id='8'/>
         E: reply 1
         W: <iq type='result' id='$word'/>
         E: 0 delivered",
    );
}

/// An error that another attempt would repeat.
#[test]
fn permanent_errors_are_not_retried() {
    let mut dialogue = managed();
    dialogue.play(
        "W: <stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
         C: <framing:close/>
         C: close
         E: offline stream-error conflict
         +100s",
    );
}

#[test]
fn waking_does_not_wait() {
    let mut dialogue = managed();
    dialogue.play("W: closed");
    dialogue.interrupted();
    dialogue.play(
        "A: wake
         E: interrupted 1 unreachable
         E: credentials wanted
         C: socket
         W: closed",
    );
    dialogue.interrupted();
    dialogue.play("A: disconnect\nE: offline disconnected\n+100s");
    // A link that is there is asked after, and given up sooner than usual.
    let mut dialogue = managed();
    dialogue.play(
        "A: wake
         C: <sm:r/>
         +4s
         C: close",
    );
    dialogue.interrupted();
    dialogue.forgive();
}

/// A server that takes nothing is not sent to for ever: what may have to be sent again is bounded, in bytes, too.
#[test]
fn unacknowledged_stanzas_have_a_limit() {
    let mut dialogue = managed();
    let body = "x".repeat(1 << 20);
    let message =
        Element::builder("message", ns::CLIENT).element("body", ns::CLIENT, |it| it.text(&body));
    let message = message.build();
    for _ in 0..64 {
        dialogue
            .connection
            .send(message.clone())
            .expect("there is room");
    }
    assert_eq!(
        dialogue.connection.send(message.clone()),
        Err(SendError::OutboxFull)
    );
    dialogue.play("W: <sm:a h='1'/>");
    dialogue.forgive();
    assert!(dialogue.connection.send(message).is_ok());
    dialogue.forgive();
}

/// Who wakes asks again; the reply to the question before is nobody's business all the same.
#[test]
fn a_late_reply_to_a_ping_is_not_delivered() {
    plain().play(
        "A: send <message id='a'/>
         C: <message id='a'/>
         C: <iq type='get' id='$one'><ping xmlns='urn:xmpp:ping'/></iq>
         A: wake
         C: <iq type='get' id='$two'><ping xmlns='urn:xmpp:ping'/></iq>
         W: <iq type='result' id='$one'/>
         W: <iq type='result' id='$two'/>
         E: 0 delivered",
    );
}
