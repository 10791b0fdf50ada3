//! XEP-0388 with XEP-0386, XEP-0198 and XEP-0484 inside: a whole login in one element each way.

use crate::support::dialogue::{Dialogue, config, service, socket_config};
use crate::support::scram::{ScramServer, token_proof};
use crate::support::script::Names;
use epode_proto::connection::Config;
use epode_proto::reconnect::Reconnect;
use epode_proto::sasl::base64;
use epode_proto::sasl::{PLAIN, SCRAM_SHA_1};
use epode_proto::sasl2::{Offer, Token};
use epode_proto::session::Memory;
use epode_proto::session::memory::{read, write};
use epode_proto::time::Millis;
use epode_proto::transport::Kind;

const ACCOUNT: &str = "romeo@example.org";
const SOCKET: &str = "wss://example.org/ws";
const BOSH: &str = "https://example.org/http-bind";
const OPENED: &str = "W: <framing:open from='example.org' id='*' version='1.0'/>";
const OPEN: &str = "C: <framing:open to='example.org' from='romeo@example.org' version='1.0'/>";
const AGENT: &str = "d4565fa7-4d72-4749-b3d3-740edbf87770";

/// All inline features.
const ALL: &str = "<sasl2:inline><bind2:bind><bind2:inline><bind2:feature var='urn:xmpp:sm:3'/></bind2:inline></bind2:bind>
     <fast:fast><fast:mechanism>HT-SHA-256-NONE</fast:mechanism></fast:fast><sm:sm/></sasl2:inline>";
/// Binding only.
const BIND: &str = "<sasl2:inline><bind2:bind/></sasl2:inline>";

fn offer(inline: &str) -> String {
    format!(
        "<stream:features><sasl:mechanisms><sasl:mechanism>SCRAM-SHA-1</sasl:mechanism></sasl:mechanisms>
         <sasl2:authentication><sasl2:mechanism>SCRAM-SHA-1</sasl2:mechanism>{inline}</sasl2:authentication></stream:features>"
    )
}

/// Authenticates at a server with these inline features, and asks for a resource by the way. Returns the server's last message.
fn authenticate_with_bind(dialogue: &mut Dialogue, inline: &str) -> String {
    dialogue.play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         C: socket
         W: opened
         {OPEN}
         {OPENED}
         W: {}
         E: authenticating
         C: <sasl2:authenticate mechanism='SCRAM-SHA-1'><sasl2:initial-response>$first</sasl2:initial-response>
              <bind2:bind/></sasl2:authenticate>",
        offer(inline)
    ));
    scram_over_socket(dialogue)
}

fn with_pipelining(mut config: Config) -> Config {
    config.session.pipelining = true;
    config.session.account = Some(ACCOUNT.into());
    config
}

fn known() -> Memory {
    Memory {
        mechanism: Some(SCRAM_SHA_1),
        settled: true,
        sasl2: Some(Offer {
            mechanisms: Vec::new(),
            bind: true,
            enable: true,
            resume: true,
            tokens: true,
            flawed: false,
        }),
        agent: Some(AGENT.into()),
        ..Memory::default()
    }
}

fn with_token() -> Memory {
    let secret = "t0k3n".into();
    Memory {
        token: Some((
            "romeo".into(),
            Token {
                secret,
                expiry: Some(1),
            },
        )),
        ..known()
    }
}

fn remembering(config: Config, address: &str, memory: &Memory) -> Dialogue {
    let mut dialogue = Dialogue::new(with_pipelining(config));
    let text = write(ACCOUNT, &[(address, memory)]);
    dialogue.connection.remember(&text);
    dialogue
}

fn remembered(dialogue: &Dialogue, address: &str) -> Memory {
    read(&dialogue.connection.memory(), ACCOUNT, address)
}

fn shown(token: &str) -> String {
    base64::encode(&[b"romeo\0", token_proof(token, "Initiator").as_slice()].concat())
}

