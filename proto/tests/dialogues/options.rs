//! Options that cannot be sent are an error before the first request; valid ones are sent.

use super::opened;
use crate::support::dialogue::{Dialogue, config, socket_config};
use epode_proto::connection::Config;
use epode_proto::prepare::is_language_tag;
use epode_proto::session::Goal;

/// Connecting with the option sends nothing and ends with this sentence.
#[track_caller]
fn refused(option: &str, change: impl Fn(&mut Config)) {
    for mut config in [config(), socket_config()] {
        change(&mut config);
        let error = config
            .clone()
            .prepare(&crate::support::unicode::NativeUnicode)
            .expect_err("an error");
        assert_eq!(error.name, option);
        let mut dialogue = Dialogue::new(config);
        dialogue.play("A: connect\nE: offline bad-argument");
        assert!(dialogue.connection.is_offline());
        // It stays so, however often it is tried.
        dialogue.play("A: connect\nE: offline bad-argument");
    }
}

#[test]
fn an_invalid_resource() {
    let long = "r".repeat(1024);
    for wrong in [
        "a\u{1}b",
        "",
        "\0",
        "a\nb",
        "\u{85}",
        "a\u{fffe}",
        "\u{ffff}",
        "a\u{202e}b",
        &long,
    ] {
        refused("resource", |config| {
            config.session.resource = Some(wrong.to_owned())
        });
    }
}

#[test]
fn an_invalid_language_tag() {
    for wrong in [
        "a\u{1}b",
        "e n",
        "en_US",
        "en-",
        "-en",
        "1en",
        "en'",
        "abcdefghi",
        "en-abcdefghi",
        "ü",
        " ",
    ] {
        assert!(!is_language_tag(wrong), "{wrong}");
        refused("lang", |config| config.bosh.lang = Some(wrong.to_owned()));
    }
    for right in [
        "de",
        "pt-BR",
        "zh-Hant-TW",
        "sr-Latn-RS",
        "x-whatever",
        "i-klingon",
        "de-1996",
        "en-a-bbb-x-a-ccc",
    ] {
        assert!(is_language_tag(right), "{right}");
    }
    assert!(!is_language_tag(&"en-aaaaaaaa".repeat(30)));
}

#[test]
fn an_invalid_domain() {
    for wrong in [
        "",
        "a b",
        "exam\u{1}ple.org",
        "a@example.org",
        "example.org/x",
        "exa\u{ad}mple.org",
    ] {
        refused("domain", |config| config.session.domain = wrong.to_owned());
    }
}

#[test]
fn values_of_a_registration() {
    for (name, value, option) in [
        ("username", "ro\u{1}meo", "username"),
        ("password", "r0m3\0", "password"),
        ("email", "\u{ffff}", "fields"),
        ("e\u{b}mail", "romeo@montague.example", "fields"),
    ] {
        refused(option, |config| {
            config.session.goal = Goal::Register(vec![(name.to_owned(), value.to_owned())]);
        });
    }
}

#[test]
fn a_resource_is_prepared_before_it_is_requested() {
    let mut config = config();
    // OpaqueString: other spaces become ASCII's, then NFC; case and width stay.
    config.session.resource = Some("Ｈaus\u{a0}E\u{301}".to_owned());
    let features = super::features(&["ANONYMOUS"]);
    opened(config).play(&format!(
        "A: anonymous
         S: <body sid='s1' wait='60' hold='1' requests='2'>{features}</body>
         E: authenticating
         C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         S: <body><sasl:success/></body>
         C: <body rid='3' to='example.org' xmpp:restart='true'/>
         S: <body><stream:features><bind:bind/></stream:features></body>
         E: binding
         C: <body rid='4'><iq type='set' id='*'><bind:bind><bind:resource>Ｈaus É</bind:resource></bind:bind></iq></body>"
    ));
}

/// A page may pass `document.documentElement.lang`, which is empty if the document declares no language.
#[test]
fn an_empty_language_is_left_out() {
    let mut config = config();
    config.bosh.lang = Some(String::new());
    config.session.domain = "EXAMPLE.ORG.".to_owned();
    opened(config);
}
