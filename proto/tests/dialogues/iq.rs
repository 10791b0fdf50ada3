//! Requests and their replies: which senders may reply, timeouts, the end of the session; and stanzas that are not replies.

use super::NORMAL;
use crate::support::dialogue::Dialogue;
use crate::support::script::xml;
use epode_proto::connection::SendError;

const PING: &str = "<ping xmlns='urn:xmpp:ping'/>";

/// An online session with a pending request `q`, with or without an address.
fn asked(to: Option<&str>) -> Dialogue {
    let to = to.map(|to| format!(" to='{to}'")).unwrap_or_default();
    let mut dialogue = Dialogue::online(NORMAL);
    dialogue.play(&format!(
        "A: request 30s <iq type='get' id='q'{to}>{PING}</iq>
         C: <body rid='2'><iq type='get' id='q'{to}>{PING}</iq></body>"
    ));
    dialogue
}

fn reply(from: Option<&str>) -> String {
    let from = from.map(|from| format!(" from='{from}'"));
    format!("<iq type='result' id='q'{}/>", from.unwrap_or_default())
}

// ── who may answer ──────────────────────────────────────────────────────────────────────────────────────────────────

/// Replies of these senders settle a request to `to`, in any spelling of the address.
#[test]
fn the_reply_of_the_addressee_settles() {
    for (to, from) in [
        // RFC 6120 §8.1.2.1: no `to` is one's own account, which the server answers for under several names.
        (None, None),
        (None, Some("romeo@example.org")),
        (None, Some("romeo@example.org/orchard")),
        (None, Some("example.org")),
        (Some("romeo@example.org"), None),
        (Some("romeo@example.org"), Some("romeo@example.org")),
        (Some("example.org"), None),
        (Some("example.org"), Some("example.org")),
        (
            Some("romeo@example.org/orchard"),
            Some("romeo@example.org/orchard"),
        ),
        (Some("juliet@example.org"), Some("juliet@example.org")),
        (Some("juliet@example.org/x"), Some("juliet@example.org/x")),
        (Some("pubsub.example.org"), Some("pubsub.example.org")),
        // Addresses are compared, not texts.
        (Some("Juliet@EXAMPLE.org/x"), Some("juliet@example.org/x")),
        (Some("juliet@example.org/x"), Some("JULIET@example.org/x")),
    ] {
        let reply = reply(from);
        asked(to).play(&format!(
            "S: <body>{reply}</body>
             E: reply 0 {reply}
             +31s"
        ));
    }
}

/// An id can be guessed or seen: other senders cannot reply.
#[test]
fn the_reply_of_another_sender_does_not_settle() {
    for (to, from) in [
        (None, Some("mallory@example.org")),
        (None, Some("romeo@example.org/other")),
        (None, Some("romeo@example.com")),
        (None, Some("pubsub.example.org")),
        (None, Some("example.org/x")),
        (None, Some("")),
        (None, Some("@@@")),
        (Some("romeo@example.org"), Some("romeo@example.org/other")),
        (Some("juliet@example.org"), None),
        (Some("juliet@example.org"), Some("juliet@example.org/x")),
        (Some("juliet@example.org/x"), Some("juliet@example.org")),
        (Some("juliet@example.org/x"), Some("juliet@example.org/X")),
        (Some("juliet@example.org/x"), Some("example.org")),
        (Some("pubsub.example.org"), Some("example.org")),
        (Some("pubsub.example.org"), None),
        (Some("romeo@example.org/other"), Some("romeo@example.org")),
    ] {
        let lie = reply(from);
        let truth = reply(to);
        asked(to).play(&format!(
            "S#1: <body>{lie}{truth}</body>
             E: stanza {lie}
             E: reply 0 {truth}"
        ));
    }
}

#[test]
fn the_id_must_also_match() {
    asked(None).play(
        "S: <body><iq type='result' id='other'/><iq type='result'/></body>
         E: stanza <iq type='result' id='other'/>
         E: stanza <iq type='result'/>",
    );
}

#[test]
fn only_a_result_or_an_error_is_a_reply() {
    asked(None).play(&format!(
        "S: <body><iq type='get' id='q'>{PING}</iq><iq type='set' id='q'>{PING}</iq><iq id='q'/>
              <message type='result' id='q'/><presence type='error' id='q'/></body>
         E: stanza <iq type='get' id='q'>{PING}</iq>
         E: stanza <iq type='set' id='q'>{PING}</iq>
         E: stanza <iq id='q'/>
         E: stanza <message type='result' id='q'/>
         E: stanza <presence type='error' id='q'/>"
    ));
}