fn proved(token: &str) -> String {
    base64::encode(&token_proof(token, "Responder"))
}

/// Plays SCRAM's challenge and response; returns the server's last message.
fn scram_over_socket(dialogue: &mut Dialogue) -> String {
    let mut server = ScramServer::new(SCRAM_SHA_1, "r0m30");
    let challenge = server.first(dialogue.names.get("first"));
    dialogue.play(&format!(
        "W: <sasl2:challenge>{challenge}</sasl2:challenge>
         C: <sasl2:response>$last</sasl2:response>"
    ));
    server.last(dialogue.names.get("last")).expect("right")
}

/// The first login with all inline features. The stream features that follow are ignored.
#[test]
fn login_and_binding_in_one_exchange() {
    let mut dialogue = Dialogue::new(with_pipelining(socket_config()));
    dialogue.tells_learned = true;
    dialogue.play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         C: socket
         W: opened
         {OPEN}
         {OPENED}
         W: {}
         E: authenticating
         C: <sasl2:authenticate mechanism='SCRAM-SHA-1'><sasl2:initial-response>$first</sasl2:initial-response>
              <sasl2:user-agent id='$agent'><sasl2:software>epode</sasl2:software></sasl2:user-agent>
              <bind2:bind><sm:enable resume='true'/></bind2:bind>
              <fast:request-token mechanism='HT-SHA-256-NONE'/></sasl2:authenticate>",
        offer(ALL)
    ));
    let last = scram_over_socket(&mut dialogue);
    dialogue.play(&format!(
        "W: <sasl2:success><sasl2:additional-data>{last}</sasl2:additional-data>
              <bind2:bound><sm:enabled id='m1' resume='true'/></bind2:bound>
              <fast:token token='t0k3n' expiry='2026-12-12T16:20:33Z'/>
              <sasl2:authorization-identifier>romeo@example.org/x1</sasl2:authorization-identifier></sasl2:success>
         E: learned
         E: online romeo@example.org/x1
         W: <stream:features><sm:sm/></stream:features>
         A: send <message id='a'/>
         C: <message id='a'/>
         C: <sm:r/>
         W: <sm:a h='1'/>
         E: 0 delivered"
    ));
    let memory = remembered(&dialogue, SOCKET);
    let agent = memory.agent.clone().expect("an agent");
    assert_eq!(agent, dialogue.names.get("agent"));
    let groups: Vec<usize> = agent.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12]);
    assert!(
        agent.as_bytes()[14] == b'4' && b"89ab".contains(&agent.as_bytes()[19]),
        "{agent}"
    );
    let (username, token) = memory.token.clone().expect("a token");
    assert_eq!(
        (username.as_str(), token.secret.as_str()),
        ("romeo", "t0k3n")
    );
    assert_eq!(token.expiry, Some(1_797_092_433_000));
    assert!(
        memory
            == Memory {
                agent: Some(agent),
                token: Some((username, token)),
                ..known()
            },
        "and the rest"
    );
}

/// The next login starts with the opening: two round trips, and no further step.
#[test]
fn the_next_login() {
    let mut dialogue = remembering(socket_config(), SOCKET, &known());
    dialogue.play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         E: authenticating
         C: socket
         W: opened
         {OPEN}
         C: <sasl2:authenticate mechanism='SCRAM-SHA-1'><sasl2:initial-response>$first</sasl2:initial-response>
              <sasl2:user-agent id='{AGENT}'><sasl2:software>epode</sasl2:software></sasl2:user-agent>
              <bind2:bind><sm:enable resume='true'/></bind2:bind>
              <fast:request-token mechanism='HT-SHA-256-NONE'/></sasl2:authenticate>
         {OPENED}
         W: {}",
        offer(ALL)
    ));
    let last = scram_over_socket(&mut dialogue);
    dialogue.play(&format!(
        "W: <sasl2:success><sasl2:additional-data>{last}</sasl2:additional-data><bind2:bound/>
              <sasl2:authorization-identifier>romeo@example.org/x1</sasl2:authorization-identifier></sasl2:success>
         W: <stream:features/>
         E: online romeo@example.org/x1"
    ));
}

