//! Sessions that are continued after a reload, or were created by a web server.

use super::NORMAL;
use crate::support::random::Seeded;
use crate::support::wire::{Wire, config};
use epode_proto::io::{NetworkFailure, Transmit};
use epode_proto::ns;
use epode_proto::random::Random;
use epode_proto::time::Instant;
use epode_proto::transport::Names;
use epode_proto::transport::bosh::Bosh;
use epode_proto::xml::{Element, Limits, parse};

// ── over a reload ───────────────────────────────────────────────────────────────────────────────────────────────────

/// Pending requests are repeated, byte for byte, then the queue is sent. Ids of the former page are not reported.
#[test]
fn a_reload_loses_nothing() {
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "A: send <message id='&amp;&lt;&apos;&quot;&#13;&#10;&#9;ü'>&amp;&lt;]]&gt;&#13; <b xmlns='urn:b' xml:lang='en'/></message>
         C: <body rid='3'><message id='*'>*<b xmlns='urn:b' xml:lang='en'/></message></body>
         A: send <message id='b'>&#13;&amp;</message>
         A: send <presence/>",
    );
    let mut wire = wire.reload();
    wire.play(
        "C: again 2
         +199ms
         +1ms
         C: again 3
         A: send <message id='c'/>
         S#2: <body/>
         +199ms
         +1ms
         C: <body rid='4'><message id='b'>&#13;&amp;</message><presence/><message id='c'/></body>
         S#3: <body><message id='in'/></body>
         E: element <message id='in'/>
         S#4: <body/>
         E: 0 delivered
         C: <body rid='5'/>",
    );
}

/// Responses that arrived out of order stay buffered.
#[test]
fn a_reload_keeps_responses_received_out_of_order() {
    let mut wire = Wire::open("wait='60' hold='1' requests='3' ack='1'");
    wire.play(
        "A: send <message id='a'/>
         C: <body rid='3' ack='1'><message id='a'/></body>
         A: send <message id='b'/>
         C: <body rid='4' ack='1'><message id='b'/></body>
         S#3: <body><message id='second'><body>&amp;&#13;</body></message></body>",
    );
    let mut wire = wire.reload();
    wire.play(
        "C: again 2
         +200ms
         C: again 4
         S#2: <body><message id='first'/></body>
         E: element <message id='first'/>
         E: element <message id='second'><body>&amp;&#13;</body></message>
         A: send <message id='c'/>
         +200ms
         C: <body rid='5' ack='3'><message id='c'/></body>",
    );
}

/// A second reload before any response; and one without a pending request.
#[test]
fn repeated_reloads() {
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "S: <body><message id='in'/></body>
               E: element <message id='in'/>
               C: <body rid='3'/>",
    );
    let mut wire = wire.reload();
    wire.play("C: again 3");
    let mut wire = wire.reload();
    wire.play(
        "C: again 3
         S: <body/>
         +5s
         C: <body rid='4'/>",
    );
}

/// The window and the server's other limits stay the same.
#[test]
fn a_reload_keeps_the_servers_limits() {
    let wire =
        Wire::open("wait='20' hold='1' requests='3' inactivity='90' polling='7' maxpause='44'");
    let mut wire = wire.reload();
    wire.play(
        "C: again 2
         +1s
         S: <body/>
         +5999ms
         +1ms
         C: <body rid='3'/>
         A: send <message id='a'/>
         C: <body rid='4'><message id='a'/></body>
         A: send <message id='b'/>
         C: <body rid='5'><message id='b'/></body>
         A: send <message id='c'/>
         A: pause
         C: last <body rid='6' pause='44'/>
         +30s
         C: cancel 3
         C: cancel 4
         C: cancel 5
         C: cancel 6
         C: again 3
         C: again 4
         C: again 5
         C: last again 6",
    );
}

#[test]
fn a_session_without_pauses_has_none_after_a_reload() {
    let mut wire = Wire::open("wait='60' hold='1' requests='2'").reload();
    wire.play(
        "C: again 2
         A: pause",
    );
}

