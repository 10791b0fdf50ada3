//! Pipelining: the number of round trips of a login, elements that must not be pipelined, and a
//! login at a server without support for it. RFC 6120's profile.

use super::features;
use crate::support::dialogue::{Dialogue, config, socket_config};
use crate::support::scram::ScramServer;
use epode_proto::connection::Config;
use epode_proto::sasl::{ANONYMOUS, PLAIN, SCRAM_SHA_1, SCRAM_SHA_256};
use epode_proto::session::Memory;
use epode_proto::session::memory::{read, write};
use epode_proto::transport::Kind;

const SOCKET: &str = "wss://example.org/ws";
const BOSH: &str = "https://example.org/http-bind";

fn with_pipelining(mut config: Config) -> Config {
    config.session.pipelining = true;
    config
}

/// A connection with pipelining that remembers this about its service.
fn remembering(kind: Kind, memory: &Memory) -> Dialogue {
    let (config, address) = match kind {
        Kind::Bosh => (config(), BOSH),
        Kind::WebSocket => (socket_config(), SOCKET),
    };
    let mut dialogue = Dialogue::new(with_pipelining(config));
    dialogue
        .connection
        .remember(&write("example.org", &[(address, memory)]));
    dialogue
}

/// The current memory of the service.
fn remembered(dialogue: &Dialogue, kind: Kind) -> Memory {
    let address = match kind {
        Kind::Bosh => BOSH,
        Kind::WebSocket => SOCKET,
    };
    read(&dialogue.connection.memory(), "example.org", address)
}

fn known(mechanism: &'static str) -> Memory {
    Memory {
        mechanism: Some(mechanism),
        settled: true,
        reads_apart: true,
        ..Memory::default()
    }
}

fn offer(mechanisms: &[&str]) -> String {
    format!("W: {}", features(mechanisms))
}

const EJABBERD: &str = "<c xmlns='http://jabber.org/protocol/caps' node='http://www.process-one.net/en/ejabberd/' ver='x' hash='sha-1'/>";

const OPENED: &str = "W: <framing:open from='example.org' id='*' version='1.0'/>";

/// Plays both sides of SCRAM over a socket, from client-first-message until the result is due.
fn scram_over_socket(dialogue: &mut Dialogue) -> ScramServer {
    let mut server = ScramServer::new(SCRAM_SHA_1, "r0m30");
    let challenge = server.first(dialogue.names.get("first"));
    dialogue.play(&format!(
        "W: <sasl:challenge>{challenge}</sasl:challenge>
         C: <sasl:response>$last</sasl:response>"
    ));
    server
}

fn begin_over_socket(dialogue: &mut Dialogue) {
    dialogue.play(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         E: authenticating
         C: socket
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         C: <sasl:auth mechanism='SCRAM-SHA-1'>$first</sasl:auth>",
    );
}

// ── WebSocket ───────────────────────────────────────────────────────────────────────────────────────────────────────

/// Four round trips without memory, since the first login shows whether the new stream may be opened early;
/// three at a server that is recognised by its features.
#[test]
fn the_first_login_at_a_server_that_reads_pipelined_frames() {
    let mut dialogue = Dialogue::new(with_pipelining(socket_config()));
    dialogue.play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         C: socket
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         {OPENED}
         {}
         C: <sasl:auth mechanism='SCRAM-SHA-1'>$first</sasl:auth>
         E: authenticating",
        offer(&[SCRAM_SHA_1, PLAIN, "X-OAUTH2"])
    ));
    scram_over_socket(&mut dialogue);
    dialogue.play(
        "C: <framing:open to='example.org' version='1.0'/>
         C: <iq type='set' id='$bind'><bind:bind/></iq>",
    );
}

