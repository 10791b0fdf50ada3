//! Disconnecting, in any state.

use super::{NORMAL, features, opened};
use crate::support::dialogue::{Dialogue, config};
use crate::support::script::xml;
use epode_proto::connection::SendError;

// ── online ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// A message was sent, then the session is closed: requests 1 to 3 have no response.
fn closing() -> Dialogue {
    let mut dialogue = Dialogue::online(NORMAL);
    dialogue.play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: disconnect
         E: disconnecting
         C: <body rid='3' type='terminate'><presence type='unavailable'/></body>",
    );
    dialogue
}

/// XEP-0124 §13: the terminating request is acknowledged in the response to the oldest request.
#[test]
fn a_disconnect_terminates_the_session() {
    let mut dialogue = Dialogue::online(NORMAL);
    dialogue.play(
        "A: disconnect
         E: disconnecting
         C: <body rid='2' type='terminate'><presence type='unavailable'/></body>
         S: <body type='terminate'/>
         C: cancel 2
         E: offline disconnected
         +600s",
    );
    assert!(dialogue.connection.is_offline());
    assert!(dialogue.connection.jid().is_none());
}

/// All queued stanzas travel with the terminating request, beyond the window.
#[test]
fn queued_stanzas_travel_with_the_terminating_request() {
    Dialogue::online(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         A: request <iq type='set' id='q'><query xmlns='urn:example'/></iq>
         A: disconnect
         E: disconnecting
         C: <body rid='3' type='terminate'><message id='b'/><iq type='set' id='q'><query xmlns='urn:example'/></iq>
              <presence type='unavailable'/></body>
         S: <body/>
         E: 0 delivered
         S: <body><iq type='result' id='q'/></body>
         E: reply 0
         S: <body type='terminate'/>
         E: 1 delivered
         E: offline disconnected",
    );
}

/// No request follows, so the soft limit does not apply.
#[test]
fn all_queued_stanzas_are_sent_before_the_end() {
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
        "A: disconnect
         E: disconnecting
         C: <body rid='3' type='terminate'><message id='b' type='*'/><message id='c' type='*'/><message id='d' type='*'/>
              <presence type='unavailable'/></body>
         S: <body type='terminate'/>
         C: cancel 2
         C: cancel 3
         E: 0 delivered
         E: 1 delivered
         E: 2 delivered
         E: 3 delivered
         E: offline disconnected",
    );
}

/// Stanzas and the disconnect of one turn travel in one request, without a ping.
#[test]
fn stanzas_sent_with_the_terminating_request() {
    let mut dialogue = Dialogue::online("wait='60' hold='1' requests='4'");
    dialogue
        .connection
        .send(xml("<message id='a'/>"))
        .expect("sent");
    dialogue.play(
        "A: disconnect
         E: disconnecting
         C: <body rid='2' type='terminate'><message id='a'/><presence type='unavailable'/></body>
         +2s
         S#1: <body/>
         E: 0 delivered
         S#2: <body type='terminate'/>
         E: offline disconnected",
    );
}

/// The response to the oldest request shows that the terminating request has arrived, and so everything before it.
#[test]
fn stanzas_of_the_terminating_request_are_delivered() {
    Dialogue::online(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         A: disconnect
         E: disconnecting
         C: <body rid='3' type='terminate'><message id='b'/><presence type='unavailable'/></body>
         S#1: <body type='terminate'><message id='in'/></body>
         C: cancel 2
         C: cancel 3
         E: stanza <message id='in'/>
         E: 0 delivered
         E: 1 delivered
         E: offline disconnected",
    );
}

/// COMPAT(ejabberd): so does the response to the terminating request itself, which arrives first.
#[test]
fn stanzas_before_an_answered_terminating_request_are_delivered() {
    closing().play(
        "S#3: <body type='terminate'/>
         E: 0 delivered
         S#1: <body/>
         S#2: <body type='terminate' condition='other-request'/>
         E: offline disconnected",
    );
}

/// A server that ends the session for another reason may not have read the terminating request.
#[test]
fn a_server_that_terminates_first() {
    for end in [
        "S#1: <body type='terminate' condition='system-shutdown'/>",
        "S#1 404: ",
        "S#1 401: ",
        "F#1: too-large",
    ] {
        closing().play(&format!(
            "{end}
             C: cancel 2
             C: cancel 3
             E: 0 unknown
             E: offline disconnected"
        ));
    }
}

#[test]
fn stanzas_received_while_closing_are_delivered() {
    Dialogue::online(NORMAL).play(
        "A: request <iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>
         C: <body rid='2'><iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq></body>
         A: disconnect
         E: disconnecting
         C: <body rid='3' type='terminate'><presence type='unavailable'/></body>
         S#2: <body><iq type='result' id='q'/><message id='b'/></body>
         S#1: <body><message id='a'/></body>
         E: stanza <message id='a'/>
         E: reply 0
         E: stanza <message id='b'/>
         S#3: <body type='terminate'><message id='c'/></body>
         E: stanza <message id='c'/>
         E: offline disconnected",
    );
}

#[test]
fn the_terminating_request_has_a_deadline() {
    closing().play(
        "S#2: <body><message id='in'/></body>
         +2999ms
         +1ms
         C: cancel 1
         C: cancel 3
         E: 0 delivered
         E: hole
         E: stanza <message id='in'/>
         E: offline disconnected
         +600s",
    );
}

#[test]
fn a_broken_terminating_request_is_repeated() {
    Dialogue::online(NORMAL).play(
        "A: disconnect
         E: disconnecting
         C: <body rid='2' type='terminate'><presence type='unavailable'/></body>
         F#2: unreachable
         C: again 2
         S#1: <body/>
         S#2: <body type='terminate'/>
         E: offline disconnected",
    );
}

