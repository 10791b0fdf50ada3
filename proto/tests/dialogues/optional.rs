//! What is optional in what a server says until a session is bound, and in what keeps it: each part is absent once. Absent does not
//! mean refused, changed or empty.
//!
//! Stream (RFC 6120 §4.7, RFC 7395 §3.4), `<open/>`: 1 `from`, 2 `id`, 3 `version`, 4 `xml:lang`.
//! Features (RFC 6120 §4.3.2): 5 any at all, 6 `<mechanisms/>` (§6), 7 `<session/>` (RFC 3921), 8 its `<optional/>`, 9 `<sm/>`
//! (XEP-0198), 10 `<c/>` (XEP-0115), 11 its `node`, 12 `<register/>` (XEP-0077), 13 what is not known.
//! SASL (RFC 6120 §6.4): 14 data in `<success/>` where a challenge brought it, 15 data in `<challenge/>`, `<failure/>`'s 16 condition,
//! 17 text.
//! XEP-0388: 18 `<inline/>`, 19 `<additional-data/>`, `<continue/>`'s 20 `<tasks/>`, 21 data, `<failure/>`'s 22 condition, 23 text.
//! Binding (RFC 6120 §7.6): the reply's 24 `from`, 25 `to`. XEP-0386: 26 `<bound/>`, 27 what is inside, 28 `<inline/>` of `<bind/>`.
//! Session (RFC 3921 §3), the reply's: 29 `from`, 30 child.
//! XEP-0198: `<enabled/>`'s 31 `id`, 32 `resume`, 33 `max`, 34 `location`; `<failed/>`'s 35 `h`, 36 condition; `<resumed/>`'s 37 `previd`;
//! `<a/>`'s 38 `h` (required, but nothing depends on it).
//! XEP-0484: 39 `<token/>`, its 40 `expiry`, `<fast/>`'s 41 `<mechanism/>`.
//! Stream errors (RFC 6120 §4.9.2): 42 text, 43 application's condition, 44 condition (required; RFC 3920's servers).
//! Stanza errors (RFC 6120 §8.3.2): 45 `<error/>`, 46 `type`, 47 condition, 48 text, 49 `by`, 50 application's condition.
//! Ping (XEP-0199): the reply's 51 `from`, 52 `to`, 53 that it is a result and no error.
//! `see-other-uri`: 54 `<uri/>`, 55 its text.

use super::login::offered_with;
use super::{NORMAL, opened};
use crate::support::dialogue::{Dialogue, config, socket_config};
use crate::support::scram::ScramServer;
use epode_proto::connection::Config;
use epode_proto::event::{Event, RequestFailure};
use epode_proto::io::Output;
use epode_proto::reconnect::Reconnect;

const OPEN: &str = "C: <framing:open to='example.org' version='1.0'/>";
const ANONYMOUS: &str =
    "<sasl:mechanisms><sasl:mechanism>ANONYMOUS</sasl:mechanism></sasl:mechanisms>";
const JID: &str = "<bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind>";

fn lasting() -> Config {
    Config {
        reconnect: Some(Reconnect::default()),
        ..socket_config()
    }
}

/// A login over WebSocket: what the server says of its streams, of what they offer, and to the binding.
fn log_in(opens: &str, before: &str, after: &str, bound: &str) -> Dialogue {
    let mut dialogue = Dialogue::new(lasting());
    dialogue.play(&format!(
        "A: connect
         E: connecting
         E: credentials wanted
         C: socket
         A: anonymous
         W: opened
         {OPEN}
         W: <framing:open {opens}/>
         W: <stream:features>{before}</stream:features>
         C: <sasl:auth mechanism='ANONYMOUS'/>
         E: authenticating
         W: <sasl:success/>
         {OPEN}
         W: <framing:open {opens}/>
         W: <stream:features>{after}</stream:features>
         C: <iq type='set' id='$bind'><bind:bind/></iq>
         E: binding
         W: <iq type='result' id='$bind' {bound}>{JID}</iq>"
    ));
    dialogue
}

