//! The keys of a SCRAM login: derived by the platform, or in Rust if the platform refuses; the next login derives nothing.

use super::{NORMAL, features, opened};
use crate::support::dialogue::{Dialogue, Platform, config, socket_config};
use crate::support::scram::ScramServer;
use crate::support::script::Names;
use epode_proto::connection::Config;
use epode_proto::io::Input;
use epode_proto::reconnect::Reconnect;
use epode_proto::sasl::{
    MAX_ITERATIONS, SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_512, SaltedPassword, base64,
};
use epode_proto::session::Memory;
use epode_proto::session::memory::write;
use epode_proto::time::Millis;

const SALT: &[u8] = b"\x00\xffsalt";
const OPENED: &str = "W: <framing:open from='example.org' id='s1' version='1.0'/>";

fn holding(config: Config) -> Dialogue {
    let mut dialogue = Dialogue::new(config);
    dialogue.platform = Platform::Holds;
    dialogue
}

/// The same for an interrupted session.
fn lasting() -> Config {
    Config {
        reconnect: Some(Reconnect::default()),
        ..socket_config()
    }
}

fn connect(dialogue: &mut Dialogue) {
    dialogue.play("A: connect\nE: connecting\nE: credentials wanted");
}

/// Plays from the requested socket to the client-first-message.
fn begin_over_socket(dialogue: &mut Dialogue, password: &str, mechanism: &str) {
    dialogue.names = Names::default();
    dialogue.play(&format!(
        "C: socket
         A: credentials romeo {password}
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         {OPENED}
         W: {}
         C: <sasl:auth mechanism='{mechanism}'>$first</sasl:auth>",
        features(&[mechanism])
    ));
}

fn challenge(dialogue: &mut Dialogue, server: &mut ScramServer) {
    let challenge = server.first(dialogue.names.get("first"));
    dialogue.play(&format!("W: <sasl:challenge>{challenge}</sasl:challenge>"));
}

/// Plays from the client-final-message until the server has accepted it.
fn accept(dialogue: &mut Dialogue, server: &ScramServer) {
    dialogue.play("C: <sasl:response>$last</sasl:response>");
    let last = server.last(dialogue.names.get("last")).expect("a proof");
    dialogue.play(&format!(
        "W: <sasl:success>{last}</sasl:success>
         C: <framing:open to='example.org' version='1.0'/>"
    ));
}

fn bind(dialogue: &mut Dialogue) {
    dialogue.play(&format!(
        "{OPENED}
         W: <stream:features><bind:bind/></stream:features>
         C: <iq type='set' id='$bind'><bind:bind/></iq>"
    ));
}

const BOUND: &str = "W: <iq type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>";

/// Plays a complete login over a socket with these stored keys of the server. Ends offline.
fn log_in(dialogue: &mut Dialogue, password: &str, mut server: ScramServer, mechanism: &str) {
    connect(dialogue);
    begin_over_socket(dialogue, password, mechanism);
    dialogue.play("E: authenticating");
    challenge(dialogue, &mut server);
    accept(dialogue, &server);
    dialogue.play(
        "A: abort
         E: offline disconnected
         C: close",
    );
}

fn server(password: &str) -> ScramServer {
    ScramServer::new(SCRAM_SHA_1, password)
}

// ── who derives ─────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_platform_derives_the_keys_of_scram() {
    for (mechanism, hash, length) in [
        (SCRAM_SHA_1, "SHA-1", 20),
        (SCRAM_SHA_256, "SHA-256", 32),
        (SCRAM_SHA_512, "SHA-512", 64),
    ] {
        let mut dialogue = holding(socket_config());
        let mut server = ScramServer::new(mechanism, "r0m30").storing(SALT, 5000);
        connect(&mut dialogue);
        begin_over_socket(&mut dialogue, "r0m30", mechanism);
        dialogue.play("E: authenticating");
        challenge(&mut dialogue, &mut server);
        let (_, asked) = &dialogue.derivations[0];
        assert_eq!((asked.hash(), asked.length()), (hash, length));
        assert_eq!((asked.password(), asked.salt()), (&b"r0m30"[..], SALT));
        assert_eq!(asked.iterations(), 5000);
        dialogue.play("A: derived 0");
        accept(&mut dialogue, &server);
        assert_eq!(dialogue.derivations.len(), 1);
    }
}

