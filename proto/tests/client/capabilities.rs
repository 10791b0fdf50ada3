//! Own presence and capabilities (XEP-0115, XEP-0163 §4.3).

use super::present;
use crate::support::channel::{ClientDialogue, client_config};

/// A watch is announced by one presence per turn, and withdrawn by another.
#[test]
fn a_watch_is_announced() {
    let mut dialogue = present();
    dialogue.play(
        "A: watch urn:example:mood
         C: <presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:epode:client' ver='$one'/></presence>
         A: watch urn:example:mood
         A: unwatch 2
         A: unwatch 1
         C: <presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:epode:client' ver='$none'/></presence>",
    );
    assert_ne!(dialogue.names.get("one"), dialogue.names.get("none"));
}

/// The reply to disco#info for the announced node lists the watched nodes.
#[test]
fn disco_info_names_the_watched_node() {
    let mut dialogue = present();
    dialogue.play(
        "A: watch urn:example:mood
         C: <presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:epode:client' ver='$ver'/></presence>",
    );
    let ver = dialogue.names.get("ver").to_owned();
    dialogue.play(&format!(
        "W: <iq type='get' id='d' from='example.org'>
           <query xmlns='http://jabber.org/protocol/disco#info' node='urn:epode:client#{ver}'/></iq>
         C: <iq type='result' id='d' to='example.org'>
           <query xmlns='http://jabber.org/protocol/disco#info' node='urn:epode:client#{ver}'>
             <identity category='client' type='web'/>
             <feature var='http://jabber.org/protocol/disco#info'/>
             <feature var='http://jabber.org/protocol/disco#items'/>
             <feature var='urn:xmpp:ping'/>
             <feature var='urn:xmpp:time'/>
             <feature var='jabber:iq:version'/>
             <feature var='http://jabber.org/protocol/caps'/>
             <feature var='urn:example:mood+notify'/>
           </query></iq>"
    ));
}

/// A caller's own presence replaces initial presence, carries capabilities, and is sent in a new session.
#[test]
fn the_presence_of_the_caller_is_restored() {
    let mut dialogue = ClientDialogue::online(client_config(), "");
    dialogue.play(
        "A: send <presence><show>away</show></presence>
         C: <presence><show>away</show></presence>
         +0s
         A: watch urn:example:mood
         C: <presence><show>away</show><c xmlns='http://jabber.org/protocol/caps' hash='*' node='*' ver='$ver'/></presence>",
    );
    dialogue.lose_connection();
    dialogue.log_in("");
    dialogue.play(
        "C: <presence><show>away</show><c xmlns='http://jabber.org/protocol/caps' hash='*' node='*' ver='$ver'/></presence>
         E: online romeo@example.org/orchard
         E: ?none",
    );
}

/// A caller that made itself unavailable stays so in a new session, and announces nothing.
#[test]
fn an_intended_unavailability_is_kept() {
    let mut dialogue = present();
    dialogue.play(
        "A: send <presence type='unavailable'/>
         C: <presence type='unavailable'/>
         A: watch urn:example:mood",
    );
    dialogue.lose_connection();
    dialogue.log_in("");
    dialogue.play("E: online romeo@example.org/orchard");
}

/// Directed presence is not a broadcast.
#[test]
fn directed_presence_is_not_restored() {
    let mut dialogue = present();
    dialogue.play(
        "A: send <presence to='juliet@example.org'><show>dnd</show></presence>
         C: <presence to='juliet@example.org'><show>dnd</show></presence>",
    );
    dialogue.lose_connection();
    dialogue.log_in("");
    dialogue.play(
        "C: <presence/>
         E: online romeo@example.org/orchard",
    );
}

/// Events of an account go to the watches of the node; an event from a full JID is not from the account (XEP-0163 §4.3.1).
#[test]
fn personal_events() {
    let mut dialogue = present();
    let event = |from: &str| {
        format!(
            "W: <message from='{from}'><event xmlns='http://jabber.org/protocol/pubsub#event'>
               <items node='urn:example:mood'><item id='1'><mood xmlns='urn:example:mood'/></item></items></event></message>"
        )
    };
    dialogue.play(
        "A: watch urn:example:mood
         C: <presence><c xmlns='http://jabber.org/protocol/caps' hash='*' node='*' ver='*'/></presence>",
    );
    dialogue.play(&event("juliet@example.org"));
    dialogue.play("E: personal for 1: juliet@example.org urn:example:mood");
    dialogue.play(&event("juliet@example.org/balcony"));
    dialogue.play(&event("pubsub.example.org"));
}

/// A client that continues a session announces the nodes that it watched before.
#[test]
fn a_watch_from_before_a_continued_session_is_announced() {
    let mut dialogue = ClientDialogue::online(client_config(), "<sm:sm/>");
    dialogue.play(
        "C: <sm:enable resume='true'/>
         W: <sm:enabled id='s7' resume='true' max='300'/>
         +0s
         C: <presence/>",
    );
    let mut next = dialogue.continued(client_config());
    next.play(
        "E: connecting
         E: credentials wanted
         C: socket
         A: anonymous
         A: watch urn:example:mood
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         W: <framing:open from='example.org' id='s1' version='1.0'/>
         W: <stream:features><sasl:mechanisms><sasl:mechanism>ANONYMOUS</sasl:mechanism></sasl:mechanisms></stream:features>
         E: authenticating
         C: <sasl:auth mechanism='ANONYMOUS'/>
         W: <sasl:success/>
         C: <framing:open to='example.org' version='1.0'/>
         W: <framing:open from='example.org' id='s2' version='1.0'/>
         W: <stream:features><bind:bind/><sm:sm/></stream:features>
         C: <sm:resume previd='s7' h='0'/>
         W: <sm:resumed previd='s7' h='1'/>
         C: <presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:epode:client' ver='*'/></presence>
         E: resumed romeo@example.org/orchard",
    );
}
