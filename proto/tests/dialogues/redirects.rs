//! `see-other-uri` (XEP-0124 §17.2, RFC 7395 §3.6.1): the trust in the first address limits all later ones.

use super::features;
use crate::support::dialogue::{Dialogue, config, service, socket_config};
use crate::support::scram::ScramServer;
use epode_proto::connection::Config;
use epode_proto::reconnect::Reconnect;
use epode_proto::sasl::{SCRAM_SHA_1, SCRAM_SHA_512};
use epode_proto::sasl2::{Offer, Token};
use epode_proto::session::memory::{read, write};
use epode_proto::session::{Goal, Memory};
use epode_proto::time::Millis;
use epode_proto::transport::{Kind, Service};

const BOSH: &str = "https://example.org/http-bind";
const SOCKET: &str = "wss://example.org/ws";

/// A service as the shell reports it: confidential over TLS and on loopback.
fn judged(kind: Kind, address: &str) -> Service {
    let local = address.contains("//localhost") || address.contains("//127.0.0.1");
    let encrypted = address.starts_with("https:") || address.starts_with("wss:");
    Service {
        confidential: local || encrypted,
        ..service(kind, address)
    }
}

/// A configuration without `plain_text_allowed`.
fn strict(kind: Kind, address: &str) -> Config {
    let mut config = config();
    config.session.plain_text_allowed = false;
    Config {
        services: vec![judged(kind, address)],
        ..config
    }
}

fn lasting(config: Config) -> Config {
    Config {
        reconnect: Some(Reconnect::default()),
        ..config
    }
}

/// Connects, up to the first request or socket.
fn begun(config: Config) -> Dialogue {
    let bosh = config.services[0].kind == Kind::Bosh;
    let mut dialogue = Dialogue::new(config);
    dialogue.play(
        "A: connect
         E: connecting
         E: credentials wanted",
    );
    if bosh {
        dialogue.expect_request();
    } else {
        dialogue.play("C: socket\nW: opened");
        dialogue.play("C: <framing:open to='example.org' version='1.0'/>");
    }
    dialogue
}

/// The server redirects. Returns the client's reaction in words; the dialogue may continue.
fn redirect(dialogue: &mut Dialogue, kind: Kind, address: &str) {
    let address = address.replace('&', "&amp;").replace('<', "&lt;");
    match kind {
        Kind::Bosh => dialogue.play(&format!(
            "S: <body type='terminate' condition='see-other-uri'><uri>{address}</uri></body>"
        )),
        Kind::WebSocket => dialogue.play(&format!(
            "W: <framing:close see-other-uri='{address}'/>
             C: <framing:close/>
             C: close"
        )),
    }
}

/// Another attempt starts, which is reported.
const AGAIN: &str = "E: connecting
     E: credentials wanted";

// ── what may be shown ───────────────────────────────────────────────────────────────────────────────────────────────

/// The redirect to an encrypted address came unencrypted: an attacker may have sent it.
#[test]
fn no_password_over_a_chain_that_is_not_confidential() {
    let mut dialogue = begun(strict(Kind::Bosh, "http://example.org/http-bind"));
    redirect(&mut dialogue, Kind::Bosh, "https://other.example/b");
    dialogue.play(AGAIN);
    dialogue.expect_request();
    assert!(!dialogue.connection.is_confidential());
    dialogue.play(&format!(
        "A: credentials romeo r0m30
         S: <body sid='s1'>{}</body>
         E: authenticating
         C: <body rid='2' type='terminate'/>
         E: offline insecure",
        features(&["PLAIN"])
    ));
    // SCRAM shows nothing, and the server proves itself.
    let mut dialogue = begun(strict(Kind::Bosh, "http://example.org/http-bind"));
    redirect(&mut dialogue, Kind::Bosh, "https://other.example/b");
    dialogue.play(AGAIN);
    dialogue.expect_request();
    dialogue.play(&format!(
        "A: credentials romeo r0m30
         S: <body sid='s1'>{}</body>
         E: authenticating
         C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-1'>*</sasl:auth></body>",
        features(&["PLAIN", "SCRAM-SHA-1"])
    ));
}

