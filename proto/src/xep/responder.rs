//! Default replies to requests that the page does not handle: XEP-0030, XEP-0092, XEP-0199, XEP-0202, and
//! `service-unavailable` for all others (RFC 6120 §8.4). Always to the sender, always with the request's id.

use super::disco::{Identity, Info};
use super::time::EntityTime;
use super::version::Version;
use crate::ns;
use crate::stanza::iq;
use crate::stanza::{ErrorKind, StanzaError};
use crate::xml::Element;

/// The features of this responder; disco#info lists them with the caller's features.
const FEATURES: [&str; 5] = [
    ns::DISCO_INFO,
    ns::DISCO_ITEMS,
    ns::PING,
    ns::TIME,
    ns::VERSION,
];

/// The description of this client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The software's name and version, and the operating system if it may be disclosed.
    pub version: Version,
    /// The identity; `client`/`web` is usual.
    pub identity: Identity,
    /// Namespaces of the caller's features, in addition to those of the responder.
    pub features: Vec<String>,
    /// Nodes that stand for the whole client: `node#ver` of the announced entity capabilities (XEP-0115 §6.2).
    pub nodes: Vec<String>,
}

impl About {
    /// The disco#info of this client.
    pub fn info(&self) -> Info {
        let mut features: Vec<String> = Vec::new();
        for feature in FEATURES {
            features.push((*feature).into());
        }
        for feature in &self.features {
            if !features.contains(feature) {
                features.push(feature.clone());
            }
        }
        Info {
            node: None,
            identities: vec![self.identity.clone()],
            features,
            forms: Vec::new(),
        }
    }

    fn knows(&self, node: Option<&str>) -> bool {
        node.is_none_or(|node| self.nodes.iter().any(|own| own == node))
    }
}

/// The reply to an `iq` that the page does not handle. `None` for a stanza that is not a request (a result, an error)
/// or has no id: replies to those could loop.
///
/// `now` is milliseconds since 1970 UTC, `offset_minutes` the local time's offset east of UTC.
pub fn respond(request: &Element, about: &About, now: i64, offset_minutes: i32) -> Option<Element> {
    request.attr("id")?;
    let get = match request.attr("type") {
        Some("result" | "error") => return None,
        Some("get") => true,
        Some("set") => false,
        _ => return Some(refuse(request, ErrorKind::Modify, "bad-request")),
    };
    let mut children = request.children();
    let (Some(payload), None) = (children.next(), children.next()) else {
        return Some(refuse(request, ErrorKind::Modify, "bad-request"));
    };
    let answered = match (payload.name(), payload.ns()) {
        _ if !get => None,
        ("ping", ns::PING) => Some(None),
        ("query", ns::VERSION) => Some(Some(about.version.to_element())),
        ("time", ns::TIME) => Some(Some(
            EntityTime {
                unix_ms: now,
                offset_minutes,
            }
            .to_element(),
        )),
        ("query", namespace @ (ns::DISCO_INFO | ns::DISCO_ITEMS)) => {
            let node = payload.attr("node");
            if !about.knows(node) {
                return Some(refuse(request, ErrorKind::Cancel, "item-not-found"));
            }
            Some(Some(if namespace == ns::DISCO_INFO {
                let info = Info {
                    node: node.map(Into::into),
                    ..about.info()
                };
                info.to_element()
            } else {
                Element::builder("query", ns::DISCO_ITEMS)
                    .attr_opt("node", node)
                    .build()
            }))
        }
        _ => None,
    };
    Some(match answered {
        Some(payload) => iq::result(request, payload),
        None => refuse(request, ErrorKind::Cancel, "service-unavailable"),
    })
}

/// The reply to a stranger's request ([`ReplyDecision::Refuse`](super::audience::ReplyDecision::Refuse)): the error
/// that a server sends for a resource that does not exist (RFC 6121 §8.5.3.2.3). `None` for a stanza that gets no
/// reply.
pub fn refuse_unknown_sender(request: &Element) -> Option<Element> {
    request.attr("id")?;
    match request.attr("type") {
        Some("result" | "error") => None,
        _ => Some(refuse(request, ErrorKind::Cancel, "service-unavailable")),
    }
}

fn refuse(request: &Element, kind: ErrorKind, condition: &str) -> Element {
    iq::error_reply(request, &StanzaError::new(kind, condition))
}