/// Stream management that is not offered inline is enabled after the login; so is resumption.
#[test]
fn stream_management_outside_of_the_login() {
    // COMPAT(Prosody 0.12): offered twice, it cannot be had.
    let twice = "<sasl2:inline><bind2:bind><bind2:inline><bind2:feature var='urn:xmpp:sm:3'/><bind2:feature var='urn:xmpp:sm:3'/>
         </bind2:inline></bind2:bind><sm:sm/></sasl2:inline>";
    let mut config = socket_config();
    config.reconnect = Some(Reconnect {
        least: Millis(0),
        most: Millis(0),
    });
    let mut dialogue = Dialogue::new(with_pipelining(config));
    let last = authenticate_with_bind(&mut dialogue, twice);
    dialogue.play(&format!(
        "W: <sasl2:success><sasl2:additional-data>{last}</sasl2:additional-data><bind2:bound/>
              <sasl2:authorization-identifier>romeo@example.org/x1</sasl2:authorization-identifier></sasl2:success>
         W: <stream:features><sm:sm/></stream:features>
         C: <sm:enable resume='true'/>
         E: online romeo@example.org/x1
         W: <sm:enabled id='m1' resume='true'/>
         W: closed"
    ));
    assert!(dialogue.next_words().starts_with("interrupted"));
    dialogue.play("+1ms");
    dialogue.names = Names::default();
    dialogue.play(&format!(
        "C: socket
         E: credentials wanted
         A: credentials romeo r0m30
         W: opened
         {OPEN}
         C: <sasl2:authenticate mechanism='SCRAM-SHA-1'><sasl2:initial-response>$first</sasl2:initial-response></sasl2:authenticate>
         {OPENED}
         W: {}",
        offer(twice)
    ));
    let last = scram_over_socket(&mut dialogue);
    dialogue.play(&format!(
        "W: <sasl2:success><sasl2:additional-data>{last}</sasl2:additional-data>
              <sasl2:authorization-identifier>romeo@example.org</sasl2:authorization-identifier></sasl2:success>
         W: <stream:features><bind:bind/><sm:sm/></stream:features>
         C: <sm:resume h='0' previd='m1'/>
         W: <sm:resumed h='0' previd='m1'/>
         E: resumed romeo@example.org/x1"
    ));
}

/// A token takes one round trip and no credentials: the page is not asked for any.
#[test]
fn a_login_with_a_token() {
    let mut dialogue = remembering(socket_config(), SOCKET, &with_token());
    dialogue.tells_learned = true;
    dialogue.play(&format!(
        "A: connect
         E: connecting
         E: authenticating
         C: socket
         W: opened
         {OPEN}
         C: <sasl2:authenticate mechanism='HT-SHA-256-NONE'><sasl2:initial-response>{}</sasl2:initial-response>
              <sasl2:user-agent id='{AGENT}'><sasl2:software>epode</sasl2:software></sasl2:user-agent>
              <bind2:bind><sm:enable resume='true'/></bind2:bind><fast:fast/></sasl2:authenticate>
         {OPENED}
         W: {}
         W: <sasl2:success><sasl2:additional-data>{}</sasl2:additional-data>
              <bind2:bound><sm:enabled id='m1' resume='true'/></bind2:bound>
              <fast:token token='n3w' expiry='never'/>
              <sasl2:authorization-identifier>romeo@example.org/x1</sasl2:authorization-identifier></sasl2:success>
         E: learned
         E: online romeo@example.org/x1",
        shown("t0k3n"),
        offer(ALL),
        proved("t0k3n")
    ));
    let memory = remembered(&dialogue, SOCKET);
    // The mechanism that a password was used with is still the least that is accepted.
    assert_eq!(memory.mechanism, Some(SCRAM_SHA_1));
    assert_eq!(
        memory.token.map(|(_, token)| token.secret),
        Some("n3w".into())
    );
}

