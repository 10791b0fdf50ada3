//! RFC 5802 and RFC 7677: SCRAM-SHA-1, SCRAM-SHA-256, and SCRAM-SHA-512 by the same pattern.
//!
//! Specification: RFC 5802, RFC 7677.
//!
//! The password is not sent, and the server proves that it knows the password: without this proof the login fails.
//! The caller derives the keys ([`ChallengeReply::Derive`]), unless keys of an earlier login are cached (`keys.rs`).
//! Left out: channel binding (a browser does not expose its TLS channel), hence always the flag `n`.

use super::hash::{HashFunction, Mac, Tag};
use super::keys::{CachedKeys, Derivation, KeyCache, SaltedPassword, ScramKeys};
use super::saslprep::saslprep;
use super::{
    ChallengeReply, KnownKeys, SaslError, SecretText, base64, gs2_header, printable, push_saslname,
};
use crate::unicode::Unicode;
use zeroize::Zeroizing;

/// The smallest accepted number of iterations, for every hash: the minimum of RFC 5802 §5.1 and RFC 7677 §4. With
/// fewer, an attacker who impersonates the server could guess the password cheaply from the proof.
pub const MIN_ITERATIONS: u32 = 4096;

/// The largest accepted number of iterations. If the platform does not compute them, the page freezes meanwhile, about
/// a second for this many; a hostile server could otherwise request four thousand million. Servers use ten thousand to
/// a few hundred thousand.
pub const MAX_ITERATIONS: u32 = 1_000_000;

/// The client's side of one exchange.
pub(super) struct Scram {
    hash: HashFunction,
    phase: ScramPhase,
    /// The keys derived in this exchange, to be cached after its success.
    derived: Option<Box<CachedKeys>>,
}

enum ScramPhase {
    /// client-first-message was sent.
    First {
        header: String,
        bare: String,
        nonce: String,
        username: String,
        password: SecretText,
    },
    /// server-first-message has arrived, and the keys are being derived.
    Deriving {
        derivation: Derivation,
        mark: Tag,
        unproven: UnprovenFinal,
    },
    /// client-final-message was sent; `signature` proves that the server knows the password.
    Final { signature: Tag, verified: bool },
    /// Failed. A final state.
    Over,
}

/// client-final-message-without-proof, and RFC 5802 §3's AuthMessage.
struct UnprovenFinal {
    message: String,
    transcript: String,
}

impl Scram {
    /// The state, and client-first-message.
    pub(super) fn start(
        hash: HashFunction,
        username: &str,
        password: String,
        authzid: Option<&str>,
        nonce: String,
        unicode: &dyn Unicode,
    ) -> Result<(Scram, Vec<u8>), SaslError> {
        let password = SecretText::new(password);
        let username = saslprep(username, unicode).ok_or(SaslError::BadUsername)?;
        let password = saslprep(password.as_str(), unicode).ok_or(SaslError::BadPassword)?;
        if nonce.is_empty() || !is_nonce(&nonce) {
            return Err(SaslError::Nonce);
        }
        let header = gs2_header(authzid)?;
        let mut bare = String::from("n=");
        push_saslname(&mut bare, &username);
        bare.push_str(",r=");
        bare.push_str(&nonce);

        let message = [header.as_bytes(), bare.as_bytes()].concat();
        let phase = ScramPhase::First {
            header,
            bare,
            nonce,
            username,
            password: SecretText::new(password),
        };
        let scram = Scram {
            hash,
            phase,
            derived: None,
        };
        Ok((scram, message))
    }

