//! SASL mechanisms that a server offers and refuses (RFC 6120 §6.4.5, §6.5), in both profiles, and those that a caller allows.

use super::features;
use super::login::offered_with;
use crate::support::dialogue::{Dialogue, config, socket_config};
use crate::support::scram::ScramServer;
use epode_proto::connection::Config;
use epode_proto::sasl::{HT_SHA_256_NONE, PLAIN, SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_512};
use epode_proto::sasl2::Token;
use epode_proto::session::Memory;
use epode_proto::session::memory::write;

const ALL: [&str; 3] = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"];
const LOGIN: &str = "credentials romeo r0m30";

fn refusal(condition: &str) -> String {
    format!("S: <body><sasl:failure><sasl:{condition}/></sasl:failure></body>")
}

/// A service without encryption.
fn strict() -> Config {
    let mut config = config();
    config.session.plain_text_allowed = false;
    config
}

fn allowing(mut config: Config, mechanisms: &[&'static str]) -> Config {
    config.session.mechanisms = Some(mechanisms.to_vec());
    config
}

/// Plays SCRAM-SHA-1 from its first message, in the request with that rid, to the restart.
fn succeed(dialogue: &mut Dialogue, rid: u64) {
    let mut server = ScramServer::new("SCRAM-SHA-1", "r0m30");
    dialogue.play(&format!(
        "C: <body rid='{rid}'><sasl:auth mechanism='SCRAM-SHA-1'>$first</sasl:auth></body>"
    ));
    let challenge = server.first(dialogue.names.get("first"));
    dialogue.play(&format!(
        "S: <body><sasl:challenge>{challenge}</sasl:challenge></body>
         C: <body rid='{}'><sasl:response>$last</sasl:response></body>",
        rid + 1
    ));
    let last = server.last(dialogue.names.get("last")).expect("a proof");
    dialogue.play(&format!(
        "S: <body><sasl:success>{last}</sasl:success></body>
         C: <body rid='{}' to='example.org' xmpp:restart='true'/>",
        rid + 2
    ));
}

/// On the same stream with the same credentials: the caller is not asked again.
#[test]
fn the_next_mechanism_is_tried() {
    let incompatible = "S: <body><sasl:failure><sasl:not-authorized/>
         <sasl:text>Incompatible SCRAM methods</sasl:text></sasl:failure></body>";
    for refused in [
        &refusal("invalid-mechanism"),
        &refusal("encryption-required"),
        incompatible,
    ] {
        let mut dialogue = offered_with(strict(), LOGIN, &ALL);
        dialogue.play(&format!(
            "C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-256'>*</sasl:auth></body>
             {refused}"
        ));
        succeed(&mut dialogue, 3);
    }
    // When the server has looked at the first message.
    let mut dialogue = offered_with(strict(), LOGIN, &ALL);
    let mut server = ScramServer::new("SCRAM-SHA-256", "r0m30");
    dialogue.play("C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-256'>$one</sasl:auth></body>");
    let challenge = server.first(dialogue.names.get("one"));
    dialogue.play(&format!(
        "S: <body><sasl:challenge>{challenge}</sasl:challenge></body>
         C: <body rid='3'><sasl:response>*</sasl:response></body>
         {}",
        refusal("invalid-mechanism")
    ));
    succeed(&mut dialogue, 4);
}

/// Down to PLAIN if it is allowed, and then to the end.
#[test]
fn mechanisms_are_tried_in_order() {
    let refused = refusal("invalid-mechanism");
    let down = format!(
        "C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-256'>*</sasl:auth></body>
         {refused}
         C: <body rid='3'><sasl:auth mechanism='SCRAM-SHA-1'>*</sasl:auth></body>
         {refused}"
    );
    offered_with(config(), LOGIN, &ALL).play(&format!(
        "{down}
         C: <body rid='4'><sasl:auth mechanism='PLAIN'>AHJvbWVvAHIwbTMw</sasl:auth></body>
         {refused}
         C: <body rid='5' type='terminate'/>
         E: offline auth-failed invalid-mechanism"
    ));
    offered_with(strict(), LOGIN, &ALL).play(&format!(
        "{down}
         C: <body rid='4' type='terminate'/>
         E: offline insecure"
    ));
    offered_with(strict(), LOGIN, &ALL[..2]).play(&format!(
        "{down}
         C: <body rid='4' type='terminate'/>
         E: offline auth-failed invalid-mechanism"
    ));
}

/// After `encryption-required` no weaker mechanism is tried.
#[test]
fn no_plain_after_encryption_required() {
    let refused = refusal("encryption-required");
    offered_with(config(), LOGIN, &["SCRAM-SHA-1", "PLAIN"]).play(&format!(
        "C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-1'>*</sasl:auth></body>
         {refused}
         C: <body rid='3' type='terminate'/>
         E: offline auth-failed encryption-required"
    ));
}

/// A refusal of the credentials, the account or the time does not concern the mechanism: a password is not tried twice.
#[test]
fn other_refusals_are_final() {
    for condition in [
        "not-authorized",
        "temporary-auth-failure",
        "mechanism-too-weak",
        "account-disabled",
        "credentials-expired",
        "malformed-request",
        "incorrect-encoding",
        "aborted",
        "invalid-authzid",
        "unheard-of",
    ] {
        offered_with(config(), LOGIN, &ALL).play(&format!(
            "C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-256'>*</sasl:auth></body>
             {}
             C: <body rid='3' type='terminate'/>
             E: offline auth-failed {condition}",
            refusal(condition)
        ));
    }
}

/// Never a weaker mechanism than at an earlier login.
#[test]
fn no_weaker_mechanism_than_before() {
    let mut dialogue = Dialogue::new(config());
    let known = Memory {
        mechanism: Some(SCRAM_SHA_256),
        ..Memory::default()
    };
    let address = "https://example.org/http-bind";
    dialogue
        .connection
        .remember(&write("example.org", &[(address, &known)]));
    dialogue.play("A: connect\nE: connecting\nE: credentials wanted");
    dialogue.expect_request();
    dialogue.play(&format!(
        "A: {LOGIN}
         S: <body sid='s1'>{}</body>
         E: authenticating
         C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-256'>*</sasl:auth></body>
         {}
         C: <body rid='3' type='terminate'/>
         E: offline insecure",
        features(&ALL),
        refusal("invalid-mechanism")
    ));
}

/// XEP-0388 uses the same conditions.
#[test]
fn the_next_mechanism_in_sasl2() {
    let mut config = socket_config();
    config.session.pipelining = true;
    let mut dialogue = Dialogue::new(config);
    dialogue.play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: socket
         A: credentials romeo r0m30
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         W: <framing:open from='example.org' id='1' version='1.0'/>
         W: <stream:features><sasl2:authentication><sasl2:mechanism>SCRAM-SHA-256</sasl2:mechanism>
              <sasl2:mechanism>SCRAM-SHA-1</sasl2:mechanism></sasl2:authentication></stream:features>
         C: <sasl2:authenticate mechanism='SCRAM-SHA-256'><sasl2:initial-response>*</sasl2:initial-response></sasl2:authenticate>
         E: authenticating
         W: <sasl2:failure><sasl:invalid-mechanism/></sasl2:failure>
         C: <sasl2:authenticate mechanism='SCRAM-SHA-1'><sasl2:initial-response>*</sasl2:initial-response></sasl2:authenticate>
         W: <sasl2:failure><sasl:not-authorized/></sasl2:failure>
         C: <framing:close/>
         E: offline auth-failed not-authorized
         C: close",
    );
}

