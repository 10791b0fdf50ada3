//! XEP-0124 §15: key sequences.

use super::NORMAL;
use crate::support::wire::{Wire, config};
use epode_proto::xml::Element;
use sha1::{Digest, Sha1};
use std::collections::BTreeSet;

fn hash(key: &str) -> String {
    let digest = Sha1::digest(key.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The state of a connection manager (§15.4).
struct Manager {
    expected: String,
    seen: BTreeSet<String>,
    /// The number of requests of each sequence.
    lengths: Vec<usize>,
}

impl Manager {
    fn new(session_request: &Element) -> Self {
        assert_eq!(session_request.attr("key"), None);
        let first = session_request.attr("newkey").expect("a first key");
        Self {
            expected: first.into(),
            seen: BTreeSet::from([first.into()]),
            lengths: vec![0],
        }
    }

    fn check(&mut self, request: &Element) {
        let key = request.attr("key").expect("a key");
        assert_eq!(hash(key), self.expected, "{request:?}");
        self.expected = key.into();
        *self.lengths.last_mut().unwrap() += 1;
        assert!(self.seen.insert(key.into()), "a key is shown once");
        if let Some(next) = request.attr("newkey") {
            assert_eq!(next.len(), 40);
            assert!(self.seen.insert(next.into()));
            self.expected = next.into();
            self.lengths.push(0);
        }
    }
}

fn open() -> (Wire, Manager) {
    let mut config = config();
    config.keys = true;
    let mut wire = Wire::new(config);
    let manager = Manager::new(&wire.expect_request());
    wire.play(&format!(
        "S: <body sid='s1' {NORMAL}/>
         E: opened"
    ));
    (wire, manager)
}

/// §15.4 and §15.5, with the examples of the specification.
#[test]
fn the_keys_of_the_specification() {
    let first = "bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d";
    assert_eq!(hash(first), "ca393b51b682f61f98e7877d61146407f3d0a770");
    assert_eq!(hash("6f825e81f4532b2c5fa2d12457d8a1f22e8f838e"), first);
}

#[test]
fn every_request_has_the_previous_key() {
    let (mut wire, mut manager) = open();
    for _ in 0..600 {
        manager.check(&wire.expect_request());
        wire.play(
            "S: <body><message id='in'/></body>
             E: element <message id='in'/>",
        );
    }
    manager.check(&wire.expect_request());
    // Nobody knows when the next sequence is due.
    let whole = &manager.lengths[..manager.lengths.len() - 1];
    assert!(whole.len() > 3);
    assert!(whole.iter().all(|length| (63..127).contains(length)));
    assert!(whole.iter().any(|length| *length != whole[0]), "{whole:?}");
}

/// All kinds of requests: with a stanza, restarts, pauses, the terminating request. A repetition is unchanged.
#[test]
fn no_request_is_sent_without_a_key() {
    let (mut wire, mut manager) = open();
    manager.check(&wire.expect_request());
    wire.play(
        "F: unreachable
         C: again 2
         A: send <message id='a'/>",
    );
    manager.check(&wire.expect_request());
    wire.play(
        "S#2: <body/>
         A: restart",
    );
    manager.check(&wire.expect_request());
    wire.play("A: pause");
    manager.check(&wire.expect_request());
    wire.play(
        "S#3: <body/>
         E: 0 delivered
         A: close",
    );
    manager.check(&wire.expect_request());
}

/// The sequence continues over a reload, and into the next sequence.
#[test]
fn keys_survive_a_reload() {
    let (mut wire, mut manager) = open();
    for _ in 0..5 {
        for _ in 0..60 {
            manager.check(&wire.expect_request());
            wire.play(
                "S: <body><message id='in'/></body>
                 E: element <message id='in'/>",
            );
        }
        manager.check(&wire.expect_request());
        wire = wire.reload();
        wire.play(
            "C: again *
             S: <body><message id='in'/></body>
             E: element <message id='in'/>",
        );
    }
    manager.check(&wire.expect_request());
    assert!(manager.lengths.len() > 2);
}
