//! SASL: the mechanisms as dialogues, what a hostile server can try, and which mechanism is chosen.

use crate::support::random::Seeded;
use crate::support::unicode::NativeUnicode;
use epode_proto::sasl::{
    ANONYMOUS, ChallengeReply, ChooseError, Credentials, CredentialsKind, EXTERNAL,
    HT_SHA_256_NONE, KeyCache, MAX_ITERATIONS, MIN_ITERATIONS, Mechanism, OAUTHBEARER, PLAIN,
    Policy, SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_512, SaslError, base64, choose,
};
use proptest::prelude::*;

fn password(username: &str, password: &str, authzid: Option<&str>) -> Credentials {
    Credentials::Password {
        username: username.into(),
        password: password.into(),
        authzid: authzid.map(Into::into),
    }
}

fn start(
    name: &'static str,
    credentials: Credentials,
    nonce: &str,
) -> Result<(Mechanism, Option<String>), SaslError> {
    let (mechanism, initial) = Mechanism::start(name, credentials, nonce.into(), &NativeUnicode)?;
    assert_eq!(mechanism.name(), name);
    let initial = initial.map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    Ok((mechanism, initial))
}

/// The error of a start that must fail.
fn refused(name: &'static str, credentials: Credentials) -> SaslError {
    start(name, credentials, "abcdefgh").expect_err("refused")
}

fn challenge(mechanism: &mut Mechanism, data: &str) -> Result<String, SaslError> {
    let response = respond(mechanism, data.as_bytes())?;
    Ok(String::from_utf8(response).expect("UTF-8"))
}

/// The response to a challenge; keys are derived here, where they are wanted.
fn respond(mechanism: &mut Mechanism, data: &[u8]) -> Result<Vec<u8>, SaslError> {
    match mechanism.handle_challenge(data, &KeyCache::new(&mut Seeded(1)))? {
        ChallengeReply::Response(response) => Ok(response),
        ChallengeReply::Derive(derivation) => mechanism.handle_derived(Some(derivation.compute())),
    }
}

fn success(mechanism: &mut Mechanism, data: &str) -> Result<(), SaslError> {
    mechanism.handle_success(Some(data.as_bytes()))
}

/// Plays a dialogue of four lines, `C: ` and `S: ` by turns, the last one inside `<success/>`.
fn play(name: &'static str, credentials: Credentials, dialogue: &str) {
    let lines: Vec<&str> = dialogue
        .lines()
        .map(|line| line.trim().split_at(3).1)
        .collect();
    let [client_first, server_first, client_final, server_final] = lines[..] else {
        panic!("four lines");
    };
    let nonce = client_first.split_once(",r=").expect("a nonce").1;

    let (mut mechanism, initial) = start(name, credentials, nonce).expect("a start");
    assert_eq!(initial.as_deref(), Some(client_first));
    assert_eq!(
        challenge(&mut mechanism, server_first),
        Ok(client_final.into())
    );
    assert_eq!(success(&mut mechanism, server_final), Ok(()));
}

// ---- SCRAM: vectors ----

#[test]
fn scram_sha_1_as_in_rfc_5802() {
    play(
        SCRAM_SHA_1,
        password("user", "pencil", None),
        "C: n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL
         S: r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096
         C: c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=
         S: v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    );
}

#[test]
fn scram_sha_256_as_in_rfc_7677() {
    play(
        SCRAM_SHA_256,
        password("user", "pencil", None),
        "C: n,,n=user,r=rOprNGfwEbeRWgbNEkqO
         S: r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096
         C: c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=
         S: v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    );
}

// No RFC has vectors for what follows. They were computed with Python's hashlib and hmac, which share no code with ours,
// by a script that gives RFC 5802's own example for SHA-1:
//     salted = hashlib.pbkdf2_hmac(name, password, salt, iterations)
//     key = hmac(salted, "Client Key"); proof = key ^ hmac(name(key), auth_message)
//     verifier = hmac(hmac(salted, "Server Key"), auth_message)

#[test]
fn scram_sha_512_of_the_same_login() {
    play(
        SCRAM_SHA_512,
        password("user", "pencil", None),
        "C: n,,n=user,r=rOprNGfwEbeRWgbNEkqO
         S: r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096
         C: c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==
         S: v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
    );
}