// ── what the caller allows ──────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn only_the_allowed_mechanisms() {
    for (allowed, mechanism) in [
        (&[SCRAM_SHA_1][..], "SCRAM-SHA-1"),
        (&[PLAIN], "PLAIN"),
        (&[PLAIN, SCRAM_SHA_1], "SCRAM-SHA-1"),
    ] {
        offered_with(allowing(config(), allowed), LOGIN, &ALL).play(&format!(
            "C: <body rid='2'><sasl:auth mechanism='{mechanism}'>*</sasl:auth></body>"
        ));
    }
    // To allow it is not to allow it everywhere.
    for (config, reason) in [
        (allowing(strict(), &[PLAIN]), "insecure"),
        (allowing(config(), &[SCRAM_SHA_512]), "no-mechanism"),
    ] {
        offered_with(config, LOGIN, &ALL).play(&format!(
            "C: <body rid='2' type='terminate'/>
             E: offline {reason}"
        ));
    }
    // Nor is a refusal a reason to use another.
    offered_with(allowing(config(), &[SCRAM_SHA_256]), LOGIN, &ALL).play(&format!(
        "C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-256'>*</sasl:auth></body>
         {}
         C: <body rid='3' type='terminate'/>
         E: offline auth-failed invalid-mechanism",
        refusal("invalid-mechanism")
    ));
}

/// The policy also applies to pipelined mechanisms and to tokens.
#[test]
fn a_remembered_mechanism_must_be_allowed() {
    let known = Memory {
        mechanism: Some(SCRAM_SHA_1),
        settled: true,
        sasl2: Some(epode_proto::sasl2::Offer {
            tokens: true,
            ..Default::default()
        }),
        token: Some((
            "romeo".into(),
            Token {
                secret: "t0k3n".into(),
                expiry: None,
            },
        )),
        ..Memory::default()
    };
    let config = |mechanisms: &[&'static str]| {
        let mut config = allowing(socket_config(), mechanisms);
        config.session.pipelining = true;
        config.session.account = Some("romeo@example.org".into());
        config
    };
    let begin = |config: Config| {
        let mut dialogue = Dialogue::new(config);
        let text = write("romeo@example.org", &[("wss://example.org/ws", &known)]);
        dialogue.connection.remember(&text);
        dialogue.play("A: connect\nE: connecting");
        dialogue
    };
    let open = "W: opened
         C: <framing:open to='example.org' from='romeo@example.org' version='1.0'/>";
    let mut dialogue = begin(config(&[SCRAM_SHA_256]));
    dialogue.play(&format!(
        "E: credentials wanted
         C: socket
         A: {LOGIN}
         {open}"
    ));
    let mut dialogue = begin(config(&[HT_SHA_256_NONE]));
    dialogue.play(&format!("C: socket\nE: authenticating\n{open}"));
    dialogue.forgive();
}
