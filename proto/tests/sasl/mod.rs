//! SASL: the mechanisms as dialogues, what a hostile server can try, and which mechanism is chosen.

mod base64_cases;
mod choosing;
mod kept_keys;
mod oauthbearer;
mod saslprep;
mod scram;
mod simple;
mod tokens;

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
