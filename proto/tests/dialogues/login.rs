//! From the first request to a bound session, by each mechanism, and the possible failures.

use super::{features, opened};
use crate::support::dialogue::{Dialogue, config};
use crate::support::scram::ScramServer;
use epode_proto::sasl::base64;

/// Plays until features with these mechanisms have arrived, after the credentials of `act`.
pub fn offered(act: &str, mechanisms: &[&str]) -> Dialogue {
    offered_with(config(), act, mechanisms)
}

pub fn offered_with(
    config: epode_proto::connection::Config,
    act: &str,
    mechanisms: &[&str],
) -> Dialogue {
    let mut dialogue = opened(config);
    dialogue.play(&format!(
        "A: {act}
         S: <body sid='s1' wait='60' hold='1' requests='2'>{}</body>
         E: authenticating",
        features(mechanisms)
    ));
    dialogue
}

/// Plays from the restart, whose rid is given.
fn bound(dialogue: &mut Dialogue, rid: u64) {
    dialogue.play(&format!(
        "C: <body rid='{rid}' to='example.org' xmpp:restart='true'/>
         S: <body><stream:features><bind:bind/></stream:features></body>
         E: binding
         C: <body rid='{}'><iq type='set' id='$bind'><bind:bind/></iq></body>
         S: <body><iq type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq></body>
         E: online romeo@example.org/orchard
         +50ms
         C: <body rid='{}'/>",
        rid + 1,
        rid + 2
    ));
    assert_eq!(
        dialogue.connection.jid().map(|jid| jid.as_str().to_owned()),
        Some("romeo@example.org/orchard".to_owned())
    );
}

// ── SCRAM ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Plays to a correct client-final-message; returns the server-final-message.
fn scram(dialogue: &mut Dialogue, mechanism: &str) -> String {
    let mut server = ScramServer::new(mechanism, "r0m30");
    dialogue.play(&format!(
        "C: <body rid='2'><sasl:auth mechanism='{mechanism}'>$first</sasl:auth></body>"
    ));
    let challenge = server.first(dialogue.names.get("first"));
    dialogue.play(&format!(
        "S: <body><sasl:challenge>{challenge}</sasl:challenge></body>
         C: <body rid='3'><sasl:response>$last</sasl:response></body>"
    ));
    server
        .last(dialogue.names.get("last"))
        .expect("the proof is right")
}

/// XEP-0206 takes five requests: session, auth, response, restart, bind. The sixth is the held one.
#[test]
fn scram_takes_five_requests() {
    for mechanism in ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let mut dialogue = offered("credentials romeo r0m30", &["PLAIN", mechanism]);
        let last = scram(&mut dialogue, mechanism);
        dialogue.play(&format!(
            "S: <body><sasl:success>{last}</sasl:success></body>"
        ));
        bound(&mut dialogue, 4);
        assert_eq!(dialogue.exchange_count(), 6, "{mechanism}");
    }
}

#[test]
fn the_server_signature_may_come_in_a_challenge() {
    let mut dialogue = offered("credentials romeo r0m30", &["SCRAM-SHA-256"]);
    let last = scram(&mut dialogue, "SCRAM-SHA-256");
    dialogue.play(&format!(
        "S: <body><sasl:challenge>{last}</sasl:challenge></body>
         C: <body rid='4'><sasl:response/></body>
         S: <body><sasl:success/></body>"
    ));
    bound(&mut dialogue, 5);
}

/// XEP-0206 §5: a restart travels without other elements, also without queued ones.
#[test]
fn a_restart_is_alone_in_its_body() {
    let mut dialogue = offered("credentials romeo r0m30", &["SCRAM-SHA-1"]);
    let last = scram(&mut dialogue, "SCRAM-SHA-1");
    dialogue.play(&format!(
        "S: <body><sasl:challenge>{last}</sasl:challenge><sasl:success/></body>
         C: <body rid='4'><sasl:response/></body>
         C: <body rid='5' to='example.org' xmpp:restart='true'/>
         S: <body/>
         S: <body><stream:features><bind:bind/></stream:features></body>
         E: binding
         C: <body rid='6'><iq type='set' id='*'><bind:bind/></iq></body>"
    ));
}

