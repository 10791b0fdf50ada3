//! PLAIN, ANONYMOUS and EXTERNAL.

use super::*;

#[test]
fn plain_takes_one_message() {
    // RFC 4616 §4's examples.
    let (mut mechanism, initial) =
        start(PLAIN, password("tim", "tanstaaftanstaaf", None), "").expect("a start");
    assert_eq!(initial.as_deref(), Some("\0tim\0tanstaaftanstaaf"));
    assert_eq!(mechanism.handle_success(None), Ok(()));
    let (_, initial) =
        start(PLAIN, password("Kurt", "xipj3plmq", Some("Ursel")), "").expect("a start");
    assert_eq!(initial.as_deref(), Some("Ursel\0Kurt\0xipj3plmq"));
    // As typed: the server prepares.
    let (_, initial) =
        start(PLAIN, password("\u{2168}", "p\u{a0}é,=", Some("")), "").expect("a start");
    assert_eq!(initial.as_deref(), Some("\0\u{2168}\0p\u{a0}é,="));
}

#[test]
fn plain_refuses_nul_and_empty_fields() {
    for (credentials, error) in [
        (password("", "secret", None), SaslError::BadUsername),
        (password("a\0b", "secret", None), SaslError::BadUsername),
        (
            password("tim", "secret", Some("a\0b")),
            SaslError::BadUsername,
        ),
        (password("tim", "", None), SaslError::BadPassword),
        (password("tim", "a\0b", None), SaslError::BadPassword),
    ] {
        assert_eq!(refused(PLAIN, credentials), error);
    }
    let (mut mechanism, _) = start(PLAIN, password("tim", "secret", None), "").expect("a start");
    assert_eq!(challenge(&mut mechanism, ""), Err(SaslError::Malformed));
}

#[test]
fn anonymous_sends_an_empty_message() {
    let (mut mechanism, initial) = start(ANONYMOUS, Credentials::Anonymous, "").expect("a start");
    assert_eq!(initial, None);
    assert_eq!(challenge(&mut mechanism, ""), Ok(String::new()));
    assert_eq!(challenge(&mut mechanism, "who?"), Err(SaslError::Malformed));
    assert_eq!(mechanism.handle_success(None), Ok(()));
}

#[test]
fn external_sends_an_identity_or_an_empty_message() {
    let external = |authzid: Option<&str>| Credentials::External {
        authzid: authzid.map(Into::into),
    };
    let (mut mechanism, initial) = start(EXTERNAL, external(None), "").expect("a start");
    assert_eq!(initial.as_deref(), Some("")); // "=" on the wire
    assert_eq!(challenge(&mut mechanism, ""), Err(SaslError::Malformed));
    assert_eq!(mechanism.handle_success(None), Ok(()));
    let (_, initial) = start(EXTERNAL, external(Some("juliet@example.org")), "").expect("a start");
    assert_eq!(initial.as_deref(), Some("juliet@example.org"));
    assert_eq!(
        refused(EXTERNAL, external(Some("a\0b"))),
        SaslError::BadUsername
    );
}
