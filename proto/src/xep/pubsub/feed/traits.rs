//! Known traits of a service: the order of its listings, and whether it has archives.

use crate::ns;
use crate::xep::disco;

/// In which order a service lists the items of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Unknown.
    #[default]
    Unknown,
    /// By publication: a republished item moves to the end.
    Publication,
    /// By creation: a republished item keeps its position.
    Creation,
}

/// The known traits of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// The order of its listings.
    pub order: Order,
    /// Its nodes have archives (XEP-0442).
    pub archive: bool,
}

impl Traits {
    /// Parses the disco#info of a service (XEP-0030).
    pub fn read(info: &disco::Info) -> Self {
        let mut traits = Self::default();
        for identity in &info.identities {
            // COMPAT(Prosody): lists by publication, which no feature indicates.
            if identity.name.as_deref() == Some("Prosody PubSub Service") {
                traits.order = Order::Publication;
            }
        }
        traits.archive = info.has(ns::MAM);
        traits
    }
}