/// HMAC hashes a key that is longer than the hash's block, and only then.
#[test]
fn passwords_around_and_beyond_the_block() {
    let long = "correct horse battery staple ".repeat(7);
    for (name, password_, proof, verifier) in [
        (
            SCRAM_SHA_1,
            "x".repeat(64),
            "WJEVxU1A7ElV91dlW3xTVbia7Yk=",
            "E0t2J6RgQ2xYvZRu1iuFUX8+15g=",
        ),
        (
            SCRAM_SHA_1,
            "x".repeat(65),
            "Tgf3aNRu0ZtAlPUNiCzPg0rvnSM=",
            "sWCBjItwjzWuo0gI3g8wVWmNCMY=",
        ),
        (
            SCRAM_SHA_1,
            long.clone(),
            "hhI7PhRJ1sX7tBedybJGrzTw4T0=",
            "3e8mUsuNiUILhs8rSxpN+QhSm4c=",
        ),
        (
            SCRAM_SHA_256,
            long.clone(),
            "fegZptN8J7Qo/lEAhI9QlYdgycxQSit9aYF4R/DrRCA=",
            "IEI2FLquCsIX9t9M1Ab5qqi4TOkbKnU4apmWKSB3b4E=",
        ),
        (
            SCRAM_SHA_512,
            "x".repeat(128),
            "II7eeaOdRO5k/r07jeYCncgisE3TRMhH2kQnUmb4nixGr6weiDGXUNqIrIdubTie14ofGWc+AVZXNdvBnItP3g==",
            "UkWBZh9nOILuIOQRj4B+AItc427YR7gEdOQpOKyD66g7prWm2wr+5d3F+ZjX2XKCYgdn9XS6CHo1tKh2tgwEKQ==",
        ),
        (
            SCRAM_SHA_512,
            "x".repeat(129),
            "+Zgqyd6kmK6zMx4kbyj9kWSptZXQxnY22Ocx1zNlKUZ0TBD8IudGFzHqypcSeh3n7IKg+t5yMqFvGcmWdHInRA==",
            "UyltD5hndWl9TyyNpNrLH72DidwWf6U3o5ZHlT6i8ZIIFkkIufoe6CoiTaQVuofLuGvDrxnK6CQVfdUrfGOoHQ==",
        ),
        (
            SCRAM_SHA_512,
            long,
            "PRq8miCTC5rCEeHT3+V9fNEshao2Q3NH3anM35yzRgHSk/VDrlxDQLyjJH8XzN9QhNYKKiG5gYt+85ybTyQYSg==",
            "41pUr2TwztojfKgkfnULIF+DDJlUkVo2QxjHBj136XDk0hUSGi35EK6iYD82sEseGzyJ2QMXlrQzcS1lqHK7ew==",
        ),
    ] {
        play(
            name,
            password("juliet", &password_, None),
            &format!(
                "C: n,,n=juliet,r=abcdefgh
                 S: r=abcdefghBalcony,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=4096
                 C: c=biws,r=abcdefghBalcony,p={proof}
                 S: v={verifier}"
            ),
        );
    }
}

/// An authzid, commas and equals signs in names, 10,000 iterations, and a password that SASLprep rewrites: a Roman numeral,
/// a no-break space, a combining accent, half-width and full-width letters, a soft hyphen; an emoji stays.
#[test]
fn all_that_is_escaped_or_prepared() {
    play(
        SCRAM_SHA_256,
        password(
            "Ro,me=o",
            "\u{2168}\u{a0}p\u{ad}e\u{301} \u{ff83}\u{ff7d}\u{ff84} \u{ff21}\u{1f600}",
            Some("a,b=c@example.org"),
        ),
        "C: n,a=a=2Cb=3Dc@example.org,n=Ro=2Cme=3Do,r=abcdefgh
         S: r=abcdefghBalcony,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=10000
         C: c=bixhPWE9MkNiPTNEY0BleGFtcGxlLm9yZyw=,r=abcdefghBalcony,p=RAVIEUS8iBeF8dlRcPJeEUOCo7ZqzsWkS6rU2BcZ1Jo=
         S: v=mIGplxsR5RNJN6L13xbG1f4DMnX3H21/jBB2PuFPghI=",
    );
}

