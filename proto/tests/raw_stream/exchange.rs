//! SASL step by step, with the test vectors of RFC 5802 §5 and RFC 7677 §3.

use crate::support::random::Seeded;
use crate::support::unicode::NativeUnicode;
use epode_proto::sasl::{ChallengeReply, Exchange, ExchangeInput, KnownKeys, SaslError, base64};

struct Vector {
    mechanism: &'static str,
    nonce: &'static str,
    first: &'static str,
    challenge: &'static str,
    last: &'static str,
    signature: &'static str,
}

const VECTORS: [Vector; 2] = [
    Vector {
        mechanism: "SCRAM-SHA-1",
        nonce: "fyko+d2lbbFgONRv9qkxdawL",
        first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        challenge: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        last: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        signature: "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    },
    Vector {
        mechanism: "SCRAM-SHA-256",
        nonce: "rOprNGfwEbeRWgbNEkqO",
        first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        challenge: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        last: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    },
];

fn start(mechanism: &str, input: ExchangeInput) -> Result<Exchange, SaslError> {
    Exchange::start(mechanism, input, &mut Seeded(3), &NativeUnicode)
}

fn input(secret: Option<&str>, keys: Option<KnownKeys>, nonce: &str) -> ExchangeInput {
    ExchangeInput {
        username: Some("user".into()),
        secret: secret.map(str::to_owned),
        nonce: Some(nonce.into()),
        keys,
        ..ExchangeInput::default()
    }
}

#[test]
fn scram_test_vectors_with_a_password_and_with_keys() {
    for vector in VECTORS {
        let with_password = input(Some("pencil"), None, vector.nonce);
        let mut exchange = start(vector.mechanism, with_password).expect("a start");
        assert_eq!(exchange.initial(), Some(vector.first.as_bytes()));
        assert!(exchange.keys().is_none());
        let challenge = vector.challenge.as_bytes();
        let reply = exchange.handle_challenge(challenge).expect("a reply");
        assert!(matches!(reply, ChallengeReply::Derive(_)));
        let last = exchange.handle_derived(None).expect("an answer");
        assert_eq!(String::from_utf8(last).as_deref(), Ok(vector.last));
        let signature = exchange.server_signature().map(base64::encode);
        assert_eq!(signature.as_deref(), Some(vector.signature));
        let keys = exchange.keys().expect("keys");
        let proof = format!("v={}", vector.signature);
        assert_eq!(exchange.handle_success(Some(proof.as_bytes())), Ok(()));

        // Without the password, and without deriving anything.
        let with_keys = input(None, Some(keys), vector.nonce);
        let mut exchange = start(vector.mechanism, with_keys).expect("a start");
        let reply = exchange.handle_challenge(challenge).expect("a reply");
        let ChallengeReply::Response(last) = reply else {
            panic!("the keys were not used");
        };
        assert_eq!(String::from_utf8(last).as_deref(), Ok(vector.last));
        let keys = exchange.keys().expect("the same keys");
        assert_eq!(
            exchange.handle_success(Some(b"v=AAAA")),
            Err(SaslError::ServerSignature)
        );

        // Another salt: with the password it is derived anew, without it there is nothing to answer with.
        let other = vector.challenge.replace(",s=", ",s=AAAA");
        let both = input(Some("pencil"), Some(keys), vector.nonce);
        let mut exchange = start(vector.mechanism, both).expect("a start");
        let reply = exchange
            .handle_challenge(other.as_bytes())
            .expect("a reply");
        assert!(matches!(reply, ChallengeReply::Derive(_)));
        exchange.handle_derived(None).expect("an answer");
        let with_keys = input(None, exchange.keys(), vector.nonce);
        let mut exchange = start(vector.mechanism, with_keys).expect("a start");
        let reply = exchange.handle_challenge(challenge).err();
        assert_eq!(reply, Some(SaslError::WrongCredentials));
    }
}

#[test]
fn the_other_mechanisms() {
    let plain = start("PLAIN", input(Some("pencil"), None, "n")).expect("a start");
    assert_eq!(plain.initial(), Some(b"\0user\0pencil".as_slice()));
    let anonymous = start("ANONYMOUS", ExchangeInput::default()).expect("a start");
    assert_eq!(anonymous.initial(), None);
    let external = start("EXTERNAL", ExchangeInput::default()).expect("a start");
    assert_eq!(external.initial(), Some(b"".as_slice()));
    let bearer = start("OAUTHBEARER", input(Some("t0ken"), None, "n")).expect("a start");
    let initial = bearer.initial().expect("a message");
    assert!(initial.ends_with(b"\x01auth=Bearer t0ken\x01\x01"));
    for name in ["SCRAM-SHA-384", "SCRAM-SHA-512"] {
        let scram = start(name, input(Some("pencil"), None, "n")).expect("a start");
        assert_eq!(scram.initial(), Some(b"n,,n=user,r=n".as_slice()), "{name}");
    }
}

#[test]
fn exchanges_that_cannot_be_started() {
    assert!(Exchange::knows("SCRAM-SHA-384"));
    for name in ["X-OWN", "HT-SHA-256-NONE", "plain", ""] {
        assert!(!Exchange::knows(name), "{name}");
        let error = start(name, ExchangeInput::default()).err();
        assert_eq!(error, Some(SaslError::WrongCredentials), "{name}");
    }
    // Neither a password nor keys.
    let error = start("SCRAM-SHA-1", input(None, None, "n")).err();
    assert_eq!(error, Some(SaslError::BadPassword));
    let error = start("PLAIN", input(None, None, "n")).err();
    assert_eq!(error, Some(SaslError::BadPassword));
}

/// A given nonce is for tests: by default each exchange has its own.
#[test]
fn nonces_are_random() {
    let mut random = Seeded(1);
    let mut first = || {
        let input = ExchangeInput {
            nonce: None,
            ..input(Some("pencil"), None, "")
        };
        let exchange = Exchange::start("SCRAM-SHA-1", input, &mut random, &NativeUnicode);
        exchange.expect("a start").initial().map(<[u8]>::to_vec)
    };
    assert_ne!(first(), first());
}