// ── once, in time ───────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_second_reply_is_an_ordinary_stanza() {
    let reply = reply(None);
    asked(None).play(&format!(
        "S: <body>{reply}{reply}</body>
         E: reply 0 {reply}
         E: stanza {reply}"
    ));
}

#[test]
fn an_error_reply() {
    let refusal = "<iq type='error' id='q' from='juliet@example.org'><error type='cancel' xmlns='jabber:client'>
        <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";
    asked(Some("juliet@example.org")).play(&format!(
        "S: <body>{refusal}</body>
         E: refused 0 item-not-found {refusal}"
    ));
    asked(None).play(
        "S: <body><iq type='error' id='q'/></body>
         E: refused 0 undefined-condition <iq type='error' id='q'/>",
    );
}

#[test]
fn a_request_without_a_reply() {
    let reply = reply(None);
    asked(None).play(&format!(
        "+29999ms
         +1ms
         E: request 0 timed out
         S: <body>{reply}</body>
         E: stanza {reply}"
    ));
}

/// Each request has its own timeout; without one it waits until the session ends.
#[test]
fn timeouts_in_order() {
    let mut dialogue = Dialogue::online(NORMAL);
    dialogue.play(&format!(
        "A: request 9s <iq type='get' id='a'>{PING}</iq>
         C: <body rid='2'><iq type='get' id='a'>{PING}</iq></body>
         A: request 3s <iq type='get' id='b'>{PING}</iq>
         A: request <iq type='get' id='c'>{PING}</iq>
         A: request 6s <iq type='get' id='d'>{PING}</iq>
         +2999ms
         +1ms
         E: request 1 timed out
         +1s
         A: forget 3
         +4999ms
         +1ms
         E: request 0 timed out
         +50s
         S#1: <body type='terminate' condition='host-gone'/>
         C: cancel 2
         E: request 2 disconnected
         E: offline terminated host-gone"
    ));
}

#[test]
fn an_abandoned_request() {
    let reply = reply(None);
    asked(None).play(&format!(
        "A: forget 0
         S: <body>{reply}</body>
         E: stanza {reply}
         A: disconnect
         E: disconnecting
         C: <body rid='3' type='terminate'><presence type='unavailable'/></body>
         S: <body type='terminate'/>
         C: cancel 3
         E: offline disconnected"
    ));
}

#[test]
fn replies_in_another_order() {
    Dialogue::online(NORMAL).play(&format!(
        "A: request <iq type='get' id='a'>{PING}</iq>
         C: <body rid='2'><iq type='get' id='a'>{PING}</iq></body>
         A: request <iq type='get' id='b'>{PING}</iq>
         S#1: <body/>
         C: <body rid='3'><iq type='get' id='b'>{PING}</iq></body>
         S#2: <body><iq type='result' id='b'/><message/><iq type='result' id='a'/></body>
         E: reply 1 <iq type='result' id='b'/>
         E: stanza <message/>
         E: reply 0 <iq type='result' id='a'/>"
    ));
}

#[test]
fn pending_requests_are_settled_at_the_end_of_the_session() {
    asked(None).play(&format!(
        "A: request <iq type='get' id='r' to='juliet@example.org'>{PING}</iq>
         A: abort
         C: cancel 1
         C: cancel 2
         E: request 0 disconnected
         E: request 1 disconnected
         E: offline disconnected
         +600s"
    ));
}

// ── what can be asked ───────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_request_without_an_id_gets_one() {
    let mut dialogue = Dialogue::online(NORMAL);
    dialogue.play(&format!(
        "A: request <iq type='get'>{PING}</iq>
         C: <body rid='2'><iq type='get' id='$a'>{PING}</iq></body>
         A: request <iq type='set'>{PING}</iq>
         A: send <iq type='set'>{PING}</iq>
         A: send <iq type='result'/>
         A: send <message/>
         S: <body/>
         C: <body rid='3'><iq type='set' id='$b'>{PING}</iq><iq type='set' id='$c'>{PING}</iq><iq type='result'/><message/></body>
         S: <body><iq type='result' id='$b'/></body>
         E: reply 1
         S: <body><iq type='result' id='$a'/></body>
         E: 0 delivered
         E: 1 delivered
         E: 2 delivered
         E: reply 0
         C: <body rid='4'/>"
    ));
    let ids = ["a", "b", "c", "bind"].map(|name| dialogue.names.get(name).to_owned());
    for (at, id) in ids.iter().enumerate() {
        assert!(id.len() >= 10, "{id} can be guessed");
        assert!(!ids[..at].contains(id), "{id} is used twice");
    }
}

