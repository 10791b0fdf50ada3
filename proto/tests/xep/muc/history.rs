//! Which messages of a room's history, and of what a room says before it answers, are a visit's.

use super::support::{MEMBER, SELF, SUBJECT, Scene, presence, said};
use epode_proto::time::Millis;
use epode_proto::xep::muc::JoinOptions;
use epode_proto::xep::muc::request::History;

const BARE: &str = "<delay xmlns='urn:xmpp:delay' stamp='2002-10-13T23:58:37Z'/>";

fn held(id: &str, body: &str, time: &str) -> String {
    format!(
        "<message type='groupchat' from='$/firstwitch' id='{id}'><body>{body}</body>
           <delay xmlns='urn:xmpp:delay' from='$' stamp='2002-10-13T{time}Z'/></message>"
    )
}

/// In the room, which was asked for no history.
fn without_history() -> Scene {
    let mut scene = Scene::new();
    let history = History {
        maxstanzas: Some(0),
        ..History::default()
    };
    let entry = JoinOptions {
        history,
        ..Scene::entry()
    };
    scene.join_with("thirdwitch", entry).expect("it is asked");
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(SUBJECT);
    scene.take();
    scene
}

/// What the last join asked for.
fn asked(scene: &Scene, name: &str) -> Option<String> {
    let join = scene.sent.last()?;
    let x = join.children().next()?;
    let history = x.children().next()?;
    history.attr(name).map(str::to_owned)
}

/// A history that reaches further back than what was missed does not bring what was said before the visit.
#[test]
fn messages_before_the_visit_are_not_reported_after_it() {
    let mut scene = without_history();
    scene.hear(&said("firstwitch", "heard", " id='m2'"));
    scene.session(true);
    scene.take();
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(&held("m1", "before", "23:58:01"));
    scene.hear(&held("m2", "heard", "23:58:02"));
    scene.hear(&held("m3", "missed", "23:58:03"));
    scene.expect(&[]);
    scene.hear(SUBJECT);
    scene.expect(&[
        "1: message firstwitch: missed [delayed 2002-10-13T23:58:03Z]",
        "1: subject \"\"",
        "1: rejoined 110",
    ]);
}

/// The last answers of a BOSH session may come without the one before them: what they bring waits for the history of the next
/// session, which has all in order.
#[test]
fn messages_after_lost_stanzas_wait_for_the_history() {
    let behind = || {
        let mut scene = without_history();
        scene.hear(&said("firstwitch", "heard", " id='m1'"));
        scene.take();
        scene.rooms.handle_hole();
        scene.hear(&said("firstwitch", "behind", " id='m3'"));
        scene.expect(&[]);
        scene
    };
    let mut scene = behind();
    scene.session(true);
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(&held("m1", "heard", "23:58:01"));
    scene.hear(&held("m2", "lost", "23:58:02"));
    scene.hear(&held("m3", "behind", "23:58:03"));
    scene.hear(SUBJECT);
    scene.expect(&[
        "join thirdwitch since",
        "1: message firstwitch: lost [delayed 2002-10-13T23:58:02Z]",
        "1: message firstwitch: behind [delayed 2002-10-13T23:58:03Z]",
        "1: subject \"\"",
        "1: rejoined 110",
    ]);
    // A history that does not reach back so far begins behind it.
    let mut scene = behind();
    scene.session(true);
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(&held("m4", "later", "23:58:04"));
    scene.hear(SUBJECT);
    scene.expect(&[
        "join thirdwitch since",
        "1: message firstwitch: behind",
        "1: message firstwitch: later [delayed 2002-10-13T23:58:04Z]",
        "1: subject \"\"",
        "1: rejoined 110",
    ]);
    // No session follows: it is told before the end.
    let mut scene = behind();
    scene.rooms.handle_offline(scene.instant());
    scene.drain();
    scene.expect(&[
        "1: message firstwitch: behind",
        "1: out disconnected",
        "1: closed",
    ]);
}