// ---- SCRAM: what a server can get wrong ----

const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";
const SERVER_FIRST: &str = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
const SERVER_FINAL: &str = "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=";

fn rfc_5802() -> Mechanism {
    let (mechanism, _) =
        start(SCRAM_SHA_1, password("user", "pencil", None), NONCE).expect("a start");
    mechanism
}

/// The same, with the client's proof sent.
fn rfc_5802_proved() -> Mechanism {
    let mut mechanism = rfc_5802();
    challenge(&mut mechanism, SERVER_FIRST).expect("client-final");
    mechanism
}

#[test]
fn the_signature_may_come_in_a_challenge_before_success() {
    let mut mechanism = rfc_5802_proved();
    assert_eq!(challenge(&mut mechanism, SERVER_FINAL), Ok(String::new()));
    assert_eq!(mechanism.handle_success(None), Ok(()));

    // An empty element is as good as none.
    let mut mechanism = rfc_5802_proved();
    challenge(&mut mechanism, SERVER_FINAL).expect("verified");
    assert_eq!(success(&mut mechanism, ""), Ok(()));
}

#[test]
fn a_wrong_signature_fails_wherever_it_comes() {
    // One bit of the right one is flipped; then one that is cut short; then one that is too long.
    for wrong in [
        "v=r2F9pqV8S7suAoZWja4dJRkFsKQ=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKU=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsA==",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQA",
        "v=",
    ] {
        let error = Err(SaslError::ServerSignature);
        assert_eq!(success(&mut rfc_5802_proved(), wrong), error, "{wrong}");
        let mut mechanism = rfc_5802_proved();
        assert_eq!(
            challenge(&mut mechanism, wrong),
            Err(SaslError::ServerSignature)
        );
        // Nor does the right one help afterwards.
        assert_eq!(success(&mut mechanism, SERVER_FINAL), error, "{wrong}");
        assert_eq!(mechanism.handle_success(None), error, "{wrong}");
    }
    // What is said after a good signature must be true as well.
    let mut mechanism = rfc_5802_proved();
    challenge(&mut mechanism, SERVER_FINAL).expect("verified");
    assert_eq!(
        success(&mut mechanism, "v=AAAA"),
        Err(SaslError::ServerSignature)
    );
}

#[test]
fn success_without_a_signature_fails_at_every_moment() {
    for data in [None, Some(b"".as_slice())] {
        let error = Err(SaslError::ServerSignature);
        assert_eq!(rfc_5802().handle_success(data), error);
        assert_eq!(rfc_5802_proved().handle_success(data), error);
        let mut mechanism = rfc_5802();
        challenge(&mut mechanism, "nonsense").expect_err("nonsense");
        assert_eq!(mechanism.handle_success(data), error);
        // And a failure is not forgotten.
        let mut mechanism = rfc_5802_proved();
        assert_eq!(mechanism.handle_success(data), error);
        assert_eq!(success(&mut mechanism, SERVER_FINAL), error);
    }
    // Not even the right signature, before the client has proved anything.
    assert_eq!(
        success(&mut rfc_5802(), SERVER_FINAL),
        Err(SaslError::ServerSignature)
    );
}

#[test]
fn the_servers_nonce_must_continue_ours() {
    for nonce in [
        "fyko+d2lbbFgONRv9qkxdawL",
        "fyko+d2lbbFgONRv9qkxdawM3rfcNHYJY1ZVvWVs7j",
        "Fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
        "3rfcNHYJY1ZVvWVs7j",
        "fyko",
        "fyko+d2lbbFgONRv9qkxdawL\u{e9}",
        "fyko+d2lbbFgONRv9qkxdawL 3rfc",
        "",
    ] {
        let first = format!("r={nonce},s=QSXCR+Q6sek8bf92,i=4096");
        assert_eq!(
            challenge(&mut rfc_5802(), &first),
            Err(SaslError::Nonce),
            "{nonce}"
        );
    }
}

#[test]
fn a_nonce_of_ours_that_cannot_be_sent_is_refused() {
    for nonce in ["", "a,b", "a b", "a\0b", "\u{e9}"] {
        let error = start(SCRAM_SHA_1, password("user", "pencil", None), nonce).err();
        assert_eq!(error, Some(SaslError::Nonce), "{nonce:?}");
    }
}