#[test]
fn a_stream_error_while_closing_changes_nothing() {
    Dialogue::online(NORMAL).play(
        "A: disconnect
         E: disconnecting
         C: <body rid='2' type='terminate'><presence type='unavailable'/></body>
         S#1: <body><stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></body>
         S#2: <body type='terminate'/>
         E: offline disconnected",
    );
}

#[test]
fn nothing_is_sent_after_the_terminating_request() {
    let mut dialogue = Dialogue::online(NORMAL);
    dialogue.play(
        "A: disconnect
         E: disconnecting
         C: <body rid='2' type='terminate'><presence type='unavailable'/></body>
         A: disconnect",
    );
    let now = dialogue.now;
    let ping = xml("<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>");
    assert_eq!(
        dialogue.connection.send(xml("<message/>")),
        Err(SendError::NotConnected)
    );
    assert_eq!(
        dialogue.connection.request(now, ping.clone(), None),
        Err(SendError::NotConnected)
    );
    assert!(!dialogue.connection.connect(now), "not offline yet");
    dialogue.play(
        "S: <body type='terminate'/>
         C: cancel 2
         E: offline disconnected
         A: disconnect
         A: abort",
    );
    assert_eq!(
        dialogue.connection.request(now, ping, None),
        Err(SendError::NotConnected)
    );
}

#[test]
fn an_abort_sends_nothing() {
    Dialogue::online(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         A: request <iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>
         A: abort
         C: cancel 1
         C: cancel 2
         E: 0 unknown
         E: 1 undelivered
         E: request 0 disconnected
         E: offline disconnected",
    );
}

#[test]
fn an_abort_while_closing() {
    Dialogue::online(NORMAL).play(
        "A: disconnect
         E: disconnecting
         C: <body rid='2' type='terminate'><presence type='unavailable'/></body>
         A: abort
         C: cancel 1
         C: cancel 2
         E: offline disconnected",
    );
}

// ── while connecting ────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_disconnect_before_the_session() {
    opened(config()).play(
        "A: disconnect
         C: cancel 1
         E: disconnecting
         E: offline disconnected
         A: anonymous
         +600s",
    );
}

#[test]
fn a_disconnect_while_credentials_are_pending() {
    opened(config()).play(&format!(
        "S: <body sid='s1'>{}</body>
         C: <body rid='2'/>
         A: disconnect
         E: disconnecting
         C: <body rid='3' type='terminate'/>
         A: no credentials
         A: anonymous
         S: <body type='terminate'/>
         C: cancel 3
         E: offline disconnected",
        features(&["ANONYMOUS"])
    ));
}

/// Responses of the negotiation are ignored: `online` never follows `disconnecting`.
#[test]
fn a_disconnect_during_the_login() {
    let login = format!(
        "A: anonymous
         S: <body sid='s1'>{}</body>
         E: authenticating
         C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>",
        features(&["ANONYMOUS"])
    );
    for answer in [
        "<sasl:success/>",
        "<sasl:failure><sasl:not-authorized/></sasl:failure>",
    ] {
        let mut dialogue = opened(config());
        dialogue.play(&login);
        dialogue.play(&format!(
            "A: disconnect
             E: disconnecting
             C: <body rid='3' type='terminate'/>
             S: <body>{answer}</body>
             S: <body type='terminate'/>
             E: offline disconnected"
        ));
    }
    let mut dialogue = opened(config());
    dialogue.play(&login);
    dialogue.play(
        "S: <body><sasl:success/></body>
         C: <body rid='3' to='example.org' xmpp:restart='true'/>
         S: <body><stream:features><bind:bind/></stream:features></body>
         E: binding
         C: <body rid='4'><iq type='set' id='$bind'><bind:bind/></iq></body>
         A: disconnect
         E: disconnecting
         C: <body rid='5' type='terminate'/>
         S: <body><iq type='result' id='$bind'><bind:bind><bind:jid>a@b/c</bind:jid></bind:bind></iq></body>
         S: <body type='terminate'/>
         E: offline disconnected",
    );
}

#[test]
fn features_after_the_terminating_request() {
    opened(config()).play(&format!(
        "A: anonymous
         S: <body sid='s1'/>
         C: <body rid='2'/>
         A: disconnect
         E: disconnecting
         C: <body rid='3' type='terminate'/>
         S: <body>{}</body>
         S: <body type='terminate'/>
         E: offline disconnected",
        features(&["ANONYMOUS"])
    ));
}

#[test]
fn the_terminating_request_has_a_deadline_while_connecting() {
    opened(config()).play(
        "A: anonymous
         S: <body sid='s1'/>
         C: <body rid='2'/>
         +29s
         A: disconnect
         E: disconnecting
         C: <body rid='3' type='terminate'/>
         +2s
         +1s
         C: cancel 2
         C: cancel 3
         E: offline disconnected",
    );
}

/// COMPAT(ejabberd): the response to the requests before the terminating one names the reason `other-request`.
#[test]
fn pending_requests_end_with_the_terminating_request() {
    let mut dialogue = Dialogue::online(NORMAL);
    dialogue.play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         S#1: <body><message id='in'/></body>
         E: stanza
         A: disconnect
         E: disconnecting
         C: <body rid='3' type='terminate'><presence type='unavailable'/></body>
         S#2: <body type='terminate' condition='other-request'/>
         C: cancel 3
         E: 0 delivered
         E: offline disconnected",
    );
}
