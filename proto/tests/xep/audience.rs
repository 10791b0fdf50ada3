//! Who is answered: everyone, contacts, or nobody.
//!
//! Optional in what is read, each absent in a test below: `from` of a question and of a push; `<query/>` of the roster's reply; an
//! item's `jid` and `subscription`; `type` of a push.

use epode_proto::jid::Jid;
use epode_proto::xep::audience::{Audience, ReplyDecision, Screening};
use epode_proto::xep::responder::refuse_unknown_sender;
use epode_proto::xml::Element;

use super::xml;
use crate::support::unicode::NativeUnicode;

fn own() -> Jid {
    Jid::parse("juliet@example.org/balcony", &NativeUnicode).expect("a JID")
}

fn question(from: Option<&str>) -> Element {
    let question = xml("<iq type='get' id='1'><query xmlns='jabber:iq:version'/></iq>");
    from.map_or(question.clone(), |from| question.with_attr("from", from))
}

fn judge(screening: &mut Screening, from: &str) -> ReplyDecision {
    screening.judge(&question(Some(from)), &own(), false, &NativeUnicode)
}

fn roster(items: &str) -> Element {
    xml(&format!(
        "<iq type='result' id='2'><query xmlns='jabber:iq:roster'>{items}</query></iq>"
    ))
}

/// A screening that knows this roster.
fn knowing(items: &str) -> Screening {
    let mut screening = Screening::new(Audience::Contacts);
    assert!(matches!(
        judge(&mut screening, "x@y/z"),
        ReplyDecision::Wait(Some(_))
    ));
    screening.handle_roster(Some(&roster(items)), &NativeUnicode);
    screening
}

#[test]
fn the_own_side_always_gets_replies() {
    for audience in [Audience::Everyone, Audience::Contacts, Audience::Nobody] {
        let mut screening = Screening::new(audience);
        for from in [
            "example.org",
            "Example.ORG",
            "juliet@example.org",
            "juliet@example.org/balcony",
            "juliet@example.org/phone",
        ] {
            assert_eq!(judge(&mut screening, from), ReplyDecision::Answer, "{from}");
        }
        let nameless = screening.judge(&question(None), &own(), false, &NativeUnicode);
        assert_eq!(nameless, ReplyDecision::Answer);
        // A room that we are in pings us to see whether we are there.
        let used = question(Some("room@chat.example.net"));
        let used = screening.judge(&used, &own(), true, &NativeUnicode);
        assert_eq!(used, ReplyDecision::Answer);
    }
}

#[test]
fn all_senders_or_none() {
    for from in [
        "romeo@example.net/orchard",
        "romeo@example.org/x",
        "example.net",
        "evil.example.org",
        "juliet@example.org.evil.example",
        "room@chat.example.net/nick",
        "not an@address",
    ] {
        let everyone = judge(&mut Screening::default(), from);
        assert_eq!(everyone, ReplyDecision::Answer, "{from}");
        let nobody = judge(&mut Screening::new(Audience::Nobody), from);
        assert_eq!(nobody, ReplyDecision::Refuse, "{from}");
    }
}

#[test]
fn contacts_are_the_subscribers_of_our_presence() {
    let mut screening = knowing(
        "<item jid='both@example.net' subscription='both'/><item jid='From@example.net' subscription='from'/>
         <item jid='to@example.net' subscription='to'/><item jid='none@example.net' subscription='none'/>
         <item jid='asked@example.net' subscription='none' ask='subscribe'/><item jid='silent@example.net'/>
         <item subscription='both'/><item jid='@' subscription='both'/><item jid='x@else.example' subscription='to'/>
         <other jid='other@example.net' subscription='both'/>",
    );
    for from in [
        "both@example.net/a",
        "BOTH@example.net",
        "from@example.net/b",
        "example.net",
    ] {
        assert_eq!(judge(&mut screening, from), ReplyDecision::Answer, "{from}");
    }
    for from in [
        "to@example.net/a",
        "none@example.net/a",
        "asked@example.net/a",
        "silent@example.net/a",
        "other@example.net/a",
        "example.net/a",
        "else.example",
        "stranger@example.net/a",
        "not an@address",
    ] {
        assert_eq!(judge(&mut screening, from), ReplyDecision::Refuse, "{from}");
    }
}

