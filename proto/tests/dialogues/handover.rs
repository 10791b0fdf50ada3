//! A session passes from one page to the next, or comes from a web server.

use super::NORMAL;
use crate::support::dialogue::{Dialogue, config, service, socket_config};
use crate::support::unicode::NativeUnicode;
use epode_proto::connection::{Config, Prebound};
use epode_proto::jid::Jid;
use epode_proto::reconnect::Reconnect;
use epode_proto::session::SessionConfig;
use epode_proto::time::Millis;
use epode_proto::transport::Kind;

const RESUMES: &str = "<sm:sm/>";

fn lasting(config: Config) -> Config {
    Config {
        reconnect: Some(Reconnect::default()),
        ..config
    }
}

/// Logs in over a new socket at a server that supports resumption.
fn log_in_again(page: &mut Dialogue) {
    page.play(
        "E: connecting
         E: credentials wanted
         C: socket
         A: anonymous",
    );
    page.authenticate_over_socket(RESUMES);
}

// ── over BOSH ───────────────────────────────────────────────────────────────────────────────────────────────────────

/// Pending requests are repeated byte for byte, their responses arrive, nothing is delivered twice, and a ping confirms the session.
#[test]
fn a_reload() {
    let mut page = Dialogue::online(NORMAL);
    page.play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <message id='b'/>",
    );
    page.reload(config());
    page.play(
        "E: connecting
         C: again 1
         S#1: <body><message id='missed'/></body>
         E: stanza <message id='missed'/>
         C: again 2
         +199ms
         +1ms
         C: <body rid='3'><message id='b'/><iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#2: <body/>
         S#3: <body><message id='next'/><iq type='result' id='$ping'/></body>
         E: stanza <message id='next'/>
         E: resumed romeo@example.org/orchard
         C: <body rid='4'/>
         A: send <message id='c'/>
         C: <body rid='5'><message id='c'/></body>
         S#4: <body/>
         E: 0 delivered",
    );
}

/// Stanzas that the page sends before the session is confirmed are refused, as while connecting.
#[test]
fn nothing_new_is_sent_before_the_session_is_confirmed() {
    let mut page = Dialogue::online(NORMAL);
    page.reload(config());
    let early = epode_proto::xml::Element::builder("message", "jabber:client").build();
    assert!(page.connection.send(early).is_err());
    assert!(!page.connection.is_offline());
    assert!(!page.connection.connect(page.now));
    page.forgive();
}

/// Repeated reloads before any response.
#[test]
fn a_second_reload() {
    let mut page = Dialogue::online(NORMAL);
    page.reload(config());
    page.play(
        "E: connecting
         C: again 1
         +200ms
         C: <body rid='2'><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>",
    );
    page.reload(config());
    page.play(
        "E: connecting
         C: again 1
         +200ms
         C: again 2
         S#1: <body/>
         +200ms
         C: <body rid='3'><iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#2: <body/>
         S#3: <body><iq type='error' id='$ping'><error type='cancel'/></iq></body>
         E: resumed romeo@example.org/orchard
         C: <body rid='4'/>",
    );
}

/// The server has dropped the session: a new one is created, and unsent stanzas are sent in it.
#[test]
fn a_session_that_has_ended() {
    let mut page = Dialogue::online(NORMAL);
    page.play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: send <presence to='room@example.org/x'/>
         A: send <message id='b'/>",
    );
    page.reload(lasting(config()));
    page.play(
        "E: connecting
         C: again 1
         S 404 text/xml: <body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='item-not-found'/>
         E: connecting
         E: credentials wanted",
    );
    page.finish_login(NORMAL);
    page.play("C: <body rid='*'><message id='b'/></body>");
}

