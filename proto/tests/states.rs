//! The state diagrams of ARCHITECTURE.md show what the machines' tables of transitions say, and nothing else.

use epode_proto::connection::ConnectionPlace;
use epode_proto::session::SessionPlace;
use epode_proto::states::Place;
use epode_proto::transport::bosh::State as BoshState;
use epode_proto::transport::websocket::State as WebSocketState;
use epode_proto::xep::muc::room::visit::VisitPlace;
use epode_proto::xep::pubsub::feed::FeedPlace;
use std::collections::BTreeSet;

const ARCHITECTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ARCHITECTURE.md");

/// The lines of a machine's diagram, but for its beginning.
fn edges<P: Place>() -> BTreeSet<String> {
    let edge = |(from, to): &(P, P)| format!("{from:?} --> {to:?}");
    P::TRANSITIONS.iter().map(edge).collect()
}

/// The arrows of the diagram under that heading.
fn drawn(text: &str, heading: &str) -> BTreeSet<String> {
    let heading = format!("\n### {heading}\n");
    let (_, section) = text.split_once(&heading).expect("the heading");
    let (_, diagram) = section
        .split_once("```mermaid\nstateDiagram-v2\n")
        .expect("a diagram");
    let (diagram, _) = diagram.split_once("```").expect("its end");
    let lines = diagram.lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with("[*]"))
        .map(String::from)
        .collect()
}

#[test]
fn diagrams_show_the_tables() {
    let text = std::fs::read_to_string(ARCHITECTURE).expect("ARCHITECTURE.md");
    for (heading, edges) in [
        ("`Connection`", edges::<ConnectionPlace>()),
        ("`Session`", edges::<SessionPlace>()),
        ("`Bosh`", edges::<BoshState>()),
        ("`WebSocket`", edges::<WebSocketState>()),
        ("`Feed`", edges::<FeedPlace>()),
        ("`Visit`, a stay in a room", edges::<VisitPlace>()),
    ] {
        assert_eq!(drawn(&text, heading), edges, "{heading}");
    }
}

/// A state that nothing leads to, or that leads nowhere, is a mistake in the table.
#[test]
fn every_state_is_reached_and_left() {
    fn check<P: Place>(first: P, last: P) {
        for (from, to) in P::TRANSITIONS {
            let reached = P::TRANSITIONS.iter().any(|(_, other)| other == from);
            assert!(reached || *from == first, "{from:?} is not reached");
            let left = P::TRANSITIONS.iter().any(|(other, _)| other == to);
            assert!(left || *to == last, "{to:?} is not left");
        }
        let mut known = BTreeSet::new();
        for edge in edges::<P>() {
            assert!(known.insert(edge));
        }
        assert_eq!(known.len(), P::TRANSITIONS.len(), "one of them twice");
    }
    check(ConnectionPlace::Offline, ConnectionPlace::Offline);
    check(SessionPlace::Closed, SessionPlace::Closed);
    check(BoshState::Fresh, BoshState::Closed);
    check(WebSocketState::Connecting, WebSocketState::Closed);
    check(FeedPlace::Apart, FeedPlace::Over);
    check(VisitPlace::Joining, VisitPlace::Leaving);
}