/// Without `crypto.subtle`, or if it refuses or returns another length.
#[test]
fn a_refusal_is_derived_in_rust() {
    for mechanism in [SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_512] {
        let mut dialogue = Dialogue::new(socket_config());
        dialogue.platform = Platform::Refuses;
        log_in(
            &mut dialogue,
            "r0m30",
            ScramServer::new(mechanism, "r0m30"),
            mechanism,
        );
    }
    let mut dialogue = holding(socket_config());
    let mut server = server("r0m30");
    connect(&mut dialogue);
    begin_over_socket(&mut dialogue, "r0m30", SCRAM_SHA_1);
    dialogue.play("E: authenticating");
    challenge(&mut dialogue, &mut server);
    let input = Input::Derived {
        id: dialogue.derivations[0].0,
        salted_password: Some(SaltedPassword::new(vec![0; 19])),
    };
    dialogue.connection.handle_input(dialogue.now, input);
    dialogue.play("A: wake");
    accept(&mut dialogue, &server);
}

/// XEP-0388: the success includes all later steps.
#[test]
fn the_platform_derives_the_keys_in_sasl2() {
    let mut config = socket_config();
    config.session.pipelining = true;
    let mut dialogue = holding(config);
    for login in 0..2 {
        dialogue.names = Names::default();
        connect(&mut dialogue);
        dialogue.play("C: socket\nA: credentials romeo r0m30");
        const OPEN: &str = "W: opened\nC: <framing:open to='example.org' version='1.0'/>";
        const REQUEST: &str = "C: <sasl2:authenticate mechanism='SCRAM-SHA-1'>
            <sasl2:initial-response>$first</sasl2:initial-response><bind2:bind/></sasl2:authenticate>";
        if login == 0 {
            dialogue.play(&format!(
                "{OPEN}
                 {OPENED}
                 W: <stream:features><sasl2:authentication><sasl2:mechanism>SCRAM-SHA-1</sasl2:mechanism>
                   <sasl2:inline><bind2:bind/></sasl2:inline></sasl2:authentication></stream:features>
                 E: authenticating
                 {REQUEST}"
            ));
        } else {
            // The first message is said early.
            dialogue.play(&format!("E: authenticating\n{OPEN}\n{REQUEST}\n{OPENED}"));
        }
        let mut server = server("r0m30");
        let challenge = server.first(dialogue.names.get("first"));
        dialogue.play(&format!(
            "W: <sasl2:challenge>{challenge}</sasl2:challenge>"
        ));
        if login == 0 {
            dialogue.play("A: derived 0");
        }
        dialogue.play("C: <sasl2:response>$last</sasl2:response>");
        let last = server.last(dialogue.names.get("last")).expect("a proof");
        dialogue.play(&format!(
            "W: <sasl2:success><sasl2:additional-data>{last}</sasl2:additional-data><bind2:bound/>
                  <sasl2:authorization-identifier>romeo@example.org/x1</sasl2:authorization-identifier></sasl2:success>
             W: <stream:features/>
             E: online romeo@example.org/x1
             A: abort
             E: offline disconnected
             C: close"
        ));
    }
    assert_eq!(dialogue.derivations.len(), 1);
}

#[test]
fn too_many_iterations_are_not_derived() {
    let mut dialogue = holding(socket_config());
    let mut server = server("r0m30").storing(SALT, MAX_ITERATIONS + 1);
    connect(&mut dialogue);
    begin_over_socket(&mut dialogue, "r0m30", SCRAM_SHA_1);
    dialogue.play("E: authenticating");
    challenge(&mut dialogue, &mut server);
    dialogue.play(
        "C: <framing:close/>
         C: close
         E: offline protocol-error too-many-iterations",
    );
    assert!(dialogue.derivations.is_empty());
}

// ── while it takes ──────────────────────────────────────────────────────────────────────────────────────────────────

/// Over BOSH nothing is sent before the response, which travels in the next request.
#[test]
fn no_empty_request_during_the_derivation() {
    let mut dialogue = opened(config());
    dialogue.platform = Platform::Holds;
    let mut server = ScramServer::new(SCRAM_SHA_256, "r0m30");
    dialogue.play(&format!(
        "A: credentials romeo r0m30
         S: <body sid='s1' {NORMAL}>{}</body>
         E: authenticating
         C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-256'>$first</sasl:auth></body>",
        features(&[SCRAM_SHA_256])
    ));
    let challenge = server.first(dialogue.names.get("first"));
    dialogue.play(&format!(
        "S: <body><sasl:challenge>{challenge}</sasl:challenge></body>
         +20s
         A: wake
         A: derived 0
         C: <body rid='3'><sasl:response>$last</sasl:response></body>"
    ));
    let last = server.last(dialogue.names.get("last")).expect("a proof");
    dialogue.play(&format!(
        "S: <body><sasl:success>{last}</sasl:success></body>
         C: <body rid='4' to='example.org' xmpp:restart='true'/>"
    ));
}

