//! RFC 6120 §8.1.2.1: which senders may reply to the connection's own requests. In a bound session any user can send any id.

use super::NORMAL;
use crate::support::dialogue::{Dialogue, config, socket_config};
use crate::support::random::Seeded;
use epode_proto::connection::{Config, Connection};
use epode_proto::random::Ids;
use epode_proto::reconnect::Reconnect;
use std::collections::BTreeSet;

/// Addresses that are not our account, session or server.
const STRANGERS: [&str; 8] = [
    "mallory@evil.example/x",
    "evil.example",
    "mallory@example.org",
    "mallory@example.org/orchard",
    "romeo@example.org/elsewhere",
    "romeo@evil.example/orchard",
    "example.org/orchard",
    "not a@jid@",
];

/// Addresses that may reply for each other.
const OWN_SIDE: [&str; 5] = [
    "",
    "from='example.org'",
    "from='romeo@example.org'",
    "from='romeo@example.org/orchard'",
    "from='Romeo@EXAMPLE.org'",
];

/// Over WebSocket without stream management, the reply to a ping settles earlier stanzas.
#[test]
fn only_the_own_server_or_account_replies_to_a_ping() {
    for kind in ["result", "error"] {
        let mut dialogue = Dialogue::online_over_socket(socket_config(), "");
        dialogue.play(
            "A: send <message id='a'/>
             C: <message id='a'/>
             C: <iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq>",
        );
        for stranger in STRANGERS {
            dialogue.play(&format!(
                "W: <iq type='{kind}' id='$ping' from='{stranger}'/>
                 E: stanza <iq type='{kind}' id='$ping' from='{stranger}'/>"
            ));
        }
        dialogue.play(
            "W: <iq type='error' id='$ping' from='example.org'/>
             E: 0 delivered",
        );
    }
    for own in OWN_SIDE {
        let mut dialogue = Dialogue::online_over_socket(socket_config(), "");
        dialogue.play(&format!(
            "A: send <message id='a'/>
             C: <message id='a'/>
             C: <iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq>
             W: <iq type='result' id='$ping' {own}/>
             E: 0 delivered"
        ));
    }
}

/// Over BOSH the reply only causes a response and is not reported; the reply of another sender is.
#[test]
fn only_the_own_side_replies_to_a_ping_over_bosh() {
    let mut dialogue = Dialogue::online("wait='60' hold='1' requests='3'");
    dialogue.play(
        "A: send <message id='a'/>
         C: <body rid='2'><message id='a'/></body>
         +150ms
         C: <body rid='3'><iq type='get' id='$word'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#1: <body><iq type='error' id='$word' from='mallory@evil.example/x'/></body>
         E: stanza <iq type='error' id='$word' from='mallory@evil.example/x'/>
         S#2: <body><iq type='result' id='$word' from='romeo@example.org'/></body>
         E: 0 delivered",
    );
}

/// Only the own server can confirm a restored session.
#[test]
fn only_the_own_side_confirms_a_restored_session() {
    let mut dialogue = Dialogue::new(config());
    dialogue.play(
        "A: attach s1 100
         E: connecting
         C: <body rid='1' sid='s1'><iq type='get' id='$proof'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S: <body><iq type='result' id='$proof' from='mallory@evil.example/x'/></body>
         E: stanza <iq type='result' id='$proof' from='mallory@evil.example/x'/>
         C: <body rid='2' sid='s1'/>
         S: <body><iq type='result' id='$proof' from='example.org'/></body>
         E: online romeo@example.org/web
         C: <body rid='3' sid='s1'/>",
    );
}

/// The session's own requests: binding, and RFC 3921's session establishment, during which others can already send.
#[test]
fn the_sessions_own_requests() {
    let mut dialogue = Dialogue::new(socket_config());
    dialogue.play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: socket
         A: anonymous",
    );
    dialogue.authenticate_over_socket("<session:session/>");
    dialogue.play("C: <iq type='set' id='$bind'><bind:bind/></iq>\nE: binding");
    let bound = "<bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind>";
    for stranger in [
        "mallory@evil.example/x",
        "evil.example",
        "not a@jid@",
        "example.org/x",
    ] {
        dialogue.play(&format!(
            "W: <iq type='result' id='$bind' from='{stranger}'>{bound}</iq>
             W: <iq type='error' id='$bind' from='{stranger}'/>"
        ));
    }
    dialogue.play(&format!(
        "W: <iq type='result' id='$bind' from='example.org'>{bound}</iq>
         C: <iq type='set' id='$session'><session:session/></iq>"
    ));
    for stranger in STRANGERS.iter().filter(|one| !one.contains("@example.org")) {
        dialogue.play(&format!(
            "W: <iq type='error' id='$session' from='{stranger}'/>"
        ));
    }
    dialogue.play(
        "W: <iq type='result' id='$session' from='romeo@example.org'/>
         E: online romeo@example.org/orchard",
    );
}