#[test]
fn a_polling_session_keeps_its_interval_over_a_reload() {
    let mut wire = Wire::new(config());
    wire.expect_request();
    wire.play(
        "S: <body sid='s1' wait='0' hold='0' requests='1' polling='4'/>
         E: opened
         +4s
         C: <body rid='2'/>
         S: <body/>
         A: send <message id='a'/>",
    );
    let mut wire = wire.reload();
    wire.play(
        "+3999ms
         +1ms
         C: <body rid='3'><message id='a'/></body>",
    );
}

/// The pause of the former page has most likely arrived and must not be repeated (§14.3): the next response shows it.
#[test]
fn a_pause_before_a_reload() {
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "A: pause
         C: last <body rid='3' pause='120'/>",
    );
    let mut wire = wire.reload();
    wire.play(
        "C: again 2
         A: send <message id='a'/>
         S#2: <body><message id='in'/></body>
         E: element <message id='in'/>
         C: <body rid='4'><message id='a'/></body>
         S#4: <body/>
         E: 0 delivered
         C: <body rid='5'/>",
    );
    // Nor is what was sent after it, before the answer that says so.
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "A: pause
         C: last <body rid='3' pause='120'/>
         A: send <message id='a'/>
         C: <body rid='4'><message id='a'/></body>",
    );
    let mut wire = wire.reload();
    wire.play(
        "C: again 2
         S#2: <body/>
         C: again 4
         S#4: <body><message id='in'/></body>
         E: element <message id='in'/>
         C: <body rid='5'/>",
    );
    // All that was before it has to be answered.
    let mut wire = Wire::open("wait='60' hold='1' requests='3' maxpause='120'");
    wire.play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         A: pause
         C: last <body rid='4' pause='120'/>
         A: send <message id='b'/>
         C: <body rid='5'><message id='b'/></body>
         A: send <message id='c'/>",
    );
    let mut wire = wire.reload();
    wire.play(
        "C: again 2
         S#2: <body/>
         C: again 3
         S#3: <body/>
         C: again 5
         +200ms
         C: <body rid='6'><message id='c'/></body>",
    );
    // There was nothing before it.
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "A: pause
         C: last <body rid='3' pause='120'/>
         S#2: <body/>",
    );
    let mut wire = wire.reload();
    wire.play(
        "C: <body rid='4'/>
         S#4: <body><message id='in'/></body>
         E: element <message id='in'/>
         C: <body rid='5'/>",
    );
}

/// A visible page or a network sign does not repeat it sooner.
#[test]
fn a_visible_page_repeats_no_pause_after_a_reload() {
    let mut wire = Wire::open("wait='60' hold='1' requests='3' maxpause='120'");
    wire.play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         A: pause
         C: last <body rid='4' pause='120'/>",
    );
    let mut wire = wire.reload();
    wire.play(
        "C: again 2
         A: wake
         +199ms
         +1ms
         C: again 3
         A: wake
         S#2: <body/>
         A: wake
         S#3: <body/>
         C: <body rid='5'/>
         A: wake
         S#5: <body><message id='in'/></body>
         E: element <message id='in'/>
         C: <body rid='6'/>",
    );
}

/// If the pause was lost, the server holds the earlier requests without a response: then all are repeated in order.
/// COMPAT(ejabberd 23): a request out of order breaks the session.
#[test]
fn a_pause_that_was_never_sent() {
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "A: pause
         C: last <body rid='3' pause='120'/>
         A: send <message id='a'/>
         C: <body rid='4'><message id='a'/></body>",
    );
    let mut wire = wire.reload();
    wire.play(
        "C: again 2
         A: send <message id='b'/>
         +999ms
         +1ms
         C: last again 3
         C: again 4
         S#2: <body/>
         +200ms
         C: <body rid='5'><message id='b'/></body>
         S#3: <body/>
         S#4: <body/>
         S#5: <body/>
         E: 0 delivered
         C: <body rid='6'/>",
    );
}

