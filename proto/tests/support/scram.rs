//! The server's side of SCRAM (RFC 5802 §3), computed from the password with nothing of what it is held against.

use epode_proto::sasl::base64;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

type Digester = fn(&[u8]) -> Vec<u8>;

/// A server that knows one password.
pub struct ScramServer {
    hash: Digester,
    block: usize,
    password: String,
    iterations: u32,
    salt: &'static [u8],
    /// SaltedPassword, where it was computed before.
    salted_password: Option<Vec<u8>>,
    /// `client-first-message-bare,server-first-message,`
    transcript: String,
    nonce: String,
}

impl ScramServer {
    /// For `SCRAM-SHA-1`, `-256` or `-512`.
    pub fn new(mechanism: &str, password: &str) -> Self {
        let (hash, block): (Digester, usize) = match mechanism {
            "SCRAM-SHA-1" => (|data| Sha1::digest(data).to_vec(), 64),
            "SCRAM-SHA-256" => (|data| Sha256::digest(data).to_vec(), 64),
            "SCRAM-SHA-512" => (|data| Sha512::digest(data).to_vec(), 128),
            other => panic!("no {other} here"),
        };
        Self {
            hash,
            block,
            password: password.into(),
            iterations: 4096,
            salt: b"\x00\xffsalt",
            salted_password: None,
            transcript: String::new(),
            nonce: String::new(),
        }
    }

    /// Stores the password in another way.
    pub fn storing(mut self, salt: &'static [u8], iterations: u32) -> Self {
        self.salt = salt;
        self.iterations = iterations;
        self
    }

    /// Has computed SaltedPassword before.
    pub fn knowing(mut self, salted_password: Vec<u8>) -> Self {
        self.salted_password = Some(salted_password);
        self
    }

    /// SaltedPassword of what it stores.
    pub fn salted_password(&self) -> Vec<u8> {
        let known = self.salted_password.clone();
        known.unwrap_or_else(|| self.stretch())
    }

    /// Answers client-first-message; both in Base64.
    pub fn first(&mut self, client_first: &str) -> String {
        let message = text(client_first);
        let bare = message
            .strip_prefix("n,,")
            .expect("no channel binding, no authzid");
        assert!(bare.starts_with("n=romeo,r="), "{bare}");
        let nonce = bare.split_once(",r=").expect("a nonce").1;
        assert!(nonce.len() >= 24, "a nonce of {} characters", nonce.len());
        self.nonce = format!("{nonce}3rfcNHYJY1ZVvWVs7j");
        let salt = base64::encode(self.salt);
        let answer = format!("r={},s={salt},i={}", self.nonce, self.iterations);
        self.transcript = format!("{bare},{answer},");
        base64::encode(answer.as_bytes())
    }

    /// Checks client-final-message and gives server-final-message; both in Base64. `None` when the proof is wrong.
    pub fn last(&self, client_final: &str) -> Option<String> {
        let message = text(client_final);
        let (without_proof, proof) = message.split_once(",p=").expect("a proof");
        assert_eq!(without_proof, format!("c=biws,r={}", self.nonce));
        let proof = base64::decode(proof).expect("Base64");
        let transcript = format!("{}{without_proof}", self.transcript);

        let salted = self.salted_password();
        let client_key = self.hmac(&salted, b"Client Key");
        let stored_key = (self.hash)(&client_key);
        let signature = self.hmac(&stored_key, transcript.as_bytes());
        let shown: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        if shown != client_key {
            return None;
        }
        let server_key = self.hmac(&salted, b"Server Key");
        let verifier = self.hmac(&server_key, transcript.as_bytes());
        let verifier = format!("v={}", base64::encode(&verifier));
        Some(base64::encode(verifier.as_bytes()))
    }

    fn stretch(&self) -> Vec<u8> {
        let mut salt = self.salt.to_vec();
        salt.extend([0, 0, 0, 1]);
        let mut step = self.hmac(self.password.as_bytes(), &salt);
        let mut all = step.clone();
        for _ in 1..self.iterations {
            step = self.hmac(self.password.as_bytes(), &step);
            for (to, from) in all.iter_mut().zip(&step) {
                *to ^= from;
            }
        }
        all
    }

    /// RFC 2104, for keys no longer than a block.
    fn hmac(&self, key: &[u8], data: &[u8]) -> Vec<u8> {
        assert!(key.len() <= self.block);
        let pad = |with: u8| -> Vec<u8> {
            (0..self.block)
                .map(|at| key.get(at).unwrap_or(&0) ^ with)
                .collect()
        };
        let inner = (self.hash)(&[pad(0x36).as_slice(), data].concat());
        (self.hash)(&[pad(0x5c), inner].concat())
    }
}

/// What a token (XEP-0484) makes of `word`, which is `Initiator` or `Responder`: HMAC-SHA-256, computed on its own.
pub fn token_proof(token: &str, word: &str) -> Vec<u8> {
    let pad = |with: u8| -> Vec<u8> {
        (0..64)
            .map(|at| token.as_bytes().get(at).unwrap_or(&0) ^ with)
            .collect()
    };
    let inner = Sha256::digest([pad(0x36).as_slice(), word.as_bytes()].concat());
    Sha256::digest([pad(0x5c).as_slice(), &inner].concat()).to_vec()
}

fn text(encoded: &str) -> String {
    String::from_utf8(base64::decode(encoded).expect("Base64")).expect("UTF-8")
}
