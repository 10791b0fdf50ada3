//! Base64 (RFC 4648).

use super::scram::{SERVER_FINAL, rfc_5802, rfc_5802_proved};
use super::*;

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
        // The bits that padding leaves unused are not zero.
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