// 1 to 4
#[test]
fn the_opening_of_a_stream() {
    for opens in [
        "from='example.org' id='1' version='1.0' xml:lang='en'",
        "id='1' version='1.0' xml:lang='en'",
        "from='example.org' version='1.0' xml:lang='en'",
        "from='example.org' id='1' xml:lang='en'",
        "from='example.org' id='1' version='1.0'",
        "",
    ] {
        log_in(opens, ANONYMOUS, "<bind:bind/>", "").play("E: online romeo@example.org/orchard");
    }
}

// 5, 6
#[test]
fn features_without_mechanisms() {
    for offered in ["", "<sasl:mechanisms/>", "<register:query/>"] {
        opened(config()).play(&format!(
            "A: anonymous
             S: <body sid='s1'><stream:features>{offered}</stream:features></body>
             E: authenticating
             C: <body rid='2' type='terminate'/>
             E: offline no-mechanism"
        ));
    }
}

// 7 to 13, 24, 25, 29, 30
#[test]
fn features_of_the_bound_stream() {
    const UNKNOWN: &str =
        "<sub xmlns='urn:xmpp:features:pre-approval'/><c xmlns='http://jabber.org/protocol/caps'/>";
    for after in [
        "<bind:bind/>".to_owned(),
        format!("<bind:bind/>{UNKNOWN}"),
        "<bind:bind/><session:session><session:optional/></session:session>".to_owned(),
        "<bind:bind/><c xmlns='http://jabber.org/protocol/caps' node='http://prosody.im'/>"
            .to_owned(),
    ] {
        for bound in ["", "from='example.org'", "to='romeo@example.org/orchard'"] {
            let before = format!(
                "{ANONYMOUS}<register xmlns='http://jabber.org/features/iq-register'/>{UNKNOWN}"
            );
            log_in("id='1'", &before, &after, bound).play("E: online romeo@example.org/orchard");
        }
    }
    for reply in [
        "<iq type='result' id='$session'/>",
        "<iq type='result' id='$session'><session:session/></iq>",
        "<iq type='result' id='$session' from='example.org'/>",
        "<iq type='result' id='$session' from='romeo@example.org/orchard'/>",
    ] {
        let both = "<bind:bind/><session:session/>";
        log_in("id='1'", ANONYMOUS, both, "").play(&format!(
            "C: <iq type='set' id='$session'><session:session/></iq>
             W: {reply}
             E: online romeo@example.org/orchard"
        ));
    }
}

// 14, 15
#[test]
fn data_in_the_challenge() {
    let mut dialogue = offered_with(config(), "credentials romeo r0m30", &["SCRAM-SHA-1"]);
    let mut server = ScramServer::new("SCRAM-SHA-1", "r0m30");
    dialogue.play("C: <body rid='2'><sasl:auth mechanism='SCRAM-SHA-1'>$first</sasl:auth></body>");
    let challenge = server.first(dialogue.names.get("first"));
    dialogue.play(&format!(
        "S: <body><sasl:challenge>{challenge}</sasl:challenge></body>
         C: <body rid='3'><sasl:response>$last</sasl:response></body>"
    ));
    let last = server.last(dialogue.names.get("last")).expect("a proof");
    dialogue.play(&format!(
        "S: <body><sasl:challenge>{last}</sasl:challenge></body>
         C: <body rid='4'><sasl:response></sasl:response></body>
         S: <body><sasl:success/></body>
         C: <body rid='5' to='example.org' xmpp:restart='true'/>"
    ));
    offered_with(config(), "anonymous", &["ANONYMOUS"]).play(
        "C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         S: <body><sasl:challenge/></body>
         C: <body rid='3'><sasl:response></sasl:response></body>
         S: <body><sasl:success/></body>
         C: <body rid='4' to='example.org' xmpp:restart='true'/>",
    );
}

