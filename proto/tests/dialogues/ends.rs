//! XEP-0124 §17: the end of a session by the server, and the stanzas and reports before it.

use super::{NORMAL, opened};
use crate::support::dialogue::{Dialogue, config};

/// §17.2: the HTTP statuses of connection managers without `ver`.
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

/// ejabberd sends both a status and a body, whose condition is used.
#[test]
fn an_http_error_with_a_bosh_body() {
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
        opened(config()).play(&format!(
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
fn stanzas_before_the_end_are_delivered() {
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

/// Also in the first response.
#[test]
fn a_stream_error_instead_of_a_session() {
    opened(config()).play(
        "S: <body type='terminate' condition='remote-stream-error'><stream:error>
              <host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
              <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Who?</text></stream:error></body>
         E: offline stream-error host-unknown (Who?)",
    );
}

#[test]
fn a_stream_error_without_terminate_also_ends_the_session() {
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

/// The terminate may be in a later response; the content of an earlier one is still delivered first.
#[test]
fn a_terminate_out_of_order() {
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

/// An ended session does not respond to repetitions: the known reason is reported.
#[test]
fn a_terminate_out_of_order_and_a_broken_request() {
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
             E: hole
             E: 0 unknown
             E: stanza <message id='second'/>
             E: offline terminated system-shutdown"
        ));
    }
}

/// The client waits for the earlier response, but only briefly.
#[test]
fn a_terminate_out_of_order_and_no_response() {
    Dialogue::online(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         S#2: <body type='terminate' condition='system-shutdown'><message id='second'/></body>
         +2999ms
         +1ms
         C: cancel 1
         E: hole
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
         E: hole
         E: stanza <message id='second'/>
         E: offline disconnected",
    );
}

/// A terminate by the server, even without a reason, is not the response to ours: it does not settle earlier requests.
#[test]
fn a_terminate_out_of_order_settles_nothing() {
    Dialogue::online("wait='60' hold='1' requests='3'").play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>
         C: <body rid='3'><message id='b'/></body>
         S#3: <body type='terminate'/>
         A: abort
         C: cancel 1
         C: cancel 2
         E: 0 unknown
         E: 1 unknown
         E: offline disconnected",
    );
    Dialogue::online(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: disconnect
         E: disconnecting
         C: <body rid='3' type='terminate'><presence type='unavailable'/></body>
         S#3: <body type='terminate' condition='internal-server-error'/>
         +3s
         C: cancel 1
         C: cancel 2
         E: 0 unknown
         E: offline disconnected",
    );
}
