//! OAUTHBEARER (RFC 7628), and which credentials fit which mechanism.

use super::scram::NONCE;
use super::*;

fn token(username: Option<&str>, token: &str, authzid: Option<&str>) -> Credentials {
    Credentials::Token {
        username: username.map(Into::into),
        token: token.into(),
        authzid: authzid.map(Into::into),
    }
}

#[test]
fn oauthbearer_succeeds_in_one_message() {
    // RFC 7628 §4.1, without host and port.
    let credentials = token(
        None,
        "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
        Some("user@example.com"),
    );
    let (mut mechanism, initial) = start(OAUTHBEARER, credentials, "").expect("a start");
    assert_eq!(
        initial.as_deref(),
        Some(
            "n,a=user@example.com,\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
        )
    );
    assert_eq!(mechanism.reason(), None);
    assert_eq!(mechanism.handle_success(None), Ok(()));

    for (username, authzid, header) in [
        (None, None, "n,,"),
        (None, Some(""), "n,,"),
        (Some("user@example.com"), None, "n,a=user@example.com,"),
        (
            Some("user"),
            Some("a=b,c@example.com"),
            "n,a=a=3Db=2Cc@example.com,",
        ),
    ] {
        let (_, initial) =
            start(OAUTHBEARER, token(username, "t0ken", authzid), "").expect("a start");
        assert_eq!(
            initial,
            Some(format!("{header}\x01auth=Bearer t0ken\x01\x01"))
        );
    }
}

#[test]
fn oauthbearer_reports_the_reason_of_a_refusal() {
    // RFC 7628 §4.3
    let json = r#"{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-configuration"}"#;
    let (mut mechanism, _) = start(OAUTHBEARER, token(None, "t0ken", None), "").expect("a start");
    assert_eq!(challenge(&mut mechanism, json), Ok("\x01".into()));
    assert_eq!(mechanism.reason(), Some(json));
    // After a refusal there is no success, and no second one.
    let said = Err(SaslError::ServerSaid(json.into()));
    assert_eq!(mechanism.handle_success(None), said);
    assert_eq!(mechanism.handle_success(None), said);
    assert_eq!(challenge(&mut mechanism, json), Err(SaslError::Malformed));
    assert_eq!(mechanism.reason(), Some(json));

    let (mut mechanism, _) = start(OAUTHBEARER, token(None, "t0ken", None), "").expect("a start");
    assert_eq!(respond(&mut mechanism, b"\xff"), Err(SaslError::Malformed));
    assert_eq!(mechanism.reason(), None);
}

#[test]
fn oauthbearer_refuses_field_separators() {
    for bad in ["", "a\x01b", "a b", "a\nb", "é"] {
        assert_eq!(
            refused(OAUTHBEARER, token(None, bad, None)),
            SaslError::BadPassword,
            "{bad:?}"
        );
    }
    for bad in ["a\0b", "a\x01b"] {
        assert_eq!(
            refused(OAUTHBEARER, token(None, "t0ken", Some(bad))),
            SaslError::BadUsername,
            "{bad:?}"
        );
    }
}

#[test]
fn credentials_must_fit_the_mechanism() {
    let all = [
        SCRAM_SHA_512,
        SCRAM_SHA_256,
        SCRAM_SHA_1,
        PLAIN,
        OAUTHBEARER,
        ANONYMOUS,
        EXTERNAL,
        "X-NEW",
    ];
    for name in all {
        for credentials in [
            password("user", "pencil", None),
            token(None, "t0ken", None),
            Credentials::Anonymous,
            Credentials::External { authzid: None },
        ] {
            let kind = credentials.kind();
            let fits = choose(
                &[name],
                kind,
                &Policy {
                    plain_text_allowed: true,
                    minimum: None,
                },
            );
            let started = start(name, credentials, "nonce").err();
            let expected = fits.err().map(|_| SaslError::WrongCredentials);
            assert_eq!(started, expected, "{name} {kind:?}");
        }
    }
}

#[test]
fn nothing_secret_is_printed() {
    let credentials = password("user", "pencil", Some("admin"));
    assert_eq!(format!("{credentials:?}"), "Password");
    let (mechanism, _) = start(SCRAM_SHA_1, credentials, NONCE).expect("a start");
    assert_eq!(format!("{mechanism:?}"), "SCRAM-SHA-1");
}