#[test]
fn invalid_requests_and_stanzas() {
    let mut dialogue = asked(None);
    let now = dialogue.now;
    let connection = &mut dialogue.connection;
    for (iq, error) in [
        ("<iq type='result' id='r'/>", SendError::NotARequest),
        ("<iq id='r'><a/></iq>", SendError::NotARequest),
        ("<iq type='get' id='r'/>", SendError::NotARequest),
        ("<iq type='get' id='r'>text</iq>", SendError::NotARequest),
        (
            "<iq type='get' id='r'><a/><b/></iq>",
            SendError::NotARequest,
        ),
        (
            "<message type='get' id='r'><a/></message>",
            SendError::NotARequest,
        ),
        ("<iq type='get' id='q'><a/></iq>", SendError::DuplicateId),
        (
            "<iq type='get' to='@' id='r'><a/></iq>",
            SendError::BadAddress,
        ),
        (
            "<iq type='get' to='' id='r'><a/></iq>",
            SendError::BadAddress,
        ),
        (
            "<iq type='get' xmlns='urn:example'><a/></iq>",
            SendError::NotAStanza,
        ),
        (
            "<query type='get' xmlns='jabber:client'><a/></query>",
            SendError::NotAStanza,
        ),
    ] {
        assert_eq!(connection.request(now, xml(iq), None), Err(error), "{iq}");
    }
    let illegal = xml("<message/>").with_attr("id", "\u{0}");
    assert_eq!(connection.send(illegal), Err(SendError::IllegalCharacter));
    let elsewhere = xml("<message xmlns='urn:example'/>");
    assert_eq!(connection.send(elsewhere), Err(SendError::NotAStanza));
    // None of it left a trace.
    let reply = reply(None);
    dialogue.play(&format!(
        "S: <body>{reply}</body>
         E: reply 0 {reply}"
    ));
}

#[test]
fn nothing_is_sent_before_there_is_a_session() {
    let mut dialogue = Dialogue::new(crate::support::dialogue::config());
    let message = xml("<message/>");
    let refused = dialogue.connection.send(message.clone());
    assert_eq!(refused, Err(SendError::NotConnected));
    dialogue.play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: <body rid='1' to='*' content='*' ver='*' wait='*' hold='*' ack='*' xmpp:version='*'/>",
    );
    assert_eq!(
        dialogue.connection.send(message),
        Err(SendError::NotConnected)
    );
}

// ── the inspector ───────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_tap_shows_sent_and_received_elements() {
    let mut dialogue = Dialogue::new(crate::support::dialogue::config());
    dialogue.play("A: tap");
    dialogue.play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: <body rid='1' to='*' content='*' ver='*' wait='*' hold='*' ack='*' xmpp:version='*'/>
         A: credentials romeo r0m30
         S: <body sid='s'><stream:features><sasl:mechanisms><sasl:mechanism>PLAIN</sasl:mechanism></sasl:mechanisms></stream:features></body>
         E: received <stream:features><sasl:mechanisms><sasl:mechanism>PLAIN</sasl:mechanism></sasl:mechanisms></stream:features>
         E: authenticating
         E: sent <sasl:auth mechanism='PLAIN'>…</sasl:auth>
         C: <body rid='2'><sasl:auth mechanism='PLAIN'>AHJvbWVvAHIwbTMw</sasl:auth></body>
         S: <body><sasl:success>c2VjcmV0</sasl:success></body>
         E: received <sasl:success>…</sasl:success>
         C: <body rid='3' to='example.org' xmpp:restart='true'/>
         A: abort
         C: cancel 3
         E: offline disconnected",
    );
}

#[test]
fn a_stanza_is_shown_before_it_is_handled() {
    Dialogue::online(NORMAL).play(
        "A: tap
         A: send <message id='a'/>
         E: sent <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         S: <body><message id='b'/><x xmlns='urn:example'/></body>
         E: received <message id='b'/>
         E: stanza <message id='b'/>
         E: received <x xmlns='urn:example'/>",
    );
}
