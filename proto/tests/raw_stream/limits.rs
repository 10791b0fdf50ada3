//! Limits of what a server or the page can make a stream keep or repeat.

use crate::support::by_hand::{ByHand, by_hand_config};
use epode_proto::raw_stream::RawSendError;
use epode_proto::xml::Element;

const OPEN_BOSH: &str = "
    A: open
    C: <body rid='1' to='*' content='*' ver='*' wait='*' hold='*' ack='*' xmpp:version='*'/>";

/// The stream must be open before a deadline, over either transport; after that the deadline does not apply.
#[test]
fn opening_has_a_deadline() {
    let mut stream = ByHand::over_bosh();
    stream.play(OPEN_BOSH);
    stream.play(
        "+30s
         C: cancel 1
         E: closed timeout connecting",
    );
    let mut stream = ByHand::over_socket();
    stream.play(
        "A: open
         C: socket wss://example.org/ws
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         +30s
         C: close
         E: closed timeout connecting",
    );
}

/// The same unreadable bytes three times were sent by the server: they end the stream, since their content is lost.
#[test]
fn an_unreadable_body() {
    let mut stream = ByHand::over_bosh();
    stream.play(OPEN_BOSH);
    stream.play(
        "S: <body sid='s1' requests='2' inactivity='30'/>
         E: <body sid='s1' requests='2' inactivity='30'/>
         C: <body rid='2' sid='s1'/>
         S#2 200: <body xmlns='http://jabber.org/protocol/httpbind'><a></body>
         C: again 2
         S#2 200: <body xmlns='http://jabber.org/protocol/httpbind'><a></body>
         +due
         C: again 2
         S#2 200: <body xmlns='http://jabber.org/protocol/httpbind'><a></body>
         C: last <body rid='3' sid='s1' type='terminate'/>
         E: closed bad-xml an end tag that closes nothing",
    );
}

#[test]
fn frames_have_a_limit() {
    let mut config = by_hand_config("wss://example.org/ws");
    config.bosh.limits.bytes = 200;
    let mut stream = ByHand::new(config);
    stream.play(
        "A: open
         C: socket wss://example.org/ws
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         W: <framing:open version='1.0'/>
         E: <framing:open version='1.0'/>",
    );
    let long = "a".repeat(300);
    stream.play(&format!(
        "W: <message id='{long}'/>
         C: <framing:close/>
         C: close
         E: closed too-large"
    ));
}

/// The queue for a server that does not respond.
#[test]
fn the_queue_has_a_limit() {
    let mut stream = ByHand::over_bosh();
    stream.play(OPEN_BOSH);
    let message = || vec![Element::builder("message", "jabber:client").build(); 4096];
    for _ in 0..16 {
        stream.stream.send(message()).expect("room");
    }
    assert_eq!(stream.stream.send(message()), Err(RawSendError::Full));
}

#[test]
fn invalid_options() {
    use crate::support::unicode::NativeUnicode;
    let mut config = by_hand_config("https://example.org/bosh");
    assert_eq!(config.bosh.to, "example.org");
    config.bosh.lang = Some("not a tag".into());
    let wrong = config.prepare(&NativeUnicode).expect_err("a bad tag");
    assert_eq!(wrong.name, "lang");
    config.bosh.lang = None;
    config.bosh.to = "a/b".into();
    let wrong = config.prepare(&NativeUnicode).expect_err("a bad domain");
    assert_eq!(wrong.name, "domain");
}