/// A server without the token that sends a success.
#[test]
fn a_wrong_server_proof_for_the_token() {
    remembering(socket_config(), SOCKET, &with_token()).play(&format!(
        "A: connect
         E: connecting
         E: authenticating
         C: socket
         W: opened
         {OPEN}
         C: <sasl2:authenticate mechanism='HT-SHA-256-NONE'><sasl2:initial-response>*</sasl2:initial-response>
              <sasl2:user-agent id='*'><sasl2:software>epode</sasl2:software></sasl2:user-agent>
              <bind2:bind><sm:enable resume='true'/></bind2:bind><fast:fast/></sasl2:authenticate>
         {OPENED}
         W: {}
         W: <sasl2:success><bind2:bound/>
              <sasl2:authorization-identifier>romeo@example.org/x1</sasl2:authorization-identifier></sasl2:success>
         C: <framing:close/>
         C: close
         E: offline server-not-authentic server-signature",
        offer(ALL)
    ));
}

/// XEP-0484 §4.1: a refused token is discarded; the password follows on the same stream.
#[test]
fn a_refused_token() {
    let mut dialogue = remembering(socket_config(), SOCKET, &with_token());
    dialogue.tells_learned = true;
    dialogue.play(&format!(
        "A: connect
         E: connecting
         E: authenticating
         C: socket
         W: opened
         {OPEN}
         C: <sasl2:authenticate mechanism='HT-SHA-256-NONE'><sasl2:initial-response>*</sasl2:initial-response>
              <sasl2:user-agent id='*'><sasl2:software>epode</sasl2:software></sasl2:user-agent>
              <bind2:bind><sm:enable resume='true'/></bind2:bind><fast:fast/></sasl2:authenticate>
         {OPENED}
         W: {}
         W: <sasl2:failure><sasl:credentials-expired/></sasl2:failure>
         E: learned
         E: credentials wanted
         A: credentials romeo r0m30
         C: <sasl2:authenticate mechanism='SCRAM-SHA-1'><sasl2:initial-response>*</sasl2:initial-response>
              <sasl2:user-agent id='{AGENT}'><sasl2:software>epode</sasl2:software></sasl2:user-agent>
              <bind2:bind><sm:enable resume='true'/></bind2:bind>
              <fast:request-token mechanism='HT-SHA-256-NONE'/></sasl2:authenticate>",
        offer(ALL)
    ));
    assert!(remembered(&dialogue, SOCKET).token.is_none());
}

/// A token at a server that no longer accepts tokens: then the page is asked for credentials.
#[test]
fn a_token_that_is_not_requested() {
    let mut memory = with_token();
    memory.sasl2 = None;
    remembering(socket_config(), SOCKET, &memory).play(&format!(
        "A: connect
         E: connecting
         C: socket
         W: opened
         {OPEN}
         {OPENED}
         W: {}
         E: credentials wanted
         A: credentials romeo r0m30
         E: authenticating
         C: <sasl2:authenticate mechanism='SCRAM-SHA-1'><sasl2:initial-response>*</sasl2:initial-response>
              <bind2:bind/></sasl2:authenticate>",
        offer(BIND)
    ));
}

/// A token can be used by anyone who reads it: over an unencrypted connection none is requested or sent, and the account is not named.
#[test]
fn no_tokens_on_an_unencrypted_connection() {
    let mut config = config();
    config.session.plain_text_allowed = false;
    config.services = vec![service(Kind::WebSocket, "ws://example.org/ws")];
    remembering(config, "ws://example.org/ws", &with_token()).play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         E: authenticating
         C: socket
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         C: <sasl2:authenticate mechanism='SCRAM-SHA-1'><sasl2:initial-response>*</sasl2:initial-response>
              <sasl2:user-agent id='*'><sasl2:software>epode</sasl2:software></sasl2:user-agent>
              <bind2:bind><sm:enable resume='true'/></bind2:bind></sasl2:authenticate>
         {OPENED}
         W: {}",
        offer(ALL)
    ));
}

