//! Over BOSH.

use crate::support::by_hand::{ByHand, by_hand_config};
use epode_proto::raw_stream::RawSendError;

/// The session request and its response.
const OPENED: &str = "
    A: open
    C: <body rid='1' to='example.org' content='text/xml; charset=utf-8' ver='1.11' wait='60' hold='1' ack='1' xmpp:version='1.0'/>
    S: <body sid='s1' wait='60' requests='2' inactivity='30' ver='1.11'><stream:features/></body>
    E: <body sid='s1' wait='60' requests='2' inactivity='30' ver='1.11'><stream:features/></body>
    C: <body rid='2' sid='s1'/>";

fn opened() -> ByHand {
    let mut stream = ByHand::over_bosh();
    stream.play(OPENED);
    stream
}

/// A login step by step, with a mechanism that epode does not know.
#[test]
fn a_login_by_raw_elements() {
    let mut stream = opened();
    assert_eq!(stream.stream.session().map(|(sid, _)| sid), Some("s1"));
    stream.play(
        "A: send <sasl:auth mechanism='X-OWN'>aGk=</sasl:auth>
         C: <body rid='3' sid='s1'><sasl:auth mechanism='X-OWN'>aGk=</sasl:auth></body>
         S: <body/>
         E: <body/>
         S: <body><sasl:challenge>Pw==</sasl:challenge></body>
         E: <body><sasl:challenge>Pw==</sasl:challenge></body>
         C: <body rid='4' sid='s1'/>
         A: send <sasl:response>IQ==</sasl:response>
         C: <body rid='5' sid='s1'><sasl:response>IQ==</sasl:response></body>
         S: <body/>
         E: <body/>
         S: <body><sasl:success/></body>
         E: <body><sasl:success/></body>
         C: <body rid='6' sid='s1'/>
         A: restart
         C: <body rid='7' sid='s1' to='example.org' xmpp:restart='true'/>
         S: <body/>
         E: <body/>
         S: <body><stream:features><bind:bind/></stream:features></body>
         E: <body><stream:features><bind:bind/></stream:features></body>
         C: <body rid='8' sid='s1'/>
         A: send <iq type='set' id='b'><bind:bind/></iq>
         C: <body rid='9' sid='s1'><iq type='set' id='b'><bind:bind/></iq></body>",
    );
}

#[test]
fn elements_of_one_call_travel_in_one_request() {
    let mut stream = opened();
    stream.play(
        "A: send <presence/><iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq><message to='a@b'/>
         C: <body rid='3' sid='s1'><presence/><iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq><message to='a@b'/></body>
         // The window is full.
         A: send <message id='1'/>
         A: send <message id='2'/>
         S: <body/>
         E: <body/>
         C: <body rid='4' sid='s1'><message id='1'/><message id='2'/></body>",
    );
}

/// Each frame is a complete body, in request order.
#[test]
fn frames_arrive_in_request_order() {
    let mut stream = opened();
    stream.play(
        "A: send <presence/>
         C: <body rid='3' sid='s1'><presence/></body>
         S#3: <body><message id='2'/><message id='3'/></body>
         S#2: <body><message id='1'/></body>
         E: <body><message id='1'/></body>
         E: <body><message id='2'/><message id='3'/></body>
         C: <body rid='4' sid='s1'/>",
    );
}

/// The transport repeats broken requests and sends no pings.
#[test]
fn a_broken_request_is_repeated_without_a_ping() {
    let mut stream = opened();
    stream.play(
        "A: send <message id='1'/>
         C: <body rid='3' sid='s1'><message id='1'/></body>
         F#3: unreachable
         C: again 3
         S#2: <body/>
         E: <body/>
         +10s
         S#3: <body><message id='2'/></body>
         E: <body><message id='2'/></body>
         C: <body rid='4' sid='s1'/>
         +50s",
    );
}

/// What was in no request when the session ended is handed back, in order; what was in one may have arrived.
#[test]
fn what_has_not_left_is_handed_back() {
    let mut stream = opened();
    stream.play(
        "A: send <message id='1'/>
         C: <body rid='3' sid='s1'><message id='1'/></body>
         A: send <message id='2'/>
         A: send <presence/><message id='3'/>
         S: <body type='terminate' condition='item-not-found'/>
         E: <body type='terminate' condition='item-not-found'/>
         C: cancel 3
         E: unsent <message id='2'/>
         E: unsent <presence/>
         E: unsent <message id='3'/>
         E: closed terminated item-not-found",
    );
}

/// An echo of our own request is not a frame.
#[test]
fn an_echo_is_not_delivered() {
    let mut stream = ByHand::new({
        let mut config = by_hand_config("https://example.org/bosh");
        config.bosh.route = Some("xmpp:host:5222".into());
        config.bosh.from = Some("romeo@example.org".into());
        config
    });
    stream.play(
        "A: open
         C: <body rid='1' from='romeo@example.org' route='xmpp:host:5222' to='*' content='*' ver='*' wait='*' hold='*' ack='*' xmpp:version='*'/>
         S: <body sid='s1' requests='2'/>
         E: <body sid='s1' requests='2'/>
         C: <body rid='2' sid='s1'/>",
    );
    let (_, rid) = stream.stream.session().expect("a session");
    let echo = format!(
        "S: <body rid='{}' sid='s1'/>\nC: <body rid='3' sid='s1'/>",
        rid - 1
    );
    stream.play(&echo);
}

