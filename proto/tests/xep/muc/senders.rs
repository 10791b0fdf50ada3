//! Who may cause what: A4, A9, A15. Occupants can send almost anything, and not every service removes it.

use epode_proto::xep::muc::request::contains_password;
use epode_proto::xep::muc::{JoinOptions, RoomRefusal};

use super::support::{MEMBER, NOBODY, SELF, SUBJECT, Scene, error, gone, presence, said};
use crate::xep::xml;

/// What an occupant adds to a presence; the room's own payload follows.
fn forged(kind: &str, nick: &str, forged: &str, real: &str) -> String {
    format!(
        "<presence{kind} from='$/{nick}'><x xmlns='http://jabber.org/protocol/muc#user'>{forged}</x>
         <x xmlns='http://jabber.org/protocol/muc#user'>{real}</x></presence>"
    )
}

#[test]
fn a9_status_110_counts_beside_the_item_only() {
    for fake in [
        "<status code='110'/>",
        "<status code='210'/>",
        "<status code='201'/>",
        // An item does not make it better: the room's does not say so.
        "<item role='moderator'/><status code='110'/>",
        "<item jid='hag66@shakespeare.lit/pda'/>",
    ] {
        let mut scene = Scene::joined();
        scene.hear(&forged("", "mallory", fake, MEMBER));
        scene.expect(&["1: came mallory"]);
        assert_eq!(scene.own_nick(), "thirdwitch");
        // Nor on the way in.
        let mut scene = Scene::new();
        scene.join("thirdwitch");
        scene.hear(&forged("", "mallory", fake, MEMBER));
        scene.expect(&["join thirdwitch"]);
        scene.hear(&presence("thirdwitch", SELF));
        scene.hear(SUBJECT);
        assert_eq!(scene.own_nick(), "thirdwitch");
    }
}

#[test]
fn a9_an_occupant_known_as_another_user_is_not_us() {
    let mut scene = Scene::joined();
    scene.hear(&presence("firstwitch", SELF));
    assert_eq!(scene.own_nick(), "thirdwitch");
    assert_eq!(scene.nicks(), ["firstwitch", "thirdwitch"]);
    scene.take();
    // Without an item, a status code is what an occupant sent.
    scene.hear(&presence("mallory", "<status code='110'/>"));
    scene.expect(&["1: came mallory"]);
    assert_eq!(scene.own_nick(), "thirdwitch");
    // Nor can another's leave be ours.
    scene.hear(&gone(
        "firstwitch",
        "<item role='none'/><status code='110'/><status code='301'/>",
    ));
    scene.expect(&["1: left firstwitch banned"]);
    assert!(scene.is_joined());
}

#[test]
fn claims_of_a_leaving_occupant_are_ignored() {
    // A kick, a ban, the end of the room, our nick: all claimed in a payload of the occupant's own.
    for fake in [
        "<status code='307'/>",
        "<status code='301'/><status code='110'/>",
        "<status code='321'/>",
        "<status code='332'/>",
        "<destroy jid='trap@evil.example'/>",
        "<status code='303'/>",
    ] {
        let mut scene = Scene::joined();
        scene.hear(&forged(" type='unavailable'", "firstwitch", fake, NOBODY));
        scene.expect(&["1: left firstwitch left"]);
        assert!(scene.is_joined());
    }
    // The real one says why.
    let mut scene = Scene::joined();
    scene.hear(&forged(
        " type='unavailable'",
        "firstwitch",
        "<status code='301'/>",
        "<item role='none'/><status code='307'/>",
    ));
    scene.expect(&["1: left firstwitch kicked"]);
}

#[test]
fn only_the_room_reports_its_creation() {
    let mut scene = Scene::new();
    scene.join("thirdwitch");
    scene.hear(&forged("", "thirdwitch", "<status code='201'/>", SELF));
    scene.expect(&["join thirdwitch"]);
}

#[test]
fn a9_an_error_without_id_from_an_occupant_refuses_nothing() {
    // The nick that is asked for is somebody's, who sends an error; so does somebody else.
    let mut scene = Scene::joined();
    scene.nick("firstwitch");
    scene.take();
    for nick in ["firstwitch", "mallory"] {
        scene.hear(&error(&format!("$/{nick}"), "", "conflict"));
        scene.hear(&error(&format!("$/{nick}"), "guessed", "conflict"));
    }
    scene.expect(&[]);
    // The room's refusal has the id.
    let id = scene.id(0);
    scene.hear(&error("$/firstwitch", &id, "conflict"));
    scene.expect(&["c2 refused conflict"]);

    let mut scene = Scene::new();
    scene.join("thirdwitch");
    scene.take();
    scene.hear(&error("$/mallory", "", "forbidden"));
    scene.hear(&error("$/mallory", "guessed", "forbidden"));
    scene.hear(&error("$", "guessed", "forbidden"));
    scene.expect(&[]);
}

