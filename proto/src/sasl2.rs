//! XEP-0388 1.0.4: Extensible SASL Profile, with its inline elements: XEP-0386 1.1.0 (Bind 2), XEP-0198 1.6.3 §9
//! (stream management), XEP-0484 0.2.0 (FAST). A whole login is one element in each direction: authenticated, bound or
//! resumed.
//!
//! Specification: XEP-0388 1.0.4, XEP-0386 1.1.0, XEP-0484 0.2.0.
//!
//! This file writes and parses the elements; the session decides which to request, and
//! [`sasl::wire`](super::sasl::wire) handles challenges. Left out: tasks and upgrades, FAST's `count` (a page sends
//! nothing in TLS 0-RTT: its requests and frames come after the handshake), carbons and client state inside `<bind/>`
//! (a page requests them itself).

use super::ns;
use super::sasl::{HT_SHA_256_NONE, base64};
use super::xep::delay::parse_date_time;
use super::xml::Element;

/// The offer inside `<authentication/>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// SASL mechanisms, in the server's order.
    pub mechanisms: Vec<String>,
    /// Whether a resource can be bound by the login (XEP-0386).
    pub bind: bool,
    /// Whether stream management can be enabled with the binding.
    pub enable: bool,
    /// Whether a session can be resumed by the login (XEP-0198 §9).
    pub resume: bool,
    /// Whether the server issues tokens for [`HT_SHA_256_NONE`] (XEP-0484).
    pub tokens: bool,
    /// COMPAT(Prosody 0.12 with modules of 2023): stream management is offered twice, without a way to use it; over
    /// BOSH no mechanism is offered. A client that requests them gets no reply.
    pub flawed: bool,
}

impl Offer {
    /// Parses the stream feature; `None` for any other element.
    pub fn parse(feature: &Element) -> Option<Self> {
        if !feature.is("authentication", ns::SASL2) {
            return None;
        }
        let mut offer = Self {
            mechanisms: feature.read_children("mechanism", ns::SASL2, Element::trimmed_text),
            ..Self::default()
        };
        let Some(inline) = feature.child("inline", ns::SASL2) else {
            return Some(offer);
        };
        let mut managements = 0;
        for child in inline.children() {
            match (child.name(), child.ns()) {
                ("bind", ns::BIND2) => {
                    offer.bind = true;
                    if let Some(inline) = child.child("inline", ns::BIND2) {
                        let features = inline.children();
                        managements = features
                            .filter(|one| one.attr("var") == Some(ns::STREAM_MANAGEMENT))
                            .count();
                    }
                    offer.enable = managements > 0;
                }
                ("sm", ns::STREAM_MANAGEMENT) => offer.resume = true,
                ("fast", ns::FAST) => {
                    let names = child.read_children("mechanism", ns::FAST, Element::trimmed_text);
                    offer.tokens = names.iter().any(|name| name == HT_SHA_256_NONE);
                }
                _ => {}
            }
        }
        if managements > 1 {
            offer.flawed = true;
            offer.enable = false;
            offer.resume = false;
        }
        Some(offer)
    }
}

/// `<authenticate/>` (XEP-0388 §2.4). `agent` is a UUID that stays the same for this installation; `inline` holds the
/// other requests: [`bind`], [`request_token`], [`use_token`], XEP-0198's `<resume/>`.
pub fn authenticate(
    mechanism: &str,
    initial: Option<&[u8]>,
    agent: Option<&str>,
    inline: Vec<Element>,
) -> Element {
    let mut request = Element::builder("authenticate", ns::SASL2).attr("mechanism", mechanism);
    if let Some(initial) = initial {
        request = request.element("initial-response", ns::SASL2, |element| {
            element.text(&base64::encode(initial))
        });
    }
    if let Some(agent) = agent {
        request = request.element("user-agent", ns::SASL2, |element| {
            element
                .attr("id", agent)
                .element("software", ns::SASL2, |software| software.text("epode"))
        });
    }
    request.children(inline).build()
}

/// XEP-0386 §3: requests a resource, whose name the server chooses; `enable` is XEP-0198's element, if the offer allows
/// it.
///
/// Without a `<tag/>`: Prosody derives the resource from the tag and the agent, so that two pages of one installation
/// would replace each other.
pub fn bind(enable: Option<Element>) -> Element {
    Element::builder("bind", ns::BIND2).children(enable).build()
}

/// XEP-0484 §3.2: requests a token for the next login.
pub fn request_token() -> Element {
    Element::builder("request-token", ns::FAST)
        .attr("mechanism", HT_SHA_256_NONE)
        .build()
}

/// XEP-0484 §3.4: marks the login as one with a token.
pub fn use_token() -> Element {
    Element::builder("fast", ns::FAST).build()
}

/// A login token (XEP-0484). As secret as a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub secret: String,
    /// The expiry in milliseconds since 1970; `None` if the server's value is absent or not readable.
    pub expiry: Option<i64>,
}

/// The content of `<success/>` (XEP-0388 §2.6.1), beside the mechanism's own data.
pub struct Granted {
    /// The authenticated identity: a full JID if a resource is bound.
    pub identity: String,
    /// XEP-0386's `<bound/>`, which holds the reply to [`bind`]'s `enable`: XEP-0198's `<enabled/>` or `<failed/>`.
    pub bound: Option<Element>,
    /// XEP-0198's `<resumed/>`, or `<failed/>` if the session cannot be resumed.
    pub resumption: Option<Element>,
    /// A token for the next login, requested or sent unasked (XEP-0484 §3.5).
    pub token: Option<Token>,
}

impl Granted {
    /// Parses `<success/>` of this profile; `None` for any other element.
    pub fn parse(success: &Element) -> Option<Self> {
        if !success.is("success", ns::SASL2) {
            return None;
        }
        let identity = success.child_text("authorization-identifier", ns::SASL2);
        let mut granted = Self {
            identity: identity.as_deref().unwrap_or_default().trim().to_owned(),
            bound: None,
            resumption: None,
            token: None,
        };
        for child in success.children() {
            match (child.name(), child.ns()) {
                ("bound", ns::BIND2) => granted.bound = Some(child),
                ("resumed" | "failed", ns::STREAM_MANAGEMENT) => granted.resumption = Some(child),
                ("token", ns::FAST) => granted.token = read_token(&child),
                _ => {}
            }
        }
        Some(granted)
    }
}

/// The longest accepted token, in bytes: pages store it together with other data in a few megabytes.
const LONGEST_TOKEN: usize = 8 << 10;

fn read_token(element: &Element) -> Option<Token> {
    let secret = element.attr("token")?;
    if secret.is_empty() || secret.len() > LONGEST_TOKEN {
        return None;
    }
    Some(Token {
        secret: secret.to_owned(),
        expiry: element.attr("expiry").and_then(parse_date_time),
    })
}