/// PLAIN also waits for the features in SASL2.
#[test]
fn plain_is_never_pipelined_in_sasl2() {
    let memory = Memory {
        mechanism: Some(PLAIN),
        ..known()
    };
    remembering(socket_config(), SOCKET, &memory).play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         C: socket
         W: opened
         {OPEN}
         {OPENED}
         W: <stream:features><sasl2:authentication><sasl2:mechanism>PLAIN</sasl2:mechanism></sasl2:authentication></stream:features>
         E: authenticating
         C: <sasl2:authenticate mechanism='PLAIN'><sasl2:initial-response>AHJvbWVvAHIwbTMw</sasl2:initial-response></sasl2:authenticate>"
    ));
}

/// A resource chosen by the page is bound by RFC 6120 on the same stream; so is one without inline binding.
#[test]
fn a_resource_chosen_by_the_page() {
    let mut config = socket_config();
    config.session.resource = Some("orchard".into());
    let mut dialogue = Dialogue::new(with_pipelining(config));
    dialogue.play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         C: socket
         W: opened
         {OPEN}
         {OPENED}
         W: {}
         E: authenticating
         C: <sasl2:authenticate mechanism='SCRAM-SHA-1'><sasl2:initial-response>$first</sasl2:initial-response></sasl2:authenticate>",
        offer(BIND)
    ));
    let last = scram_over_socket(&mut dialogue);
    dialogue.play(&format!(
        "W: <sasl2:success><sasl2:additional-data>{last}</sasl2:additional-data>
              <sasl2:authorization-identifier>romeo@example.org</sasl2:authorization-identifier></sasl2:success>
         W: <stream:features><bind:bind/><sm:sm/></stream:features>
         E: binding
         C: <iq type='set' id='$bind'><bind:bind><bind:resource>orchard</bind:resource></bind:bind></iq>
         W: <iq type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>
         E: online romeo@example.org/orchard
         C: <sm:enable resume='true'/>"
    ));
}

/// The server requires a further task.
#[test]
fn a_second_factor() {
    let mut dialogue = Dialogue::new(with_pipelining(socket_config()));
    let last = authenticate_with_bind(&mut dialogue, BIND);
    dialogue.play(&format!(
        "W: <sasl2:continue><sasl2:additional-data>{last}</sasl2:additional-data>
              <sasl2:tasks><sasl2:task>HOTP-EXAMPLE</sasl2:task><sasl2:task>TOTP-EXAMPLE</sasl2:task></sasl2:tasks></sasl2:continue>
         C: <framing:close/>
         C: close
         E: offline auth-failed continue (HOTP-EXAMPLE, TOTP-EXAMPLE)"
    ));
}

/// Over BOSH the same in two requests, without stream management.
#[test]
fn over_bosh() {
    let mut dialogue = remembering(config(), BOSH, &known());
    dialogue.play(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         E: authenticating
         C: <body rid='1' to='example.org' from='romeo@example.org' content='text/xml; charset=utf-8' ver='1.11' wait='60'
              hold='1' ack='1' xmpp:version='1.0'>
              <sasl2:authenticate mechanism='SCRAM-SHA-1'><sasl2:initial-response>$first</sasl2:initial-response>
              <sasl2:user-agent id='*'><sasl2:software>epode</sasl2:software></sasl2:user-agent>
              <bind2:bind/><fast:request-token mechanism='HT-SHA-256-NONE'/></sasl2:authenticate></body>",
    );
    let mut server = ScramServer::new(SCRAM_SHA_1, "r0m30");
    let challenge = server.first(dialogue.names.get("first"));
    dialogue.play(&format!(
        "S: <body sid='s1' wait='60' hold='1' requests='2'>{}<sasl2:challenge>{challenge}</sasl2:challenge></body>
         C: <body rid='2'><sasl2:response>$last</sasl2:response></body>",
        offer(ALL)
    ));
    let last = server.last(dialogue.names.get("last")).expect("right");
    dialogue.play(&format!(
        "S: <body><sasl2:success><sasl2:additional-data>{last}</sasl2:additional-data><bind2:bound/>
              <sasl2:authorization-identifier>romeo@example.org/x1</sasl2:authorization-identifier></sasl2:success>
              <stream:features/></body>
         E: online romeo@example.org/x1
         +50ms
         C: <body rid='3'/>"
    ));
}