#[test]
fn a_form_and_an_account_are_the_servers() {
    let mut config = config();
    config.session.goal = epode_proto::session::Goal::Register(vec![
        ("username".into(), "romeo".into()),
        ("password".into(), "r0m30".into()),
    ]);
    let mut dialogue = Dialogue::new(config);
    dialogue.play("A: connect\nE: connecting");
    dialogue.expect_request();
    dialogue.play(
        "S: <body sid='s1' wait='60' hold='1' requests='2'><stream:features/></body>
         C: <body rid='2'><iq type='get' id='$form' to='example.org'><register:query/></iq></body>
         S: <body><iq type='error' id='$form' from='evil.example'/></body>
         C: <body rid='3'/>
         S: <body><iq type='result' id='$form' from='example.org'><register:query><register:username/><register:password/></register:query></iq></body>
         C: <body rid='4'><iq type='set' id='$account' to='example.org'><register:query><register:username>romeo</register:username><register:password>r0m30</register:password></register:query></iq></body>
         S: <body><iq type='error' id='$account' from='mallory@evil.example/x'/></body>
         C: <body rid='5'/>
         S: <body><iq type='result' id='$account' from='example.org'/></body>
         E: registered
         C: <body rid='6' type='terminate'/>
         S: <body type='terminate'/>
         E: offline disconnected",
    );
}

/// A reply in another session than that of its request is ignored.
#[test]
fn a_ping_of_a_lost_session() {
    let config = Config {
        reconnect: Some(Reconnect::default()),
        ..socket_config()
    };
    let mut dialogue = Dialogue::online_over_socket(config, "");
    dialogue.play(
        "A: send <message id='a'/>
         C: <message id='a'/>
         C: <iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq>
         W: closed
         E: 0 unknown",
    );
    dialogue.interrupted();
    dialogue.play("+1s\nE: credentials wanted\nC: socket\nA: anonymous");
    dialogue.log_in_over_socket("");
    dialogue.play(
        "E: online romeo@example.org/orchard
         A: send <message id='b'/>
         C: <message id='b'/>
         C: <iq type='get' id='$next'><ping xmlns='urn:xmpp:ping'/></iq>
         W: <iq type='result' id='$ping'/>
         E: stanza <iq type='result' id='$ping'/>
         W: <iq type='result' id='$next'/>
         E: 1 delivered",
    );
}

/// A request of the caller stays pending when another sender replies; also over BOSH.
#[test]
fn a_reply_of_another_sender_is_a_stanza() {
    let mut dialogue = Dialogue::online(NORMAL);
    dialogue.play(
        "A: request <iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>
         C: <body rid='2'><iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq></body>
         S#1: <body><iq type='error' id='q' from='mallory@evil.example/x'/></body>
         E: stanza <iq type='error' id='q' from='mallory@evil.example/x'/>
         S#2: <body><iq type='result' id='q' from='example.org'/></body>
         E: reply 0
         C: <body rid='3'/>",
    );
}

/// No part of an id predicts another id.
#[test]
fn ids_cannot_be_guessed_from_earlier_ones() {
    let mut ids = Ids::new(&mut Seeded(7));
    let mut seen = BTreeSet::new();
    let mut beginnings = BTreeSet::new();
    for _ in 0..1_000 {
        let id = ids.next_id();
        assert_eq!(id.len(), 16);
        beginnings.insert(id[..4].to_owned());
        seen.insert(id);
    }
    assert_eq!(seen.len(), 1_000);
    assert!(beginnings.len() > 990, "{} differ", beginnings.len());
    // Two connections have nothing in common.
    let id = |seed| {
        let random = Box::new(Seeded(seed));
        let unicode = std::rc::Rc::new(crate::support::unicode::NativeUnicode);
        Connection::new(config(), unicode, random).next_id()
    };
    assert_ne!(id(1), id(2));
}