#[test]
fn the_roster_is_requested_once_and_requests_wait() {
    let mut screening = Screening::new(Audience::Contacts);
    let request = xml("<iq type='get'><query xmlns='jabber:iq:roster'/></iq>");
    assert_eq!(
        judge(&mut screening, "a@x/1"),
        ReplyDecision::Wait(Some(request.clone()))
    );
    for number in 2..=32 {
        let verdict = judge(&mut screening, &format!("a@x/{number}"));
        assert_eq!(verdict, ReplyDecision::Wait(None));
    }
    // A limit on what strangers can make us keep.
    assert_eq!(judge(&mut screening, "a@x/33"), ReplyDecision::Refuse);
    let reply = roster("<item jid='a@x' subscription='from'/>");
    let waiting = screening.handle_roster(Some(&reply), &NativeUnicode);
    assert_eq!(waiting.len(), 32);
    assert_eq!(waiting[31].attr("from"), Some("a@x/32"));
    assert_eq!(judge(&mut screening, "a@x/1"), ReplyDecision::Answer);
    // In another session it is requested anew.
    screening.reset();
    assert_eq!(
        judge(&mut screening, "a@x/1"),
        ReplyDecision::Wait(Some(request))
    );
}

#[test]
fn without_a_roster_there_are_no_contacts() {
    for reply in [None, Some(xml("<iq type='result' id='2'/>"))] {
        let mut screening = Screening::new(Audience::Contacts);
        judge(&mut screening, "a@x/1");
        let waiting = screening.handle_roster(reply.as_ref(), &NativeUnicode);
        assert_eq!(waiting.len(), 1);
        assert_eq!(judge(&mut screening, "a@x/1"), ReplyDecision::Refuse);
    }
    // No reply in time: what waited is refused, and it is requested again.
    let mut screening = Screening::new(Audience::Contacts);
    judge(&mut screening, "a@x/1");
    assert_eq!(screening.handle_no_roster().len(), 1);
    assert!(matches!(
        judge(&mut screening, "a@x/1"),
        ReplyDecision::Wait(Some(_))
    ));
}

#[test]
fn pushes_of_the_own_account_change_the_contacts() {
    let push = |from: &str, item: &str| {
        xml(&format!(
            "<iq type='set' id='3' {from}><query xmlns='jabber:iq:roster'>{item}</query></iq>"
        ))
    };
    let both = "<item jid='romeo@example.net' subscription='both'/>";
    let mut screening = knowing("");
    let mut told = |push: &Element| screening.handle_push(push, &own(), &NativeUnicode);
    // Somebody else's (CVE-2015-8688), somebody else's in our name with a resource, no push at all.
    assert!(!told(&push("from='romeo@example.net'", both)));
    assert!(!told(&push("from='example.org'", both)));
    assert!(!told(&push("from='juliet@example.org/x'", both)));
    assert!(!told(&push("from='@'", both)));
    assert!(!told(&push("", both).with_attr("type", "get")));
    assert!(!told(&xml(
        "<iq id='3'><query xmlns='jabber:iq:roster'/></iq>"
    )));
    assert!(!told(&xml(
        "<iq type='set' id='3'><ping xmlns='urn:xmpp:ping'/></iq>"
    )));
    assert!(told(&push("", both)));
    assert_eq!(
        judge(&mut screening, "romeo@example.net/x"),
        ReplyDecision::Answer
    );
    let gone = "<item jid='romeo@example.net' subscription='remove'/>";
    let mut told = |push: &Element| screening.handle_push(push, &own(), &NativeUnicode);
    assert!(told(&push("from='juliet@example.org'", gone)));
    assert_eq!(
        judge(&mut screening, "romeo@example.net/x"),
        ReplyDecision::Refuse
    );
    // Nobody has asked for the roster: what comes is not for us.
    let mut unasked = Screening::new(Audience::Contacts);
    assert!(!unasked.handle_push(&push("", both), &own(), &NativeUnicode));
}

/// The error of a server for a resource that is not there, whatever was asked: it shows nothing.
#[test]
fn a_refusal_is_the_same_for_every_request() {
    let refusal = xml("<iq type='error' to='a@x/1' id='1'><error type='cancel'>
        <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
    for payload in [
        "<query xmlns='jabber:iq:version'/>",
        "<time xmlns='urn:xmpp:time'/>",
        "<ping xmlns='urn:xmpp:ping'/>",
        "<query xmlns='http://jabber.org/protocol/disco#info' node='elsewhere'/>",
        "",
        "<a xmlns='b'/><c xmlns='d'/>",
    ] {
        for kind in ["get", "set", "what"] {
            let question = xml(&format!(
                "<iq type='{kind}' from='a@x/1' id='1'>{payload}</iq>"
            ));
            assert_eq!(refuse_unknown_sender(&question), Some(refusal.clone()));
        }
    }
    for quiet in [
        "<iq type='result' from='a@x/1' id='1'/>",
        "<iq type='error' from='a@x/1' id='1'/>",
        "<iq type='get' from='a@x/1'/>",
    ] {
        assert_eq!(refuse_unknown_sender(&xml(quiet)), None);
    }
}
