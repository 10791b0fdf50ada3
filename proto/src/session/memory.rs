//! What earlier logins at a service have shown, so that the next one takes fewer round trips: a plain value, with a way into
//! text and back for a page that keeps it from one visit to the next.
//!
//! XEP-0388 §2.1 lets what it offers be remembered; what RFC 6120's profile offers proves itself, or costs one more attempt.

use crate::random::Random;
use crate::sasl::{known_name, shows_secret};
use crate::sasl2::{Offer, Token};
use crate::xml::{Element, Limits, parse};

const NS: &str = "urn:epode:memory:0";

/// How much a failure that haste may have caused speaks against it; at this much, nothing is said early any more.
const ENOUGH: u8 = 2;

/// What is known of one service.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// What the last login succeeded with. A weaker one will not do any more.
    pub mechanism: Option<&'static str>,
    /// It is the best that was offered, so that it may be begun with before the offer comes.
    pub settled: bool,
    /// XEP-0388 is offered, with this inside; its mechanisms are not kept.
    pub sasl2: Option<Offer>,
    /// Over BOSH: does the server read what travels with a restart? `None` before it was tried.
    pub bind_with_restart: Option<bool>,
    /// Over WebSocket: does the server read each frame by itself, so that a new stream may be opened before it is wanted?
    pub reads_apart: bool,
    /// How much speaks against saying things early.
    pub doubts: u8,
    /// This installation's name for the server (XEP-0388 §2.4): a UUID.
    pub agent: Option<String>,
    /// A token of XEP-0484, and the localpart that it is for.
    pub token: Option<(String, Token)>,
}

impl Memory {
    /// May anything be said before it is asked for?
    pub fn allows_haste(&self) -> bool {
        self.doubts < ENOUGH
    }

    /// Something was said early, and a login without that succeeded where it had failed.
    pub fn doubt(&mut self, certain: bool) {
        let more = if certain { ENOUGH } else { 1 };
        self.doubts = self.doubts.saturating_add(more);
    }

    /// The mechanism that a login may begin with. Never one that shows the secret: whoever took the server's place would get it
    /// without having offered anything.
    pub fn early_mechanism(&self) -> Option<&'static str> {
        let allowed = self.settled && self.allows_haste();
        self.mechanism.filter(|name| allowed && !shows_secret(name))
    }

    /// This installation's name, made now if there is none yet.
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

/// What is known of several services, as text. It holds tokens: as secret as passwords. `account` is who logs in.
pub fn write(account: &str, services: &[(&str, &Memory)]) -> String {
    let mut all = Element::builder("memory", NS).attr("account", account);
    for (address, memory) in services {
        all = all.child(memory.to_element(address));
    }
    all.build().to_xml()
}

/// What such a text says of a service; nothing when it is another's, or no such text.
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
