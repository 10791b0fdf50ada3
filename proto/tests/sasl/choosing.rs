//! The choice of a mechanism.

use super::*;

#[test]
fn the_strongest_allowed_mechanism_is_chosen() {
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
fn the_default_policy_is_the_strictest() {
    assert_eq!(
        choose(&["PLAIN"], CredentialsKind::Password, &Policy::default()),
        Err(ChooseError::OnlyPlainText)
    );
}
