//! Requests: the reply goes to the purpose of the request.

use super::present;

/// A reply goes to the caller, once.
#[test]
fn a_reply_settles_its_request() {
    let mut dialogue = present();
    dialogue.play(
        "A: request <iq type='get' id='q' to='example.org'><query xmlns='jabber:iq:version'/></iq>
         C: <iq type='get' id='q' to='example.org'><query xmlns='jabber:iq:version'/></iq>
         W: <iq type='result' id='q' from='example.org'><query xmlns='jabber:iq:version'/></iq>
         E: reply 0
         W: <iq type='result' id='q' from='example.org'><query xmlns='jabber:iq:version'/></iq>",
    );
}

/// The reply to an abandoned request is not reported.
#[test]
fn an_abandoned_request() {
    let mut dialogue = present();
    dialogue.play(
        "A: request <iq type='get' id='q' to='example.org'><query xmlns='jabber:iq:version'/></iq>
         C: <iq type='get' id='q' to='example.org'><query xmlns='jabber:iq:version'/></iq>
         A: forget 0
         W: <iq type='result' id='q' from='example.org'><query xmlns='jabber:iq:version'/></iq>
         +29s",
    );
}

/// A request without a reply in time.
#[test]
fn a_request_without_a_reply() {
    let mut dialogue = present();
    dialogue.play(
        "A: request <iq type='get' id='q' to='example.org'><query xmlns='jabber:iq:version'/></iq>
         C: <iq type='get' id='q' to='example.org'><query xmlns='jabber:iq:version'/></iq>
         +29s
         W: <presence from='juliet@example.org/x'/>
         +1s
         E: request 0 timed out",
    );
}
