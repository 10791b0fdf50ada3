//! XEP-0124 §9.2, §14.3: requests that break or whose answers are lost, as the page sees them, and what makes them repeat sooner.

use super::NORMAL;
use crate::support::wire::Wire;
use epode_proto::time::Millis;

impl Wire {
    /// When the next attempt is due, in milliseconds, and its number. A pending attempt was due when it was sent.
    fn trouble(&self) -> Option<(u64, u32)> {
        let trouble = self.bosh.trouble()?;
        Some(((trouble.retry_at - self.now).0, trouble.attempt))
    }
}

/// One break is not an outage: an idle connection was closed. Two are, until a response arrives, which a ping requests.
#[test]
fn an_outage_begins_and_ends() {
    let mut wire = Wire::open(NORMAL);
    assert_eq!(wire.trouble(), None);
    wire.play(
        "F: unreachable
         C: again 2",
    );
    assert_eq!(wire.trouble(), None);
    for attempt in 1..=2 {
        wire.play("F#2: unreachable");
        let (pause, told) = wire.trouble().expect("trouble");
        assert!(pause <= 1_000 && told == attempt, "{pause} {told}");
        wire.play(
            "+due
             C: again 2",
        );
        assert_eq!(wire.trouble(), Some((0, attempt)));
    }
    wire.play(
        "+149ms
         +1ms
         C: <body rid='3'><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>",
    );
    assert_eq!(wire.trouble(), Some((0, 2)));
    wire.play(
        "S#2: <body><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>
         E: element <iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    assert_eq!(wire.trouble(), None);
    wire.play("+40s");
}

/// The broken requests of a session are repeated together and count as one attempt.
#[test]
fn broken_requests_wait_for_each_other() {
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         F#2: unreachable
         C: again 2
         F#3: unreachable
         C: again 3
         F#2: unreachable",
    );
    let (pause, attempt) = wire.trouble().expect("trouble");
    assert_eq!(attempt, 1);
    wire.play("F#3: unreachable");
    assert_eq!(wire.trouble(), Some((pause, 1)));
    wire.play(
        "+due
         C: again 2
         C: again 3
         F#3: unreachable",
    );
    assert_eq!(wire.trouble().map(|(_, attempt)| attempt), Some(2));
    wire.play("A: close");
    assert_eq!(wire.trouble(), None, "who leaves does not care");
    wire.expect_request();
}

/// Failed attempts do not lengthen the delays, only time does; a delay is at most the duration of the outage, or 30 s.
#[test]
fn delays_grow_with_the_outage() {
    let mut wire = Wire::open("wait='60' hold='1' requests='1' inactivity='600'");
    let began = wire.now;
    wire.play(
        "F: unreachable
         C: again 2",
    );
    for _ in 0..12 {
        wire.play("F: unreachable");
        let outage = (wire.now - began).0;
        let (pause, _) = wire.trouble().expect("trouble");
        assert!(
            pause <= outage.clamp(1_000, 30_000),
            "{pause} after {outage}"
        );
        wire.play(
            "+due
             C: again 2",
        );
    }
}

#[test]
fn no_ping_before_the_session_is_bound() {
    let mut wire = Wire::new(crate::support::wire::config());
    wire.expect_request();
    wire.play(&format!(
        "S: <body sid='s1' {NORMAL}/>
         E: opened
         C: <body rid='2'/>
         F: unreachable
         C: again 2
         F: unreachable
         +due
         C: again 2
         +10s"
    ));
}

/// A network sign repeats waiting requests at once, and restarts the delays.
#[test]
fn a_network_sign_retries_at_once() {
    let mut wire = Wire::open("wait='60' hold='1' requests='1' inactivity='600'");
    wire.play(
        "F: unreachable
         C: again 2",
    );
    for _ in 0..10 {
        wire.play(
            "F: unreachable
             +due
             C: again 2",
        );
    }
    wire.play(
        "+20s
         F: unreachable
         A: wake
         C: again 2
         F: unreachable
         C: again 2
         F: unreachable",
    );
    let (pause, attempt) = wire.trouble().expect("trouble");
    assert!(pause <= 1_000 && attempt == 12, "{pause} {attempt}");
    wire.play(
        "+due
         C: again 2",
    );
    // What has just left is left alone.
    wire.play("A: wake");
}

