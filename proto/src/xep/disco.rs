//! XEP-0030: Service Discovery 2.5. Requests, replies, and the own reply.
//!
//! Specification: XEP-0030 2.5.0.
//!
//! Left out: publishing items (obsolete). Entity capabilities (XEP-0115) are in `caps`.

use crate::ns;
use crate::stanza::iq::{self, IqType};
use crate::xml::Element;

/// The kind of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The category, `conference` for instance.
    pub category: String,
    /// The type within it; the registry is at xmpp.org/registrar/disco-categories.html.
    pub kind: String,
    /// The name for people.
    pub name: Option<String>,
}

/// The disco#info of an entity or one of its nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Info {
    /// The requested node.
    pub node: Option<String>,
    /// The identities; at least one.
    pub identities: Vec<Identity>,
    /// The features, as the namespaces that name them.
    pub features: Vec<String>,
    /// Extended information (XEP-0128), as received; `data_form::Form` parses it.
    pub forms: Vec<Element>,
}

impl Info {
    /// Parses a reply; `None` if it holds no information.
    pub fn parse(reply: &Element) -> Option<Self> {
        let query = reply.child("query", ns::DISCO_INFO)?;
        let mut info = Self {
            node: query.attr("node").map(Into::into),
            ..Self::default()
        };
        for child in query.children() {
            if child.is("identity", ns::DISCO_INFO) {
                info.identities.push(Identity {
                    category: child.attr("category").unwrap_or_default().into(),
                    kind: child.attr("type").unwrap_or_default().into(),
                    name: child.attr("name").map(Into::into),
                });
            } else if child.is("feature", ns::DISCO_INFO) {
                info.features.extend(child.attr("var").map(String::from));
            } else if child.is("x", ns::DATA_FORM) {
                info.forms.push(child);
            }
        }
        Some(info)
    }

    /// The payload of a reply.
    pub fn to_element(&self) -> Element {
        let identities = self.identities.iter().map(|identity| {
            Element::builder("identity", ns::DISCO_INFO)
                .attr("category", &identity.category)
                .attr("type", &identity.kind)
                .attr_opt("name", identity.name.as_deref())
                .build()
        });
        let features = self.features.iter().map(|feature| {
            Element::builder("feature", ns::DISCO_INFO)
                .attr("var", feature)
                .build()
        });
        Element::builder("query", ns::DISCO_INFO)
            .attr_opt("node", self.node.as_deref())
            .children(identities)
            .children(features)
            .children(self.forms.iter().cloned())
            .build()
    }

    /// Whether a feature is present.
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|own| own == feature)
    }

    /// Whether an identity of this category and type is present.
    pub fn is(&self, category: &str, kind: &str) -> bool {
        self.identities
            .iter()
            .any(|identity| identity.category == category && identity.kind == kind)
    }
}

/// An item of an entity: a room of a service, a node, an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoItem {
    /// The address.
    pub jid: String,
    /// The node at that address.
    pub node: Option<String>,
    /// The name for people. For a pubsub node's items: the item's id (XEP-0060 §5.5).
    pub name: Option<String>,
}

/// Builds a disco#info request to `to`, optionally for a `node`.
pub fn info(to: Option<&str>, node: Option<&str>) -> Element {
    query(ns::DISCO_INFO, to, node)
}

/// Builds a disco#items request to `to`.
pub fn items(to: Option<&str>, node: Option<&str>) -> Element {
    query(ns::DISCO_ITEMS, to, node)
}

fn query(namespace: &str, to: Option<&str>, node: Option<&str>) -> Element {
    let query = Element::builder("query", namespace)
        .attr_opt("node", node)
        .build();
    iq::request(IqType::Get, to, query)
}

/// Parses the reply to [`items`]; `None` if it holds no list. Items without an address are skipped.
pub fn parse_items(reply: &Element) -> Option<Vec<DiscoItem>> {
    let query = reply.child("query", ns::DISCO_ITEMS)?;
    let items = query
        .children()
        .filter(|child| child.is("item", ns::DISCO_ITEMS))
        .filter_map(|item| {
            Some(DiscoItem {
                jid: item.attr("jid")?.into(),
                node: item.attr("node").map(Into::into),
                name: item.attr("name").map(Into::into),
            })
        });
    Some(items.collect())
}
