//! B4: an answer belongs to the attempt that it answers. Each dialogue runs twice: with a room that repeats the ids of our
//! presences, as Prosody 0.12 and ejabberd 23.01 do, and with one that does not.

use super::support::{MEMBER, SELF, SUBJECT, Scene, error, gone, presence};

const GONE: &str = "<item affiliation='member' role='none'/><status code='110'/>";

/// The room's answers to what was sent.
struct Answers {
    echoes: bool,
}

impl Answers {
    fn id(&self, id: &str) -> String {
        if self.echoes {
            format!(" id='{id}'")
        } else {
            String::new()
        }
    }

    fn with(&self, stanza: &str, id: &str) -> String {
        stanza.replacen(" from=", &format!("{} from=", self.id(id)), 1)
    }

    /// Lets us in: those who are there, then we, history, the subject.
    fn enter(&self, nick: &str, other: &str, id: &str) -> String {
        [
            presence(other, MEMBER),
            self.with(&presence(nick, SELF), id),
            "<message type='groupchat' from='$/old'><body>history</body><delay xmlns='urn:xmpp:delay' from='$' stamp='2002-10-13T23:58:37Z'/></message>".into(),
            SUBJECT.into(),
        ]
        .concat()
    }

    fn leave(&self, nick: &str, id: &str) -> String {
        self.with(&gone(nick, GONE), id)
    }

    fn refuse(&self, nick: &str, id: &str, condition: &str) -> String {
        error(
            &format!("$/{nick}"),
            if self.echoes { id } else { "" },
            condition,
        )
    }
}

fn both(dialogue: impl Fn(&Answers)) {
    for echoes in [true, false] {
        dialogue(&Answers { echoes });
    }
}

const ENTERED: [&str; 4] = [
    "2: message old: history [delayed 2002-10-13T23:58:37Z]",
    "2: subject \"\"",
    "c2 ok",
    "2: joined 110",
];

#[test]
fn an_abandoned_join_is_not_matched_with_the_next_one() {
    both(|room| {
        let mut scene = Scene::new();
        scene.join_within("thirdwitch", 100);
        scene.wait(100);
        scene.expect(&[
            "join thirdwitch",
            "c1 timed out",
            "leave thirdwitch",
            "1: closed",
        ]);
        let (first, leave) = (scene.id(1), scene.id(0));
        scene.wait(50);
        scene.join("thirdwitch");
        scene.expect(&["join thirdwitch"]);
        let second = scene.id(0);
        // The first attempt's answers, and then those to the leave.
        scene.hear(&room.enter("thirdwitch", "early", &first));
        scene.hear(&room.leave("thirdwitch", &leave));
        scene.expect(&[]);
        assert!(!scene.is_joined());
        scene.hear(&room.enter("thirdwitch", "late", &second));
        scene.expect(&ENTERED);
        // Only who was there when we really entered.
        assert_eq!(scene.nicks(), ["late", "thirdwitch"]);
        scene.wait(600_000);
        assert!(scene.is_joined());
    });
}

#[test]
fn several_joins_are_abandoned_before_any_reply() {
    both(|room| {
        let mut scene = Scene::new();
        let mut ids = Vec::new();
        for number in 1..=3 {
            scene.join("thirdwitch");
            scene.abandon(number);
            ids.push((scene.id(1), scene.id(0)));
        }
        scene.join("thirdwitch");
        let last = scene.id(0);
        scene.take();
        for (join, leave) in &ids {
            scene.hear(&room.enter("thirdwitch", "early", join));
            scene.hear(&room.leave("thirdwitch", leave));
        }
        scene.expect(&[]);
        scene.hear(&room.enter("thirdwitch", "late", &last));
        assert_eq!(
            scene.take().last().map(String::as_str),
            Some("4: joined 110")
        );
        assert_eq!(scene.nicks(), ["late", "thirdwitch"]);
    });
}

#[test]
fn the_refusal_of_an_abandoned_join_is_not_matched_with_the_next_one() {
    both(|room| {
        let mut scene = Scene::new();
        scene.join("thirdwitch");
        scene.abandon(1);
        let first = scene.id(1);
        scene.join("thirdwitch");
        let second = scene.id(0);
        scene.take();
        // The leave in between is not answered: we were not in.
        scene.hear(&room.refuse("thirdwitch", &first, "conflict"));
        scene.expect(&[]);
        scene.hear(&room.enter("thirdwitch", "late", &second));
        scene.expect(&ENTERED);
    });
}