/// Without a sign that it arrived, the pause is repeated; at once if it is known to be lost.
#[test]
fn a_pause_that_was_lost_before_a_reload() {
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "A: pause
         C: last <body rid='3' pause='120'/>",
    );
    let mut wire = wire.reload();
    wire.play(
        "C: again 2
         S: <body/>
         C: <body rid='4'/>
         +150ms
         C: <body rid='5'><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>
         +4849ms
         +1ms
         C: last again 3
         S#3: <body/>
         S#4: <body><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>
         E: element <iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "A: pause
         C: last <body rid='3' pause='120'/>
         F#3: unreachable
         C: last again 3
         F#3: unreachable",
    );
    let mut wire = wire.reload();
    wire.play(
        "C: again 2
         C: again 3",
    );
}

#[test]
fn no_snapshot() {
    // There is no session yet.
    let mut wire = Wire::new(config());
    wire.expect_request();
    assert_eq!(wire.bosh.snapshot(), None);
    // It ends.
    let mut wire = Wire::open(NORMAL);
    assert!(wire.bosh.snapshot().is_some());
    wire.play(
        "A: close
         C: last <body rid='3' type='terminate'/>",
    );
    assert_eq!(wire.bosh.snapshot(), None);
    wire.play(
        "S: <body type='terminate'/>
         C: cancel 3
         E: closed disconnected",
    );
    assert_eq!(wire.bosh.snapshot(), None);
    // It has ended, which is known from an answer whose turn has not come.
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         S#3: <body type='terminate' condition='host-gone'/>",
    );
    assert_eq!(wire.bosh.snapshot(), None);
    // Its stream is about to begin anew.
    let mut wire = Wire::open("wait='60' hold='1' requests='1'");
    wire.play("A: restart");
    assert_eq!(wire.bosh.snapshot(), None);
}

#[test]
fn too_large_for_a_snapshot() {
    let mut wire = Wire::open("wait='60' hold='1' requests='1'");
    let long = "x".repeat(700 << 10);
    wire.play(&format!("A: send <message><body>{long}</body></message>"));
    assert!(wire.bosh.snapshot().is_some());
    wire.play(&format!("A: send <message><body>{long}</body></message>"));
    assert_eq!(wire.bosh.snapshot(), None);
}

/// A stored snapshot may have any content when it is read.
#[test]
fn invalid_snapshots() {
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>",
    );
    let good = wire.bosh.snapshot().expect("a snapshot").to_xml();
    let restore = |text: &str| {
        let element = parse(text.as_bytes().to_vec(), &Limits::default()).expect("XML");
        Bosh::restore(config(), &element, Instant(0), Names::default())
    };
    assert!(restore(&good).is_some());
    for (from, to) in [
        ("urn:epode:session:0", "urn:epode:session:1"),
        ("<bosh", "<fish"),
        ("sid='s1'", "sid=''"),
        ("sid='s1'", ""),
        ("rid='4'", "rid='0'"),
        ("rid='4'", "rid='1'"),
        ("rid='4'", "rid='2'"),
        ("rid='4'", "rid='-4'"),
        ("rid='4'", "rid='9007199254740992'"),
        ("rid='4'", "rid='99999999999999999999'"),
        ("rid='4'", ""),
        ("wait='60000'", "wait='soon'"),
        ("hold='1'", "hold='5000000000'"),
        ("polling='5000'", ""),
        ("errand='poll'", "errand='war'"),
        ("errand='poll'", ""),
    ] {
        let bad = good.replace("</bosh", if to == "<fish" { "</fish" } else { "</bosh" });
        assert!(bad.contains(from), "{from} is in {good}");
        assert!(restore(&bad.replacen(from, to, 1)).is_none(), "{from} {to}");
    }
}