/// A session without responses is dropped while there is time for a login, and kept stanzas are sent in the new session.
#[test]
fn a_server_without_a_response_after_a_reload() {
    let mut page = Dialogue::online("wait='60' hold='1' requests='1' inactivity='60' polling='5'");
    page.play("A: send <message id='a'/>");
    page.reload(lasting(config()));
    page.play(
        "E: connecting
         C: again 1
         +9999ms
         +1ms
         C: <body rid='*' sid='s1' type='terminate'/>
         C: cancel *
         E: connecting
         E: credentials wanted",
    );
    page.finish_login(NORMAL);
    page.play("C: <body rid='*'><message id='a'/></body>");
}

/// A response shows that the session exists, although it does not confirm it.
#[test]
fn a_server_that_responds_after_a_reload_has_more_time() {
    let mut page = Dialogue::online(NORMAL);
    page.reload(config());
    page.play(
        "E: connecting
         C: again 1
         +200ms
         C: <body rid='2'><iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq></body>
         +5s
         S#1: <body/>
         +9s
         S#2: <body><iq type='result' id='$ping'/></body>
         E: resumed romeo@example.org/orchard
         C: <body rid='3'/>",
    );
}

/// A session created by a web server is kept until the deadline: the page has no credentials for a login.
#[test]
fn a_server_without_a_response_to_a_page_that_cannot_log_in() {
    let mut page = Dialogue::new(config());
    page.play(
        "A: attach alone abc 100
         E: connecting
         C: <body rid='1'><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>
         +29s
         +1s
         C: <body rid='2' type='terminate'/>
         C: cancel 1
         E: offline timeout connecting",
    );
}

/// The page disconnects before the server has confirmed the session.
#[test]
fn a_disconnect_right_after_a_reload() {
    let mut page = Dialogue::online(NORMAL);
    page.reload(config());
    page.play(
        "E: connecting
         C: again 1
         +200ms
         C: <body rid='2'><iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq></body>
         A: disconnect
         C: <body rid='3' type='terminate'><presence type='unavailable'/></body>
         E: disconnecting
         S#1: <body/>
         S#2: <body><iq type='result' id='$ping'/></body>
         S#3: <body type='terminate'/>
         E: offline disconnected",
    );
}

/// Stanzas kept by the former page during the restoration are sent with the terminating request of the next one.
#[test]
fn a_disconnect_after_a_reload_sends_the_kept_stanzas() {
    let mut page = Dialogue::online(NORMAL);
    page.connection.hold();
    page.play("A: send <message id='kept'/>");
    page.reload(config());
    page.play("E: connecting\nC: again 1");
    page.play(
        "A: disconnect
         C: <body rid='2' type='terminate'>
              <iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq>
              <message id='kept'/><presence type='unavailable'/></body>
         E: disconnecting
         S#1: <body/>
         S#2: <body type='terminate'/>
         E: offline disconnected",
    );
}

#[test]
fn an_unloading_page_pauses_the_session() {
    let mut page =
        Dialogue::online("wait='60' hold='1' requests='2' inactivity='60' maxpause='120'");
    assert_eq!(page.snapshot().lasts, Millis::seconds(60));
    page.play(
        "A: pause
         C: <body rid='2' pause='120'/>",
    );
    assert_eq!(page.snapshot().lasts, Millis::seconds(120));
    page.reload(config());
    page.play(
        "E: connecting
         C: again 1
         S#1: <body/>
         C: <body rid='3'><iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#3: <body><iq type='result' id='$ping'/></body>
         E: resumed romeo@example.org/orchard
         C: <body rid='4'/>",
    );
}

/// Another page has the session: nothing more is sent in it, and a new one is created.
#[test]
fn a_session_that_continued_elsewhere() {
    let mut page = Dialogue::online_with(lasting(config()), NORMAL);
    page.tells_trouble = true;
    page.play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         A: forfeit
         C: cancel 1
         C: cancel 2
         E: 0 unknown",
    );
    page.interrupted();
    assert!(page.connection.snapshot().is_none());
    page.play("A: abort\nE: offline disconnected");
    let mut page = Dialogue::online_over_socket(lasting(socket_config()), RESUMES);
    page.play(
        "C: <sm:enable resume='true'/>
         W: <sm:enabled id='s7' resume='true'/>
         A: forfeit
         C: close",
    );
    page.interrupted();
    assert!(page.connection.snapshot().is_none());
    page.play("A: abort\nE: offline disconnected");
}