/// A hanging repetition may use a dead connection.
#[test]
fn a_network_sign_replaces_a_hanging_request() {
    let mut wire = Wire::open("wait='60' hold='1' requests='1'");
    wire.play(
        "F: unreachable
         C: again 2
         F: unreachable
         +due
         C: again 2
         +1s
         A: wake
         C: cancel 2
         C: again 2",
    );
}

/// After a network sign the full time is available again, however long the outage was.
#[test]
fn a_network_sign_after_a_long_outage() {
    let mut wire = Wire::open("wait='60' hold='1' requests='1' inactivity='60'");
    wire.play(
        "F: unreachable
         C: again 2",
    );
    for _ in 0..3 {
        wire.play(
            "F: unreachable
             +due
             C: again 2",
        );
    }
    wire.play("F: unreachable");
    // The computer sleeps, timers and all.
    wire.now = wire.now + Millis::seconds(3600);
    wire.play(
        "A: wake
         C: again 2
         F: unreachable
         C: again 2
         S: <body><message id='in'/></body>
         E: element <message id='in'/>
         C: <body rid='3'/>",
    );
}

#[test]
fn a_network_sign_without_an_outage() {
    Wire::open(NORMAL).play("A: wake");
}

// ── reports ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const ACKS: &str = "wait='60' hold='1' requests='3' ack='1'";

/// §9.2: the server reports that an earlier response was not acknowledged.
#[test]
fn a_report_of_a_lost_response() {
    for report in ["report='2' time='1000'", "report='2'"] {
        Wire::open(ACKS).play(&format!(
            "A: send <message id='a'/>
             C: <body rid='3' ack='1'><message id='a'/></body>
             S#3: <body {report}/>
             C: cancel 2
             C: again 2
             S#2: <body><message id='in'/></body>
             E: element <message id='in'/>
             E: 0 delivered
             C: <body rid='4'/>"
        ));
    }
}

/// A response that was just sent may still arrive.
#[test]
fn a_report_of_a_response_in_transit() {
    Wire::open(ACKS).play(
        "A: send <message id='a'/>
         C: <body rid='3' ack='1'><message id='a'/></body>
         S#3: <body report='2' time='999'/>
         +4999ms
         +1ms
         C: cancel 2
         C: again 2",
    );
}

/// A reported request is repeated at once.
#[test]
fn a_report_of_a_broken_request() {
    Wire::open(ACKS).play(
        "A: send <message id='a'/>
         C: <body rid='3' ack='1'><message id='a'/></body>
         F#2: unreachable
         C: again 2
         F#2: unreachable
         S#3: <body report='2' time='2000'/>
         C: again 2",
    );
}

#[test]
fn reports_without_effect() {
    for report in [
        "report='1' time='5000'",
        "report='3' time='5000'",
        "report='4' time='5000'",
        "report='x'",
        "report='-1'",
    ] {
        Wire::open(ACKS).play(&format!(
            "A: send <message id='a'/>
             C: <body rid='3' ack='1'><message id='a'/></body>
             S#2: <body {report}/>
             E: 0 delivered
             +40s"
        ));
    }
}

/// COMPAT(ejabberd 23): its response to a repetition of a held request is the request itself. It has no content, and is not a
/// sign that the next request has arrived.
#[test]
fn an_echo_has_no_effect() {
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         S#2: <body/>
         E: 0 delivered
         A: send <message id='b'/>
         C: <body rid='4'><message id='b'/></body>
         S#3: <body rid='3' sid='s1'><message id='a'/></body>
         S#4: <body><message id='in'/></body>
         E: 1 delivered
         E: element <message id='in'/>
         C: <body rid='5'/>",
    );
}
