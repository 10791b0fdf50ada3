//! XEP-0124 §10: sessions that are paused while the page is frozen.

use super::NORMAL;
use crate::support::wire::{Wire, config};

#[test]
fn a_page_that_is_paused_and_not_frozen() {
    Wire::open(NORMAL).play(
        "A: pause
         C: last <body rid='3' pause='120'/>
         S#2: <body/>
         S#3: <body/>
         +4999ms
         +1ms
         C: <body rid='4'/>",
    );
}

#[test]
fn events_that_end_a_pause() {
    for (waker, request) in [
        ("wake", "<body rid='4'/>"),
        (
            "send <message id='a'/>",
            "<body rid='4'><message id='a'/></body>",
        ),
    ] {
        Wire::open(NORMAL).play(&format!(
            "A: pause
             C: last <body rid='3' pause='120'/>
             S#2: <body/>
             S#3: <body/>
             A: {waker}
             C: {request}"
        ));
    }
    // What is answered then is followed by an empty request, as ever.
    Wire::open(NORMAL).play(
        "A: pause
         C: last <body rid='3' pause='120'/>
         A: send <message id='a'/>
         C: <body rid='4'><message id='a'/></body>
         S#2: <body/>
         S#3: <body/>
         S#4: <body/>
         E: 0 delivered
         C: <body rid='5'/>",
    );
}

#[test]
fn a_server_without_pauses() {
    for session in ["", "maxpause='0'", "maxpause='-1'", "maxpause='long'"] {
        Wire::open(&format!("wait='60' hold='1' requests='2' {session}")).play("A: pause");
    }
    let mut wire = Wire::new(config());
    wire.play(
        "C: <body rid='1' to='*' content='*' ver='*' wait='60' hold='1' ack='1' xmpp:version='1.0'/>
         A: pause",
    );
    Wire::open(NORMAL).play(
        "A: close
         C: last <body rid='3' type='terminate'/>
         A: pause",
    );
}

#[test]
fn a_pause_has_a_limit() {
    Wire::open("wait='60' hold='1' requests='2' maxpause='86400'").play(
        "A: pause
         C: last <body rid='3' pause='600'/>",
    );
}

/// §11: one request beyond the window is allowed; no second pause is sent, and the pause carries no stanzas.
#[test]
fn a_pause_beyond_the_window() {
    Wire::open(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         A: send <message id='b'/>
         A: pause
         C: last <body rid='4' pause='120'/>
         A: pause
         S#2: <body/>
         E: 0 delivered
         C: <body rid='5'><message id='b'/></body>",
    );
}

/// §11: the request beyond the window is a pause or the terminating request, not both. Servers refuse a rid outside the window (§14.2).
#[test]
fn a_terminating_request_after_a_pause_beyond_the_window() {
    Wire::open(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         A: pause
         C: last <body rid='4' pause='120'/>
         A: close
         S#2: <body/>
         E: 0 delivered
         C: last <body rid='5' type='terminate'/>",
    );
}

/// The same for a session that is dismissed: it ends without a terminating request.
#[test]
fn no_terminating_request_after_a_pause_beyond_the_window() {
    Wire::open(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         A: pause
         C: last <body rid='4' pause='120'/>
         A: dismiss
         C: cancel 2
         C: cancel 3
         C: cancel 4
         E: 0 unknown
         E: closed too-large",
    );
    Wire::open(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         A: dismiss
         C: last <body rid='4' type='terminate'/>
         C: cancel 2
         C: cancel 3
         E: 0 unknown
         E: closed too-large",
    );
}

/// COMPAT(ejabberd): it never responds to pauses. A later response counts, and is requested.
#[test]
fn a_pause_without_a_response() {
    Wire::open(NORMAL).play(
        "A: pause
         C: last <body rid='3' pause='120'/>
         S#2: <body/>
         +5s
         C: <body rid='4'/>
         +150ms
         C: <body rid='5'><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#4: <body><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>
         C: cancel 3
         E: element <iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq>
         S#5: <body/>
         C: <body rid='6'/>",
    );
}

/// A missing response to an earlier request is awaited: it may have content.
#[test]
fn a_pause_after_a_lost_response() {
    Wire::open(NORMAL).play(
        "A: pause
         C: last <body rid='3' pause='120'/>
         A: send <message id='a'/>
         C: <body rid='4'><message id='a'/></body>
         S#4: <body><message id='later'/></body>
         S#2: <body><message id='sooner'/></body>
         E: element <message id='sooner'/>
         C: cancel 3
         E: 0 delivered
         E: element <message id='later'/>
         C: <body rid='5'/>",
    );
}

/// The response to a pause does not show that the next request has arrived.
#[test]
fn the_response_to_a_pause_is_not_an_early_release() {
    Wire::open(NORMAL).play(
        "A: pause
         C: last <body rid='3' pause='120'/>
         S#2: <body/>
         A: send <message id='a'/>
         C: <body rid='4'><message id='a'/></body>
         S#3: <body/>
         S#4: <body/>
         E: 0 delivered
         C: <body rid='5'/>",
    );
}

#[test]
fn a_pause_that_breaks_is_repeated() {
    Wire::open(NORMAL).play(
        "A: pause
         C: last <body rid='3' pause='120'/>
         F#3: unreachable
         C: last again 3
         S#2: <body/>
         S#3: <body/>",
    );
}