/// Other servers.
#[test]
fn the_first_login_over_a_socket() {
    let mut dialogue = Dialogue::new(with_pipelining(socket_config()));
    dialogue.tells_learned = true;
    dialogue.play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         C: socket
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         {OPENED}
         {}
         C: <sasl:auth mechanism='SCRAM-SHA-1'>$first</sasl:auth>
         E: authenticating",
        offer(&[SCRAM_SHA_1, PLAIN])
    ));
    let server = scram_over_socket(&mut dialogue);
    let last = server.last(dialogue.names.get("last")).expect("right");
    dialogue.play(&format!(
        "W: <sasl:success>{last}</sasl:success>
         C: <framing:open to='example.org' version='1.0'/>
         C: <iq type='set' id='$bind'><bind:bind/></iq>
         E: binding
         {OPENED}
         W: <stream:features><bind:bind/>{EJABBERD}</stream:features>
         W: <iq type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>
         E: learned
         E: online romeo@example.org/orchard"
    ));
    assert!(remembered(&dialogue, Kind::WebSocket) == known(SCRAM_SHA_1));
}

/// Two round trips if the mechanism is known. Stream management is enabled as usual.
#[test]
fn the_next_login_over_a_socket() {
    let mut dialogue = remembering(Kind::WebSocket, &known(SCRAM_SHA_1));
    dialogue.tells_learned = true;
    begin_over_socket(&mut dialogue);
    dialogue.play(&format!("{OPENED}\n{}", offer(&[SCRAM_SHA_1])));
    let server = scram_over_socket(&mut dialogue);
    let last = server.last(dialogue.names.get("last")).expect("right");
    dialogue.play(&format!(
        "C: <framing:open to='example.org' version='1.0'/>
         C: <iq type='set' id='$bind'><bind:bind/></iq>
         W: <sasl:success>{last}</sasl:success>
         E: binding
         {OPENED}
         W: <stream:features><bind:bind/><sm:sm/>{EJABBERD}</stream:features>
         W: <iq type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>
         C: <sm:enable resume='true'/>
         E: online romeo@example.org/orchard"
    ));
}

/// A login that succeeded with pipelining allows it again.
#[test]
fn a_doubt_that_is_refuted() {
    let memory = Memory {
        doubts: 1,
        ..known(SCRAM_SHA_1)
    };
    let mut dialogue = remembering(Kind::WebSocket, &memory);
    begin_over_socket(&mut dialogue);
    dialogue.play(&format!("{OPENED}\n{}", offer(&[SCRAM_SHA_1])));
    let server = scram_over_socket(&mut dialogue);
    let last = server.last(dialogue.names.get("last")).expect("right");
    dialogue.play(&format!(
        "C: <framing:open to='example.org' version='1.0'/>
         C: <iq type='set' id='$bind'><bind:bind/></iq>
         W: <sasl:success>{last}</sasl:success>
         E: binding
         {OPENED}
         W: <stream:features><bind:bind/>{EJABBERD}</stream:features>
         W: <iq type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>
         E: online romeo@example.org/orchard"
    ));
    assert!(remembered(&dialogue, Kind::WebSocket) == known(SCRAM_SHA_1));
}

/// A server that expects one more response gets the new stream instead: that takes another attempt.
#[test]
fn a_server_signature_in_a_challenge() {
    let mut dialogue = remembering(Kind::WebSocket, &known(SCRAM_SHA_1));
    begin_over_socket(&mut dialogue);
    dialogue.play(&format!("{OPENED}\n{}", offer(&[SCRAM_SHA_1])));
    let server = scram_over_socket(&mut dialogue);
    let last = server.last(dialogue.names.get("last")).expect("right");
    dialogue.play(&format!(
        "C: <framing:open to='example.org' version='1.0'/>
         C: <iq type='set' id='*'><bind:bind/></iq>
         W: <sasl:challenge>{last}</sasl:challenge>
         C: <framing:close/>
         C: close"
    ));
    second_attempt(&mut dialogue);
}