#[test]
fn iterations_have_bounds() {
    assert_eq!((MIN_ITERATIONS, MAX_ITERATIONS), (4096, 1_000_000));
    for (iterations, error) in [
        ("0", SaslError::TooFewIterations),
        ("1", SaslError::TooFewIterations),
        ("4095", SaslError::TooFewIterations),
        ("1000001", SaslError::TooManyIterations),
        ("4294967295", SaslError::TooManyIterations),
        ("4294971392", SaslError::TooManyIterations), // 4096 when cut to 32 bits
        ("99999999999999999999999", SaslError::TooManyIterations),
        ("", SaslError::Malformed),
        ("-4096", SaslError::Malformed),
        ("+4096", SaslError::Malformed),
        ("4096 ", SaslError::Malformed),
        ("0x1000", SaslError::Malformed),
    ] {
        for name in [SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_512] {
            let (mut mechanism, _) =
                start(name, password("user", "pencil", None), NONCE).expect("a start");
            let first = format!("r={NONCE}3rfc,s=QSXCR+Q6sek8bf92,i={iterations}");
            assert_eq!(
                challenge(&mut mechanism, &first),
                Err(error.clone()),
                "{iterations}"
            );
        }
    }
}

#[test]
fn malformed_first_messages() {
    for first in [
        "",
        ",",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfc",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfc,i=4096,s=QSXCR+Q6sek8bf92",
        "s=QSXCR+Q6sek8bf92,r=fyko+d2lbbFgONRv9qkxdawL3rfc,i=4096",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=,i=4096",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf9,i=4096",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXC R+Q,i=4096",
        "<html>",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ] {
        let mut mechanism = rfc_5802();
        assert_eq!(
            challenge(&mut mechanism, first),
            Err(SaslError::Malformed),
            "{first}"
        );
        // An exchange that has failed does not start again.
        assert_eq!(
            challenge(&mut mechanism, SERVER_FIRST),
            Err(SaslError::Malformed)
        );
    }
    let not_utf8 = b"r=fyko+d2lbbFgONRv9qkxdawL\xff,s=QSXCR+Q6sek8bf92,i=4096";
    assert_eq!(
        respond(&mut rfc_5802(), not_utf8),
        Err(SaslError::Malformed)
    );
    assert_eq!(
        rfc_5802_proved().handle_success(Some(b"v=\xff")),
        Err(SaslError::Malformed)
    );
    for last in ["x", "v", "v=!", "r=1,v=rmF9pqV8S7suAoZWja4dJRkFsKQ="] {
        assert_eq!(
            success(&mut rfc_5802_proved(), last),
            Err(SaslError::Malformed),
            "{last}"
        );
    }
    // One challenge too many.
    let mut mechanism = rfc_5802_proved();
    challenge(&mut mechanism, SERVER_FINAL).expect("verified");
    assert_eq!(
        challenge(&mut mechanism, SERVER_FINAL),
        Err(SaslError::Malformed)
    );
}

#[test]
fn unknown_extensions_are_fine_unless_mandatory() {
    // The proof and the signature cover the extension.
    play(
        SCRAM_SHA_1,
        password("user", "pencil", None),
        "C: n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL
         S: r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,x=later
         C: c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=oUIeobaSAhqZTjb5DvSzUp2nPOI=
         S: v=HH/HFWmnxnoWlOt0aiav8KEGusI=",
    );
    assert_eq!(
        success(&mut rfc_5802_proved(), &format!("{SERVER_FINAL},x=later")),
        Ok(())
    );

    for first in [
        format!("m=new,{SERVER_FIRST}"),
        format!("{SERVER_FIRST},m=new"),
    ] {
        assert_eq!(
            challenge(&mut rfc_5802(), &first),
            Err(SaslError::MandatoryExtension)
        );
    }
    for last in [
        format!("m=new,{SERVER_FINAL}"),
        format!("{SERVER_FINAL},m=new"),
    ] {
        assert_eq!(
            success(&mut rfc_5802_proved(), &last),
            Err(SaslError::MandatoryExtension)
        );
    }
}

