//! The list of a node's item ids (XEP-0060 §5.5), and its order.

use super::super::known::KnownItems;
use super::super::{Order, Traits};
use crate::ns;
use crate::xep::pubsub::digest::hash_id;
use crate::xep::rsm::Page;
use crate::xml::Element;

/// The ids of a node's items (§5.5), in the service's order.
pub struct ItemIds {
    pub ids: Vec<String>,
    /// The service does not indicate further ids (XEP-0059 §2.1).
    pub whole: bool,
}

/// Reads the list of a node's items.
pub fn list_ids(reply: &Element) -> ItemIds {
    let query = reply.child("query", ns::DISCO_ITEMS);
    let mut ids = Vec::new();
    for item in query.iter().flat_map(Element::children) {
        // The `jid` attribute is not needed: an item without it counts, too.
        if item.is("item", ns::DISCO_ITEMS)
            && let Some(id) = item.attr("name")
        {
            ids.push(id.into());
        }
    }
    let page = query.as_ref().and_then(Page::child_of);
    let whole = query.is_some()
        && page.is_none_or(|page| page.count.is_some_and(|count| count as usize == ids.len()));
    ItemIds { ids, whole }
}

/// XEP-0060 defines no order of the ids. Known items show the order, else the traits of the service.
pub(super) fn is_newest_first(ids: &[String], known: &KnownItems, traits: Traits) -> bool {
    let (mut up, mut down) = (0, 0);
    let mut before = None;
    for id in ids {
        let place = known.place(hash_id(id));
        if let (Some(before), Some(place)) = (before, place) {
            if before < place {
                up += 1;
            } else {
                down += 1;
            }
        }
        before = place.or(before);
    }
    if up == down {
        traits.order == Order::Publication
    } else {
        down > up
    }
}