// ── over WebSocket ──────────────────────────────────────────────────────────────────────────────────────────────────

/// Online over WebSocket with a resumable session: two stanzas were received; of the sent ones, one is acknowledged, two are not.
fn managed() -> Dialogue {
    let mut page = Dialogue::online_over_socket(lasting(socket_config()), RESUMES);
    page.play(
        "C: <sm:enable resume='true'/>
         W: <sm:enabled id='s7' resume='true' max='300'/>
         W: <message id='in 1'/>
         E: stanza <message id='in 1'/>
         W: <message id='in 2'/>
         E: stanza <message id='in 2'/>
         A: send <message id='a'/>
         C: <message id='a'/>
         C: <sm:r/>
         W: <sm:a h='1'/>
         E: 0 delivered
         A: send <message id='b'/>
         C: <message id='b'/>
         C: <sm:r/>
         A: send <presence><show>away</show></presence>
         C: <presence><show>away</show></presence>
         C: <sm:r/>",
    );
    assert_eq!(page.snapshot().lasts, Millis::seconds(300));
    page
}

#[test]
fn a_reload_over_a_web_socket() {
    let mut page = managed();
    page.reload(lasting(socket_config()));
    page.play(
        "E: connecting
         E: credentials wanted
         C: socket wss://example.org/ws
         A: anonymous",
    );
    page.authenticate_over_socket(RESUMES);
    page.play(
        "C: <sm:resume previd='s7' h='2'/>
         W: <sm:resumed previd='s7' h='2'/>
         C: <presence><show>away</show></presence>
         E: resumed romeo@example.org/orchard
         C: <sm:r/>
         W: <message id='in 3'/>
         E: stanza <message id='in 3'/>
         W: <sm:r/>
         C: <sm:a h='3'/>
         W: <sm:a h='3'/>",
    );
}

/// The server has dropped the session but returns `h`: undelivered messages are sent again.
#[test]
fn a_session_that_cannot_be_resumed_after_a_reload() {
    let mut page = managed();
    page.reload(lasting(socket_config()));
    log_in_again(&mut page);
    page.play("C: <sm:resume previd='s7' h='2'/>");
    page.play(
        "W: <sm:failed h='1'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></sm:failed>
         C: <iq type='set' id='$again'><bind:bind/></iq>
         E: binding
         W: <iq type='result' id='$again'><bind:bind><bind:jid>romeo@example.org/2</bind:jid></bind:bind></iq>
         C: <sm:enable resume='true'/>
         E: online romeo@example.org/2
         C: <message id='b'/>",
    );
    page.forgive();
}

/// A resumption that acknowledges more stanzas than were sent is refused.
#[test]
fn a_resumption_with_too_many_stanzas() {
    let mut page = managed();
    page.reload(socket_config());
    log_in_again(&mut page);
    page.play(
        "C: <sm:resume previd='s7' h='2'/>
         W: <sm:resumed previd='s7' h='4'/>
         C: <framing:close/>
         C: close
         E: offline protocol-error a resumption that does not fit the session",
    );
}

/// Reloaded while the connection was away: what waited in the outbox goes along.
#[test]
fn a_reload_during_an_interruption() {
    let mut page = managed();
    page.play("W: closed");
    page.interrupted();
    page.play("A: send <message id='kept'/>");
    page.reload(lasting(socket_config()));
    log_in_again(&mut page);
    page.play(
        "C: <sm:resume previd='s7' h='2'/>
         W: <sm:resumed previd='s7' h='3'/>
         E: resumed romeo@example.org/orchard
         C: <message id='kept'/>",
    );
    page.forgive();
}