#[test]
fn no_password_over_such_a_chain_of_sockets() {
    for (act, mechanism) in [
        ("credentials romeo r0m30", "PLAIN"),
        ("token 4bc", "OAUTHBEARER"),
    ] {
        let mut dialogue = begun(strict(Kind::WebSocket, "ws://example.org/ws"));
        redirect(&mut dialogue, Kind::WebSocket, "wss://other.example/ws");
        dialogue.play(&format!(
            "{AGAIN}
             C: socket wss://other.example/ws
             A: {act}
             W: opened
             C: <framing:open to='example.org' version='1.0'/>
             W: <framing:open from='example.org' id='1' version='1.0'/>
             W: {}
             E: authenticating
             C: <framing:close/>
             E: offline insecure
             C: close",
            features(&[mechanism])
        ));
    }
}

/// Also in an established session.
#[test]
fn no_password_when_a_session_is_redirected() {
    let unencrypted = Config {
        services: vec![judged(Kind::WebSocket, "ws://example.org/ws")],
        ..lasting(strict(Kind::WebSocket, "ws://example.org/ws"))
    };
    let mut dialogue = Dialogue::online_over_socket(unencrypted, "");
    redirect(&mut dialogue, Kind::WebSocket, "wss://other.example/ws");
    dialogue.play(&format!(
        "E: interrupted 1 terminated see-other-uri
         +0s
         E: credentials wanted
         C: socket wss://other.example/ws
         A: credentials romeo r0m30
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         W: <framing:open from='example.org' id='1' version='1.0'/>
         W: {}
         C: <framing:close/>
         E: offline insecure
         C: close",
        features(&["PLAIN"])
    ));
}

#[test]
fn no_account_is_registered_over_such_a_chain() {
    let mut config = strict(Kind::Bosh, "http://example.org/http-bind");
    config.session.goal = Goal::Register(vec![
        ("username".into(), "romeo".into()),
        ("password".into(), "r0m30".into()),
    ]);
    let mut dialogue = Dialogue::new(config);
    dialogue.play("A: connect\nE: connecting");
    dialogue.expect_request();
    redirect(&mut dialogue, Kind::Bosh, "https://other.example/b");
    dialogue.play("E: connecting");
    dialogue.expect_request();
    dialogue.play(
        "S: <body sid='s1'><stream:features><register:register/></stream:features></body>
         C: <body rid='2' type='terminate'/>
         E: offline insecure",
    );
}

/// A chain is confidential if both ends are, or if the caller allows plain text.
#[test]
fn a_password_over_a_chain_that_is_confidential() {
    let mut allowed = strict(Kind::Bosh, "http://example.org/http-bind");
    allowed.session.plain_text_allowed = true;
    for (config, first, then) in [
        (strict(Kind::Bosh, BOSH), BOSH, "https://other.example/b"),
        (
            strict(Kind::Bosh, "http://localhost:5280/b"),
            "http://localhost:5280/b",
            "http://127.0.0.1:5281/b",
        ),
        (
            allowed,
            "http://example.org/http-bind",
            "http://other.example/b",
        ),
    ] {
        let mut dialogue = begun(config);
        assert_eq!(dialogue.posted.as_ref().map(|(to, _)| &**to), Some(first));
        redirect(&mut dialogue, Kind::Bosh, then);
        dialogue.play(AGAIN);
        dialogue.expect_request();
        assert_eq!(dialogue.posted.as_ref().map(|(to, _)| &**to), Some(then));
        assert!(dialogue.connection.is_confidential());
        dialogue.play(&format!(
            "A: credentials romeo r0m30
             S: <body sid='s1'>{}</body>
             E: authenticating
             C: <body rid='2'><sasl:auth mechanism='PLAIN'>*</sasl:auth></body>",
            features(&["PLAIN"])
        ));
    }
}

