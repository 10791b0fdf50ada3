//! What earlier logins at a service have shown, used to save round trips at the next login: a plain value that is
//! written to text and read from it, for a page that stores it between visits.
//!
//! XEP-0388 §2.1 allows clients to remember its offer. A remembered offer of RFC 6120's profile is confirmed by the
//! login, or costs one more attempt.

use crate::random::Random;
use crate::sasl::{known_name, sends_secret};
use crate::sasl2::{Offer, Token};
use crate::xml::{Element, Limits, parse};

const NS: &str = "urn:epode:memory:0";

/// The value of [`Memory::doubts`] from which nothing is sent early any more.
const ENOUGH: u8 = 2;

/// The memory of one service.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// The mechanism of the last successful login. A weaker mechanism is not accepted any more.
    pub mechanism: Option<&'static str>,
    /// Whether `mechanism` is the best one that was offered, so that a login may start with it before the features
    /// arrive.
    pub settled: bool,
    /// The offer inside XEP-0388's feature, without its mechanisms; `None` if XEP-0388 is not offered.
    pub sasl2: Option<Offer>,
    /// Over BOSH: whether the server reads elements that travel with a restart. `None` before it was tried.
    pub bind_with_restart: Option<bool>,
    /// Over WebSocket: whether the server reads each frame separately, so that a new stream may be opened before the
    /// server requests it.
    pub reads_apart: bool,
    /// The weight of the failures that sending early may have caused.
    pub doubts: u8,
    /// The id of this installation for the server (XEP-0388 §2.4): a UUID.
    pub agent: Option<String>,
    /// A token of XEP-0484, and the localpart of its account.
    pub token: Option<(String, Token)>,
}

impl Memory {
    /// Whether elements may be pipelined.
    pub fn allows_pipelining(&self) -> bool {
        self.doubts < ENOUGH
    }

    /// Notes that a login without pipelining succeeded after one with pipelining had failed.
    pub fn doubt(&mut self, certain: bool) {
        let more = if certain { ENOUGH } else { 1 };
        self.doubts = self.doubts.saturating_add(more);
    }

    /// The mechanism with which a login may start. Never one that sends the secret: an attacker in the server's place
    /// would get the secret without having offered a mechanism.
    pub fn early_mechanism(&self) -> Option<&'static str> {
        let allowed = self.settled && self.allows_pipelining();
        self.mechanism.filter(|name| allowed && !sends_secret(name))
    }

    /// The id of this installation; created at the first call.
    pub fn agent(&mut self, random: &mut dyn Random) -> String {
        self.agent.get_or_insert_with(|| uuid(random)).clone()
    }

    fn to_element(&self, address: &str) -> Element {
        let mut element = Element::builder("service", NS)
            .attr("address", address)
            .attr_opt("mechanism", self.mechanism)
            .attr_opt("settled", self.settled.then_some("true"))
            .attr_opt("apart", self.reads_apart.then_some("true"))
            .attr_opt("agent", self.agent.as_deref());
        if self.doubts > 0 {
            element = element.attr("doubts", &self.doubts.to_string());
        }
        if let Some(taken) = self.bind_with_restart {
            element = element.attr("restart", if taken { "true" } else { "false" });
        }
        if let Some(offer) = &self.sasl2 {
            element = element.element("sasl2", NS, |mut sasl2| {
                for (name, offered) in [
                    ("bind", offer.bind),
                    ("enable", offer.enable),
                    ("resume", offer.resume),
                    ("tokens", offer.tokens),
                    ("flawed", offer.flawed),
                ] {
                    sasl2 = sasl2.attr_opt(name, offered.then_some("true"));
                }
                sasl2
            });
        }
        if let Some((username, token)) = &self.token {
            element = element.element("token", NS, |child| {
                let child = child.attr("for", username);
                match token.expiry {
                    Some(expiry) => child.attr("expiry", &expiry.max(0).to_string()),
                    None => child,
                }
                .text(&token.secret)
            });
        }
        element.build()
    }

    fn parse(element: &Element) -> Self {
        let is = |element: &Element, name: &str| element.attr(name) == Some("true");
        let number = |element: &Element, name: &str| -> Option<u64> {
            element.attr(name).and_then(|value| value.parse().ok())
        };
        Self {
            mechanism: element.attr("mechanism").and_then(known_name),
            settled: is(element, "settled"),
            reads_apart: is(element, "apart"),
            sasl2: element.child("sasl2", NS).map(|sasl2| Offer {
                mechanisms: Vec::new(),
                bind: is(&sasl2, "bind"),
                enable: is(&sasl2, "enable"),
                resume: is(&sasl2, "resume"),
                tokens: is(&sasl2, "tokens"),
                flawed: is(&sasl2, "flawed"),
            }),
            bind_with_restart: element.attr("restart").map(|taken| taken == "true"),
            doubts: number(element, "doubts").map_or(0, |doubts| doubts.min(9) as u8),
            agent: element.attr("agent").map(str::to_owned),
            token: element.child("token", NS).map(|token| {
                let username = token.attr("for").unwrap_or_default().to_owned();
                let expiry = number(&token, "expiry").and_then(|at| i64::try_from(at).ok());
                let secret = token.text().into_owned();
                (username, Token { secret, expiry })
            }),
        }
    }
}

/// Writes the memories of several services as text. The text holds tokens, which are as secret as passwords. `account`
/// is the account that logs in.
pub fn write(account: &str, services: &[(&str, &Memory)]) -> String {
    let mut all = Element::builder("memory", NS).attr("account", account);
    for (address, memory) in services {
        all = all.child(memory.to_element(address));
    }
    all.build().to_xml()
}

/// The memory of one service in such a text; an empty one if the text belongs to another account or cannot be read.
pub fn read(text: &str, account: &str, address: &str) -> Memory {
    let all = parse(text.as_bytes().to_vec(), &Limits::default()).ok();
    let own = all.filter(|all| all.is("memory", NS) && all.attr("account") == Some(account));
    let mut services = own.iter().flat_map(|all| all.children());
    let service = services.find(|service| service.attr("address") == Some(address));
    service.map_or_else(Memory::default, |service| Memory::parse(&service))
}

/// RFC 9562 §5.4: version 4.
fn uuid(random: &mut dyn Random) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        let byte = match at {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