#[test]
fn errors_of_an_occupant_do_not_concern_our_membership() {
    let mut scene = Scene::joined();
    scene.hear(&error("$/firstwitch", "", "not-acceptable"));
    scene.hear(
        "<message type='error' from='$/firstwitch'><error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    scene.expect(&[]);
    scene.wait(60_000);
    scene.expect(&[]);
    // What we sent there may come back.
    scene.whisper("firstwitch", "psst");
    let id = scene.id(0);
    scene.hear(&format!(
        "<message type='error' from='$/firstwitch' id='{id}'/>"
    ));
    scene.expect(&[
        "say firstwitchpsst",
        "1: bounced undefined-condition firstwitch",
    ]);
    scene.hear("<message type='error' from='$/firstwitch' id='guessed'/>");
    scene.expect(&[]);
}

#[test]
fn occupants_set_the_subject_only_in_groupchat_messages() {
    let mut scene = Scene::joined();
    scene.hear("<message type='chat' from='$/firstwitch'><subject>forged</subject></message>");
    scene.hear("<message from='$/firstwitch'><subject>forged</subject></message>");
    scene.hear("<message type='headline' from='$/firstwitch'><subject>forged</subject></message>");
    assert!(scene.take().iter().all(|line| line.contains("private")));
    let visit = scene.rooms.visit(scene.visit()).expect("in");
    assert_eq!(visit.subject(), Some(""));
}

#[test]
fn configurations_and_invitations_of_occupants_are_ignored() {
    let mut scene = Scene::joined();
    // A configuration, a declined invitation and an invitation, claimed by an occupant, to all and to us alone.
    for kind in ["groupchat", "chat", "normal"] {
        scene.hear(&format!(
            "<message type='{kind}' from='$/firstwitch'><x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/>
             <status code='110'/><decline from='a@b'/><invite from='a@b'/></x></message>"
        ));
    }
    let lines = scene.take();
    assert!(
        lines.iter().all(|line| !line.contains("configured")),
        "{lines:?}"
    );
    assert!(scene.is_joined());
    scene.hear("<message type='groupchat' from='$'><x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x></message>");
    scene.expect(&["1: configured 104"]);
}

#[test]
fn messages_of_others_are_not_ours() {
    let mut scene = Scene::joined();
    scene.say("hello");
    let id = scene.id(0);
    scene.take();
    scene.hear(&said("firstwitch", "hello", &format!(" id='{id}'")));
    scene.hear(&said("firstwitch", "hello", ""));
    scene.expect(&[
        "1: message firstwitch: hello",
        "1: message firstwitch: hello",
    ]);
    // Ours is still to come.
    scene.hear(&said("thirdwitch", "hello", &format!(" id='{id}'")));
    scene.expect(&["1: message thirdwitch: hello [own]"]);
}

#[test]
fn stanzas_of_other_rooms_or_without_a_sender_are_ignored() {
    let mut scene = Scene::joined();
    for from in [
        "other@chat.shakespeare.lit/thirdwitch",
        "chat.shakespeare.lit",
        "coven@chat.shakespeare.lit.example/x",
        "",
    ] {
        scene.hear(&presence("thirdwitch", SELF).replace("$/thirdwitch", from));
        scene.hear(&gone("thirdwitch", SELF).replace("$/thirdwitch", from));
    }
    scene.hear(
        "<presence type='unavailable'/><message type='groupchat'><subject>x</subject></message>",
    );
    scene.expect(&[]);
    assert!(scene.rooms.is_from_room("Coven@Chat.Shakespeare.LIT/x"));
    assert!(scene.is_joined());
}

#[test]
fn a15_a_password_waits_for_a_confidential_connection() {
    let entry = || JoinOptions {
        password: Some("cauldronburn".into()),
        ..Scene::entry()
    };
    let mut scene = Scene::new();
    scene.session(false);
    let joined = scene.join_with("thirdwitch", entry());
    assert_eq!(joined, Err(RoomRefusal::Insecure));
    scene.expect(&[]);
    // Without a password it needs none.
    scene.join("thirdwitch");
    scene.expect(&["join thirdwitch"]);

    // The next session may be less confidential than the one before.
    let mut scene = Scene::new();
    scene
        .join_with("thirdwitch", entry())
        .expect("confidential");
    scene.take();
    scene.session(false);
    scene.expect(&["c1 insecure", "1: closed"]);
    let mut scene = Scene::new();
    scene
        .join_with("thirdwitch", entry())
        .expect("confidential");
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(SUBJECT);
    scene.take();
    scene.session(false);
    scene.expect(&["1: out insecure", "1: closed"]);
}

#[test]
fn a15_stanzas_that_contain_a_password_are_recognised() {
    for text in [
        "<presence to='$/x'><x xmlns='http://jabber.org/protocol/muc'><password>p</password></x></presence>",
        "<iq type='set'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>
         <field var='FORM_TYPE'><value>f</value></field><field var='muc#roomconfig_roomsecret'><value>p</value></field></x></query></iq>",
        "<iq type='set'><query xmlns='http://jabber.org/protocol/muc#owner'><destroy jid='a@b'><password>p</password></destroy></query></iq>",
    ] {
        assert!(contains_password(&xml(text)), "{text}");
    }
    for text in [
        "<presence to='$/x'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
        "<iq type='set'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>
         <field var='muc#roomconfig_roomsecret'><value/></field></x></query></iq>",
        "<iq type='set'><query xmlns='http://jabber.org/protocol/muc#owner'><destroy jid='a@b'/></query></iq>",
        "<message><body>password</body></message>",
    ] {
        assert!(!contains_password(&xml(text)), "{text}");
    }
}