/// Without a session, stanzas may be sent over any of the services.
#[test]
fn whether_a_secret_may_be_sent() {
    let both = |second: &str| Config {
        services: vec![judged(Kind::WebSocket, SOCKET), judged(Kind::Bosh, second)],
        ..lasting(strict(Kind::WebSocket, SOCKET))
    };
    for (second, whole) in [(BOSH, true), ("http://example.org/http-bind", false)] {
        let dialogue = Dialogue::new(both(second));
        assert_eq!(dialogue.connection.is_confidential(), whole);
        let mut dialogue = Dialogue::online_over_socket(both(second), "");
        assert!(dialogue.connection.is_confidential());
        dialogue.play("W: closed");
        dialogue.interrupted();
        assert_eq!(dialogue.connection.is_confidential(), whole);
    }
}

// ── where to ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Less security than before, another protocol, or an ambiguous address: not followed, and reported.
#[test]
fn redirects_that_are_not_followed() {
    for (kind, first, addresses) in [
        (
            Kind::Bosh,
            BOSH,
            &[
                "http://other.example/b",
                "http://localhost/b",
                "wss://other.example/ws",
            ][..],
        ),
        (
            Kind::WebSocket,
            SOCKET,
            &[
                "ws://other.example/ws",
                "WS://other.example/ws",
                "http://other.example/b",
                "ws://localhost/ws",
            ],
        ),
        (
            Kind::WebSocket,
            "ws://localhost:5280/ws",
            &["ws://other.example/ws", "ws://localhost.evil.example/ws"],
        ),
        (
            Kind::Bosh,
            "http://127.0.0.1/b",
            &["http://other.example/b", "http://127.evil.example/b"],
        ),
    ] {
        let garbage = [
            "javascript:alert(1)",
            "data:text/xml,x",
            "file:///etc/passwd",
            "ftp://other.example/",
            "/other",
            "//other.example/b",
            "other",
            "https:",
            "https://",
            "https:///b",
            "https:other.example",
            "https://example.org@other.example/b",
            "https://user:word@other.example/b",
            "https://localhost\\@other.example/b",
            "https://other example/b",
            "https://other.example:b/",
            "https://other.example:99999/",
            "https://[::1/b",
            "https://%6cocalhost/b",
        ];
        let long = format!("https://other.example/{}", "b".repeat(3_000));
        let all = addresses.iter().chain(&garbage).copied();
        for address in all.chain([long.as_str()]) {
            let mut dialogue = begun(strict(kind, first));
            redirect(&mut dialogue, kind, address);
            dialogue.play("E: offline terminated see-other-uri\n+100s");
        }
    }
}

/// The scheme and the host are the same in whatever case, white space around does not matter, a fragment is not sent. A
/// WebSocket may be replaced by BOSH (RFC 7395 §3.6.1).
#[test]
fn redirects_that_are_followed() {
    for (kind, address, there) in [
        (
            Kind::Bosh,
            "HTTPS://Other.Example/B?a=1",
            "https://other.example/B?a=1",
        ),
        (Kind::Bosh, "https://other.example", "https://other.example"),
        (
            Kind::Bosh,
            "https://other.example:8443/b",
            "https://other.example:8443/b",
        ),
        (
            Kind::Bosh,
            "https://[2001:db8::1]:5281/b#top",
            "https://[2001:db8::1]:5281/b",
        ),
        (
            Kind::WebSocket,
            " wss://other.example/ws ",
            "wss://other.example/ws",
        ),
        (
            Kind::WebSocket,
            "wss://other.example/ws#top",
            "wss://other.example/ws",
        ),
    ] {
        let first = if kind == Kind::Bosh { BOSH } else { SOCKET };
        let mut dialogue = begun(strict(kind, first));
        redirect(&mut dialogue, kind, address);
        dialogue.play(AGAIN);
        if kind == Kind::Bosh {
            dialogue.expect_request();
            assert_eq!(dialogue.posted.as_ref().map(|(to, _)| &**to), Some(there));
        } else {
            dialogue.play(&format!("C: socket {there}"));
        }
    }
    let mut dialogue = begun(strict(Kind::WebSocket, SOCKET));
    redirect(&mut dialogue, Kind::WebSocket, "https://other.example/b");
    dialogue.play(AGAIN);
    dialogue.expect_request();
    assert_eq!(
        dialogue.posted.as_ref().map(|(to, _)| &**to),
        Some("https://other.example/b")
    );
}