/// Changed, lost and duplicated bytes: refused, or a session that ends.
#[test]
fn a_damaged_snapshot() {
    let mut wire = Wire::open(NORMAL);
    wire.play(
        "A: pause
         C: last <body rid='3' pause='120'/>
         A: send <message id='a'/>
         C: <body rid='4'><message id='a'/></body>
         S#4: <body><message id='in'/></body>
         A: send <message id='b'/>
         A: send <message id='c'/>",
    );
    let good = wire.bosh.snapshot().expect("a snapshot").to_xml();
    let mut dice = Seeded(11);
    let mut roll = |sides: usize| {
        let mut bytes = [0; 4];
        dice.fill(&mut bytes);
        u32::from_le_bytes(bytes) as usize % sides
    };
    let mut restored = 0;
    for _ in 0..3000 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..=roll(3) {
            let at = roll(bytes.len());
            match roll(4) {
                0 => bytes[at] = b"019'x<> "[roll(8)],
                1 => drop(bytes.remove(at)),
                2 => {
                    let end = (at + roll(60)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {
                    let end = (at + roll(60)).min(bytes.len());
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
            }
        }
        let Ok(snapshot) = parse(bytes, &Limits::default()) else {
            continue;
        };
        let Some(mut bosh) = Bosh::restore(config(), &snapshot, Instant(7), Names::default())
        else {
            continue;
        };
        restored += 1;
        let mut now = Instant(7);
        for step in 0..40 {
            let mut said = 0;
            while let Some(transmit) = bosh.poll_transmit(now) {
                if let Transmit::Http { exchange, .. } = transmit
                    && step % 3 > 0
                {
                    bosh.handle_failure(now, exchange, NetworkFailure::Unreachable);
                }
                said += 1;
                assert!(said < 100, "it does not come to rest: {snapshot:?}");
            }
            while bosh.poll_event().is_some() {}
            let _ = (bosh.trouble(), bosh.snapshot());
            if step == 20 {
                bosh.pause(now);
                bosh.wake(now);
            }
            if let Some(at) = bosh.poll_timeout() {
                now = now.max(at);
                bosh.handle_timeout(now);
            }
        }
    }
    assert!(restored > 300, "{restored}");
}

// ── from a web server ───────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_session_created_by_a_web_server() {
    let bosh = Bosh::attach(config(), "s1", 1000, Names::default()).expect("a session");
    let mut wire = Wire::over(bosh, Instant(5));
    wire.play(
        "C: <body sid='s1' rid='1000'/>
         A: send <message id='a'/>
         C: <body sid='s1' rid='1001'><message id='a'/></body>
         A: send <message id='b'/>
         S#1000: <body/>
         E: 0 delivered
         C: <body sid='s1' rid='1002'><message id='b'/></body>
         S 404: <html>a proxy that is restarted</html>
         C: again 1001
         S#1001: <body/>
         S#1002: <body type='terminate' condition='item-not-found'/>
         E: 1 undelivered
         E: closed terminated item-not-found",
    );
}

#[test]
fn invalid_sessions() {
    let last = (1 << 53) - 1;
    for (sid, rid) in [("", 1), ("s", 0), ("s", last + 1), ("s", u64::MAX)] {
        assert!(
            Bosh::attach(config(), sid, rid, Names::default()).is_none(),
            "{sid} {rid}"
        );
    }
    assert!(Bosh::attach(config(), "s", 1, Names::default()).is_some());
}

/// §14.1: the highest rid.
#[test]
fn the_last_possible_rid() {
    let last = (1 << 53) - 1;
    let bosh = Bosh::attach(config(), "s1", last, Names::default()).expect("a session");
    let mut wire = Wire::over(bosh, Instant(5));
    wire.play(
        "C: <body sid='s1' rid='9007199254740991'/>
         A: send <message id='a'/>
         +10s
         S: <body><message id='in'/></body>
         E: element <message id='in'/>
         E: 0 returned
         E: closed protocol-error rids that are used up",
    );
}

/// A snapshot has a namespace of epode's own.
#[test]
fn a_snapshot_is_in_our_namespace() {
    let wire = Wire::open(NORMAL);
    let snapshot = wire.bosh.snapshot().expect("a snapshot");
    assert!(snapshot.is("bosh", ns::EPODE_SESSION));
    assert_eq!(
        snapshot.children().next().as_ref().map(Element::name),
        Some("request")
    );
}
