//! XEP-0060 §8: what a node's owner asks.

use epode_proto::stanza::StanzaError;
use epode_proto::xep::data_form::Form;
use epode_proto::xep::pubsub::owner::{self, Approval};
use epode_proto::xep::pubsub::{Subscription, SubscriptionState, is_error};

use epode_proto::xml::Element;

use super::{asked, example, values, xml};

const SERVICE: Option<&str> = Some("pubsub.shakespeare.lit");
const NODE: &str = "princely_musings";

/// The values of a submitted form, without its type.
fn submitted(number: u64) -> Vec<(String, Vec<String>)> {
    let x = asked("0060", number)
        .children()
        .next()
        .and_then(|pubsub| pubsub.children().next())
        .and_then(|configure| configure.children().next())
        .expect("a form");
    let form = Form::parse(&x).expect("a form");
    form.fields
        .into_iter()
        .skip(1)
        .map(|field| (field.var.expect("a name"), field.values))
        .collect()
}

#[test]
fn configuring_is_as_in_the_examples() {
    assert_eq!(owner::configuration(SERVICE, NODE), asked("0060", 139));
    assert_eq!(owner::default_configuration(SERVICE), asked("0060", 152));
    let values = submitted(146);
    assert!(values.len() > 10);
    assert_eq!(owner::configure(SERVICE, NODE, &values), asked("0060", 146));

    let form = owner::parse_configuration(&example("0060", 140)).expect("a form");
    assert_eq!(form.value("pubsub#deliver_payloads"), Some("true"));
    assert!(
        form.field("pubsub#access_model")
            .is_some_and(|field| field.is("list-single") && field.options.len() == 5)
    );
    let form = owner::parse_configuration(&example("0060", 154)).expect("a form");
    assert_eq!(form.value("pubsub#persist_items"), Some("1"));
    for none in [
        example("0060", 116),
        xml(
            "<iq><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure/></pubsub></iq>",
        ),
        xml(
            "<iq><pubsub xmlns='http://jabber.org/protocol/pubsub'><configure><x xmlns='jabber:x:data'/></configure></pubsub></iq>",
        ),
    ] {
        assert_eq!(owner::parse_configuration(&none), None);
    }
}

#[test]
fn purging_is_as_in_the_example() {
    assert_eq!(owner::purge(SERVICE, NODE), asked("0060", 163));
}

fn subscription(jid: &str, state: SubscriptionState, subid: Option<&str>) -> Subscription {
    Subscription {
        node: None,
        jid: jid.into(),
        subid: subid.map(Into::into),
        state,
    }
}

#[test]
fn subscribers_are_read_and_set_as_in_the_examples() {
    assert_eq!(owner::subscribers(SERVICE, NODE), asked("0060", 184));
    assert_eq!(
        owner::parse_subscribers(&example("0060", 185)),
        [
            subscription("hamlet@denmark.lit", SubscriptionState::Subscribed, None),
            subscription(
                "polonius@denmark.lit",
                SubscriptionState::Unconfigured,
                None
            ),
            subscription(
                "bernardo@denmark.lit",
                SubscriptionState::Subscribed,
                Some("123-abc")
            ),
            subscription(
                "bernardo@denmark.lit",
                SubscriptionState::Subscribed,
                Some("004-yyy")
            ),
        ]
    );
    assert_eq!(owner::parse_subscribers(&example("0060", 116)), []);

    let bard = subscription("bard@shakespeare.lit", SubscriptionState::Subscribed, None);
    assert_eq!(
        owner::set_subscribers(SERVICE, NODE, std::slice::from_ref(&bard)),
        asked("0060", 189)
    );
    let polonius = subscription("polonius@denmark.lit", SubscriptionState::None, None);
    assert_eq!(
        owner::set_subscribers(SERVICE, NODE, &[polonius, bard]),
        asked("0060", 194)
    );
    let one = subscription("a@b", SubscriptionState::Pending, Some("7"));
    assert_eq!(
        owner::set_subscribers(None, "n", &[one]),
        xml(
            "<iq type='set'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><subscriptions node='n'>
             <subscription jid='a@b' subscription='pending' subid='7'/></subscriptions></pubsub></iq>"
        )
    );
    for state in [
        SubscriptionState::None,
        SubscriptionState::Pending,
        SubscriptionState::Unconfigured,
        SubscriptionState::Subscribed,
    ] {
        assert_eq!(owner::parse_state(state.as_str()), Some(state));
    }
    assert_eq!(owner::parse_state("approved"), None);
}

#[test]
fn affiliates_are_read_and_set_as_in_the_examples() {
    assert_eq!(owner::affiliates(SERVICE, NODE), asked("0060", 197));
    let pair = |jid: &str, affiliation: &str| (jid.to_owned(), affiliation.to_owned());
    assert_eq!(
        owner::parse_affiliates(&example("0060", 198)),
        [
            pair("hamlet@denmark.lit", "owner"),
            pair("polonius@denmark.lit", "outcast"),
        ]
    );
    assert_eq!(owner::parse_affiliates(&example("0060", 116)), []);
    assert_eq!(
        owner::set_affiliates(SERVICE, NODE, &[pair("bard@shakespeare.lit", "publisher")]),
        asked("0060", 202)
    );
    assert_eq!(
        owner::set_affiliates(
            SERVICE,
            NODE,
            &[
                pair("hamlet@denmark.lit", "none"),
                pair("polonius@denmark.lit", "none"),
                pair("bard@shakespeare.lit", "publisher"),
            ]
        ),
        asked("0060", 208)
    );
}

