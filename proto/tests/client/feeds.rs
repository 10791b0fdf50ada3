//! Feeds on a client: subscribing, a new session, a resumed one, and their requests.

use super::present;

const SUBSCRIBE: &str = "C: <iq type='get' id='$disco' to='pubsub.example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
     C: <iq type='get' id='$before' to='pubsub.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'>
          <items node='news' max_items='*'/></pubsub></iq>
     C: <iq type='set' id='$sub' to='pubsub.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'>
          <subscribe node='news' jid='romeo@example.org'/></pubsub></iq>
     C: <iq type='get' id='$list' to='pubsub.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'>
          <items node='news' max_items='*'/></pubsub></iq>";

const AGREE: &str = "W: <iq type='result' id='$before' from='pubsub.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'>
          <items node='news'/></pubsub></iq>
     W: <iq type='result' id='$sub' from='pubsub.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'>
          <subscription node='news' jid='romeo@example.org' subscription='subscribed'/></pubsub></iq>
     E: feed 1 subscribed
     W: <iq type='result' id='$list' from='pubsub.example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'>
          <items node='news'/></pubsub></iq>
     C: <iq type='get' id='$settle' to='pubsub.example.org'><ping xmlns='urn:xmpp:ping'/></iq>
     W: <iq type='result' id='$settle' from='pubsub.example.org'/>
     E: feed 1 live";

fn item(id: &str) -> String {
    format!(
        "W: <message from='pubsub.example.org'><event xmlns='http://jabber.org/protocol/pubsub#event'>
           <items node='news'><item id='{id}'><n xmlns='urn:example:n'>{id}</n></item></items></event></message>"
    )
}

/// A feed without a snapshot: subscribed, then live.
#[test]
fn a_feed_subscribes_and_gets_items() {
    let mut dialogue = present();
    dialogue.play("A: subscribe news");
    dialogue.play(SUBSCRIBE);
    dialogue.play(AGREE);
    dialogue.play(&item("1"));
    dialogue.play("E: feed 1 item 1 live");
    // Another sender is not the service.
    dialogue.play(
        "W: <message from='mallory@evil.example/x'><event xmlns='http://jabber.org/protocol/pubsub#event'>
           <items node='news'><item id='2'/></items></event></message>
         E: foreign event of news by mallory@evil.example/x",
    );
}

/// In a new session the feed subscribes again, after presence and before the outbox.
#[test]
fn a_feed_is_restored_before_the_outbox() {
    let mut dialogue = present();
    dialogue.play("A: subscribe news");
    dialogue.play(SUBSCRIBE);
    dialogue.play(AGREE);
    dialogue.lose_connection();
    dialogue.play("A: send <message id='kept'/>");
    dialogue.log_in("");
    dialogue.play("C: <presence/>");
    let frames = dialogue.take_frames();
    let place = |part: &str| frames.iter().position(|frame| frame.contains(part));
    let subscribed = place("<subscribe").expect("a subscription");
    let kept = place("id='kept'")
        .or(place("id=\"kept\""))
        .expect("what was kept");
    assert!(subscribed < kept, "{frames:#?}");
}

/// A refusal ends the feed with its reason.
#[test]
fn a_refused_subscription() {
    let mut dialogue = present();
    dialogue.play("A: subscribe news");
    dialogue.play(SUBSCRIBE);
    dialogue.play(
        "W: <iq type='error' id='$sub' from='pubsub.example.org'><error type='auth'>
           <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
         E: feed 1 refused refused forbidden
         E: feed 1 is over",
    );
    dialogue.play(&item("1"));
}

/// At offline, feeds end.
#[test]
fn offline_ends_feeds() {
    let mut dialogue = present();
    dialogue.play("A: subscribe news");
    dialogue.play(SUBSCRIBE);
    dialogue.play(AGREE);
    dialogue.play("A: abort");
    let frames = dialogue.take_frames();
    assert!(frames.is_empty(), "{frames:?}");
    assert!(dialogue.take_words().contains(&"feed 1 is over".to_owned()));
}