#[test]
fn what_the_server_says_is_passed_on() {
    let said = |text: &str| SaslError::ServerSaid(text.into());
    assert_eq!(
        challenge(&mut rfc_5802_proved(), "e=invalid-proof"),
        Err(said("invalid-proof"))
    );
    assert_eq!(
        success(&mut rfc_5802_proved(), "e=other-error,x=1"),
        Err(said("other-error"))
    );
    assert_eq!(
        challenge(&mut rfc_5802(), "e=unknown-user"),
        Err(said("unknown-user"))
    );
    assert_eq!(said("invalid-proof").text(), "invalid-proof");
    // It will be shown, so it is bounded and without controls.
    let long = format!("e=\u{1b}[31m{}", "x".repeat(5000));
    let Err(SaslError::ServerSaid(text)) = success(&mut rfc_5802_proved(), &long) else {
        panic!("an error");
    };
    assert_eq!(text, format!(" [31m{}", "x".repeat(995)));
}

// ---- SASLprep ----

/// The name as SCRAM sends it, unescaped names only.
fn prepared(name: &str) -> Result<String, SaslError> {
    let (_, initial) = start(SCRAM_SHA_1, password(name, "pencil", None), "nonce")?;
    let initial = initial.expect("an initial response");
    let name = initial
        .strip_prefix("n,,n=")
        .and_then(|rest| rest.strip_suffix(",r=nonce"));
    Ok(name.expect("a client-first-message").into())
}