/// A host and port without a scheme name a TCP socket, which no page can open: an ordinary end.
#[test]
fn another_host_is_not_an_address() {
    let error = "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>other.example:5222</see-other-host></stream:error>";
    begun(strict(Kind::WebSocket, SOCKET)).play(&format!(
        "W: <framing:open from='example.org' id='1' version='1.0'/>
         W: {error}
         C: <framing:close/>
         E: offline stream-error see-other-host
         C: close
         +100s"
    ));
}

/// An HTTP redirect is not part of XMPP: neither the shell nor the core follows it.
#[test]
fn http_redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        begun(strict(Kind::Bosh, BOSH)).play(&format!(
            "S {status} text/html: <a href='https://other.example/'>over there</a>
             E: offline http-error {status}
             +100s"
        ));
    }
}

// ── the caller's headers and credentials ────────────────────────────────────────────────────────────────────────────

#[test]
fn the_callers_headers_are_not_sent_to_another_origin() {
    for (first, chain, foreign) in [
        (BOSH, &["https://example.org/other"][..], false),
        (BOSH, &["https://EXAMPLE.org:443/other"], false),
        (BOSH, &["https://example.org:8443/other"], true),
        (BOSH, &["https://other.example/b"], true),
        (BOSH, &["https://example.org.other.example/b"], true),
        ("http://example.org/b", &["https://example.org/b"], true),
        // The other origin chose the address.
        (
            BOSH,
            &["https://other.example/b", "https://example.org/b"],
            true,
        ),
    ] {
        let mut dialogue = begun(strict(Kind::Bosh, first));
        assert_eq!(dialogue.posted.as_ref().map(|(_, to)| *to), Some(false));
        for address in chain {
            redirect(&mut dialogue, Kind::Bosh, address);
            dialogue.play(AGAIN);
            dialogue.expect_request();
        }
        let posted = dialogue.posted.clone();
        assert_eq!(posted.map(|(_, to)| to), Some(foreign), "{chain:?}");
    }
    // A WebSocket has the origin of the HTTP service beside it.
    let mut dialogue = begun(strict(Kind::WebSocket, SOCKET));
    redirect(
        &mut dialogue,
        Kind::WebSocket,
        "https://example.org/http-bind",
    );
    dialogue.play(AGAIN);
    dialogue.expect_request();
    assert_eq!(dialogue.posted.as_ref().map(|(_, to)| *to), Some(false));
}

// ── what is remembered ──────────────────────────────────────────────────────────────────────────────────────────────

fn remembering(config: Config, known: &Memory) -> Dialogue {
    let mut config = config;
    config.session.account = Some("romeo@example.org".into());
    config.session.pipelining = true;
    let address = config.services[0].address.clone();
    let mut dialogue = Dialogue::new(config);
    let text = write("romeo@example.org", &[(&address, known)]);
    dialogue.connection.remember(&text);
    dialogue
}

/// The minimal mechanism also applies after the redirect.
#[test]
fn no_weaker_mechanism_after_a_redirect() {
    let known = Memory {
        mechanism: Some(SCRAM_SHA_512),
        ..Memory::default()
    };
    for offered in [&["PLAIN"][..], &["SCRAM-SHA-1", "PLAIN"]] {
        let mut dialogue = remembering(strict(Kind::Bosh, BOSH), &known);
        dialogue.play("A: connect\nE: connecting\nE: credentials wanted");
        dialogue.expect_request();
        redirect(&mut dialogue, Kind::Bosh, "https://other.example/b");
        dialogue.play(AGAIN);
        dialogue.expect_request();
        dialogue.play(&format!(
            "A: credentials romeo r0m30
             S: <body sid='s1'>{}</body>
             E: authenticating
             C: <body rid='2' type='terminate'/>
             E: offline insecure",
            features(offered)
        ));
    }
}