/// Elements of one profile are ignored in the other.
#[test]
fn a_success_of_another_profile() {
    let mut dialogue = remembering(Kind::WebSocket, &known(SCRAM_SHA_1));
    begin_over_socket(&mut dialogue);
    dialogue.play(&format!("{OPENED}\n{}", offer(&[SCRAM_SHA_1])));
    let server = scram_over_socket(&mut dialogue);
    let last = server.last(dialogue.names.get("last")).expect("right");
    dialogue.play(&format!(
        "C: <framing:open to='example.org' version='1.0'/>
         C: <iq type='set' id='*'><bind:bind/></iq>
         W: <sasl2:success><sasl2:additional-data>{last}</sasl2:additional-data>
              <sasl2:authorization-identifier>romeo@example.org</sasl2:authorization-identifier></sasl2:success>"
    ));
    assert!(dialogue.connection.jid().is_none());
    dialogue.play(&format!(
        "W: <sasl:success>{last}</sasl:success>
         E: binding"
    ));
}

/// A binding before the server's signature is not accepted.
#[test]
fn a_server_without_a_signature_binds_nothing() {
    let mut dialogue = remembering(Kind::WebSocket, &known(SCRAM_SHA_1));
    begin_over_socket(&mut dialogue);
    dialogue.play(&format!("{OPENED}\n{}", offer(&[SCRAM_SHA_1])));
    scram_over_socket(&mut dialogue);
    dialogue.play(&format!(
        "C: <framing:open to='example.org' version='1.0'/>
         C: <iq type='set' id='$bind'><bind:bind/></iq>
         {OPENED}
         W: <stream:features><bind:bind/></stream:features>
         W: <iq type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>
         W: <sasl:success/>
         C: <framing:close/>
         C: close
         E: offline server-not-authentic server-signature"
    ));
}

/// A wrong password is not tried twice.
#[test]
fn a_wrong_password_is_not_retried() {
    let mut dialogue = remembering(Kind::WebSocket, &known(SCRAM_SHA_1));
    begin_over_socket(&mut dialogue);
    dialogue.play(&format!("{OPENED}\n{}", offer(&[SCRAM_SHA_1])));
    scram_over_socket(&mut dialogue);
    dialogue.play(
        "C: <framing:open to='example.org' version='1.0'/>
         C: <iq type='set' id='*'><bind:bind/></iq>
         W: <sasl:failure><sasl:not-authorized/></sasl:failure>
         C: <framing:close/>
         C: close
         E: offline auth-failed not-authorized",
    );
}

/// PLAIN and OAUTHBEARER send the secret: they wait for the features, whatever is remembered.
#[test]
fn plain_is_never_pipelined() {
    for (mechanism, credentials) in [
        (PLAIN, "credentials romeo r0m30"),
        ("OAUTHBEARER", "token t"),
    ] {
        let mut dialogue = remembering(
            Kind::WebSocket,
            &Memory {
                mechanism: Some(mechanism),
                settled: true,
                ..Memory::default()
            },
        );
        dialogue.play(&format!(
            "A: connect with {credentials}
             E: connecting
             E: credentials wanted
             C: socket
             W: opened
             C: <framing:open to='example.org' version='1.0'/>
             {OPENED}
             {}
             E: authenticating
             C: <sasl:auth mechanism='{mechanism}'>*</sasl:auth>
             W: <sasl:success/>
             E: binding
             C: <framing:open to='example.org' version='1.0'/>
             C: <iq type='set' id='*'><bind:bind/></iq>",
            offer(&[mechanism])
        ));
    }
}

/// A mechanism remembered for a password is not used without one.
#[test]
fn other_credentials_than_before() {
    remembering(Kind::WebSocket, &known(SCRAM_SHA_1)).play(
        "A: connect with anonymous
         E: connecting
         E: credentials wanted
         C: socket
         W: opened
         C: <framing:open to='example.org' version='1.0'/>",
    );
    let memory = known(SCRAM_SHA_1);
    let mut other = Dialogue::new(with_pipelining(socket_config()));
    other
        .connection
        .remember(&write("example.net", &[(SOCKET, &memory)]));
    assert!(remembered(&other, Kind::WebSocket) == Memory::default());
}

