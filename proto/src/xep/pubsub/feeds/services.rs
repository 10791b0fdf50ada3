//! The known traits of the feeds' services: each is queried once (XEP-0030).

use crate::event::RequestFailure;
use crate::xep::disco;
use crate::xep::pubsub::feed::Traits;
use crate::xml::Element;

/// The services of feeds.
#[derive(Debug, Default)]
pub struct Services {
    all: Vec<KnownService>,
}

#[derive(Debug)]
struct KnownService {
    name: String,
    /// Whether it was queried in this session.
    asked: bool,
    /// The traits, after its reply.
    traits: Option<Traits>,
}

impl Services {
    /// The disco#info request to a service that was not queried yet.
    pub fn discover(&mut self, name: &str) -> Option<Element> {
        match self.all.iter_mut().find(|known| known.name == name) {
            Some(known) if known.asked || known.traits.is_some() => return None,
            Some(known) => known.asked = true,
            None => self.all.push(KnownService {
                name: name.into(),
                asked: true,
                traits: None,
            }),
        }
        Some(disco::info(Some(name), None))
    }

    /// Handles the reply of a service; `None` if it failed.
    pub fn handle_reply(
        &mut self,
        name: &str,
        outcome: &Result<Element, RequestFailure>,
    ) -> Option<Traits> {
        let known = self.all.iter_mut().find(|known| known.name == name)?;
        match outcome {
            Ok(reply) => {
                known.traits = disco::Info::parse(reply).map(|info| Traits::read(&info));
            }
            // It was not asked.
            Err(RequestFailure::Disconnected) => known.asked = false,
            // Not before the next session.
            Err(_) => {}
        }
        known.traits
    }

    /// The known traits of a service.
    pub fn traits_of(&self, name: &str) -> Option<Traits> {
        let known = self.all.iter().find(|known| known.name == name);
        known.and_then(|known| known.traits)
    }

    /// Allows a new query, in a new session, of services that have not replied.
    pub fn begin_session(&mut self) {
        for known in &mut self.all {
            known.asked = false;
        }
    }
}
