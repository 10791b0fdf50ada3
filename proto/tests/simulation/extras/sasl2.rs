//! XEP-0388 in the simulation's servers: what they offer inside it (XEP-0386, XEP-0198 §9, XEP-0484), and the tokens that they give.

use super::Extra;
use crate::simulation::dice::Dice;
use crate::simulation::judge::{Judge, Wrong};
use crate::simulation::server::{Abilities, Management};
use crate::support::scram::token_proof;
use epode_proto::ns;
use epode_proto::sasl::{HT_SHA_256_NONE, SCRAM_SHA_1, base64};
use epode_proto::xml::Element;
use std::collections::BTreeMap;

/// The account, as the server names it.
pub const ACCOUNT: &str = "a@example.org";

/// What a server offers.
#[derive(Clone, Copy, Debug)]
pub struct Sasl2 {
    /// There is no other way in.
    only: bool,
    bind: bool,
    enable: bool,
    resume: bool,
    tokens: bool,
    /// How often, of a thousand, a login with a token gives another one, and how often the server does not take the token.
    rotates: u64,
    refuses: u64,
}

impl Sasl2 {
    pub fn of(dice: &mut Dice) -> Self {
        Self {
            only: dice.chance(300),
            bind: dice.chance(800),
            enable: dice.chance(700),
            resume: dice.chance(700),
            tokens: dice.chance(800),
            rotates: dice.pick(&[0, 500, 1_000]),
            refuses: dice.pick(&[0, 0, 200]),
        }
    }

    /// Whether RFC 6120's profile is offered, too.
    pub fn has_alternative(&self) -> bool {
        !self.only
    }

    /// The stream feature.
    pub fn feature(&self, abilities: Abilities) -> String {
        let managed = abilities.management != Management::None;
        let resumes = abilities.management == Management::Resumes;
        let some = |offered: bool, text: String| if offered { text } else { String::new() };
        let enable = format!(
            "<inline xmlns='{}'><feature var='{}'/></inline>",
            ns::BIND2,
            ns::STREAM_MANAGEMENT
        );
        let enable = some(self.enable && managed, enable);
        let bind = format!("<bind xmlns='{}'>{enable}</bind>", ns::BIND2);
        let tokens = format!(
            "<fast xmlns='{}'><mechanism>{HT_SHA_256_NONE}</mechanism></fast>",
            ns::FAST
        );
        let resume = format!("<sm xmlns='{}'/>", ns::STREAM_MANAGEMENT);
        format!(
            "<authentication xmlns='{}'><mechanism>{SCRAM_SHA_1}</mechanism><inline>{}{}{}</inline></authentication>",
            ns::SASL2,
            some(self.bind, bind),
            some(self.tokens, tokens),
            some(self.resume && resumes, resume),
        )
    }
}

/// The tokens of one installation. One that was given lately is taken as well as the one before it, until it is shown.
#[derive(Default)]
struct Pair {
    current: Option<u64>,
    new: Option<u64>,
}

/// The tokens that a server has given, by the installation that they were given to.
pub struct Tokens {
    dice: Dice,
    given: u64,
    pairs: BTreeMap<String, Pair>,
}

impl Tokens {
    pub fn new(seed: u64, server: &str) -> Self {
        Self {
            dice: Dice::new(seed, server),
            given: 0,
            pairs: BTreeMap::new(),
        }
    }

    /// Forgets all of them.
    pub fn forget(&mut self) {
        self.pairs.clear();
    }

    /// Which of all tokens that were ever given a login shows.
    pub fn number(&self, initial: &str) -> Option<u64> {
        let shown = base64::decode(initial)?;
        let proof = shown.strip_prefix(b"a\0")?;
        (1..=self.given).find(|number| token_proof(&secret(*number), "Initiator") == proof)
    }

    fn give(&mut self, asks: &Element, judge: &mut Judge) -> String {
        self.given += 1;
        let agent = agent(asks).unwrap_or_default();
        self.pairs.entry(agent).or_default().new = Some(self.given);
        judge.extras.note(Extra::TokenGiven);
        format!(
            "<token xmlns='{}' token='{}' expiry='2099-01-01T00:00:00Z'/>",
            ns::FAST,
            secret(self.given)
        )
    }

    /// A login shows a token: what the server proves itself with, when it takes it.
    pub fn take(&mut self, plan: &Sasl2, asks: &Element, judge: &mut Judge) -> Option<String> {
        if !asks.has_child("fast", ns::FAST) {
            judge.blame(Wrong::Untold, "a token without what belongs to it");
        }
        let initial = asks.child_text("initial-response", ns::SASL2)?;
        let number = self.number(&initial)?;
        let pair = self.pairs.get_mut(&agent(asks)?)?;
        if pair.new == Some(number) {
            pair.current = pair.new.take();
        }
        if pair.current != Some(number) {
            return None;
        }
        if self.dice.chance(plan.refuses) {
            pair.current = None;
            return None;
        }
        let proof = token_proof(&secret(number), "Responder");
        Some(base64::encode(&proof))
    }

    /// The login is right: a token for the next time, when one is due.
    pub fn renew(&mut self, plan: &Sasl2, asks: &Element, judge: &mut Judge) -> String {
        let shown = asks.has_child("fast", ns::FAST);
        if shown && self.dice.chance(plan.rotates) {
            judge.extras.note(Extra::TokenRotated);
            return self.give(asks, judge);
        }
        if asks.has_child("request-token", ns::FAST) {
            return self.give(asks, judge);
        }
        String::new()
    }
}

/// A token by its number.
pub fn secret(number: u64) -> String {
    format!("token-{number}")
}

fn agent(asks: &Element) -> Option<String> {
    let agent = asks.child("user-agent", ns::SASL2)?;
    agent.attr("id").map(str::to_owned)
}

/// A login in this profile that is right, and what it wants beside.
pub struct Granted {
    pub asks: Element,
    /// The proof of the server, and the token that it gives.
    pub data: String,
    pub token: String,
}

impl Granted {
    /// What is asked for inside.
    pub fn wants(&self, name: &str, namespace: &str) -> Option<Element> {
        self.asks.child(name, namespace)
    }

    /// `<success/>`. `session`: the one that is bound or resumed; `inner`: what that is answered with.
    pub fn success(&self, session: Option<usize>, inner: &str) -> String {
        let identity = match session {
            Some(number) => format!("{ACCOUNT}/{number}"),
            None => ACCOUNT.to_owned(),
        };
        let Self { data, token, .. } = self;
        format!(
            "<success xmlns='{}'><additional-data>{data}</additional-data><authorization-identifier>{identity}</authorization-identifier>{inner}{token}</success>",
            ns::SASL2
        )
    }
}
