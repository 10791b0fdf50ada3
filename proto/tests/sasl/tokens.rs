//! Login tokens: HT-SHA-256-NONE (XEP-0484).

use super::*;

/// XEP-0484's token; the values are computed with Python's hmac.
const TOKEN: &str = "WXZzciBwYmFmdmZnZiBqdmd1IGp2eXFhcmZm";
const SHOWN: &str = "dXNlcgCQl3h0YaGE4PqE7ADBOBGQtsTRao7ERTx7KsXn/Pk17Q==";
const PROVED: &str = "TlE0CWMUdIY7mGyfPoweJ8op0derntQJfnr9YAe/nGI=";

#[test]
fn client_and_server_prove_that_they_have_the_token() {
    let (mut mechanism, initial) = Mechanism::start_token("user", TOKEN.into()).expect("a start");
    assert_eq!(mechanism.name(), HT_SHA_256_NONE);
    assert_eq!(base64::encode(&initial), SHOWN);
    let proof = base64::decode(PROVED).expect("Base64");
    assert_eq!(mechanism.handle_success(Some(&proof)), Ok(()));
}

#[test]
fn a_server_without_the_token_is_refused() {
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
fn invalid_tokens() {
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