/// A visit that has heard nothing has not missed nothing.
#[test]
fn a_visit_without_messages_requests_the_history_since_its_join() {
    let mut scene = without_history();
    assert_eq!(asked(&scene, "maxstanzas").as_deref(), Some("0"));
    scene.session(true);
    scene.expect(&["join thirdwitch since"]);
    assert_eq!(asked(&scene, "maxstanzas"), None);
}

/// Of a history that is cut short, the rest is asked for: it is as old as it is.
#[test]
fn the_rest_of_a_lost_history_is_requested() {
    let mut scene = Scene::new();
    scene.join("thirdwitch");
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(&held("m1", "one", "23:58:37"));
    scene.wait(5_000);
    scene.session(true);
    let since = asked(&scene, "since");
    assert_eq!(since.as_deref(), Some("2002-10-13T23:58:07Z"));
}

/// A room without a subject does not tell where its history ends; its answer to a ping does.
#[test]
fn a_late_history_is_recognised() {
    let mut scene = Scene::new();
    scene.join("thirdwitch");
    scene.hear(&presence("thirdwitch", SELF));
    scene.wait(5_000);
    scene.expect(&[
        "join thirdwitch",
        "c1 ok",
        "1: joined 110",
        "ping thirdwitch",
    ]);
    scene.hear(&said("firstwitch", "late", BARE));
    scene.expect(&["1: message firstwitch: late [delayed 2002-10-13T23:58:37Z]"]);
    scene.reply_ok();
    scene.hear(&said("firstwitch", "forged", BARE));
    scene.expect(&["1: message firstwitch: forged"]);
}

/// Nothing comes during an interruption: neither the subject nor the end of the wait for it.
#[test]
fn a_history_does_not_end_during_an_interruption() {
    let mut scene = Scene::new();
    scene.join("thirdwitch");
    scene.hear(&presence("thirdwitch", SELF));
    scene.rooms.handle_interrupted();
    scene.wait(20_000);
    scene.expect(&["join thirdwitch"]);
    let (now, account) = (scene.instant(), super::support::jid(super::support::OWN));
    scene.rooms.handle_resumed(now, &account, true);
    scene.wait(4_000);
    scene.hear(&said("firstwitch", "one", BARE));
    scene.hear(SUBJECT);
    scene.expect(&[
        "1: message firstwitch: one [delayed 2002-10-13T23:58:37Z]",
        "1: subject \"\"",
        "c1 ok",
        "1: joined 110",
    ]);
}

/// The session was in the room already (a page that was loaded anew): what it says before it answers the join is no answer.
#[test]
fn messages_before_our_presence_are_not_for_the_new_visit() {
    let mut scene = Scene::new();
    scene.join("thirdwitch");
    scene.hear(&said("firstwitch", "hello", " id='m1'"));
    scene.hear(&presence("firstwitch", MEMBER));
    scene.hear(&said("firstwitch", "there", " id='m2'"));
    scene.expect(&["join thirdwitch"]);
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(&held("m1", "hello", "23:58:37"));
    scene.hear(SUBJECT);
    scene.expect(&[
        "1: message firstwitch: hello [delayed 2002-10-13T23:58:37Z]",
        "1: subject \"\"",
        "c1 ok",
        "1: joined 110",
    ]);
}

/// A visit that is left before the room has answered its join hears nothing of the one before.
#[test]
fn messages_for_an_earlier_visit_are_not_for_an_abandoned_one() {
    let mut scene = Scene::joined();
    scene.leave();
    scene.join("newt");
    scene.leave();
    scene.take();
    scene.hear(&said("firstwitch", "hello", ""));
    scene.expect(&[]);
}

/// A message that leaves behind a ping is not known to be dropped when the ping is answered.
#[test]
fn a_message_after_a_ping_still_awaits_its_reflection() {
    let mut scene = Scene::joined();
    scene.wait(Millis::seconds(15 * 60).0);
    scene.expect(&["ping thirdwitch"]);
    scene.say("hello");
    scene.reply_ok();
    scene.take();
    // The room gives it another id.
    scene.hear(&said("thirdwitch", "hello", " id='x'"));
    scene.expect(&["1: message thirdwitch: hello [own]"]);
}