/// The token is not sent, no new one is requested, and the id of this installation is not sent.
#[test]
fn a_token_is_not_sent_to_another_service() {
    let offer = Offer {
        bind: true,
        tokens: true,
        ..Offer::default()
    };
    let known = Memory {
        mechanism: Some(SCRAM_SHA_1),
        sasl2: Some(offer),
        token: Some((
            "romeo".into(),
            Token {
                secret: "t0k3n".into(),
                expiry: None,
            },
        )),
        ..Memory::default()
    };
    let mut dialogue = remembering(strict(Kind::WebSocket, SOCKET), &known);
    dialogue.play("A: connect\nE: connecting\nC: socket\nE: authenticating");
    dialogue.play(
        "W: opened
         C: <framing:open to='example.org' from='romeo@example.org' version='1.0'/>
         C: <sasl2:authenticate mechanism='HT-SHA-256-NONE'><sasl2:initial-response>*</sasl2:initial-response>
              <sasl2:user-agent id='*'><sasl2:software>epode</sasl2:software></sasl2:user-agent><bind2:bind/><fast:fast/></sasl2:authenticate>",
    );
    redirect(&mut dialogue, Kind::WebSocket, "wss://other.example/ws");
    dialogue.play(&format!(
        "{AGAIN}
         C: socket wss://other.example/ws
         A: credentials romeo r0m30
         W: opened
         C: <framing:open to='example.org' from='romeo@example.org' version='1.0'/>
         W: <framing:open from='example.org' id='1' version='1.0'/>
         W: <stream:features><sasl2:authentication><sasl2:mechanism>SCRAM-SHA-1</sasl2:mechanism><sasl2:inline>
              <fast:fast><fast:mechanism>HT-SHA-256-NONE</fast:mechanism></fast:fast></sasl2:inline></sasl2:authentication></stream:features>
         C: <sasl2:authenticate mechanism='SCRAM-SHA-1'><sasl2:initial-response>*</sasl2:initial-response>
              <sasl2:user-agent id='*'><sasl2:software>epode</sasl2:software></sasl2:user-agent></sasl2:authenticate>
         E: authenticating"
    ));
    let kept = read(&dialogue.connection.memory(), "romeo@example.org", SOCKET);
    assert!(kept.token.is_some(), "it is for the configured service");
}

/// The mechanism of a service that always redirects is that of its target.
#[test]
fn the_mechanism_is_remembered_for_the_service_that_redirects() {
    let mut dialogue = begun(strict(Kind::Bosh, BOSH));
    dialogue.tells_learned = true;
    redirect(&mut dialogue, Kind::Bosh, "https://other.example/b");
    dialogue.play(AGAIN);
    dialogue.expect_request();
    let mut server = ScramServer::new("SCRAM-SHA-256", "r0m30");
    dialogue.play(&format!(
        "A: credentials romeo r0m30
         S: <body sid='s1' wait='60' hold='1' requests='2'>{}</body>
         E: authenticating
         C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-256'>$first</sasl:auth></body>",
        features(&["SCRAM-SHA-256"])
    ));
    let challenge = server.first(dialogue.names.get("first"));
    dialogue.play(&format!(
        "S: <body><sasl:challenge>{challenge}</sasl:challenge></body>
         C: <body rid='3'><sasl:response>$last</sasl:response></body>"
    ));
    let last = server.last(dialogue.names.get("last")).expect("a proof");
    dialogue.play(&format!(
        "S: <body><sasl:success>{last}</sasl:success></body>
         C: <body rid='4' to='example.org' xmpp:restart='true'/>
         S: <body><stream:features><bind:bind/></stream:features></body>
         E: binding
         C: <body rid='5'><iq type='set' id='$bind'><bind:bind/></iq></body>
         S: <body><iq type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq></body>
         E: learned
         E: online romeo@example.org/orchard
         A: abort
         E: offline disconnected"
    ));
    let text = dialogue.connection.memory();
    assert!(!text.contains("other.example"), "{text}");
    let known = read(&text, "example.org", BOSH);
    assert_eq!(known.mechanism, Some("SCRAM-SHA-256"));
    assert!(!known.settled, "that is said of the other address");
}