#[test]
fn a_wrong_server_signature_is_refused() {
    let mut dialogue = offered("credentials romeo r0m30", &["SCRAM-SHA-256"]);
    scram(&mut dialogue, "SCRAM-SHA-256");
    let lie = base64::encode(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    dialogue.play(&format!(
        "S: <body><sasl:success>{lie}</sasl:success></body>
         C: <body rid='4' type='terminate'/>
         E: offline server-not-authentic server-signature"
    ));
    assert!(dialogue.connection.is_offline());
}

#[test]
fn a_success_without_a_signature_is_refused() {
    let mut dialogue = offered("credentials romeo r0m30", &["SCRAM-SHA-256"]);
    scram(&mut dialogue, "SCRAM-SHA-256");
    dialogue.play(
        "S: <body><sasl:success/></body>
         C: <body rid='4' type='terminate'/>
         E: offline server-not-authentic server-signature",
    );
}

#[test]
fn a_wrong_password_is_reported_with_the_servers_text() {
    let mut dialogue = offered("credentials romeo wrong", &["SCRAM-SHA-1"]);
    let mut server = ScramServer::new("SCRAM-SHA-1", "r0m30");
    dialogue.play("C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-1'>$first</sasl:auth></body>");
    let challenge = server.first(dialogue.names.get("first"));
    dialogue.play(&format!(
        "S: <body><sasl:challenge>{challenge}</sasl:challenge></body>
         C: <body rid='3'><sasl:response>$last</sasl:response></body>"
    ));
    assert_eq!(server.last(dialogue.names.get("last")), None);
    dialogue.play(
        "S: <body><sasl:failure><sasl:not-authorized/><sasl:text>Nice try.</sasl:text></sasl:failure></body>
         C: <body rid='4' type='terminate'/>
         E: offline auth-failed not-authorized (Nice try.)",
    );
}

/// The text may precede the condition.
#[test]
fn a_failure_in_another_order() {
    offered("anonymous", &["ANONYMOUS"]).play(
        "C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         S: <body><sasl:failure><sasl:text>Ask again.</sasl:text><sasl:account-disabled/></sasl:failure></body>
         C: <body rid='3' type='terminate'/>
         E: offline auth-failed account-disabled (Ask again.)",
    );
}

#[test]
fn a_failure_without_a_condition_is_not_authorized() {
    offered("anonymous", &["ANONYMOUS"]).play(
        "C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         S: <body><sasl:failure/></body>
         C: <body rid='3' type='terminate'/>
         E: offline auth-failed not-authorized",
    );
}

#[test]
fn sasl_data_that_is_not_base64_ends_the_login() {
    offered("credentials romeo r0m30", &["SCRAM-SHA-1"]).play(
        "C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-1'>*</sasl:auth></body>
         S: <body><sasl:challenge>not base64!</sasl:challenge></body>
         C: <body rid='3' type='terminate'/>
         E: offline protocol-error SASL data that is not base64",
    );
}

#[test]
fn a_foreign_nonce_ends_the_login() {
    let challenge = base64::encode(b"r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096");
    offered("credentials romeo r0m30", &["SCRAM-SHA-1"]).play(&format!(
        "C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-1'>*</sasl:auth></body>
         S: <body><sasl:challenge>{challenge}</sasl:challenge></body>
         C: <body rid='3' type='terminate'/>
         E: offline protocol-error nonce"
    ));
}

// ── the others ──────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn plain_on_a_confidential_connection() {
    let message = base64::encode(b"\0romeo\0r0m30");
    let mut dialogue = offered("credentials romeo r0m30", &["PLAIN"]);
    dialogue.play(&format!(
        "C: <body rid='2'><sasl:auth mechanism='PLAIN'>{message}</sasl:auth></body>
         S: <body><sasl:success/></body>"
    ));
    bound(&mut dialogue, 3);
}

#[test]
fn plain_is_refused_on_an_unencrypted_connection() {
    for (act, mechanism) in [
        ("credentials romeo r0m30", "PLAIN"),
        ("token t0k3n", "OAUTHBEARER"),
    ] {
        let mut config = config();
        config.session.plain_text_allowed = false;
        offered_with(config, act, &[mechanism]).play(
            "C: <body rid='2' type='terminate'/>
             E: offline insecure",
        );
    }
}