#[test]
fn a_session_that_cannot_be_resumed_is_not_stored() {
    let plain = Dialogue::online_over_socket(socket_config(), "");
    assert!(plain.connection.snapshot().is_none());
    let mut refused = Dialogue::online_over_socket(socket_config(), RESUMES);
    refused.play("C: <sm:enable resume='true'/>\nW: <sm:enabled/>");
    assert!(refused.connection.snapshot().is_none());
    let offline = Dialogue::new(config());
    assert!(offline.connection.snapshot().is_none());
    let mut leaving = Dialogue::online(NORMAL);
    leaving.play(
        "A: disconnect
         C: <body rid='2' type='terminate'><presence type='unavailable'/></body>
         E: disconnecting",
    );
    assert!(leaving.connection.snapshot().is_none());
}

#[test]
fn a_session_above_the_storage_limit_is_not_stored() {
    let mut page = Dialogue::online(NORMAL);
    let much = "x".repeat(600_000);
    for _ in 0..2 {
        page.play(&format!("A: send <message><body>{much}</body></message>"));
        page.forgive();
    }
    assert!(page.connection.snapshot().is_none());
}

// ── bad snapshots ───────────────────────────────────────────────────────────────────────────────────────────────────

/// What is no snapshot begins nothing, and nothing of it stays: a login works as ever.
fn refused(config: Config, text: &str) {
    let mut page = Dialogue::new(config);
    assert!(!page.connection.restore(page.now, text), "{text}");
    assert!(page.connection.is_offline(), "{text}");
    assert!(page.connection.jid().is_none(), "{text}");
    page.play(
        "A: connect
         E: connecting
         E: credentials wanted",
    );
    page.forgive();
}

#[test]
fn bad_snapshots() {
    let mut bosh = Dialogue::online(NORMAL);
    bosh.play("A: send <message/>\nC: <body rid='2'><message/></body>");
    let bosh = bosh.snapshot().text;
    let socket = managed().snapshot().text;
    for (config, good) in [(config(), &bosh), (socket_config(), &socket)] {
        for at in 0..good.len() {
            if good.is_char_boundary(at) {
                refused(config.clone(), &good[..at]);
            }
        }
        for (from, to) in [
            ("urn:epode:session:0", "urn:epode:session:1"),
            ("jid='romeo@example.org/orchard'", ""),
            ("romeo@example.org/orchard", "romeo@example.org"),
            ("romeo@example.org/orchard", "romeo@example.com/orchard"),
            ("romeo@example.org/orchard", "@"),
            ("://example.org/", "://example.com/"),
            ("</session", "<a/></session"),
            ("<bosh", "<message xmlns='jabber:client'/><bosh"),
            ("<stream", "<message xmlns='jabber:client'/><stream"),
            ("id='s7'", "id=''"),
            ("id='s7'", ""),
            ("handled='2'", "handled='-2'"),
            ("handled='2'", "handled='4294967296'"),
            ("acked='1'", "acked='many'"),
            ("max='300'", "max='long'"),
            ("kind='message'", ""),
            ("sid='s1'", "sid=''"),
            ("errand='poll'", "errand='war'"),
        ] {
            if good.contains(from) {
                refused(config.clone(), &good.replace(from, to));
            }
        }
        let other = good
            .replace("<session", "<tent")
            .replace("</session", "</tent");
        refused(config.clone(), &other);
        // Another page's account, or what another page would resume otherwise.
        let elsewhere = Config {
            session: SessionConfig {
                domain: "example.com".into(),
                ..config.session.clone()
            },
            ..config.clone()
        };
        refused(elsewhere, good);
    }
    refused(config(), &socket);
    refused(socket_config(), &bosh);
    // The right address, the other transport.
    refused(
        config(),
        &socket.replace("wss://example.org/ws", "https://example.org/http-bind"),
    );
    refused(
        socket_config(),
        &bosh.replace("https://example.org/http-bind", "wss://example.org/ws"),
    );
    for text in [
        "",
        " ",
        "<session xmlns='urn:epode:session:0'/>",
        "null",
        "{}",
    ] {
        refused(config(), text);
    }
}