/// An interrupted session is resumed inside the login by a token: one round trip.
#[test]
fn a_session_is_resumed_inside_the_login() {
    for resumes in [true, false] {
        let mut config = socket_config();
        config.reconnect = Some(Reconnect {
            least: Millis(0),
            most: Millis(0),
        });
        let mut dialogue = remembering(config, SOCKET, &with_token());
        let login = |inline: &str| {
            format!(
                "C: socket
                 W: opened
                 {OPEN}
                 C: <sasl2:authenticate mechanism='HT-SHA-256-NONE'><sasl2:initial-response>*</sasl2:initial-response>
                      <sasl2:user-agent id='*'><sasl2:software>epode</sasl2:software></sasl2:user-agent>
                      {inline}<bind2:bind><sm:enable resume='true'/></bind2:bind><fast:fast/></sasl2:authenticate>
                 {OPENED}
                 W: {}",
                offer(ALL)
            )
        };
        let proof = proved("t0k3n");
        dialogue.play(&format!(
            "A: connect
             E: connecting
             E: authenticating
             {}
             W: <sasl2:success><sasl2:additional-data>{proof}</sasl2:additional-data>
                  <bind2:bound><sm:enabled id='m1' resume='true'/></bind2:bound>
                  <sasl2:authorization-identifier>romeo@example.org/x1</sasl2:authorization-identifier></sasl2:success>
             E: online romeo@example.org/x1
             W: <message id='in'/>
             E: stanza <message id='in'/>
             A: send <message id='a'/>
             C: <message id='a'/>
             C: <sm:r/>
             W: closed",
            login("")
        ));
        let told = dialogue.next_words();
        assert!(told.starts_with("interrupted"), "{told}");
        dialogue.play("+1ms");
        let again = login("<sm:resume h='1' previd='m1'/>");
        if resumes {
            dialogue.play(&format!(
                "{again}
                 W: <sasl2:success><sasl2:additional-data>{proof}</sasl2:additional-data><sm:resumed h='0' previd='m1'/>
                      <sasl2:authorization-identifier>romeo@example.org/x1</sasl2:authorization-identifier></sasl2:success>
                 C: <message id='a'/>
                 E: resumed romeo@example.org/x1
                 C: <sm:r/>"
            ));
        } else {
            dialogue.play(&format!(
                "{again}
                 W: <sasl2:success><sasl2:additional-data>{proof}</sasl2:additional-data><sm:failed h='1'/>
                      <bind2:bound><sm:enabled id='m2' resume='true'/></bind2:bound>
                      <sasl2:authorization-identifier>romeo@example.org/x2</sasl2:authorization-identifier></sasl2:success>
                 E: 0 delivered
                 E: online romeo@example.org/x2"
            ));
        }
    }
}

/// COMPAT(Prosody 0.12): over BOSH such an offer is unusable.
#[test]
fn an_offer_that_is_ignored_over_bosh() {
    let twice = "<sasl2:inline><bind2:bind><bind2:inline><bind2:feature var='urn:xmpp:sm:3'/><bind2:feature var='urn:xmpp:sm:3'/>
         </bind2:inline></bind2:bind><sm:sm/></sasl2:inline>";
    let mut dialogue = Dialogue::new(with_pipelining(config()));
    dialogue.play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         C: <body rid='1' to='example.org' from='romeo@example.org' content='*' ver='*' wait='60' hold='1' ack='1' xmpp:version='1.0'/>
         S: <body sid='s1' wait='60' hold='1' requests='2'>{}</body>
         E: authenticating
         C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-1'>*</sasl:auth></body>",
        offer(twice)
    ));
}