// 16, 17
#[test]
fn why_a_login_failed() {
    for (inside, told) in [
        ("", "not-authorized"),
        ("<sasl:account-disabled/>", "account-disabled"),
        ("<sasl:text>No.</sasl:text>", "not-authorized (No.)"),
        (
            "<sasl:account-disabled/><sasl:text>No.</sasl:text>",
            "account-disabled (No.)",
        ),
    ] {
        offered_with(config(), "anonymous", &["ANONYMOUS"]).play(&format!(
            "C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
             S: <body><sasl:failure>{inside}</sasl:failure></body>
             C: <body rid='3' type='terminate'/>
             E: offline auth-failed {told}"
        ));
    }
}

/// Over WebSocket in XEP-0388's profile, up to the first message.
fn newer(inline: &str, wanted: &str) -> Dialogue {
    let mut config = lasting();
    config.session.pipelining = true;
    config.session.account = Some("romeo@example.org".into());
    let mut dialogue = Dialogue::new(config);
    dialogue.play(&format!(
        "A: connect
         E: connecting
         E: credentials wanted
         C: socket
         A: anonymous
         W: opened
         C: <framing:open to='example.org' from='romeo@example.org' version='1.0'/>
         W: <framing:open/>
         W: <stream:features><sasl2:authentication><sasl2:mechanism>ANONYMOUS</sasl2:mechanism>{inline}</sasl2:authentication></stream:features>
         C: <sasl2:authenticate mechanism='ANONYMOUS'>{wanted}</sasl2:authenticate>
         E: authenticating"
    ));
    dialogue
}

const IDENTITY: &str =
    "<sasl2:authorization-identifier>romeo@example.org</sasl2:authorization-identifier>";

// 18, 19, 26
#[test]
fn a_success_without_binding() {
    for inline in ["", "<sasl2:inline/>"] {
        for data in ["", "<sasl2:additional-data></sasl2:additional-data>"] {
            newer(inline, "").play(&format!(
                "W: <sasl2:success>{data}{IDENTITY}</sasl2:success>
                 W: <stream:features><bind:bind/></stream:features>
                 C: <iq type='set' id='$bind'><bind:bind/></iq>
                 E: binding
                 W: <iq type='result' id='$bind'>{JID}</iq>
                 E: online romeo@example.org/orchard"
            ));
        }
    }
}

// 26 to 28
#[test]
fn optional_parts_of_a_binding() {
    const FULL: &str = "<sasl2:authorization-identifier>romeo@example.org/orchard</sasl2:authorization-identifier>";
    let plain = "<sasl2:inline><bind2:bind/></sasl2:inline>";
    let empty = "<sasl2:inline><bind2:bind><bind2:inline/></bind2:bind></sasl2:inline>";
    for inline in [plain, empty] {
        newer(inline, "<bind2:bind/>").play(&format!(
            "W: <sasl2:success>{FULL}<bind2:bound/></sasl2:success>
             W: <stream:features/>
             E: online romeo@example.org/orchard"
        ));
    }
    // It was offered, and is not done: the resource is bound as ever.
    newer(plain, "<bind2:bind/>").play(&format!(
        "W: <sasl2:success>{IDENTITY}</sasl2:success>
         W: <stream:features><bind:bind/></stream:features>
         C: <iq type='set' id='$bind'><bind:bind/></iq>
         E: binding
         W: <iq type='result' id='$bind'>{JID}</iq>
         E: online romeo@example.org/orchard"
    ));
}

// 20 to 23
#[test]
fn refusals_in_sasl2() {
    for (said, told) in [
        ("<sasl2:failure/>", "not-authorized"),
        (
            "<sasl2:failure><sasl:account-disabled/></sasl2:failure>",
            "account-disabled",
        ),
        (
            "<sasl2:failure><sasl2:text>No.</sasl2:text></sasl2:failure>",
            "not-authorized (No.)",
        ),
        ("<sasl2:continue/>", "continue ()"),
        (
            "<sasl2:continue><sasl2:tasks/></sasl2:continue>",
            "continue ()",
        ),
    ] {
        newer("", "").play(&format!(
            "W: {said}
             C: <framing:close/>
             E: offline auth-failed {told}
             C: close"
        ));
    }
}