#[test]
fn no_usable_mechanism() {
    offered("credentials romeo r0m30", &["GSSAPI", "ANONYMOUS"]).play(
        "C: <body rid='2' type='terminate'/>
         E: offline no-mechanism",
    );
}

#[test]
fn no_mechanism_is_offered() {
    let mut dialogue = opened(config());
    dialogue.play(
        "A: anonymous
         S: <body sid='s1'><stream:features/></body>
         E: authenticating
         C: <body rid='2' type='terminate'/>
         E: offline no-mechanism",
    );
}

#[test]
fn anonymous() {
    let mut dialogue = offered("anonymous", &["SCRAM-SHA-1", "ANONYMOUS"]);
    dialogue.play(
        "C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         S: <body><sasl:success/></body>",
    );
    bound(&mut dialogue, 3);
}

#[test]
fn external_without_an_identity() {
    let mut dialogue = offered("external", &["EXTERNAL"]);
    dialogue.play(
        "C: <body rid='2'><sasl:auth mechanism='EXTERNAL'>=</sasl:auth></body>
         S: <body><sasl:success>=</sasl:success></body>",
    );
    bound(&mut dialogue, 3);
}

#[test]
fn a_token() {
    let message = base64::encode(b"n,a=romeo@example.org,\x01auth=Bearer t0k3n\x01\x01");
    let mut dialogue = offered("token t0k3n", &["PLAIN", "OAUTHBEARER"]);
    dialogue.play(&format!(
        "C: <body rid='2'><sasl:auth mechanism='OAUTHBEARER'>{message}</sasl:auth></body>
         S: <body><sasl:success/></body>"
    ));
    bound(&mut dialogue, 3);
}

/// RFC 7628 §3.2.3: the reason arrives as a challenge, is acknowledged, and becomes the error's text.
#[test]
fn a_token_that_is_refused_with_a_reason() {
    let reason = base64::encode(br#"{"status":"invalid_token"}"#);
    offered("token 0ld", &["OAUTHBEARER"]).play(&format!(
        "C: <body rid='2'><sasl:auth mechanism='OAUTHBEARER'>*</sasl:auth></body>
         S: <body><sasl:challenge>{reason}</sasl:challenge></body>
         C: <body rid='3'><sasl:response>AQ==</sasl:response></body>
         S: <body><sasl:failure><sasl:not-authorized/></sasl:failure></body>
         C: <body rid='4' type='terminate'/>
         E: offline auth-failed not-authorized ({{\"status\":\"invalid_token\"}})"
    ));
}

// ── credentials ─────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn late_credentials() {
    let mut dialogue = opened(config());
    dialogue.play(&format!(
        "S: <body sid='s1' wait='60' hold='1' requests='2'>{}</body>
         C: <body rid='2'/>
         +5s
         A: anonymous
         E: authenticating
         C: <body rid='3'><sasl:auth mechanism='ANONYMOUS'/></body>
         S#2: <body/>
         S#3: <body><sasl:success/></body>",
        features(&["ANONYMOUS"])
    ));
    bound(&mut dialogue, 4);
}

#[test]
fn a_page_without_credentials() {
    let mut dialogue = opened(config());
    dialogue.play(&format!(
        "S: <body sid='s1'>{}</body>
         C: <body rid='2'/>
         A: no credentials
         C: <body rid='3' type='terminate'/>
         C: cancel 2
         E: offline credentials-failed",
        features(&["ANONYMOUS"])
    ));
}

#[test]
fn a_page_without_credentials_before_the_first_response() {
    opened(config()).play(
        "A: no credentials
         C: cancel 1
         E: offline credentials-failed",
    );
}

/// Credentials are accepted while they are requested, not after the login has continued with others.
#[test]
fn credentials_are_wanted_once() {
    let mut dialogue = offered("anonymous", &["ANONYMOUS"]);
    dialogue.play(
        "C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         A: no credentials
         A: credentials romeo r0m30
         S: <body><sasl:success/></body>
         C: <body rid='3' to='example.org' xmpp:restart='true'/>
         A: no credentials",
    );
}