/// A server that cannot fulfil its offer stops responding or fails: the older profile is used, and the newer one is not tried
/// again.
#[test]
fn an_offer_that_fails() {
    let mut dialogue = Dialogue::new(with_pipelining(config()));
    dialogue.play(&format!(
        "A: connect with credentials romeo r0m30
         E: connecting
         E: credentials wanted
         C: <body rid='1' to='example.org' from='romeo@example.org' content='*' ver='*' wait='60' hold='1' ack='1' xmpp:version='1.0'/>
         S: <body sid='s1' wait='60' hold='1' requests='2'>{0}</body>
         E: authenticating
         C: <body rid='2'><sasl2:authenticate mechanism='SCRAM-SHA-1'><sasl2:initial-response>*</sasl2:initial-response>
              <bind2:bind/></sasl2:authenticate></body>
         +10s
         C: <body rid='*' sid='s1' type='terminate'/>
         C: cancel *
         E: credentials wanted
         C: <body rid='1' to='example.org' from='romeo@example.org' content='*' ver='*' wait='60' hold='1' ack='1' xmpp:version='1.0'/>
         A: credentials romeo r0m30
         S: <body sid='s2' wait='60' hold='1' requests='2'>{0}</body>
         C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-1'>$first</sasl:auth></body>",
        offer(BIND)
    ));
}

/// A resumption that was not requested is an error.
#[test]
fn an_unrequested_resumption() {
    remembering(socket_config(), SOCKET, &with_token()).play(&format!(
        "A: connect
         E: connecting
         E: authenticating
         C: socket
         W: opened
         {OPEN}
         C: <sasl2:authenticate mechanism='HT-SHA-256-NONE'><sasl2:initial-response>*</sasl2:initial-response>
              <sasl2:user-agent id='*'><sasl2:software>epode</sasl2:software></sasl2:user-agent>
              <bind2:bind><sm:enable resume='true'/></bind2:bind><fast:fast/></sasl2:authenticate>
         {OPENED}
         W: {}
         W: <sasl2:success><sasl2:additional-data>{}</sasl2:additional-data><sm:resumed h='0' previd='m1'/>
              <sasl2:authorization-identifier>romeo@example.org/x1</sasl2:authorization-identifier></sasl2:success>
         W: <stream:features><bind:bind/></stream:features>
         E: binding
         C: <iq type='set' id='*'><bind:bind/></iq>",
        offer(ALL),
        proved("t0k3n")
    ));
}

/// The stored memory is complete; unreadable memory is empty.
#[test]
fn memory_as_text() {
    let mut full = with_token();
    full.bind_with_restart = Some(false);
    full.doubts = 1;
    let bare = Memory::default();
    let text = write(ACCOUNT, &[(SOCKET, &full), (BOSH, &bare)]);
    assert!(read(&text, ACCOUNT, SOCKET) == full);
    assert!(read(&text, ACCOUNT, BOSH) == bare);
    assert!(read(&text, "juliet@example.org", SOCKET) == bare);
    assert!(read(&text, ACCOUNT, "wss://example.net/ws") == bare);
    for spoilt in [
        "",
        "{}",
        "<memory account='romeo@example.org'/>",
        &text[1..],
    ] {
        assert!(read(spoilt, ACCOUNT, SOCKET) == bare);
    }
    let odd = text
        .replace("SCRAM-SHA-1", "X-MINE")
        .replace("doubts='1'", "doubts='x'");
    let odd = read(&odd, ACCOUNT, SOCKET);
    assert!(odd.mechanism.is_none() && odd.doubts == 0 && odd.early_mechanism().is_none());
}
