//! A login: anonymous, or SCRAM for an account whose salt depends on where it logs in; and the page's platform, which derives the keys
//! after a while, or refuses to.

use super::extras::{Extra, Granted, Sasl2, Tokens};
use super::faults::Fault;
use super::judge::Judge;
use super::server::{Abilities, SUCCESS, mechanisms};
use super::world::World;
use crate::support::scram::ScramServer;
use epode_proto::io::{DerivationId, Input};
use epode_proto::ns;
use epode_proto::sasl::{Credentials, Derivation, HT_SHA_256_NONE, SCRAM_SHA_1, SaltedPassword};
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
    abilities: Abilities,
    scram: Option<ScramServer>,
    sasl2: Option<Sasl2>,
    /// XEP-0388's `<authenticate/>`, while it is under way.
    asks: Option<Element>,
}

/// What comes of an element of a login.
pub enum Step {
    Say(String),
    /// The login is right, and this is said.
    Done(String),
    /// The same in XEP-0388's profile.
    Granted(Granted),
}

impl Login {
    /// `number` decides which salt the account has there: mostly the same.
    pub fn new(abilities: Abilities, sasl2: Option<Sasl2>, number: u64) -> Self {
        let which = usize::from(number % 4 == 3);
        Self {
            abilities,
            scram: abilities.scram.then(|| account(which)),
            sasl2,
            asks: None,
        }
    }

    pub fn offer(&self) -> String {
        let old = mechanisms(match self.scram {
            Some(_) => SCRAM_SHA_1,
            None => "ANONYMOUS",
        });
        let Some(sasl2) = &self.sasl2 else {
            return old;
        };
        let feature = sasl2.feature(self.abilities);
        match sasl2.has_alternative() {
            true => old + &feature,
            false => feature,
        }
    }

    /// An element of either profile.
    pub fn handle(&mut self, element: &Element, tokens: &mut Tokens, judge: &mut Judge) -> Step {
        if element.ns() == ns::SASL2 {
            return self.handle_sasl2(element, tokens, judge);
        }
        const NS: &str = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
        let Some(scram) = &mut self.scram else {
            return Step::Done(SUCCESS.into());
        };
        let text = element.text();
        if element.name() == "auth" {
            let challenge = scram.first(&text);
            return Step::Say(format!("<challenge {NS}>{challenge}</challenge>"));
        }
        let last = scram.last(&text).expect("the proof is right");
        Step::Done(format!("<success {NS}>{last}</success>"))
    }

    fn handle_sasl2(&mut self, element: &Element, tokens: &mut Tokens, judge: &mut Judge) -> Step {
        let (Some(plan), Some(scram)) = (self.sasl2, &mut self.scram) else {
            panic!("a profile that is not offered");
        };
        if element.name() == "response" {
            let data = scram.last(&element.text()).expect("the proof is right");
            let asks = self.asks.take().expect("a login under way");
            let token = tokens.renew(&plan, &asks, judge);
            return Step::Granted(Granted { asks, data, token });
        }
        if element.attr("mechanism") != Some(HT_SHA_256_NONE) {
            let initial = element.child_text("initial-response", ns::SASL2);
            let challenge = scram.first(&initial.expect("an initial response"));
            self.asks = Some(element.clone());
            let challenge = format!("<challenge xmlns='{}'>{challenge}</challenge>", ns::SASL2);
            return Step::Say(challenge);
        }
        let asks = element.clone();
        match tokens.take(&plan, &asks, judge) {
            Some(data) => {
                judge.extras.note(Extra::TokenLogin);
                let token = tokens.renew(&plan, &asks, judge);
                Step::Granted(Granted { asks, data, token })
            }
            None => {
                judge.extras.note(Extra::TokenRefused);
                let condition = "<credentials-expired xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
                Step::Say(format!(
                    "<failure xmlns='{}'>{condition}</failure>",
                    ns::SASL2
                ))
            }
        }
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