#[test]
fn the_deadline_continues_during_the_derivation() {
    let mut dialogue = holding(Config {
        timeout: Millis::seconds(5),
        ..socket_config()
    });
    let mut server = server("r0m30");
    connect(&mut dialogue);
    begin_over_socket(&mut dialogue, "r0m30", SCRAM_SHA_1);
    dialogue.play("E: authenticating");
    challenge(&mut dialogue, &mut server);
    dialogue.play(
        "+4999ms
         +1ms
         C: <framing:close/>
         C: close
         E: offline timeout authenticating
         A: derived 0",
    );
}

/// A slow platform is not a silent server: neither a network sign nor pipelining restarts the attempt.
#[test]
fn the_login_waits_for_a_slow_platform() {
    let known = Memory {
        mechanism: Some(SCRAM_SHA_1),
        settled: true,
        ..Memory::default()
    };
    for early in [false, true] {
        let mut config = socket_config();
        config.session.pipelining = true;
        let mut dialogue = holding(config);
        let mut server = server("r0m30");
        if early {
            let text = write("example.org", &[("wss://example.org/ws", &known)]);
            dialogue.connection.remember(&text);
            dialogue.play(&format!(
                "A: connect with credentials romeo r0m30
                 E: connecting
                 E: credentials wanted
                 E: authenticating
                 C: socket
                 W: opened
                 C: <framing:open to='example.org' version='1.0'/>
                 C: <sasl:auth mechanism='SCRAM-SHA-1'>$first</sasl:auth>
                 {OPENED}
                 W: {}",
                features(&[SCRAM_SHA_1])
            ));
        } else {
            connect(&mut dialogue);
            begin_over_socket(&mut dialogue, "r0m30", SCRAM_SHA_1);
            dialogue.play("E: authenticating");
        }
        challenge(&mut dialogue, &mut server);
        dialogue.play(
            "+6s
             A: wake
             +6s
             A: derived 0",
        );
        accept(&mut dialogue, &server);
        dialogue.play("E: binding\nC: <iq type='set' id='*'><bind:bind/></iq>");
    }
}

/// The server does not wait: it refuses, sends a success without a signature, or sends another challenge.
#[test]
fn input_during_the_derivation_is_handled() {
    for (said, end) in [
        (
            "<sasl:failure><sasl:temporary-auth-failure/></sasl:failure>",
            "E: offline auth-failed temporary-auth-failure",
        ),
        (
            "<sasl:success/>",
            "E: offline server-not-authentic server-signature",
        ),
        ("<sasl:challenge/>", "E: offline protocol-error malformed"),
    ] {
        let mut dialogue = holding(socket_config());
        connect(&mut dialogue);
        begin_over_socket(&mut dialogue, "r0m30", SCRAM_SHA_1);
        dialogue.play("E: authenticating");
        challenge(&mut dialogue, &mut server("r0m30"));
        dialogue.play(&format!(
            "W: {said}
             C: <framing:close/>
             C: close
             {end}
             A: derived 0"
        ));
    }
}

// ── stale answers ───────────────────────────────────────────────────────────────────────────────────────────────────

/// The connection breaks during the derivation for the next login; the attempt after it has another id.
#[test]
fn a_result_for_another_attempt_is_ignored() {
    let mut dialogue = holding(lasting());
    let mut first = server("r0m30");
    connect(&mut dialogue);
    begin_over_socket(&mut dialogue, "r0m30", SCRAM_SHA_1);
    dialogue.play("E: authenticating");
    challenge(&mut dialogue, &mut first);
    dialogue.play("A: derived 0");
    accept(&mut dialogue, &first);
    bind(&mut dialogue);
    dialogue.play("E: binding");
    dialogue.play(BOUND);
    dialogue.play("E: online romeo@example.org/orchard\nW: closed");
    dialogue.interrupted();
    dialogue.play("+due");
    dialogue.play("E: credentials wanted");
    begin_over_socket(&mut dialogue, "r0m30", SCRAM_SHA_1);
    let mut second = server("r0m30").storing(b"second", 4096);
    challenge(&mut dialogue, &mut second);
    assert_eq!(dialogue.derivations.len(), 2);
    // Interrupted in the midst of it.
    dialogue.play("W: closed");
    dialogue.interrupted();
    dialogue.play("A: derived 1\n+due\nE: credentials wanted");
    begin_over_socket(&mut dialogue, "r0m30", SCRAM_SHA_1);
    let mut third = server("r0m30").storing(b"third", 4096);
    challenge(&mut dialogue, &mut third);
    assert_eq!(dialogue.derivations.len(), 3);
    // All that is late says nothing; nor does an answer that was given once count again.
    dialogue.play("A: derived 1\nA: refused 1\nA: derived 0\nA: refused 2");
    accept(&mut dialogue, &third);
    dialogue.play("A: derived 2");
    bind(&mut dialogue);
    dialogue.play(BOUND);
    assert!(dialogue.next_words().starts_with("online"));
}

