//! Over a WebSocket.

use crate::support::by_hand::ByHand;

const OPENED: &str = "
    A: open
    C: socket wss://example.org/ws
    W: opened
    C: <framing:open to='example.org' version='1.0'/>
    W: <framing:open from='example.org' id='1' version='1.0'/>
    E: <framing:open from='example.org' id='1' version='1.0'/>
    W: <stream:features/>
    E: <stream:features/>";

fn opened() -> ByHand {
    let mut stream = ByHand::over_socket();
    stream.play(OPENED);
    stream
}

#[test]
fn a_login_by_raw_elements() {
    let mut stream = opened();
    assert_eq!(stream.stream.session(), None);
    stream.play(
        "A: send <sasl:auth mechanism='X-OWN'>=</sasl:auth>
         C: <sasl:auth mechanism='X-OWN'>=</sasl:auth>
         W: <sasl:success/>
         E: <sasl:success/>
         A: restart
         C: <framing:open to='example.org' version='1.0'/>
         W: <framing:open from='example.org' id='2' version='1.0'/>
         E: <framing:open from='example.org' id='2' version='1.0'/>
         A: send <iq type='set' id='b'><bind:bind/></iq><sm:enable/>
         C: <iq type='set' id='b'><bind:bind/></iq>
         C: <sm:enable/>
         W: <sm:enabled/>
         E: <sm:enabled/>
         // Neither counted nor acknowledged: stream management is the page's.
         W: <message id='1'/>
         E: <message id='1'/>
         W: <sm:r/>
         E: <sm:r/>
         +600s",
    );
}

#[test]
fn elements_sent_early_follow_the_opening() {
    let mut stream = ByHand::over_socket();
    stream.play(
        "A: open
         C: socket wss://example.org/ws
         A: send <sasl:auth mechanism='X'/>
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         C: <sasl:auth mechanism='X'/>",
    );
}

#[test]
fn a_close_carries_the_last_elements() {
    let mut stream = opened();
    stream.play(
        "A: close <presence type='unavailable'/>
         C: <presence type='unavailable'/>
         C: <framing:close/>
         W: <message id='late'/>
         E: <message id='late'/>
         W: <framing:close/>
         E: <framing:close/>
         C: close
         E: closed disconnected",
    );
    // Three seconds, where the server says nothing.
    let mut stream = opened();
    stream.play(
        "A: close
         C: <framing:close/>
         +3s
         C: close
         E: closed disconnected",
    );
}

#[test]
fn aborting_sends_nothing() {
    let mut stream = opened();
    stream.play(
        "A: abort
         C: close
         E: closed disconnected",
    );
}

#[test]
fn how_a_server_ends_it() {
    for (frame, reason) in [
        ("<framing:close/>", "disconnected"),
        (
            "<framing:close see-other-uri='wss://b.example/'/>",
            "terminated see-other-uri",
        ),
        (
            "<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
            "stream-error system-shutdown",
        ),
    ] {
        let mut stream = opened();
        stream.play(&format!(
            "W: {frame}
             E: {frame}
             C: <framing:close/>
             C: close
             E: closed {reason}"
        ));
    }
    let mut stream = opened();
    stream.play(
        "W: closed
         E: closed unreachable",
    );
}

/// An element in place of the stream header is reported, and ends the stream.
#[test]
fn a_first_frame_that_is_not_open() {
    let mut stream = ByHand::over_socket();
    stream.play(
        "A: open
         C: socket wss://example.org/ws
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         W: <message/>
         E: <message/>
         C: <framing:close/>
         C: close
         E: closed not-websocket a frame that opens no stream",
    );
}
