//! XEP-0124 §11, §12: polling, and the delay after an empty response.

use crate::support::wire::{Wire, config};

fn opened(session: &str) -> Wire {
    let mut wire = Wire::new(config());
    wire.play(&format!(
        "C: <body rid='1' to='*' content='*' ver='*' wait='60' hold='1' ack='1' xmpp:version='1.0'/>
         A: bound
         S: <body sid='s1' {session}/>
         E: opened"
    ));
    wire
}

/// COMPAT(ejabberd): in a session that was asked to poll, all requests are that far apart, from answer to request: when a
/// request arrived, only its answer tells.
#[test]
fn a_polling_session_keeps_its_interval() {
    opened("wait='0' hold='0' requests='1' polling='2'").play(
        "+1999ms
         +1ms
         C: <body rid='2'/>
         A: send <message id='a'/>
         +300ms
         S: <body/>
         +1999ms
         +1ms
         C: <body rid='3'><message id='a'/></body>
         S: <body><message id='in'/></body>
         E: 0 delivered
         E: element <message id='in'/>
         A: send <message id='b'/>
         A: send <message id='c'/>
         +1999ms
         +1ms
         C: <body rid='4'><message id='b'/><message id='c'/></body>
         A: close
         S: <body/>
         E: 1 delivered
         E: 2 delivered
         +1999ms
         +1ms
         C: last <body rid='5' type='terminate'/>
         S: <body type='terminate'/>
         E: closed disconnected",
    );
}

/// If the interval is longer than the deadline of the terminating request, none is sent.
#[test]
fn a_terminating_request_that_would_be_too_late() {
    opened("wait='0' hold='0' requests='1' polling='10'").play(
        "A: send <message id='a'/>
         A: close
         +3s
         E: 0 returned
         E: closed disconnected",
    );
}

/// Without `polling` the server allows any rate; the client still polls slowly.
#[test]
fn a_polling_session_without_an_interval() {
    for session in [
        "wait='0' hold='0' requests='1'",
        "wait='0' hold='0' requests='1' polling='0'",
    ] {
        let mut wire = opened(session);
        wire.play(
            "C: <body rid='2'/>
             S: <body/>
             A: send <message id='a'/>
             C: <body rid='3'><message id='a'/></body>
             S: <body/>
             E: 0 delivered",
        );
        wire.play(if session.contains("polling") {
            "+1s"
        } else {
            "+2s"
        });
        wire.play("C: <body rid='4'/>");
    }
}

/// §12: with `requests='1'` a session polls without having requested it. Stanzas do not wait; empty requests do.
#[test]
fn a_session_that_must_poll() {
    opened("wait='60' hold='1' requests='1' polling='5'").play(
        "C: <body rid='2'/>
         A: send <message id='a'/>
         S: <body/>
         C: <body rid='3'><message id='a'/></body>
         S: <body/>
         E: 0 delivered
         +4999ms
         +1ms
         C: <body rid='4'/>
         +1s
         S: <body/>
         +3999ms
         +1ms
         C: <body rid='5'/>
         S: <body><message id='in'/></body>
         E: element <message id='in'/>
         C: <body rid='6'/>
         +60s
         S: <body/>
         C: <body rid='7'/>",
    );
}

/// The server holds fewer requests than requested, or for a shorter time.
#[test]
fn less_than_requested() {
    // It does not hold: empty requests are counted from the answer.
    opened("wait='60' hold='0' requests='2' polling='5'").play(
        "C: <body rid='2'/>
         +1s
         S: <body/>
         +4999ms
         +1ms
         C: <body rid='3'/>",
    );
    // It answers after twenty seconds: late ten seconds after that.
    opened("wait='20' hold='1' requests='2' polling='5'").play(
        "C: <body rid='2'/>
         +20s
         S: <body/>
         C: <body rid='3'/>
         +29999ms
         +1ms
         C: cancel 3
         C: again 3",
    );
}