// 39 to 41
#[test]
fn tokens() {
    let agent =
        "<sasl2:user-agent id='*'><sasl2:software>epode</sasl2:software></sasl2:user-agent>";
    let offer = "<sasl2:inline><fast:fast><fast:mechanism>HT-SHA-256-NONE</fast:mechanism></fast:fast></sasl2:inline>";
    let asked = format!("{agent}<fast:request-token mechanism='HT-SHA-256-NONE'/>");
    for (given, kept) in [
        ("", false),
        ("<fast:token/>", false),
        ("<fast:token token='t0k3n'/>", true),
        ("<fast:token token='t0k3n' expiry='never'/>", true),
        (
            "<fast:token token='t0k3n' expiry='2026-03-12T14:36:15Z'/>",
            true,
        ),
    ] {
        let mut dialogue = newer(offer, &asked);
        dialogue.play(&format!(
            "W: <sasl2:success>{IDENTITY}{given}</sasl2:success>
             W: <stream:features><bind:bind/></stream:features>
             C: <iq type='set' id='$bind'><bind:bind/></iq>
             E: binding
             W: <iq type='result' id='$bind'>{JID}</iq>
             E: online romeo@example.org/orchard"
        ));
        assert_eq!(
            dialogue.connection.memory().contains("t0k3n"),
            kept,
            "{given}"
        );
    }
    newer("<sasl2:inline><fast:fast/></sasl2:inline>", "");
}

// 31 to 34
#[test]
fn an_enabled_stream_management() {
    let bound = "<bind:bind/><sm:sm/>";
    for (enabled, resumes) in [
        (
            "<sm:enabled id='here' resume='true' max='300' location='example.org:5222'/>",
            true,
        ),
        ("<sm:enabled id='here' resume='true' max='300'/>", true),
        ("<sm:enabled id='here' resume='1'/>", true),
        ("<sm:enabled id='here' resume='true' max='x'/>", true),
        ("<sm:enabled id='here'/>", false),
        ("<sm:enabled resume='true'/>", false),
        ("<sm:enabled id='' resume='true'/>", false),
        ("<sm:enabled/>", false),
    ] {
        let mut dialogue = log_in("", ANONYMOUS, bound, "");
        dialogue.play(&format!(
            "C: <sm:enable resume='true'/>
             E: online romeo@example.org/orchard
             W: {enabled}
             A: send <message id='a'/>
             C: <message id='a'/>
             C: <sm:r/>
             W: <sm:a h='1'/>
             E: 0 delivered
             W: closed"
        ));
        dialogue.interrupted();
        assert_eq!(
            dialogue.connection.snapshot().is_some(),
            resumes,
            "{enabled}"
        );
        dialogue.forgive();
    }
}

// 38
#[test]
fn an_acknowledgement_without_h() {
    let mut dialogue = log_in("", ANONYMOUS, "<bind:bind/><sm:sm/>", "");
    dialogue.play(
        "C: <sm:enable resume='true'/>
         E: online romeo@example.org/orchard
         W: <sm:enabled/>
         A: send <message id='a'/>
         C: <message id='a'/>
         C: <sm:r/>
         W: <sm:a/>
         +30s
         C: <sm:r/>
         W: <sm:a h='1'/>
         E: 0 delivered",
    );
}

// 35 to 37
#[test]
fn a_session_that_is_resumed_or_not() {
    let interrupted = || {
        let mut dialogue = log_in("", ANONYMOUS, "<bind:bind/><sm:sm/>", "");
        dialogue.play(
            "C: <sm:enable resume='true'/>
             E: online romeo@example.org/orchard
             W: <sm:enabled id='here' resume='true'/>
             W: closed",
        );
        dialogue.interrupted();
        dialogue.play("+1s\nE: credentials wanted\nC: socket\nA: anonymous");
        dialogue.authenticate_over_socket("<sm:sm/>");
        dialogue.play("C: <sm:resume h='0' previd='here'/>");
        dialogue
    };
    interrupted().play("W: <sm:resumed h='0'/>\nE: resumed romeo@example.org/orchard");
    for failed in [
        "<sm:failed/>",
        "<sm:failed h='0'/>",
        "<sm:failed><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></sm:failed>",
    ] {
        interrupted().play(&format!(
            "W: {failed}
             C: <iq type='set' id='$new'><bind:bind/></iq>"
        ));
    }
}

