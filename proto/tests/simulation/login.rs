//! A login: anonymous, or SCRAM for an account whose salt depends on where it logs in; and the page's platform, which derives the keys
//! after a while, or refuses to.

use super::faults::Fault;
use super::server::{SUCCESS, mechanisms};
use super::world::World;
use crate::support::scram::ScramServer;
use epode_proto::io::{DerivationId, Input};
use epode_proto::sasl::{Credentials, Derivation, SCRAM_SHA_1, SaltedPassword};
use epode_proto::time::{Instant, Millis};
use epode_proto::xml::Element;
use std::sync::OnceLock;

const PASSWORD: &str = "r0m30";
const SALTS: [&[u8]; 2] = [b"salt", b"pepper"];

/// The server, with what the salt makes of the password: computed once, as servers do.
fn account(which: usize) -> ScramServer {
    static SALTED: [OnceLock<Vec<u8>>; 2] = [OnceLock::new(), OnceLock::new()];
    let which = which % SALTS.len();
    let server = ScramServer::new(SCRAM_SHA_1, PASSWORD).storing(SALTS[which], 4096);
    let salted = SALTED[which].get_or_init(|| server.salted_password());
    server.knowing(salted.clone())
}

pub fn credentials(scram: bool) -> Credentials {
    if !scram {
        return Credentials::Anonymous;
    }
    Credentials::Password {
        username: "romeo".into(),
        password: PASSWORD.into(),
        authzid: None,
    }
}

/// The server's side of one login.
pub struct Login {
    scram: Option<ScramServer>,
}

impl Login {
    /// `number` decides which salt the account has there: mostly the same.
    pub fn new(scram: bool, number: u64) -> Self {
        let which = usize::from(number % 4 == 3);
        Self {
            scram: scram.then(|| account(which)),
        }
    }

    pub fn offer(&self) -> String {
        mechanisms(match self.scram {
            Some(_) => SCRAM_SHA_1,
            None => "ANONYMOUS",
        })
    }

    /// What is answered to `<auth/>` or `<response/>`, and whether that was the end of it.
    pub fn handle(&mut self, element: &Element) -> (String, bool) {
        const NS: &str = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
        let Some(scram) = &mut self.scram else {
            return (SUCCESS.into(), true);
        };
        let text = element.text();
        if element.name() == "auth" {
            let challenge = scram.first(&text);
            return (format!("<challenge {NS}>{challenge}</challenge>"), false);
        }
        let last = scram.last(&text).expect("the proof is right");
        (format!("<success {NS}>{last}</success>"), true)
    }
}

/// Derivations under way in the page's platform, and when they will be done.
#[derive(Default)]
pub struct Deriving(Vec<(Instant, DerivationId, Option<SaltedPassword>)>);

impl Deriving {
    pub fn deadline(&self) -> Option<Instant> {
        self.0.iter().map(|(at, _, _)| *at).min()
    }

    /// The page is gone.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl World {
    pub fn derive(&mut self, id: DerivationId, derivation: &Derivation) {
        let refuses = self.dice.chance(100);
        self.note_fault(if refuses {
            Fault::Underived
        } else {
            Fault::SlowlyDerived
        });
        let salted = SALTS.iter().position(|salt| *salt == derivation.salt());
        let salted = salted.map(|which| account(which).salted_password());
        let salted_password = salted.filter(|_| !refuses).map(SaltedPassword::new);
        let slowest = self.dice.pick(&[2, 30, 1_500]);
        let at = self.now + Millis(self.dice.below(slowest));
        self.tell(|| format!("{id:?} at {}", at.0));
        self.deriving.0.push((at, id, salted_password));
    }

    /// What the platform has derived by now.
    pub fn finish_derivations(&mut self) {
        let now = self.now;
        let due: Vec<_> = self
            .deriving
            .0
            .extract_if(.., |(at, _, _)| *at <= now)
            .collect();
        for (_, id, salted_password) in due {
            self.feed(Input::Derived {
                id,
                salted_password,
            });
        }
    }
}