#[test]
fn a_close_carries_the_last_elements() {
    let mut stream = opened();
    stream.play(
        "A: send <message/>
         C: <body rid='3' sid='s1'><message/></body>
         A: close <presence type='unavailable'/>
         C: last <body rid='4' sid='s1' type='terminate'><presence type='unavailable'/></body>
         S#2: <body/>
         E: <body/>
         S#3: <body/>
         E: <body/>
         S: <body type='terminate'/>
         E: <body type='terminate'/>
         E: closed disconnected",
    );
    let sent = stream.stream.send(Vec::new());
    assert_eq!(sent, Err(RawSendError::NotOpen));
    assert!(!stream.stream.open(stream.now), "a stream is used once");
    // Nothing happens any more.
    stream.play(
        "A: close
         A: abort
         +60s",
    );
}

/// Elements of the page's last turn are sent in that turn: unconfirmed requests are repeated for the platform to complete.
#[test]
fn a_close_while_the_page_unloads() {
    let mut stream = opened();
    stream.play(
        "A: send <message id='1'/>
         C: <body rid='3' sid='s1'><message id='1'/></body>
         A: leave
         A: close <presence type='unavailable'/>
         C: again 2
         C: again 3
         C: last <body rid='4' sid='s1' type='terminate'><presence type='unavailable'/></body>
         +3s
         C: cancel 2
         C: cancel 3
         C: cancel 4
         E: closed disconnected",
    );
}

/// An unloading page does not end the session: another page may continue it.
#[test]
fn an_unloading_page_does_not_end_the_stream() {
    let mut stream = opened();
    stream.play(
        "A: leave
         S: <body/>
         E: <body/>
         +5s
         A: return
         C: <body rid='3' sid='s1'/>",
    );
}

/// The browser aborts the requests of a page that goes. The page does not repeat them: the server would hold the repetition, and answer
/// it with what is meant for the next page.
#[test]
fn what_a_leaving_page_breaks_is_not_repeated() {
    let mut stream = opened();
    stream.play(
        "A: send <presence/>
         C: <body rid='3' sid='s1'><presence/></body>
         S: <body/>
         E: <body/>
         A: leave
         F#3: unreachable
         +5s
         // It returned from the cache of pages.
         A: return
         C: again 3",
    );
}

/// What broke is sent before the good-bye, which the server would not process without it.
#[test]
fn what_a_leaving_page_breaks_goes_before_its_good_bye() {
    let mut stream = opened();
    stream.play(
        "A: send <message id='1'/>
         C: <body rid='3' sid='s1'><message id='1'/></body>
         S: <body/>
         E: <body/>
         A: leave
         F#3: unreachable
         A: close
         // Because it broke, and because it is not known to have arrived: the rid makes one of it.
         C: again 3
         C: again 3
         C: last <body rid='4' sid='s1' type='terminate'/>",
    );
}

#[test]
fn a_close_before_the_session() {
    let mut stream = ByHand::over_bosh();
    stream.play(
        "A: open
         C: <body rid='1' to='*' content='*' ver='*' wait='*' hold='*' ack='*' xmpp:version='*'/>
         A: close
         C: cancel 1
         E: closed disconnected",
    );
}

#[test]
fn aborting_sends_nothing() {
    let mut stream = opened();
    stream.play(
        "A: abort
         C: cancel 2
         E: closed disconnected",
    );
}

/// A session bound elsewhere; no ping checks whether it exists.
#[test]
fn attaching_continues_a_session() {
    let mut stream = ByHand::over_bosh();
    stream.play(
        "A: attach s9 4711
         C: <body rid='1' sid='s9'/>
         A: send <presence/>
         C: <body rid='2' sid='s9'><presence/></body>
         S: <body><message/></body>
         E: <body><message/></body>
         +5s
         S: <body/>
         E: <body/>
         C: <body rid='3' sid='s9'/>",
    );
    assert_eq!(stream.stream.session(), Some(("s9", 4714)));
    stream.play(
        "S: <body type='terminate' condition='item-not-found'/>
         E: <body type='terminate' condition='item-not-found'/>
         E: closed terminated item-not-found",
    );
    for (sid, rid) in [("", 1), ("s", 0), ("s", 1 << 53)] {
        assert!(!ByHand::over_bosh().stream.attach(sid, rid), "{sid} {rid}");
    }
    assert!(!ByHand::over_socket().stream.attach("s", 1));
}

#[test]
fn how_a_server_ends_it() {
    for (answer, handed_on, reason) in [
        (
            "S: <body type='terminate' condition='see-other-uri'><uri>https://b.example/</uri></body>",
            true,
            "terminated see-other-uri",
        ),
        (
            "S: <body type='terminate'/>",
            true,
            "terminated undefined-condition",
        ),
        // The stream's error says more than the session's end.
        (
            "S: <body type='terminate' condition='remote-stream-error'><stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></body>",
            true,
            "stream-error conflict",
        ),
    ] {
        let mut stream = opened();
        let frame = answer.strip_prefix("S: ").filter(|_| handed_on);
        let event = frame.map(|frame| format!("E: {frame}")).unwrap_or_default();
        stream.play(&format!("{answer}\n{event}\nE: closed {reason}"));
    }
    // A stream error alone ends the session, which is told to the connection manager.
    let mut stream = opened();
    stream.play(
        "S: <body><stream:error><host-gone xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></body>
         E: <body><stream:error><host-gone xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></body>
         C: last <body rid='3' sid='s1' type='terminate'/>
         E: closed stream-error host-gone",
    );
}

/// The possible results of opening.
#[test]
fn invalid_sessions() {
    for (answer, reason) in [
        ("S 404: nothing", "http-error 404"),
        ("S: <body/>", "not-bosh a session answer without a sid"),
        ("F: unreachable", "unreachable"),
    ] {
        let mut stream = ByHand::over_bosh();
        stream.play(&format!(
            "A: open
             C: <body rid='1' to='*' content='*' ver='*' wait='*' hold='*' ack='*' xmpp:version='*'/>
             {answer}
             E: closed {reason}"
        ));
    }
}