// 42 to 44
#[test]
fn stream_errors() {
    const NS: &str = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'";
    for (inside, told) in [
        (String::new(), "undefined-condition"),
        (format!("<reset {NS}/>"), "reset"),
        (
            format!("<text {NS}>Bye.</text>"),
            "undefined-condition (Bye.)",
        ),
        (
            format!("<reset {NS}/><text {NS}>Bye.</text><mine xmlns='urn:example'/>"),
            "reset mine (Bye.)",
        ),
    ] {
        let error = format!("<stream:error>{inside}</stream:error>");
        let socket = Config {
            reconnect: None,
            ..socket_config()
        };
        Dialogue::online_over_socket(socket, "").play(&format!(
            "W: {error}
             C: <framing:close/>
             E: offline stream-error {told}
             C: close"
        ));
        Dialogue::online(NORMAL).play(&format!(
            "S: <body type='terminate' condition='remote-stream-error'>{error}</body>
             E: offline stream-error {told}"
        ));
    }
}

// 45 to 50
#[test]
fn stanza_errors() {
    const NS: &str = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'";
    for (inside, condition, text) in [
        (String::new(), "undefined-condition", None),
        (
            "<error xmlns='jabber:client'/>".to_owned(),
            "undefined-condition",
            None,
        ),
        (
            format!("<error xmlns='jabber:client' type='cancel'><conflict {NS}/></error>"),
            "conflict",
            None,
        ),
        (
            format!("<error xmlns='jabber:client'><conflict {NS}/></error>"),
            "conflict",
            None,
        ),
        (
            format!("<error xmlns='jabber:client' type='cancel'><text {NS}>No.</text></error>"),
            "undefined-condition",
            Some("No."),
        ),
        (
            format!(
                "<error xmlns='jabber:client' type='cancel' by='example.org'><conflict {NS}/><text {NS}>No.</text><mine xmlns='urn:example'/></error>"
            ),
            "conflict",
            Some("No."),
        ),
    ] {
        let mut dialogue = Dialogue::online_over_socket(socket_config(), "");
        dialogue.play(
            "A: request <iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>
             C: <iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>",
        );
        dialogue.quietly(&format!(
            "<iq xmlns='jabber:client' type='error' id='q'>{inside}</iq>"
        ));
        match dialogue.connection.poll_output(dialogue.now) {
            Output::Event(Event::Reply {
                outcome: Err(RequestFailure::Refused { error, .. }),
                ..
            }) => {
                assert_eq!(error.condition, condition, "{inside}");
                assert_eq!(error.text.as_deref(), text, "{inside}");
            }
            other => panic!("{other:?}"),
        }
    }
}

// 51 to 53
#[test]
fn replies_to_pings() {
    for reply in [
        "type='result'",
        "type='result' from='example.org'",
        "type='result' to='romeo@example.org/orchard'",
        "type='error'",
    ] {
        Dialogue::online_over_socket(socket_config(), "").play(&format!(
            "A: send <message id='a'/>
             C: <message id='a'/>
             C: <iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq>
             W: <iq id='$ping' {reply}/>
             E: 0 delivered"
        ));
    }
}

// 54, 55
#[test]
fn a_redirect_to_nowhere() {
    for uri in ["", "<uri/>", "<uri> </uri>"] {
        opened(config()).play(&format!(
            "S: <body type='terminate' condition='see-other-uri'>{uri}</body>
             E: offline terminated see-other-uri
             +100s"
        ));
    }
    let mut dialogue = Dialogue::online_over_socket(lasting(), "");
    dialogue.play("W: <framing:close see-other-uri=''/>\nC: <framing:close/>\nC: close");
    dialogue.interrupted();
}