#[test]
fn an_approval_is_read_and_submitted_as_in_the_examples() {
    let approval = Approval::parse(&example("0060", 170)).expect("somebody asks");
    assert_eq!(
        approval,
        Approval {
            node: NODE.into(),
            jid: "horatio@denmark.lit".into(),
            subid: Some("123-abc".into()),
            id: Some("approve1".into()),
        }
    );
    // The id is the question's, so that it goes back with the answer.
    let told = |allow| approval.answer("pubsub.shakespeare.lit", allow);
    for (allow, number) in [(true, 171), (false, 173)] {
        assert_eq!(told(allow).attr("id"), Some("approve1"));
        let same = super::rebuilt(&told(allow), &["id"]);
        assert_eq!(same, asked("0060", number));
    }
    for nobody in [
        // Another form, an answer's echo without a node, and no form.
        "<message><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE'>
         <value>http://jabber.org/protocol/muc#request</value></field><field var='pubsub#node'><value>n</value></field>
         <field var='pubsub#subscriber_jid'><value>a@b</value></field></x></message>",
        "<message><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE'>
         <value>http://jabber.org/protocol/pubsub#subscribe_authorization</value></field></x></message>",
        "<message><body>hello</body></message>",
    ] {
        assert_eq!(Approval::parse(&xml(nobody)), None, "{nobody}");
    }
}

#[test]
fn pending_subscribers_are_requested_as_in_the_example() {
    // Without the session that a first step would have begun, and with the form's type, which the example leaves out.
    let example = asked("0060", 182);
    let command = example.children().next().expect("a command");
    let pending = owner::pending(SERVICE, NODE);
    let node = |command: &Element| {
        let form = Form::child_of(command).expect("a form");
        form.value("pubsub#node").map(String::from)
    };
    let ours = pending.children().next().expect("a command");
    assert_eq!(node(&ours).as_deref(), Some(NODE));
    assert_eq!(node(&ours), node(&command));
    for name in ["node", "action"] {
        assert_eq!(ours.attr(name), command.attr(name));
    }
    assert_eq!(ours.attr("sessionid"), None);
    assert_eq!(pending.attr("to"), SERVICE);
}

#[test]
fn the_services_own_conditions_are_read() {
    let said = |number| {
        let error = StanzaError::parse(&example("0060", number));
        (
            error.condition.clone(),
            error.application.as_ref().map(|(name, _)| name.clone()),
            error
                .application
                .is_some_and(|(_, ns)| ns == "http://jabber.org/protocol/pubsub#errors"),
        )
    };
    for (number, condition, application) in [
        (30, "bad-request", "invalid-jid"),
        (31, "not-authorized", "presence-subscription-required"),
        (32, "not-authorized", "not-in-roster-group"),
        (33, "not-allowed", "closed-node"),
        (36, "not-authorized", "pending-subscription"),
        (44, "not-acceptable", "configuration-required"),
        (49, "bad-request", "subid-required"),
        (50, "unexpected-request", "not-subscribed"),
        (53, "not-acceptable", "invalid-subid"),
        (66, "bad-request", "invalid-options"),
        (90, "not-authorized", "not-in-roster-group"),
        (108, "conflict", "node-full"),
        (109, "not-acceptable", "payload-too-big"),
        (110, "bad-request", "invalid-payload"),
        (111, "bad-request", "item-required"),
        (112, "bad-request", "payload-required"),
        (113, "bad-request", "item-forbidden"),
        (25, "feature-not-implemented", "unsupported"),
    ] {
        let (told, own, is_pubsub) = said(number);
        assert_eq!(
            (told.as_str(), own.as_deref(), is_pubsub),
            (condition, Some(application), true),
            "example {number}"
        );
    }
    let error = |child: &str| {
        StanzaError::parse(&xml(&format!(
            "<iq type='error'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>{child}</error></iq>"
        )))
    };
    let unmet = error("<precondition-not-met xmlns='http://jabber.org/protocol/pubsub#errors'/>");
    assert!(is_error(&unmet, "precondition-not-met"));
    // What others call the same is another condition.
    assert!(!is_error(&error(""), "closed-node"));
    let foreign = error("<closed-node xmlns='urn:other'/>");
    assert!(!is_error(&foreign, "closed-node"));
}

#[test]
fn values_keep_their_order() {
    let values = values(&[("pubsub#title", &["a"]), ("pubsub#max_items", &["1"])]);
    let request = owner::configure(None, "n", &values).to_xml();
    assert!(
        request.find("title") < request.find("max_items"),
        "{request}"
    );
}
