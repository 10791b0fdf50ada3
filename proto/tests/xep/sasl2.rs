//! XEP-0388, and XEP-0386, XEP-0198 §9 and XEP-0484 inside it; beside it RFC 6120's profile, which says the same otherwise.

use epode_proto::ns;
use epode_proto::sasl::HT_SHA_256_NONE;
use epode_proto::sasl::wire::{SaslElement, auth, response};
use epode_proto::sasl2::{Granted, Offer, authenticate, bind, request_token, use_token};
use epode_proto::stream::features::Features;
use epode_proto::xml::Element;

use super::{all, example, examples, xml};

fn offer(features: &Element) -> Offer {
    let features = Features::parse(features).expect("features");
    features.sasl2.expect("an offer")
}

// ── what is offered ─────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_offer_with_all_of_bind_2() {
    let offer = offer(&example("0386", 1));
    assert_eq!(offer.mechanisms, ["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"]);
    assert!(offer.bind && offer.enable && offer.resume && !offer.tokens);
}

#[test]
fn an_offer_of_tokens() {
    let offer = offer(&example("0484", 1));
    assert!(offer.tokens && !offer.bind && !offer.enable && !offer.resume);
}

/// A browser has no channel to bind to.
#[test]
fn unusable_tokens_are_not_offered() {
    let offer = offer(&xml("<stream:features><authentication xmlns='urn:xmpp:sasl:2'><inline>
         <fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-ENDP</mechanism></fast></inline></authentication></stream:features>"));
    assert_eq!(offer, Offer::default());
}

/// Being able to bind by the way is not being able to enable, and the other way round.
#[test]
fn an_offer_of_binding_alone() {
    let offer = offer(&xml(
        "<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism> SCRAM-SHA-1 </mechanism><inline>
         <bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:csi:0'/></inline></bind></inline>
         </authentication></stream:features>",
    ));
    assert!(offer.bind && !offer.enable && !offer.resume);
    assert_eq!(offer.mechanisms, ["SCRAM-SHA-1"]);
}

/// What stands beside `<inline/>`, in another namespace, or in other features is not offered.
#[test]
fn invalid_offers() {
    for features in [
        "<stream:features><sm xmlns='urn:xmpp:sm:3'/><bind xmlns='urn:xmpp:bind:0'/></stream:features>",
        "<stream:features><authentication xmlns='urn:xmpp:sasl:1'/></stream:features>",
        "<stream:features><mechanisms xmlns='urn:xmpp:sasl:2'/></stream:features>",
    ] {
        let features = Features::parse(&xml(features)).expect("features");
        assert_eq!(features.sasl2, None);
    }
    let outside = offer(&xml(
        "<stream:features><authentication xmlns='urn:xmpp:sasl:2'><bind xmlns='urn:xmpp:bind:0'/>
         <inline><bind/><sm xmlns='urn:xmpp:sm:2'/></inline></authentication></stream:features>",
    ));
    assert_eq!(outside, Offer::default());
}

// ── what is asked ───────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_login_in_one_element() {
    let agent = "d4565fa7-4d72-4749-b3d3-740edbf87770";
    let enable = xml("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let resume = xml("<resume xmlns='urn:xmpp:sm:3' h='3' previd='s1'/>");
    let inline = vec![resume, bind(Some(enable)), request_token()];
    assert_eq!(
        authenticate("SCRAM-SHA-1", Some(b"n,,n=user,r=1"), Some(agent), inline),
        xml(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1'>
             <initial-response>biwsbj11c2VyLHI9MQ==</initial-response>
             <user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>epode</software></user-agent>
             <resume xmlns='urn:xmpp:sm:3' h='3' previd='s1'/>
             <bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>
             <request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>"
        )
    );
}

/// XEP-0388 §2.3: nothing to say is no element, to say nothing is an empty one; `=` belongs to RFC 6120.
#[test]
fn empty_and_absent_initial_responses() {
    assert_eq!(
        authenticate("ANONYMOUS", None, None, vec![bind(None)]),
        xml(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='ANONYMOUS'><bind xmlns='urn:xmpp:bind:0'/></authenticate>"
        )
    );
    assert_eq!(
        authenticate("EXTERNAL", Some(b""), None, Vec::new()),
        xml(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='EXTERNAL'><initial-response/></authenticate>"
        )
    );
    assert_eq!(
        all(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>
             <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"
        ),
        [auth("ANONYMOUS", None), auth("EXTERNAL", Some(b""))]
    );
}

/// XEP-0484's example 4, but for the mechanism, the tag and the count of TLS 0-RTT.
#[test]
fn a_login_with_a_token() {
    let request = authenticate(
        HT_SHA_256_NONE,
        Some(b"x"),
        None,
        vec![bind(None), use_token()],
    );
    let theirs = example("0484", 4);
    let names = |element: &Element| -> Vec<(String, String)> {
        let children = element.children();
        children
            .map(|child| (child.name().into(), child.ns().into()))
            .collect()
    };
    assert_eq!(names(&request), names(&theirs));
    assert!(request.is(theirs.name(), theirs.ns()));
}

#[test]
fn a_response_is_in_the_namespace_of_the_challenge() {
    let theirs = &examples("0388", 5)[1];
    let Some(SaslElement::Challenge(_)) = SaslElement::read(&examples("0388", 5)[0]) else {
        panic!("a challenge");
    };
    let data = "c=cD10bHMtZXhwb3J0ZXIsLMcoQvOdBDePd4OswlmAWV3dg1a1Wh1tYPTBwVid10VU,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,p=UApo7xo6Pa9J+Vaejfz/dG7BomU=";
    let ours = response(ns::SASL2, data.as_bytes());
    assert_eq!(ours.text(), theirs.trimmed_text());
    assert!(ours.is(theirs.name(), theirs.ns()));
    assert!(response(ns::SASL, b"").is("response", ns::SASL));
}

// ── what is answered ────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn challenges() {
    let challenge = &examples("0388", 5)[0];
    let Some(SaslElement::Challenge(data)) = SaslElement::read(challenge) else {
        panic!("a challenge");
    };
    assert!(data.starts_with(b"r=12C4CD5C") && data.ends_with(b"i=4096"));
    for empty in ["", "="] {
        let element = xml(&format!(
            "<challenge xmlns='urn:xmpp:sasl:2'>{empty}</challenge>"
        ));
        assert_eq!(
            SaslElement::read(&element),
            Some(SaslElement::Challenge(Vec::new()))
        );
    }
}

#[test]
fn a_success_with_data() {
    let success = example("0388", 7);
    let data = b"v=msVHs/BzIOHDqXeVH7EmmDu9id8=".to_vec();
    assert_eq!(
        SaslElement::read(&success),
        Some(SaslElement::Success(Some(data)))
    );
    let granted = Granted::parse(&success).expect("granted");
    assert_eq!(granted.identity, "user@example.org");
    assert!(granted.bound.is_none() && granted.resumption.is_none() && granted.token.is_none());
}

#[test]
fn a_success_without_data() {
    for (success, data) in [
        ("<success xmlns='urn:xmpp:sasl:2'/>", None),
        (
            "<success xmlns='urn:xmpp:sasl:2'><additional-data/></success>",
            Some(Vec::new()),
        ),
        ("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", None),
        (
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</success>",
            Some(Vec::new()),
        ),
    ] {
        assert_eq!(
            SaslElement::read(&xml(success)),
            Some(SaslElement::Success(data)),
            "{success}"
        );
    }
}

#[test]
fn a_success_that_binds() {
    let granted = Granted::parse(&example("0386", 4)).expect("granted");
    assert_eq!(granted.identity, "user@example.com/AwesomeXMPP.4232f4d4");
    assert!(
        granted
            .bound
            .expect("bound")
            .has_child("metadata", "urn:xmpp:mam:2")
    );
}

#[test]
fn a_success_that_resumes() {
    let granted = Granted::parse(&example("0388", 9)).expect("granted");
    let resumed = granted.resumption.expect("resumed");
    assert_eq!(
        (resumed.name(), resumed.attr("h")),
        ("resumed", Some("345"))
    );
    assert!(granted.bound.is_none());
}

/// XEP-0198's examples 30 and 31, in Bind 2's present namespace.
#[test]
fn a_success_that_binds_because_there_is_nothing_to_resume() {
    let granted = Granted::parse(&xml(
        "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>user@example.com/resource</authorization-identifier>
         <failed xmlns='urn:xmpp:sm:3' h='7'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>
         <bound xmlns='urn:xmpp:bind:0'><failed xmlns='urn:xmpp:sm:3'/></bound></success>",
    ))
    .expect("granted");
    let failed = granted.resumption.expect("what became of it");
    assert_eq!((failed.name(), failed.attr("h")), ("failed", Some("7")));
    assert!(
        granted
            .bound
            .expect("bound")
            .has_child("failed", ns::STREAM_MANAGEMENT)
    );
}

#[test]
fn a_success_with_a_token() {
    let token = Granted::parse(&example("0484", 3)).and_then(|granted| granted.token);
    let token = token.expect("a token");
    assert_eq!(token.secret, "WXZzciBwYmFmdmZnZiBqdmd1IGp2eXFhcmZm");
    assert_eq!(token.expiry, Some(1_584_023_775_000));
}

#[test]
fn a_token_requires_a_secret_but_no_expiry() {
    let parse = |token: &str| {
        Granted::parse(&xml(&format!(
            "<success xmlns='urn:xmpp:sasl:2'>{token}</success>"
        )))
        .expect("granted")
        .token
    };
    assert!(parse("<token xmlns='urn:xmpp:fast:0' expiry='2020-03-12T14:36:15Z'/>").is_none());
    let token = parse("<token xmlns='urn:xmpp:fast:0' token='t' expiry='soon'/>").expect("a token");
    assert_eq!((token.secret.as_str(), token.expiry), ("t", None));
}

#[test]
fn failures() {
    assert_eq!(
        SaslElement::read(&example("0388", 10)),
        Some(SaslElement::Failure {
            condition: "aborted".into(),
            text: Some("This is a terrible example.".into())
        })
    );
    // COMPAT(Prosody): the condition may stand in the profile's own namespace.
    assert_eq!(
        SaslElement::read(&xml(
            "<failure xmlns='urn:xmpp:sasl:2'><text>Why?</text><malformed-request/></failure>"
        )),
        Some(SaslElement::Failure {
            condition: "malformed-request".into(),
            text: Some("Why?".into())
        })
    );
}

#[test]
fn further_steps_are_required() {
    assert_eq!(
        SaslElement::read(&example("0388", 11)),
        Some(SaslElement::Continue(vec![
            "HOTP-EXAMPLE".into(),
            "TOTP-EXAMPLE".into()
        ]))
    );
}

#[test]
fn garbled_data_and_other_elements() {
    for garbled in [
        "<challenge xmlns='urn:xmpp:sasl:2'>not Base64!</challenge>",
        "<success xmlns='urn:xmpp:sasl:2'><additional-data>x</additional-data></success>",
        "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>x</success>",
    ] {
        assert_eq!(
            SaslElement::read(&xml(garbled)),
            Some(SaslElement::Garbled),
            "{garbled}"
        );
    }
    for other in [
        "<challenge/>",
        "<abort xmlns='urn:xmpp:sasl:2'/>",
        "<success xmlns='urn:xmpp:sasl:1'/>",
    ] {
        assert_eq!(SaslElement::read(&xml(other)), None, "{other}");
        assert!(Granted::parse(&xml(other)).is_none());
    }
}