/// Late credentials are used at once.
#[test]
fn credentials_after_the_opening_do_not_wait_for_the_features() {
    remembering(Kind::WebSocket, &known(ANONYMOUS)).play(&format!(
        "A: connect
         E: connecting
         E: credentials wanted
         C: socket
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         A: anonymous
         E: authenticating
         C: <sasl:auth mechanism='ANONYMOUS'/>
         {OPENED}
         {}
         W: <sasl:success/>
         E: binding
         C: <framing:open to='example.org' version='1.0'/>
         C: <iq type='set' id='*'><bind:bind/></iq>",
        offer(&[ANONYMOUS])
    ));
}

// ── a server that offers something else ─────────────────────────────────────────────────────────────────────────────

/// An attacker may have removed the stronger mechanisms.
#[test]
fn a_server_that_offers_weaker_mechanisms() {
    let weaker = "E: offline insecure";
    // Said early,
    let mut dialogue = remembering(Kind::WebSocket, &known(SCRAM_SHA_1));
    begin_over_socket(&mut dialogue);
    dialogue.play(&format!(
        "{OPENED}
         {}
         C: <framing:close/>
         C: close
         {weaker}",
        offer(&[PLAIN])
    ));
    // and without pipelining.
    let mut dialogue = Dialogue::new(config());
    dialogue
        .connection
        .remember(&write("example.org", &[(BOSH, &known(SCRAM_SHA_256))]));
    dialogue.play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         C: <body rid='1' to='example.org' content='*' ver='*' wait='60' hold='1' ack='1' xmpp:version='1.0'/>
         S: <body sid='s1' wait='60' hold='1' requests='2'>{}</body>
         E: authenticating
         C: <body rid='2' type='terminate'/>
         {weaker}",
        features(&[SCRAM_SHA_1, PLAIN])
    ));
}

/// A better mechanism than before is not an attack, but needs its own attempt: the next login starts without pipelining.
#[test]
fn a_server_that_also_offers_a_stronger_mechanism() {
    let mut dialogue = remembering(Kind::WebSocket, &known(SCRAM_SHA_1));
    begin_over_socket(&mut dialogue);
    dialogue.play(&format!(
        "{OPENED}\n{}",
        offer(&[SCRAM_SHA_1, SCRAM_SHA_256])
    ));
    let server = scram_over_socket(&mut dialogue);
    let last = server.last(dialogue.names.get("last")).expect("right");
    dialogue.play(&format!(
        "C: <framing:open to='example.org' version='1.0'/>
         C: <iq type='set' id='$bind'><bind:bind/></iq>
         W: <sasl:success>{last}</sasl:success>
         E: binding
         {OPENED}
         W: <stream:features><bind:bind/></stream:features>
         W: <iq type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>
         E: online romeo@example.org/orchard"
    ));
    let memory = remembered(&dialogue, Kind::WebSocket);
    assert!(memory.mechanism == Some(SCRAM_SHA_1) && !memory.settled);
    assert!(memory.early_mechanism().is_none());
}

/// Only a stronger mechanism is offered: the started one cannot succeed, and the login starts again.
#[test]
fn a_server_that_offers_only_a_stronger_mechanism() {
    let mut dialogue = remembering(Kind::WebSocket, &known(SCRAM_SHA_1));
    begin_over_socket(&mut dialogue);
    dialogue.play(&format!(
        "{OPENED}
         {}
         C: <framing:close/>
         C: close
         C: socket
         E: credentials wanted
         A: credentials romeo r0m30
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         {OPENED}
         {}
         C: <sasl:auth mechanism='SCRAM-SHA-256'>*</sasl:auth>",
        offer(&[SCRAM_SHA_256]),
        offer(&[SCRAM_SHA_256])
    ));
}

// ── a server that does not understand ───────────────────────────────────────────────────────────────────────────────

