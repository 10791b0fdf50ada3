//! XEP-0124 §7, XEP-0206 §5: the first requests of sessions and streams, and the elements in them.

use super::NORMAL;
use crate::support::wire::{Wire, config};
use epode_proto::event::SendId;
use epode_proto::time::Instant;
use epode_proto::transport::Names;
use epode_proto::transport::bosh::Bosh;
use epode_proto::{ns, xml::Element};

fn stanza(id: &str) -> Element {
    Element::builder("message", ns::CLIENT)
        .attr("id", id)
        .build()
}

/// Queued elements travel with the session request.
#[test]
fn elements_sent_before_the_session() {
    let mut bosh = Bosh::new(config(), 1, String::new(), Names::default());
    bosh.send(stanza("a"), Some(SendId(7)));
    bosh.send(stanza("b"), None);
    let mut wire = Wire::over(bosh, Instant(5));
    wire.play(&format!(
        "C: <body rid='1' to='example.org' content='text/xml; charset=utf-8' ver='1.11' wait='60' hold='1' ack='1'
              xmpp:version='1.0'><message id='a'/><message id='b'/></body>
         A: send <message id='c'/>
         S: <body sid='s1' {NORMAL}/>
         E: 7 delivered
         E: opened
         C: <body rid='2'><message id='c'/></body>"
    ));
}

#[test]
fn elements_sent_before_a_session_that_fails() {
    for (said, reason, known) in [
        ("F: unreachable", "unreachable", "unknown"),
        (
            "S: <body type='terminate' condition='item-not-found'/>",
            "terminated item-not-found",
            "undelivered",
        ),
        (
            "S: <body type='terminate' condition='host-unknown'/>",
            "terminated host-unknown",
            "unknown",
        ),
    ] {
        let mut bosh = Bosh::new(config(), 1, String::new(), Names::default());
        bosh.send(stanza("a"), Some(SendId(7)));
        let mut wire = Wire::over(bosh, Instant(5));
        wire.expect_request();
        wire.play(&format!(
            "{said}
             E: 7 {known}
             E: closed {reason}"
        ));
    }
}

/// XEP-0206 §5 requires a restart without other elements.
#[test]
fn a_restart_alone() {
    Wire::open(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         A: send <message id='b'/>
         A: restart
         A: send <message id='c'/>
         S#2: <body><message id='in'/></body>
         E: element <message id='in'/>
         C: <body rid='4'><message id='b'/></body>
         S#3: <body/>
         E: 0 delivered
         E: 1 delivered
         C: <body rid='5' to='example.org' xmpp:restart='true'/>
         S#4: <body/>
         C: <body rid='6'><message id='c'/></body>",
    );
}

/// Some servers read elements in the body of a restart.
#[test]
fn a_restart_with_other_elements() {
    Wire::open(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         A: restart together
         A: send <message id='b'/>
         A: restart together
         A: send <message id='c'/>
         S#2: <body><message id='in'/></body>
         E: element <message id='in'/>
         C: <body rid='4' to='example.org' xmpp:restart='true'><message id='b'/></body>
         S#3: <body><message id='in'/></body>
         E: 0 delivered
         E: element <message id='in'/>
         C: <body rid='5' to='example.org' xmpp:restart='true'><message id='c'/></body>
         S#4: <body/>
         E: 1 delivered
         E: 2 delivered",
    );
}
