//! SASLprep (RFC 4013).

use super::*;

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