/// The address would have to be read from the page's storage, which is not the server's word.
#[test]
fn a_redirected_session_is_not_stored() {
    let mut dialogue = begun(lasting(strict(Kind::Bosh, BOSH)));
    redirect(&mut dialogue, Kind::Bosh, "https://other.example/b");
    dialogue.play(AGAIN);
    dialogue.finish_login("wait='60' hold='1' requests='2'");
    assert!(dialogue.connection.snapshot().is_none());
    let at_home = Dialogue::online_with(lasting(strict(Kind::Bosh, BOSH)), "");
    assert!(at_home.connection.snapshot().is_some());
    dialogue.forgive();
    let mut dialogue = begun(lasting(strict(Kind::WebSocket, SOCKET)));
    redirect(&mut dialogue, Kind::WebSocket, "wss://other.example/ws");
    dialogue.play(&format!("{AGAIN}\nC: socket\nA: anonymous"));
    dialogue.log_in_over_socket("<sm:sm/>");
    dialogue.play(
        "E: online romeo@example.org/orchard
         C: <sm:enable resume='true'/>
         W: <sm:enabled id='here' resume='true'/>",
    );
    assert!(dialogue.connection.snapshot().is_none());
    // The next session is at the configured service again, and may be handed over once it is bound there.
    dialogue.play("W: closed");
    dialogue.interrupted();
    assert!(dialogue.connection.snapshot().is_none());
    dialogue.play(
        "+1s
         E: credentials wanted
         C: socket wss://example.org/ws
         A: anonymous",
    );
    dialogue.authenticate_over_socket("<sm:sm/>");
    dialogue.play(
        "C: <sm:resume h='0' previd='here'/>
         W: <sm:resumed h='0' previd='here'/>
         E: resumed romeo@example.org/orchard",
    );
    assert!(dialogue.connection.snapshot().is_some());
}

/// While another service is tried, the stored session is that of the WebSocket.
#[test]
fn the_session_stays_at_the_service_that_bound_it() {
    let both = Config {
        services: vec![judged(Kind::WebSocket, SOCKET), judged(Kind::Bosh, BOSH)],
        ..lasting(strict(Kind::WebSocket, SOCKET))
    };
    let mut dialogue = Dialogue::online_over_socket(both, "<sm:sm/>");
    dialogue.play(
        "C: <sm:enable resume='true'/>
         W: <sm:enabled id='here' resume='true'/>
         W: closed",
    );
    dialogue.interrupted();
    dialogue.play("+1s\nE: credentials wanted\nC: socket\nW: closed");
    dialogue.interrupted();
    dialogue.play("+0s\nE: credentials wanted");
    dialogue.expect_request();
    let snapshot = dialogue.connection.snapshot().expect("a snapshot");
    assert!(snapshot.text.contains(SOCKET), "{}", snapshot.text);
}

// ── how many, how fast ──────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_redirect_loop_ends() {
    let mut dialogue = begun(strict(Kind::WebSocket, SOCKET));
    for _ in 0..4 {
        redirect(&mut dialogue, Kind::WebSocket, "wss://other.example/ws");
        dialogue.play(&format!(
            "{AGAIN}
             C: socket wss://other.example/ws
             W: opened
             C: <framing:open to='example.org' version='1.0'/>"
        ));
    }
    redirect(&mut dialogue, Kind::WebSocket, "wss://example.org/ws");
    dialogue.play("E: offline terminated see-other-uri\n+100s");
}

