//! What is known of a service: how it lists, and whether it keeps archives.

use crate::ns;
use crate::xep::disco;

/// In which order a service lists the items of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Not known.
    #[default]
    Unknown,
    /// As they were published: what is published again stands last.
    Publication,
    /// As they came to be: what is published again stays where it was.
    Creation,
}

/// What is known of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// How it lists items.
    pub order: Order,
    /// Its nodes have archives (XEP-0442).
    pub archive: bool,
}

impl Traits {
    /// What a service says of itself (XEP-0030).
    pub fn read(info: &disco::Info) -> Self {
        let mut traits = Self::default();
        for identity in &info.identities {
            // COMPAT(Prosody): listed as published, which nothing else tells.
            if identity.name.as_deref() == Some("Prosody PubSub Service") {
                traits.order = Order::Publication;
            }
        }
        traits.archive = info.has(ns::MAM);
        traits
    }
}