#[test]
fn saslprep_as_in_rfc_4013() {
    // §3's examples; the last of them, U+0627 U+0031, is refused for its direction, which we leave to the server.
    for (name, expected) in [
        ("I\u{ad}X", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u{aa}", "a"),
        ("\u{2168}", "IX"),
        // Every mapping of its own kind.
        (
            "a\u{a0}b\u{1680}c\u{2000}d\u{200b}e\u{3000}f",
            "a b c d e f",
        ),
        ("a\u{200d}\u{fe0f}\u{feff}\u{2060}b", "ab"),
        ("e\u{301}", "\u{e9}"),
        ("\u{1f600}\u{10330}\u{5d0}", "\u{1f600}\u{10330}\u{5d0}"),
    ] {
        assert_eq!(prepared(name), Ok(expected.into()), "{name:?}");
    }
}

#[test]
fn saslprep_refuses() {
    for bad in [
        "",
        "\0",
        "\u{7}",
        "\u{7f}",
        "\u{ad}", // nothing is left
        "é\u{7}",
        "a\u{85}",
        "a\u{6dd}",
        "a\u{2028}",
        "a\u{202e}b",
        "a\u{200e}",
        "a\u{206a}",
        "a\u{e000}",
        "a\u{10fffd}",
        "a\u{fdd0}",
        "a\u{1ffff}",
        "a\u{fffe}",
        "a\u{fffd}",
        "a\u{fffc}",
        "a\u{2ff0}",
        "a\u{e0001}",
        "a\u{e0067}",
        "a\u{1d173}",
    ] {
        assert_eq!(prepared(bad), Err(SaslError::BadUsername), "{bad:?}");
        for name in [SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_512] {
            let error = refused(name, password("user", bad, None));
            assert_eq!(error, SaslError::BadPassword, "{bad:?}");
        }
    }
    assert_eq!(
        refused(SCRAM_SHA_1, password("user", "pencil", Some("a\0b"))),
        SaslError::BadUsername
    );
}

// ---- PLAIN, ANONYMOUS, EXTERNAL ----

#[test]
fn plain_says_all_at_once() {
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
fn plain_refuses_what_would_shift_its_fields() {
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
fn anonymous_has_nothing_to_say() {
    let (mut mechanism, initial) = start(ANONYMOUS, Credentials::Anonymous, "").expect("a start");
    assert_eq!(initial, None);
    assert_eq!(challenge(&mut mechanism, ""), Ok(String::new()));
    assert_eq!(challenge(&mut mechanism, "who?"), Err(SaslError::Malformed));
    assert_eq!(mechanism.handle_success(None), Ok(()));
}

#[test]
fn external_names_an_identity_or_none() {
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

// ---- OAUTHBEARER ----

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
fn oauthbearer_is_told_why_not() {
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
fn oauthbearer_refuses_what_would_end_its_fields() {
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

// ---- choosing ----

#[test]
fn the_strongest_that_is_allowed_is_chosen() {
    use ChooseError::{NoneOffered, OnlyPlainText, Weaker};
    use CredentialsKind::{Anonymous, External, Password, Token};
    let everything = "PLAIN ANONYMOUS EXTERNAL SCRAM-SHA-1 OAUTHBEARER SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-512";
    for (offered, kind, plain_text_allowed, minimum, expected) in [
        // By strength, not by the server's order.
        (everything, Password, true, None, Ok(SCRAM_SHA_512)),
        (everything, Password, false, None, Ok(SCRAM_SHA_512)),
        (
            "SCRAM-SHA-1 SCRAM-SHA-256 PLAIN",
            Password,
            true,
            None,
            Ok(SCRAM_SHA_256),
        ),
        ("PLAIN SCRAM-SHA-1", Password, true, None, Ok(SCRAM_SHA_1)),
        ("PLAIN", Password, true, None, Ok(PLAIN)),
        // Plain text only where it may go.
        ("PLAIN", Password, false, None, Err(OnlyPlainText)),
        ("PLAIN X-OTHER", Password, false, None, Err(OnlyPlainText)),
        ("PLAIN SCRAM-SHA-1", Password, false, None, Ok(SCRAM_SHA_1)),
        ("OAUTHBEARER", Token, false, None, Err(OnlyPlainText)),
        ("OAUTHBEARER PLAIN", Token, true, None, Ok(OAUTHBEARER)),
        // What we do not speak, or cannot with these credentials.
        ("", Password, true, None, Err(NoneOffered)),
        (
            "DIGEST-MD5 SCRAM-SHA-1-PLUS ANONYMOUS",
            Password,
            true,
            None,
            Err(NoneOffered),
        ),
        ("scram-sha-1 plain", Password, true, None, Err(NoneOffered)),
        ("PLAIN SCRAM-SHA-1", Token, true, None, Err(NoneOffered)),
        (
            "OAUTHBEARER EXTERNAL",
            Anonymous,
            true,
            None,
            Err(NoneOffered),
        ),
        // The other kinds show no secret.
        (everything, Anonymous, false, None, Ok(ANONYMOUS)),
        (everything, External, false, None, Ok(EXTERNAL)),
        (everything, Token, true, None, Ok(OAUTHBEARER)),
        // Never below what an earlier login used.
        ("PLAIN", Password, true, Some(SCRAM_SHA_1), Err(Weaker)),
        ("PLAIN", Password, false, Some(SCRAM_SHA_1), Err(Weaker)),
        (
            "PLAIN SCRAM-SHA-1",
            Password,
            true,
            Some(SCRAM_SHA_256),
            Err(Weaker),
        ),
        (
            "PLAIN SCRAM-SHA-256",
            Password,
            true,
            Some(SCRAM_SHA_256),
            Ok(SCRAM_SHA_256),
        ),
        (
            "PLAIN SCRAM-SHA-512",
            Password,
            true,
            Some(SCRAM_SHA_256),
            Ok(SCRAM_SHA_512),
        ),
        ("PLAIN", Password, true, Some(PLAIN), Ok(PLAIN)),
        ("PLAIN", Password, false, Some(PLAIN), Err(OnlyPlainText)),
        (
            "OAUTHBEARER",
            Token,
            true,
            Some(SCRAM_SHA_512),
            Ok(OAUTHBEARER),
        ),
    ] {
        let names: Vec<&str> = offered.split_whitespace().collect();
        let policy = Policy {
            plain_text_allowed,
            minimum,
        };
        let chosen = choose(&names, kind, &policy);
        assert_eq!(chosen, expected, "{offered} | {kind:?} {policy:?}");
    }
}

#[test]
fn the_default_policy_is_the_careful_one() {
    assert_eq!(
        choose(&["PLAIN"], CredentialsKind::Password, &Policy::default()),
        Err(ChooseError::OnlyPlainText)
    );
}

// ---- Base64 ----

#[test]
fn base64_as_in_rfc_4648() {
    let every_byte: Vec<u8> = (0..=255).collect();
    // Python's base64 gave the last one.
    for (bytes, text) in [
        (b"".as_slice(), ""),
        (b"f", "Zg=="),
        (b"fo", "Zm8="),
        (b"foo", "Zm9v"),
        (b"foob", "Zm9vYg=="),
        (b"fooba", "Zm9vYmE="),
        (b"foobar", "Zm9vYmFy"),
        (b"n,,", "biws"),
        (
            &every_byte,
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKDhIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2en6ChoqOkpaanqKmqq6ytrq+wsbKztLW2t7i5uru8vb6/wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g4eLj5OXm5+jp6uvs7e7v8PHy8/T19vf4+fr7/P3+/w==",
        ),
    ] {
        assert_eq!(base64::encode(bytes), text);
        assert_eq!(base64::decode(text).as_deref(), Some(bytes));
    }
}

#[test]
fn base64_is_strict() {
    for bad in [
        "=",
        "==",
        "===",
        "====",
        "Z",
        "Zg",
        "Zg=",
        "Zm8",
        "Zg===",
        "Z===",
        "Zm9v=",
        "Zg==Zg==",
        "Zm=v",
        "=Zm8",
        "Zg= ",
        " Zg=",
        "Zm9v\n",
        "Zm9-",
        "Zm9_",
        "Zm9v Zm9v",
        "Zmé=",
        "Zm9vZ\u{20ac}",
        // Bits that padding leaves over and nobody would write.
        "Zh==",
        "Zm9=",
    ] {
        assert_eq!(base64::decode(bad), None, "{bad:?}");
    }
}

proptest! {
    #[test]
    fn base64_there_and_back(bytes: Vec<u8>) {
        let text = base64::encode(&bytes);
        prop_assert_eq!(text.len(), bytes.len().div_ceil(3) * 4);
        prop_assert_eq!(base64::decode(&text), Some(bytes));
    }

    /// One text for each value: what decodes is what would have been encoded.
    #[test]
    fn base64_is_canonical(text in "[A-Za-f+/=]{0,12}") {
        if let Some(bytes) = base64::decode(&text) {
            prop_assert_eq!(base64::encode(&bytes), text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))] // each derives a key

    /// Whatever a server sends, nothing panics, and nothing but the one signature is a success.
    #[test]
    fn no_server_gets_in_by_chance(first in "([a-z]=[ -~]{0,8},?){0,5}|\\PC{0,20}", last in "(v=[A-Za-z0-9+/]{28}|[a-z]=)?=?") {
        let mut mechanism = rfc_5802();
        prop_assert!(challenge(&mut mechanism, &first).is_err());
        prop_assert!(success(&mut mechanism, &last).is_err());
        let mut mechanism = rfc_5802_proved();
        prop_assert!(success(&mut mechanism, &last).is_err() || last == SERVER_FINAL);
    }
}

// ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// XEP-0484's token; the values are computed with Python's hmac.
const TOKEN: &str = "WXZzciBwYmFmdmZnZiBqdmd1IGp2eXFhcmZm";
const SHOWN: &str = "dXNlcgCQl3h0YaGE4PqE7ADBOBGQtsTRao7ERTx7KsXn/Pk17Q==";
const PROVED: &str = "TlE0CWMUdIY7mGyfPoweJ8op0derntQJfnr9YAe/nGI=";

#[test]
fn a_token_is_shown_without_leaving_and_the_server_shows_that_it_has_it() {
    let (mut mechanism, initial) = Mechanism::start_token("user", TOKEN.into()).expect("a start");
    assert_eq!(mechanism.name(), HT_SHA_256_NONE);
    assert_eq!(base64::encode(&initial), SHOWN);
    let proof = base64::decode(PROVED).expect("Base64");
    assert_eq!(mechanism.handle_success(Some(&proof)), Ok(()));
}

#[test]
fn a_server_that_does_not_have_the_token_is_refused() {
    let echo = base64::decode(SHOWN).expect("Base64");
    let other = base64::decode(PROVED).expect("Base64");
    for lie in [None, Some(&[][..]), Some(&echo[5..]), Some(&other[..31])] {
        let (mut mechanism, _) = Mechanism::start_token("user", TOKEN.into()).expect("a start");
        assert_eq!(
            mechanism.handle_success(lie),
            Err(SaslError::ServerSignature)
        );
    }
}

#[test]
fn a_token_takes_one_message() {
    let (mut mechanism, _) = Mechanism::start_token("user", TOKEN.into()).expect("a start");
    assert_eq!(respond(&mut mechanism, b""), Err(SaslError::Malformed));
    assert_eq!(format!("{mechanism:?}"), HT_SHA_256_NONE);
}

#[test]
fn what_cannot_be_shown_as_a_token() {
    for (username, token, error) in [
        ("", TOKEN, SaslError::BadUsername),
        ("us\0er", TOKEN, SaslError::BadUsername),
        ("user", "", SaslError::BadPassword),
    ] {
        let refused = Mechanism::start_token(username, token.into()).expect_err("refused");
        assert_eq!(refused, error);
    }
}

/// Who has a password is not asked for a token, whatever the server offers.
#[test]
fn a_token_is_not_chosen_for_other_credentials() {
    let policy = Policy::default();
    let chosen = choose(&[HT_SHA_256_NONE], CredentialsKind::Password, &policy);
    assert_eq!(chosen, Err(ChooseError::NoneOffered));
    let refused = refused(HT_SHA_256_NONE, password("user", "pencil", None));
    assert_eq!(refused, SaslError::WrongCredentials);
}

// ── kept keys ───────────────────────────────────────────────────────────────────────────────────────────────────────

/// Whether a login with these has to derive its keys; what it derives is kept.
fn derives(cache: &mut KeyCache, name: &'static str, username: &str, secret: &str) -> bool {
    let credentials = password(username, secret, None);
    let (mut mechanism, _) = start(name, credentials, "abcdefgh").expect("a start");
    let challenge = b"r=abcdefghij,s=QSXCR+Q6sek8bf92,i=4096";
    match mechanism.handle_challenge(challenge, cache) {
        Ok(ChallengeReply::Response(_)) => false,
        Ok(ChallengeReply::Derive(derivation)) => {
            let salted_password = Some(derivation.compute());
            mechanism.handle_derived(salted_password).expect("awaited");
            assert_eq!(mechanism.handle_derived(None), Err(SaslError::Malformed));
            mechanism.keep_keys(cache);
            true
        }
        Err(error) => panic!("{error:?}"),
    }
}

/// Where one part ends and the next one begins is a part of what keys belong to.
#[test]
fn kept_keys_belong_to_one_account_and_mechanism() {
    let mut cache = KeyCache::new(&mut Seeded(1));
    let mut other = KeyCache::new(&mut Seeded(2));
    assert!(derives(&mut cache, SCRAM_SHA_1, "user", "pencil"));
    assert!(!derives(&mut cache, SCRAM_SHA_1, "user", "pencil"));
    // The same once it is prepared (RFC 4013).
    assert!(!derives(&mut cache, SCRAM_SHA_1, "us\u{ad}er", "pencil"));
    assert!(derives(&mut cache, SCRAM_SHA_256, "user", "pencil"));
    assert!(derives(&mut cache, SCRAM_SHA_256, "other", "pencil"));
    assert!(!derives(&mut cache, SCRAM_SHA_256, "other", "pencil"));
    assert!(derives(&mut cache, SCRAM_SHA_256, "others", "pencil"));
    assert!(derives(&mut cache, SCRAM_SHA_256, "other", "spencil"));
    assert!(derives(&mut other, SCRAM_SHA_256, "other", "spencil"));
}

#[test]
fn keys_are_not_shown() {
    let cache = KeyCache::new(&mut Seeded(1));
    assert_eq!(format!("{cache:?}"), "KeyCache");
    let (mut mechanism, _) =
        start(SCRAM_SHA_512, password("user", "pencil", None), "abcdefgh").expect("a start");
    let answer = mechanism
        .handle_challenge(b"r=abcdefghij,s=QSXCR+Q6sek8bf92,i=4096", &cache)
        .expect("a derivation");
    assert_eq!(format!("{answer:?}"), "Derive");
    let ChallengeReply::Derive(derivation) = answer else {
        panic!("no derivation");
    };
    assert_eq!(format!("{derivation:?}"), "SHA-512");
    assert_eq!(format!("{:?}", derivation.compute()), "SaltedPassword");
    let response = mechanism.handle_derived(None).map(ChallengeReply::Response);
    assert_eq!(format!("{response:?}"), "Ok(Response)");
}