/// A service with a useless redirect does not block the next service.
#[test]
fn another_service_is_tried_instead() {
    let both = Config {
        services: vec![judged(Kind::WebSocket, SOCKET), judged(Kind::Bosh, BOSH)],
        ..strict(Kind::WebSocket, SOCKET)
    };
    let mut dialogue = begun(both);
    redirect(&mut dialogue, Kind::WebSocket, "ws://other.example/ws");
    dialogue.play(AGAIN);
    dialogue.expect_request();
}

/// Bound at the address of the socket. Returns how long the redirect is delayed, and its target.
fn redirected_session(dialogue: &mut Dialogue, to: &str) -> u64 {
    redirect(dialogue, Kind::WebSocket, to);
    dialogue.interrupted();
    let before = dialogue.now;
    dialogue.play("+due\nE: credentials wanted");
    (dialogue.now - before).0
}

fn bound_again(dialogue: &mut Dialogue, at: &str) {
    dialogue.play(&format!("C: socket {at}\nA: anonymous"));
    dialogue.log_in_over_socket("");
    dialogue.play("E: online romeo@example.org/orchard");
}

/// The first redirect of a session is followed at once. In a loop of sessions the others are delayed like failures, and after four of
/// them the configured service is tried again.
#[test]
fn a_loop_of_session_redirects_is_delayed() {
    const OTHER: &str = "wss://other.example/ws";
    let mut dialogue = Dialogue::online_over_socket(lasting(socket_config()), "");
    assert_eq!(redirected_session(&mut dialogue, OTHER), 0);
    let mut paused = 0;
    for _ in 0..3 {
        bound_again(&mut dialogue, OTHER);
        paused += redirected_session(&mut dialogue, OTHER);
    }
    assert!(paused > 0);
    bound_again(&mut dialogue, OTHER);
    redirected_session(&mut dialogue, OTHER);
    // Not followed a fifth time; nor later, as long as no session has held.
    bound_again(&mut dialogue, SOCKET);
    redirected_session(&mut dialogue, OTHER);
    bound_again(&mut dialogue, SOCKET);
    // Twenty seconds later the circle is forgotten.
    dialogue.now = dialogue.now + Millis::seconds(20);
    assert_eq!(redirected_session(&mut dialogue, OTHER), 0);
    bound_again(&mut dialogue, OTHER);
}

/// A redirected attempt to reconnect has not failed and is followed without a delay, but not in a loop.
#[test]
fn a_redirect_while_reconnecting() {
    let mut dialogue = Dialogue::online_over_socket(lasting(socket_config()), "");
    dialogue.play("W: closed");
    dialogue.interrupted();
    dialogue.play("+1s\nE: credentials wanted\nC: socket wss://example.org/ws");
    for _ in 0..4 {
        dialogue.play("W: opened\nC: <framing:open to='example.org' version='1.0'/>");
        redirect(&mut dialogue, Kind::WebSocket, "wss://other.example/ws");
        dialogue.play("E: credentials wanted\nC: socket wss://other.example/ws");
    }
    dialogue.play("W: opened\nC: <framing:open to='example.org' version='1.0'/>");
    redirect(&mut dialogue, Kind::WebSocket, "wss://other.example/ws");
    dialogue.play("E: interrupted 2 terminated see-other-uri\n+2s\nE: credentials wanted\nC: socket wss://example.org/ws");
}

/// After a redirect the next attempt uses the configured service.
#[test]
fn a_reconnect_returns_to_the_configured_service() {
    let mut dialogue = begun(lasting(strict(Kind::Bosh, BOSH)));
    redirect(&mut dialogue, Kind::Bosh, "https://other.example/b");
    dialogue.play(AGAIN);
    dialogue.finish_login("wait='60' hold='1' requests='2'");
    dialogue.play("+50ms");
    dialogue.expect_request();
    dialogue.play("S: <body type='terminate' condition='item-not-found'/>");
    dialogue.interrupted();
    dialogue.play("+1s\nE: credentials wanted");
    dialogue.expect_request();
    assert_eq!(dialogue.posted.as_ref().map(|(to, _)| &**to), Some(BOSH));
}