// ── the next login ──────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_next_login_derives_nothing() {
    for mechanism in [SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_512] {
        let mut dialogue = Dialogue::new(socket_config());
        for _ in 0..3 {
            let server = ScramServer::new(mechanism, "r0m30");
            log_in(&mut dialogue, "r0m30", server, mechanism);
        }
        assert_eq!(dialogue.derivations.len(), 1, "{mechanism}");
    }
}

/// Also after an interruption; over BOSH the requests are the same.
#[test]
fn a_login_after_an_interruption_derives_nothing() {
    let mut dialogue = Dialogue::new(lasting());
    let mut first = server("r0m30");
    connect(&mut dialogue);
    begin_over_socket(&mut dialogue, "r0m30", SCRAM_SHA_1);
    dialogue.play("E: authenticating");
    challenge(&mut dialogue, &mut first);
    accept(&mut dialogue, &first);
    bind(&mut dialogue);
    dialogue.play("E: binding");
    dialogue.play(BOUND);
    dialogue.play("E: online romeo@example.org/orchard\nW: closed");
    dialogue.interrupted();
    dialogue.play("+due\nE: credentials wanted");
    begin_over_socket(&mut dialogue, "r0m30", SCRAM_SHA_1);
    let mut second = server("r0m30");
    challenge(&mut dialogue, &mut second);
    accept(&mut dialogue, &second);
    assert_eq!(dialogue.derivations.len(), 1);
}

/// The keys depend on account, mechanism, salt, iteration count and password: any change derives them again.
#[test]
fn other_parameters_are_derived_again() {
    let mut dialogue = Dialogue::new(socket_config());
    let mut expected = 0;
    let mut play = |derives: bool, password: &str, server: ScramServer, mechanism: &str| {
        log_in(&mut dialogue, password, server, mechanism);
        expected += usize::from(derives);
        assert_eq!(dialogue.derivations.len(), expected);
    };
    play(true, "r0m30", server("r0m30"), SCRAM_SHA_1);
    play(false, "r0m30", server("r0m30"), SCRAM_SHA_1);
    // A password function may return a new one, and the server may have stored it under the same salt.
    play(true, "jul137", server("jul137"), SCRAM_SHA_1);
    play(false, "jul137", server("jul137"), SCRAM_SHA_1);
    let salted = |salt| server("jul137").storing(salt, 4096);
    play(true, "jul137", salted(b"other"), SCRAM_SHA_1);
    play(false, "jul137", salted(b"other"), SCRAM_SHA_1);
    let iterated = || server("jul137").storing(b"other", 4097);
    play(true, "jul137", iterated(), SCRAM_SHA_1);
    play(false, "jul137", iterated(), SCRAM_SHA_1);
    let stronger = || ScramServer::new(SCRAM_SHA_256, "jul137").storing(b"other", 4097);
    play(true, "jul137", stronger(), SCRAM_SHA_256);
    play(false, "jul137", stronger(), SCRAM_SHA_256);
}

/// Keys that the server did not accept are not kept.
#[test]
fn keys_of_a_refused_login_are_not_kept() {
    let mut dialogue = Dialogue::new(socket_config());
    for _ in 0..2 {
        connect(&mut dialogue);
        begin_over_socket(&mut dialogue, "wrong", SCRAM_SHA_1);
        dialogue.play("E: authenticating");
        challenge(&mut dialogue, &mut server("r0m30"));
        dialogue.play(
            "C: <sasl:response>*</sasl:response>
             W: <sasl:failure><sasl:not-authorized/></sasl:failure>
             C: <framing:close/>
             C: close
             E: offline auth-failed not-authorized",
        );
    }
    assert_eq!(dialogue.derivations.len(), 2);
}

#[test]
fn forgotten_keys_are_derived_again() {
    let mut dialogue = Dialogue::new(socket_config());
    log_in(&mut dialogue, "r0m30", server("r0m30"), SCRAM_SHA_1);
    dialogue.connection.forget_keys();
    log_in(&mut dialogue, "r0m30", server("r0m30"), SCRAM_SHA_1);
    assert_eq!(dialogue.derivations.len(), 2);
}

/// Neither the memory of services nor the stored session contains keys.
#[test]
fn keys_are_not_stored() {
    let mut dialogue = Dialogue::new(lasting());
    log_in(&mut dialogue, "r0m30", server("r0m30"), SCRAM_SHA_1);
    let memory = dialogue.connection.memory();
    let mut next = Dialogue::new(lasting());
    next.connection.remember(&memory);
    log_in(&mut next, "r0m30", server("r0m30"), SCRAM_SHA_1);
    assert_eq!(next.derivations.len(), 1);
    for text in [memory, format!("{:?}", dialogue.derivations)] {
        assert!(!text.contains("r0m30") && !text.contains(&base64::encode(b"r0m30")));
        assert!(!text.contains("salt") && text.len() < 400, "{text}");
    }
}
