//! The same connection connects again, after a disconnect, a loss or a failed login.

use super::{NORMAL, features, opened};
use crate::support::dialogue::{Dialogue, config};

/// Responses of the old session are ignored in the new one.
#[test]
fn a_new_session_has_no_state_of_the_old_one() {
    let mut dialogue = Dialogue::online(NORMAL);
    let poll = dialogue.exchange_count();
    dialogue.play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: request <iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>
         S#1: <body type='terminate' condition='item-not-found'/>
         C: cancel 2
         E: 0 unknown
         E: request 0 disconnected
         E: offline terminated item-not-found
         A: connect
         E: connecting
         E: credentials wanted
         C: <body rid='1' to='example.org' content='text/xml; charset=utf-8' ver='1.11' wait='60' hold='1' ack='1'
              xmpp:version='1.0'/>",
    );
    for late in [poll, poll + 1] {
        dialogue.play(&format!(
            "S@{late}: <body type='terminate'/>
             F@{late}: unreachable"
        ));
    }
    dialogue.play(&format!(
        "A: anonymous
         S: <body sid='s2' wait='60' hold='1' requests='2'>{}</body>
         E: authenticating
         C: <body rid='2' sid='s2'><sasl:auth mechanism='ANONYMOUS'/></body>
         A: abort
         C: cancel 2
         E: offline disconnected",
        features(&["ANONYMOUS"])
    ));
    dialogue.log_in(NORMAL);
    dialogue.play(
        "S: <body><iq type='result' id='q'/></body>
         E: stanza <iq type='result' id='q'/>
         C: <body rid='2'/>
         A: send <message id='b'/>
         C: <body rid='3'><message id='b'/></body>
         S: <body/>
         E: 1 delivered",
    );
}

/// A failed login leaves no state: no reason, no credentials, no phase.
#[test]
fn a_new_login_after_a_failed_one() {
    let mut dialogue = opened(config());
    dialogue.play(&format!(
        "A: credentials romeo wrong
         S: <body sid='s1'>{}</body>
         E: authenticating
         C: <body rid='2'><sasl:auth mechanism='PLAIN'>*</sasl:auth></body>
         S: <body><sasl:failure><sasl:not-authorized/></sasl:failure></body>
         C: <body rid='3' type='terminate'/>
         E: offline auth-failed not-authorized
         A: connect
         E: connecting
         E: credentials wanted
         C: <body rid='1' to='*' content='*' ver='*' wait='*' hold='*' ack='1' xmpp:version='*'/>
         S: <body sid='s2'>{}</body>
         C: <body rid='2'/>
         S: <body type='terminate' condition='system-shutdown'/>
         E: offline terminated system-shutdown",
        features(&["PLAIN"]),
        features(&["PLAIN"])
    ));
    dialogue.log_in(NORMAL);
}

/// After a disconnect the connection can be used again, and each phase starts from its initial state.
#[test]
fn a_new_session_after_a_disconnect() {
    let mut dialogue = Dialogue::online(NORMAL);
    for _ in 0..2 {
        dialogue.play(
            "A: disconnect
             E: disconnecting
             C: <body rid='2' type='terminate'><presence type='unavailable'/></body>
             S: <body type='terminate'/>
             C: cancel 2
             E: offline disconnected",
        );
        dialogue.log_in(NORMAL);
    }
    dialogue.play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         S: <body><stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></body>
         C: <body rid='3' type='terminate'/>
         C: cancel 2
         E: 0 unknown
         E: offline stream-error conflict
         A: connect
         E: connecting
         E: credentials wanted
         C: <body rid='1' to='*' content='*' ver='*' wait='*' hold='*' ack='1' xmpp:version='*'/>
         +30s
         C: cancel 1
         E: offline timeout connecting",
    );
}

/// Two sessions have different first rids.
#[test]
fn each_session_has_its_own_first_rid() {
    let mut rids = Vec::new();
    let mut dialogue = Dialogue::new(config());
    for _ in 0..20 {
        dialogue.play(
            "A: connect
             E: connecting
             E: credentials wanted",
        );
        let rid = dialogue.expect_request().attr("rid").map(str::to_owned);
        assert!(!rids.contains(&rid));
        rids.push(rid);
        dialogue.play(
            "A: abort
             C: cancel 1
             E: offline disconnected",
        );
    }
}