/// Plays the rest of a second attempt over a socket, without pipelining; only its end is reported.
fn second_attempt(dialogue: &mut Dialogue) {
    dialogue.play(&format!(
        "C: socket
         E: credentials wanted
         A: credentials romeo r0m30
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         {OPENED}
         {}
         C: <sasl:auth mechanism='SCRAM-SHA-1'>$second</sasl:auth>",
        offer(&[SCRAM_SHA_1])
    ));
    let mut server = ScramServer::new(SCRAM_SHA_1, "r0m30");
    let challenge = server.first(dialogue.names.get("second"));
    dialogue.play(&format!(
        "W: <sasl:challenge>{challenge}</sasl:challenge>
         C: <sasl:response>$end</sasl:response>"
    ));
    let last = server.last(dialogue.names.get("end")).expect("right");
    dialogue.play(&format!(
        "W: <sasl:success>{last}</sasl:success>
         C: <framing:open to='example.org' version='1.0'/>
         {OPENED}
         W: <stream:features><bind:bind/>{EJABBERD}</stream:features>
         C: <iq type='set' id='$again'><bind:bind/></iq>
         E: binding
         W: <iq type='result' id='$again'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>
         E: online romeo@example.org/orchard"
    ));
}

/// The server ends the stream because of pipelined elements. The next login does not pipeline.
#[test]
fn a_server_without_pipelining() {
    for refusal in [
        "W: <stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
        "W: <sasl:failure><sasl:malformed-request/></sasl:failure>",
        "W: <sasl:failure><sasl:aborted/></sasl:failure>",
    ] {
        let mut dialogue = remembering(Kind::WebSocket, &known(SCRAM_SHA_1));
        begin_over_socket(&mut dialogue);
        dialogue.play(&format!(
            "{OPENED}
             {}
             {refusal}
             C: <framing:close/>
             C: close",
            offer(&[SCRAM_SHA_1])
        ));
        second_attempt(&mut dialogue);
        let memory = remembered(&dialogue, Kind::WebSocket);
        assert!(!memory.allows_pipelining() && memory.mechanism == Some(SCRAM_SHA_1));
    }
}

/// The server or the network may have ended the connection: one failure is no proof, two are enough.
#[test]
fn a_connection_that_ends_during_the_login() {
    let mut memory = known(SCRAM_SHA_1);
    for doubts in [1, 2] {
        let mut dialogue = remembering(Kind::WebSocket, &memory);
        begin_over_socket(&mut dialogue);
        dialogue.play(&format!("{OPENED}\n{}", offer(&[SCRAM_SHA_1])));
        scram_over_socket(&mut dialogue);
        dialogue.play(
            "C: <framing:open to='example.org' version='1.0'/>
             C: <iq type='set' id='*'><bind:bind/></iq>
             W: closed",
        );
        second_attempt(&mut dialogue);
        memory = remembered(&dialogue, Kind::WebSocket);
        assert_eq!(memory.doubts, doubts);
        assert_eq!(memory.allows_pipelining(), doubts < 2);
    }
}

/// A server without a response gets a third of the time.
#[test]
fn a_server_that_stops_responding() {
    let mut dialogue = remembering(Kind::WebSocket, &known(SCRAM_SHA_1));
    begin_over_socket(&mut dialogue);
    dialogue.play(&format!(
        "{OPENED}
         {}
         +4s
         C: <framing:close/>
         C: close",
        offer(&[SCRAM_SHA_1])
    ));
    second_attempt(&mut dialogue);
}

/// Pipelining was not the cause: the result of the second attempt is reported, and the server is not remembered as incompatible.
#[test]
fn an_attempt_without_pipelining_that_also_fails() {
    let mut dialogue = remembering(Kind::WebSocket, &known(SCRAM_SHA_1));
    begin_over_socket(&mut dialogue);
    dialogue.play(&format!(
        "{OPENED}
         W: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
         C: <framing:close/>
         C: close
         C: socket
         E: credentials wanted
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         {OPENED}
         W: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
         C: <framing:close/>
         C: close
         E: offline stream-error not-authorized"
    ));
    assert!(remembered(&dialogue, Kind::WebSocket) == known(SCRAM_SHA_1));
}

/// A failure that pipelining cannot have caused is not retried.
#[test]
fn an_unreachable_service() {
    remembering(Kind::WebSocket, &known(SCRAM_SHA_1)).play(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         E: authenticating
         C: socket
         W: closed
         E: offline unreachable",
    );
}

