//! What is said before it is asked for: how few round trips a login takes, what may not leave early, and what becomes of a
//! login that a server does not understand like this. RFC 6120's profile.

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

/// What is remembered of the service by now.
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

/// Both sides of SCRAM over a socket, from client-first-message to the moment where the result is due.
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

/// Four round trips when nothing is known: whether the new stream may be opened before the server wants it shows only then;
/// three at a server that is known by what it offers.
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

/// The others.
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

/// Two when the mechanism is known. Stream management is agreed on as ever.
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

/// A server that wants one more response has the new stream in its place: that takes another attempt.
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

/// One profile says nothing in the other's dialogue.
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

/// What binds before the server has proved itself binds nothing.
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

/// A wrong password is a wrong password: it is not tried twice.
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

/// PLAIN and OAUTHBEARER show the secret: they wait for the offer, whatever is remembered.
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

/// What was remembered for a password is of no use without one.
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

/// Credentials that come late are used at once all the same.
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

/// Somebody may have taken the better ones out.
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

/// Only something better is left: what was begun cannot succeed, and is begun anew.
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

/// The rest of a second attempt over a socket, without anything early, whose page hears of nothing but the end of it.
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

/// The server answers what it does not understand by ending the stream. It is not asked for that much again.
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

/// A server that ends the connection, or a network that does: once is no proof, twice is enough.
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

/// A server that is silent about it is given a third of the time.
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

/// It was something else: the page hears what the second attempt ended with, and nothing is held against the server.
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

/// Four requests the first time: the binding travels with the restart, to see whether it is read.
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

/// Credentials that are asked for by a function come a moment later: the first request waits for them that long.
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

/// A server that does not read it is asked again, under the same id; if it did read it, nobody minds the second reply.
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

/// The next time at a server that reads it: three requests, two round trips.
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

/// And at one that does not: the restart alone leaves at once, the binding waits for the features.
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

/// The reply to the binding may come before the features (COMPAT(Prosody): when the two requests overtake each other).
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

/// A session that ends over it is begun once more, as a careful client would.
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
