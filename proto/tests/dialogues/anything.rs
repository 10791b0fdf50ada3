//! The connection with arbitrary responses, frames, failures, commands and times. `support/shell.rs` checks the invariants.

use crate::support::dialogue::{Dialogue, socket_config};
use crate::support::script::xml;
use crate::support::shell::{ATTRIBUTES, PAYLOADS, SESSIONS, Shell, Step, WAYS, body};
use epode_proto::connection::SendError;
use epode_proto::event::Event;
use epode_proto::io::{NetworkFailure, Output};
use proptest::prelude::*;
use proptest::sample::select;

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let ours = (
        select(ATTRIBUTES.to_vec()),
        prop::collection::vec(select(PAYLOADS.to_vec()), 0..3),
    )
        .prop_map(|(attributes, payloads)| {
            let body = body(attributes, &payloads);
            body.to_xml().into_bytes()
        });
    prop_oneof![
        6 => ours.clone(),
        1 => (ours, any::<usize>()).prop_map(|(body, at)| body[..at % body.len()].to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => select(vec!["", "<html></html>", "<!DOCTYPE body><body/>", "<other/>"]).prop_map(|text| text.into()),
    ]
}

fn frames() -> impl Strategy<Value = Option<Vec<u8>>> {
    let ours = select(PAYLOADS.to_vec())
        .prop_filter("an element", |payload| payload.starts_with('<'))
        .prop_map(|payload| xml(payload).to_xml().into_bytes());
    prop_oneof![
        6 => ours.clone().prop_map(Some),
        1 => (ours, any::<usize>()).prop_map(|(text, at)| Some(text[..at % text.len()].to_vec())),
        1 => Just(None),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let failure = select(vec![
        NetworkFailure::Unreachable,
        NetworkFailure::Unreachable,
        NetworkFailure::Unreachable,
        NetworkFailure::BlockedByCors,
        NetworkFailure::MixedContent,
        NetworkFailure::TooLarge,
    ]);
    let status = select(vec![
        200, 200, 200, 200, 204, 302, 400, 401, 403, 404, 429, 502, 503,
    ]);
    let kind = select(vec![Some("text/xml"), Some("text/html"), None]);
    let served = prop::collection::vec(select(PAYLOADS[..4].to_vec()), 0..2);
    let lost = select(vec![
        NetworkFailure::Unreachable,
        NetworkFailure::Unreachable,
        NetworkFailure::TooLarge,
    ]);
    prop_oneof![
        2 => Just(Step::Connect),
        1 => Just(Step::Disconnect),
        1 => Just(Step::Abort),
        8 => Just(Step::Send),
        4 => prop::option::of(0_u64..40_000).prop_map(Step::Request),
        1 => any::<usize>().prop_map(Step::Forget),
        3 => (0_u8..6).prop_map(Step::Credentials),
        1 => any::<bool>().prop_map(Step::Tap),
        40 => (any::<usize>(), served).prop_map(|(which, payload)| Step::Serve(which, payload)),
        4 => (any::<usize>(), status, kind, bodies())
            .prop_map(|(which, status, kind, body)| Step::Answer(which, status, kind, body)),
        1 => Just(Step::Wake),
        1 => Just(Step::Pause),
        1 => (0_usize..4).prop_map(Step::Reload),
        1 => prop::bool::weighted(0.9).prop_map(Step::Open),
        1 => frames().prop_map(Step::Frame),
        2 => (0_usize..4, lost).prop_map(|(arrives, failure)| Step::Lose(arrives, failure)),
        4 => (any::<usize>(), failure).prop_map(|(which, failure)| Step::Fail(which, failure)),
        6 => (0_u64..80_000, any::<bool>()).prop_map(|(span, late)| Step::Pass(span, late)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_it(
        session in select(SESSIONS.to_vec()),
        way in select(WAYS.to_vec()),
        logs_in: bool,
        seed: u64,
        script in prop::collection::vec(steps(), 0..80),
    ) {
        let mut shell = Shell::new(session, way, seed);
        shell.step(Step::Connect);
        if logs_in && !way.registers {
            shell.log_in();
        }
        for step in script {
            shell.step(step);
        }
        shell.end();
    }
}

/// A page that sends without end into a network that transmits nothing gets an error, over either transport, and the delivery of
/// each stanza.
#[test]
fn a_flood_is_bounded() {
    let over_socket = Dialogue::online_over_socket(socket_config(), "<sm:sm/>");
    for mut dialogue in [Dialogue::online(SESSIONS[0]), over_socket] {
        dialogue.forgive();
        let message = xml("<message/>");
        let connection = &mut dialogue.connection;
        let mut sent = 0;
        while sent < 70_000 && connection.send(message.clone()).is_ok() {
            sent += 1;
        }
        assert_eq!(connection.send(message), Err(SendError::OutboxFull));
        connection.abort(dialogue.now);
        let mut settled = 0;
        loop {
            match connection.poll_output(dialogue.now) {
                Output::Event(Event::Settled { .. }) => settled += 1,
                Output::Timeout(_) => break,
                _ => {}
            }
        }
        assert_eq!(settled, sent);
    }
}