#[test]
fn the_second_join_may_be_refused_after_the_first_one_succeeded() {
    both(|room| {
        let mut scene = Scene::new();
        scene.join("thirdwitch");
        scene.abandon(1);
        let (first, leave) = (scene.id(1), scene.id(0));
        scene.join("oldhag");
        let second = scene.id(0);
        scene.take();
        scene.hear(&room.enter("thirdwitch", "early", &first));
        scene.hear(&room.leave("thirdwitch", &leave));
        scene.expect(&[]);
        scene.hear(&room.refuse("oldhag", &second, "conflict"));
        scene.expect(&["c2 refused conflict", "2: closed"]);
    });
}

#[test]
fn the_reply_arrives_between_the_two_joins() {
    both(|room| {
        let mut scene = Scene::new();
        scene.join("thirdwitch");
        scene.abandon(1);
        let (first, leave) = (scene.id(1), scene.id(0));
        scene.take();
        scene.hear(&room.enter("thirdwitch", "early", &first));
        scene.join("thirdwitch");
        let second = scene.id(0);
        scene.expect(&["join thirdwitch"]);
        // What belongs to the visit that is over: a change of our role, talk, a kick before the leave arrived.
        scene.hear(&presence("thirdwitch", SELF));
        scene.hear("<message type='groupchat' from='$/early'><body>hello</body></message>");
        scene.hear(&room.leave("thirdwitch", &leave));
        scene.expect(&[]);
        scene.hear(&room.enter("thirdwitch", "late", &second));
        scene.expect(&ENTERED);
    });
}

#[test]
fn a_kick_before_the_leave_does_not_end_the_next_visit() {
    let mut scene = Scene::joined();
    scene.leave();
    scene.join("thirdwitch");
    let second = scene.id(0);
    scene.expect(&["leave thirdwitch", "1: closed", "join thirdwitch"]);
    scene.hear(&gone(
        "thirdwitch",
        "<item role='none'/><status code='110'/><status code='307'/>",
    ));
    scene.expect(&["c2 ok"]);
    let room = Answers { echoes: true };
    scene.hear(&room.enter("thirdwitch", "late", &second));
    assert_eq!(
        scene.take().last().map(String::as_str),
        Some("2: joined 110")
    );
}

#[test]
fn join_leave_join_before_any_reply() {
    both(|room| {
        let mut scene = Scene::new();
        scene.join("thirdwitch");
        scene.leave();
        let (first, leave) = (scene.id(1), scene.id(0));
        scene.expect(&["join thirdwitch", "c1 left", "leave thirdwitch"]);
        scene.join("thirdwitch");
        let second = scene.id(0);
        scene.expect(&["1: closed", "join thirdwitch"]);
        scene.hear(&room.enter("thirdwitch", "early", &first));
        scene.expect(&[]);
        scene.hear(&room.leave("thirdwitch", &leave));
        scene.expect(&["c2 ok"]);
        scene.hear(&room.enter("thirdwitch", "late", &second));
        let lines = scene.take();
        assert_eq!(lines.last().map(String::as_str), Some("2: joined 110"));
    });
}

#[test]
fn an_abandoned_leave_does_not_end_the_next_visit() {
    both(|room| {
        let mut scene = Scene::joined();
        scene.leave_within(100);
        scene.wait(100);
        scene.expect(&["leave thirdwitch", "c2 timed out"]);
        let leave = scene.id(0);
        scene.join("thirdwitch");
        let second = scene.id(0);
        scene.expect(&["1: closed", "join thirdwitch"]);
        scene.hear(&room.leave("thirdwitch", &leave));
        scene.expect(&[]);
        scene.hear(&room.enter("thirdwitch", "late", &second));
        assert_eq!(
            scene.take().last().map(String::as_str),
            Some("2: joined 110")
        );
        scene.wait(600_000);
        assert!(scene.is_joined());
    });
}

#[test]
fn the_leave_of_a_failed_join_is_settled_at_once() {
    both(|room| {
        let mut scene = Scene::new();
        scene.join("thirdwitch");
        scene.leave();
        let first = scene.id(1);
        scene.take();
        // The room refuses; and does not answer the leave of somebody who is not in.
        scene.hear(&room.refuse("thirdwitch", &first, "forbidden"));
        scene.expect(&["c2 ok", "1: closed"]);
        // One that does is no harm to the next visit.
        scene.join("thirdwitch");
        scene.hear(&gone("thirdwitch", GONE));
        scene.expect(&["join thirdwitch"]);
        let id = scene.id(0);
        scene.hear(&room.enter("thirdwitch", "late", &id));
        assert_eq!(
            scene.take().last().map(String::as_str),
            Some("2: joined 110")
        );
    });
}

