//! The cache of SCRAM keys.

use super::*;

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
fn cached_keys_belong_to_one_account_and_mechanism() {
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