    /// server-first-message, or server-final-message from a server that does not put it into `<success/>`.
    pub(super) fn handle_challenge(
        &mut self,
        data: &[u8],
        cache: &KeyCache,
    ) -> Result<ChallengeReply, SaslError> {
        match core::mem::replace(&mut self.phase, ScramPhase::Over) {
            ScramPhase::First {
                header,
                bare,
                nonce,
                username,
                password,
            } => {
                let text = core::str::from_utf8(data).map_err(|_| SaslError::Malformed)?;
                let first = ServerFirst::parse(text, &nonce)?;
                let mut message = String::from("c=");
                message.push_str(&base64::encode(header.as_bytes()));
                message.push_str(",r=");
                message.push_str(first.nonce);
                let mut transcript = bare;
                for part in [text, &message] {
                    transcript.push(',');
                    transcript.push_str(part);
                }
                let unproven = UnprovenFinal {
                    message,
                    transcript,
                };
                let derivation = Derivation {
                    hash: self.hash,
                    password: Zeroizing::new(password.as_bytes().to_vec()),
                    salt: first.salt,
                    iterations: first.iterations,
                };
                let mark = cache.mark(&username, &derivation);
                if let Some(keys) = cache.find(&mark) {
                    return Ok(ChallengeReply::Response(self.prove(unproven, keys)));
                }
                self.phase = ScramPhase::Deriving {
                    derivation: derivation.clone(),
                    mark,
                    unproven,
                };
                Ok(ChallengeReply::Derive(derivation))
            }
            ScramPhase::Final {
                signature,
                verified: false,
            } => {
                verify(&signature, data)?;
                self.phase = ScramPhase::Final {
                    signature,
                    verified: true,
                };
                Ok(ChallengeReply::Response(Vec::new()))
            }
            // While the keys are derived, no message of the server is expected.
            ScramPhase::Deriving { .. } | ScramPhase::Final { .. } | ScramPhase::Over => {
                Err(SaslError::Malformed)
            }
        }
    }

    /// Handles SaltedPassword as computed by the platform. If it is absent or of another length, it is computed here.
    pub(super) fn handle_derived(
        &mut self,
        salted_password: Option<SaltedPassword>,
    ) -> Result<Vec<u8>, SaslError> {
        let ScramPhase::Deriving {
            derivation,
            mark,
            unproven,
        } = core::mem::replace(&mut self.phase, ScramPhase::Over)
        else {
            return Err(SaslError::Malformed);
        };
        let salted_password = salted_password
            .filter(|bytes| bytes.0.len() == derivation.length())
            .unwrap_or_else(|| derivation.compute());
        let keys = ScramKeys::new(self.hash, &salted_password);
        let response = self.prove(unproven, &keys);
        self.keep(derivation, mark, keys);
        Ok(response)
    }

    /// Answers with keys that were derived elsewhere, in place of [`Scram::handle_derived`].
    pub(super) fn handle_keys(&mut self, keys: ScramKeys) -> Result<Vec<u8>, SaslError> {
        let phase = core::mem::replace(&mut self.phase, ScramPhase::Over);
        let ScramPhase::Deriving {
            derivation,
            mark,
            unproven,
        } = phase
        else {
            return Err(SaslError::Malformed);
        };
        let response = self.prove(unproven, &keys);
        self.keep(derivation, mark, keys);
        Ok(response)
    }

    fn keep(&mut self, derivation: Derivation, mark: Tag, keys: ScramKeys) {
        self.derived = Some(Box::new(CachedKeys {
            mark,
            keys,
            salt: derivation.salt,
            iterations: derivation.iterations,
        }));
    }

    /// The signature that the server has to show, once the challenge was answered.
    pub(super) fn server_signature(&self) -> Option<&[u8]> {
        match &self.phase {
            ScramPhase::Final { signature, .. } => Some(signature.as_bytes()),
            _ => None,
        }
    }

    /// The keys of this exchange and what they were derived with, once the challenge was answered.
    pub(super) fn known_keys(&self) -> Option<KnownKeys> {
        let derived = self.derived.as_ref()?;
        let keys = &derived.keys;
        Some(KnownKeys {
            hash: self.hash.name().to_owned(),
            salt: derived.salt.clone(),
            iterations: derived.iterations,
            client_key: Zeroizing::new(keys.client.as_bytes().to_vec()),
            server_key: Zeroizing::new(keys.server.as_bytes().to_vec()),
        })
    }

    /// Builds client-final-message and stores the expected server signature.
    fn prove(&mut self, unproven: UnprovenFinal, keys: &ScramKeys) -> Vec<u8> {
        let transcript = [unproven.transcript.as_bytes()];
        // ClientProof = ClientKey XOR HMAC(H(ClientKey), AuthMessage)
        let stored = self.hash.digest(keys.client.as_bytes());
        let mut proof = Mac::new(self.hash, stored.as_bytes()).sign(&transcript);
        proof.xor(&keys.client);
        let signature = Mac::new(self.hash, keys.server.as_bytes()).sign(&transcript);
        self.phase = ScramPhase::Final {
            signature,
            verified: false,
        };
        let mut message = unproven.message;
        message.push_str(",p=");
        message.push_str(&base64::encode(proof.as_bytes()));
        message.into_bytes()
    }