// ── BOSH ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const NORMAL: &str = "sid='s1' wait='60' hold='1' requests='2'";
const REQUEST: &str = "to='example.org' content='text/xml; charset=utf-8' ver='1.11' wait='60' hold='1' ack='1' xmpp:version='1.0'";
const BOUND: &str = "<iq type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>";

fn begin_over_bosh(dialogue: &mut Dialogue) {
    dialogue.play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         E: authenticating
         C: <body rid='1' {REQUEST}><sasl:auth mechanism='SCRAM-SHA-1'>$first</sasl:auth></body>"
    ));
}

fn scram_over_bosh(dialogue: &mut Dialogue, before: &str, rid: u64) -> String {
    let mut server = ScramServer::new(SCRAM_SHA_1, "r0m30");
    let challenge = server.first(dialogue.names.get("first"));
    dialogue.play(&format!(
        "S: <body {before}<sasl:challenge>{challenge}</sasl:challenge></body>
         C: <body rid='{rid}'><sasl:response>$last</sasl:response></body>"
    ));
    server.last(dialogue.names.get("last")).expect("right")
}

/// Four requests for the first login: the binding travels with the restart, to find out whether it is read.
#[test]
fn the_first_login_over_bosh() {
    let mut dialogue = Dialogue::new(with_pipelining(config()));
    dialogue.play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         C: <body rid='1' {REQUEST}/>
         S: <body {NORMAL}>{}</body>
         E: authenticating
         C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-1'>$first</sasl:auth></body>",
        features(&[SCRAM_SHA_1])
    ));
    let last = scram_over_bosh(&mut dialogue, ">", 3);
    dialogue.play(&format!(
        "S: <body><sasl:success>{last}</sasl:success></body>
         E: binding
         C: <body rid='4' to='example.org' xmpp:restart='true'><iq type='set' id='$bind'><bind:bind/></iq></body>
         S: <body><stream:features><bind:bind/></stream:features>{BOUND}</body>
         E: online romeo@example.org/orchard
         +50ms
         C: <body rid='5'/>"
    ));
    let memory = remembered(&dialogue, Kind::Bosh);
    assert!(memory.mechanism == Some(SCRAM_SHA_1) && memory.settled);
    assert_eq!(memory.bind_with_restart, Some(true));
}

/// Credentials from a function arrive a little later: the first request waits briefly for them.
#[test]
fn the_first_request_waits_a_moment_for_credentials() {
    remembering(Kind::Bosh, &known(ANONYMOUS)).play(&format!(
        "A: connect
         E: connecting
         E: credentials wanted
         +19ms
         A: anonymous
         E: authenticating
         C: <body rid='1' {REQUEST}><sasl:auth mechanism='ANONYMOUS'/></body>"
    ));
    let mut late = remembering(Kind::Bosh, &known(ANONYMOUS));
    late.play(&format!(
        "A: connect
         E: connecting
         E: credentials wanted
         +20ms
         C: <body rid='1' {REQUEST}/>
         A: anonymous
         E: authenticating
         S: <body {NORMAL}>{}</body>
         C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>",
        features(&[ANONYMOUS])
    ));
}

/// If the server has not read the binding, it is repeated with the same id; a second reply is ignored.
#[test]
fn a_server_that_reads_only_the_restart() {
    let mut dialogue = remembering(Kind::Bosh, &known(SCRAM_SHA_1));
    begin_over_bosh(&mut dialogue);
    let offer = features(&[SCRAM_SHA_1]);
    dialogue.play(&format!(
        "S: <body {NORMAL}>{offer}</body>
         C: <body rid='2'/>"
    ));
    let last = scram_over_bosh(&mut dialogue, ">", 3);
    dialogue.play(&format!(
        "S: <body><sasl:success>{last}</sasl:success></body>
         E: binding
         C: <body rid='4' to='example.org' xmpp:restart='true'><iq type='set' id='$bind'><bind:bind/></iq></body>
         S: <body><stream:features><bind:bind/></stream:features></body>
         C: <body rid='5'><iq type='set' id='$bind'><bind:bind/></iq></body>
         S: <body>{BOUND}</body>
         E: online romeo@example.org/orchard
         +50ms
         C: <body rid='6'/>
         S: <body><iq type='error' id='$bind'/><message id='1'/></body>
         E: stanza <message id='1'/>
         C: <body rid='7'/>"
    ));
    assert_eq!(dialogue.exchange_count(), 7);
    let memory = remembered(&dialogue, Kind::Bosh);
    assert_eq!(memory.bind_with_restart, Some(false));
}

