//! SCRAM (RFC 5802, RFC 7677): test vectors, and the errors that a server can make.

use super::*;

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
fn passwords_around_and_above_the_block_size() {
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
fn escaped_and_prepared_characters() {
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

// ── SCRAM: what a server can get wrong ──

pub(super) const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";
const SERVER_FIRST: &str = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
pub(super) const SERVER_FINAL: &str = "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=";

pub(super) fn rfc_5802() -> Mechanism {
    let (mechanism, _) =
        start(SCRAM_SHA_1, password("user", "pencil", None), NONCE).expect("a start");
    mechanism
}

/// The same, with the client's proof sent.
pub(super) fn rfc_5802_proved() -> Mechanism {
    let mut mechanism = rfc_5802();
    challenge(&mut mechanism, SERVER_FIRST).expect("client-final");
    mechanism
}

#[test]
fn the_signature_may_come_in_a_challenge_before_success() {
    let mut mechanism = rfc_5802_proved();
    assert_eq!(challenge(&mut mechanism, SERVER_FINAL), Ok(String::new()));
    assert_eq!(mechanism.handle_success(None), Ok(()));

    // An empty element counts as an absent one.
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
fn success_without_a_signature_fails_in_every_state() {
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
fn an_invalid_client_nonce_is_refused() {
    for nonce in ["", "a,b", "a b", "a\0b", "\u{e9}"] {
        let error = start(SCRAM_SHA_1, password("user", "pencil", None), nonce).err();
        assert_eq!(error, Some(SaslError::Nonce), "{nonce:?}");
    }
}

#[test]
fn iterations_have_limits() {
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
fn the_servers_error_is_reported() {
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
    assert_eq!(said("invalid-proof").name(), "invalid-proof");
    // It will be shown, so it is bounded and without controls.
    let long = format!("e=\u{1b}[31m{}", "x".repeat(5000));
    let Err(SaslError::ServerSaid(text)) = success(&mut rfc_5802_proved(), &long) else {
        panic!("an error");
    };
    assert_eq!(text, format!(" [31m{}", "x".repeat(995)));
}