    /// The keys that were derived for this exchange, if any. They are confirmed once [`Scram::handle_success`] returned
    /// `Ok`.
    pub(super) fn take_derived(&mut self) -> Option<Box<CachedKeys>> {
        self.derived.take()
    }

    /// Handles `<success/>`, which holds server-final-message unless that arrived before.
    pub(super) fn handle_success(&mut self, data: Option<&[u8]>) -> Result<(), SaslError> {
        match (
            core::mem::replace(&mut self.phase, ScramPhase::Over),
            data.unwrap_or_default(),
        ) {
            (ScramPhase::Final { verified: true, .. }, []) => Ok(()),
            // A signature must be correct, also a second one.
            (ScramPhase::Final { signature, .. }, data @ [_, ..]) => verify(&signature, data),
            _ => Err(SaslError::ServerSignature),
        }
    }
}

/// server-first-message (RFC 5802 §7).
struct ServerFirst<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: u32,
}

impl<'a> ServerFirst<'a> {
    /// Parses the message and checks its nonce against the sent one.
    fn parse(text: &'a str, sent: &str) -> Result<ServerFirst<'a>, SaslError> {
        let mut attributes = attributes(text)?;
        let mut value = |name| {
            let attribute: &'a str = attributes.next().ok_or(SaslError::Malformed)?;
            attribute.strip_prefix(name).ok_or(SaslError::Malformed)
        };
        let nonce = value("r=")?;
        let salt = value("s=")?;
        let iterations = value("i=")?;

        // Our nonce and at least one character of the server's: otherwise an old exchange could be replayed.
        match nonce.strip_prefix(sent) {
            Some(theirs) if !theirs.is_empty() && is_nonce(theirs) => {}
            _ => return Err(SaslError::Nonce),
        }
        let salt = base64::decode(salt).ok_or(SaslError::Malformed)?;
        if salt.is_empty() {
            return Err(SaslError::Malformed);
        }
        Ok(ServerFirst {
            nonce,
            salt,
            iterations: parse_iterations(iterations)?,
        })
    }
}

fn parse_iterations(text: &str) -> Result<u32, SaslError> {
    // Digits only: the standard library's parser would take a sign too.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(SaslError::Malformed);
    }
    match text.parse() {
        Ok(few) if few < MIN_ITERATIONS => Err(SaslError::TooFewIterations),
        Ok(iterations) if iterations <= MAX_ITERATIONS => Ok(iterations),
        _ => Err(SaslError::TooManyIterations),
    }
}

/// The attributes of a server's message, unless it is an error (`e=`) or requires an extension (`m=`, RFC 5802 §5.1:
/// fails the login at any position).
fn attributes(text: &str) -> Result<core::str::Split<'_, char>, SaslError> {
    if let Some(error) = text.strip_prefix("e=") {
        return Err(SaslError::ServerSaid(printable(
            error.split(',').next().unwrap_or_default(),
        )));
    }
    let attributes = text.split(',');
    if attributes.clone().any(|one| one.starts_with("m=")) {
        return Err(SaslError::MandatoryExtension);
    }
    Ok(attributes)
}

/// server-final-message: `v=` and the signature that was expected.
fn verify(signature: &Tag, data: &[u8]) -> Result<(), SaslError> {
    let text = core::str::from_utf8(data).map_err(|_| SaslError::Malformed)?;
    let verifier = attributes(text)?.next().unwrap_or_default();
    let verifier = verifier.strip_prefix("v=").ok_or(SaslError::Malformed)?;
    let verifier = base64::decode(verifier).ok_or(SaslError::Malformed)?;
    if signature.is(&verifier) {
        Ok(())
    } else {
        Err(SaslError::ServerSignature)
    }
}

/// RFC 5802 §7's `printable`: visible ASCII except the comma.
fn is_nonce(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b',')
}