/// The next login at a server that reads it: three requests, two round trips.
#[test]
fn the_next_login_over_bosh() {
    let memory = Memory {
        bind_with_restart: Some(true),
        ..known(SCRAM_SHA_1)
    };
    let mut dialogue = remembering(Kind::Bosh, &memory);
    dialogue.tells_learned = true;
    begin_over_bosh(&mut dialogue);
    let before = format!("{NORMAL}>{}", features(&[SCRAM_SHA_1]));
    let last = scram_over_bosh(&mut dialogue, &before, 2);
    dialogue.play(&format!(
        "C: <body rid='3' to='example.org' xmpp:restart='true'><iq type='set' id='$bind'><bind:bind/></iq></body>
         S: <body><sasl:success>{last}</sasl:success></body>
         E: binding
         S: <body><stream:features><bind:bind/></stream:features>{BOUND}</body>
         E: online romeo@example.org/orchard
         +50ms
         C: <body rid='4'/>"
    ));
}

/// At a server that does not: the restart is sent at once without other elements, the binding waits for the features.
#[test]
fn the_next_login_at_a_server_that_reads_only_the_restart() {
    let memory = Memory {
        bind_with_restart: Some(false),
        ..known(SCRAM_SHA_1)
    };
    let mut dialogue = remembering(Kind::Bosh, &memory);
    begin_over_bosh(&mut dialogue);
    dialogue.play(&format!(
        "S: <body {NORMAL}>{}</body>
         C: <body rid='2'/>",
        features(&[SCRAM_SHA_1])
    ));
    let last = scram_over_bosh(&mut dialogue, ">", 3);
    dialogue.play(&format!(
        "C: <body rid='4' to='example.org' xmpp:restart='true'/>
         S: <body><sasl:success>{last}</sasl:success></body>
         S: <body><stream:features><bind:bind/></stream:features></body>
         E: binding
         C: <body rid='5'><iq type='set' id='$bind'><bind:bind/></iq></body>
         S: <body>{BOUND}</body>
         E: online romeo@example.org/orchard
         +50ms
         C: <body rid='6'/>"
    ));
}

/// The reply to the binding may arrive before the features (COMPAT(Prosody): if one request overtakes the other).
#[test]
fn a_reply_before_the_features() {
    let memory = Memory {
        bind_with_restart: Some(true),
        ..known(SCRAM_SHA_1)
    };
    let mut dialogue = remembering(Kind::Bosh, &memory);
    begin_over_bosh(&mut dialogue);
    let before = format!("{NORMAL}>{}", features(&[SCRAM_SHA_1]));
    let last = scram_over_bosh(&mut dialogue, &before, 2);
    dialogue.play(&format!(
        "C: <body rid='3' to='example.org' xmpp:restart='true'><iq type='set' id='$bind'><bind:bind/></iq></body>
         S: <body><sasl:success>{last}</sasl:success>{BOUND}</body>
         E: binding
         E: online romeo@example.org/orchard
         S: <body><stream:features/></body>
         +50ms
         C: <body rid='4'/>"
    ));
}

/// A session that ends because of it is started again without pipelining.
#[test]
fn a_bosh_service_without_pipelining() {
    let mut dialogue = remembering(Kind::Bosh, &known(SCRAM_SHA_1));
    begin_over_bosh(&mut dialogue);
    dialogue.play(&format!(
        "S: <body type='terminate' condition='bad-request'/>
         E: credentials wanted
         C: <body rid='1' {REQUEST}/>
         A: credentials romeo r0m30
         S: <body {NORMAL}>{}</body>
         C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-1'>$first2</sasl:auth></body>",
        features(&[SCRAM_SHA_1])
    ));
}