#[test]
fn an_abandoned_change_of_nick_is_reported_and_does_not_settle_the_next() {
    let changed = |from: &str, to: &str| {
        gone(
            from,
            &format!(
                "<item nick='{to}' role='participant'/><status code='303'/><status code='110'/>"
            ),
        ) + &presence(to, SELF)
    };
    both(|room| {
        let mut scene = Scene::joined();
        scene.nick_within("oldhag", 100);
        scene.wait(100);
        scene.nick("newhag");
        scene.expect(&["nick oldhag", "c2 timed out", "nick newhag"]);
        // Page and room agree: the change happened after all, and is not the one that is waited for.
        scene.hear(&changed("thirdwitch", "oldhag"));
        scene.expect(&["1: nick thirdwitch -> oldhag [own]"]);
        scene.hear(&changed("oldhag", "newhag"));
        scene.expect(&["c3 ok", "1: nick oldhag -> newhag [own]"]);

        // The refusal of the first is not that of the second.
        let mut scene = Scene::joined();
        scene.nick("oldhag");
        scene.abandon(2);
        scene.nick("newhag");
        let (old, new) = (scene.id(1), scene.id(0));
        scene.take();
        scene.hear(&room.refuse("oldhag", &old, "conflict"));
        scene.expect(&[]);
        scene.hear(&room.refuse("newhag", &new, "conflict"));
        scene.expect(&["c3 refused conflict"]);
        assert_eq!(scene.own_nick(), "thirdwitch");
    });
}

#[test]
fn a_late_reply_after_everything_was_abandoned_leaves_the_room() {
    both(|room| {
        let mut scene = Scene::new();
        scene.join_within("thirdwitch", 100);
        scene.wait(200);
        let (join, leave) = (scene.id(1), scene.id(0));
        scene.take();
        scene.hear(&room.enter("thirdwitch", "early", &join));
        scene.hear(&room.leave("thirdwitch", &leave));
        scene.expect(&[]);
        // The room is forgotten once its answers are in.
        assert!(!scene.rooms.is_from_room(super::support::ROOM));
    });
}

#[test]
fn a_lost_reply_does_not_block_forever() {
    // No answer to the first join, and no ids: for five minutes the next answer may be the first one's.
    let mut scene = Scene::new();
    scene.join_within("thirdwitch", 100);
    scene.wait(400_000);
    scene.take();
    assert!(!scene.rooms.is_from_room(super::support::ROOM));
    scene.join("thirdwitch");
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(SUBJECT);
    assert_eq!(
        scene.take().last().map(String::as_str),
        Some("2: joined 110")
    );
}

#[test]
fn a_presence_that_cannot_be_sent_expects_no_reply() {
    let mut scene = Scene::new();
    let now = scene.instant();
    let (_, command) = scene
        .rooms
        .join(
            now,
            &super::support::jid(super::support::ROOM),
            "a",
            Scene::entry(),
        )
        .expect("not in");
    scene.rooms.handle_unsent(now, command);
    while scene.rooms.poll_output().is_some() {}
    assert!(!scene.rooms.is_from_room(super::support::ROOM));
}

#[test]
fn one_visit_at_a_time() {
    let mut scene = Scene::joined();
    let again = scene.join_with("other", Scene::entry());
    assert_eq!(again, Err(epode_proto::xep::muc::RoomRefusal::AlreadyIn));
}

#[test]
fn commands_are_settled_when_the_session_or_the_connection_ends() {
    let mut scene = Scene::joined();
    scene.nick("oldhag");
    scene.take();
    scene.session(true);
    scene.expect(&["c2 session lost", "join thirdwitch since"]);

    let mut scene = Scene::joined();
    scene.nick("oldhag");
    scene.leave();
    scene.take();
    let now = scene.instant();
    scene.rooms.handle_offline(now);
    scene.drain();
    scene.expect(&["c2 offline", "c3 ok", "1: closed"]);

    let mut scene = Scene::new();
    scene.join("thirdwitch");
    scene.take();
    scene.rooms.handle_offline(now);
    scene.drain();
    scene.expect(&["c1 offline", "1: closed"]);

    let mut scene = Scene::joined();
    scene.rooms.handle_offline(now);
    scene.drain();
    scene.expect(&["1: out disconnected", "1: closed"]);
}