/// A session cannot be restored while there is a connection.
#[test]
fn restoring_requires_an_offline_connection() {
    let mut page = Dialogue::online(NORMAL);
    let text = page.snapshot().text;
    assert!(!page.connection.restore(page.now, &text));
    let jid = Jid::parse("romeo@example.org/web", &NativeUnicode).expect("a JID");
    let prebound = Prebound {
        jid: &jid,
        sid: "s1",
        rid: 1,
        alone: true,
    };
    assert!(!page.connection.attach(page.now, prebound));
    page.forgive();
}

// ── from a web server ───────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_session_created_by_a_web_server() {
    let mut page = Dialogue::new(lasting(config()));
    page.play(
        "A: attach alone s1 1000
         C: <body rid='1'><iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq></body>
         E: connecting
         S: <body><message id='in'/><iq type='result' id='$ping'/></body>
         E: stanza <message id='in'/>
         E: online romeo@example.org/web
         C: <body rid='2'/>
         A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         S#2: <body/>
         E: 0 delivered
         S#3: <body type='terminate' condition='item-not-found'/>
         E: offline terminated item-not-found",
    );
}

#[test]
fn a_session_of_a_web_server_that_is_lost() {
    let mut page = Dialogue::new(lasting(config()));
    page.play(
        "A: attach alone s1 1000
         C: <body rid='1'><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>
         E: connecting
         S: <body type='terminate' condition='item-not-found'/>
         E: offline terminated item-not-found",
    );
    // Whoever has credentials needs no web server.
    let mut page = Dialogue::new(lasting(config()));
    page.play(
        "A: attach s1 1000
         C: <body rid='1'><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>
         E: connecting
         S: <body type='terminate' condition='item-not-found'/>
         E: connecting
         E: credentials wanted",
    );
    page.finish_login(NORMAL);
    page.forgive();
}

/// It is not forgotten that nobody can log in, and it is when the page connects by itself.
#[test]
fn a_session_of_a_web_server_survives_a_reload() {
    let mut page = Dialogue::new(lasting(config()));
    page.play(
        "A: attach alone s1 1000
         C: <body rid='1'><iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq></body>
         E: connecting
         S: <body><iq type='result' id='$ping'/></body>
         E: online romeo@example.org/web
         C: <body rid='2'/>",
    );
    page.reload(lasting(config()));
    page.play(
        "E: connecting
         C: again 2
         +200ms
         C: <body rid='3'><iq type='get' id='$again'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#2: <body><iq type='result' id='$again'/></body>
         E: resumed romeo@example.org/web
         S: <body type='terminate' condition='item-not-found'/>
         E: offline terminated item-not-found",
    );
}

#[test]
fn an_invalid_session_is_not_attached() {
    let jid = |text: &str| Jid::parse(text, &NativeUnicode).expect("a JID");
    let full = jid("romeo@example.org/web");
    for (config, jid, sid, rid) in [
        (config(), &full, "", 1),
        (config(), &full, "s1", 0),
        (config(), &full, "s1", 1 << 53),
        (config(), &jid("romeo@example.org"), "s1", 1),
        (config(), &jid("romeo@example.com/web"), "s1", 1),
        (socket_config(), &full, "s1", 1),
    ] {
        let mut page = Dialogue::new(config);
        let prebound = Prebound {
            jid,
            sid,
            rid,
            alone: true,
        };
        assert!(!page.connection.attach(page.now, prebound));
        assert!(page.connection.is_offline());
    }
    // The first service that speaks BOSH.
    let mut both = Dialogue::new(Config {
        services: vec![
            service(Kind::WebSocket, "wss://example.org/ws"),
            service(Kind::Bosh, "https://example.org/http-bind"),
        ],
        ..config()
    });
    both.play(
        "A: attach s1 7
         C: <body rid='1'><iq type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq></body>
         E: connecting",
    );
}
