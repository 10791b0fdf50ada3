//! What is known of the services of feeds: each is asked once what it is (XEP-0030).

use crate::event::RequestFailure;
use crate::xep::disco;
use crate::xep::pubsub::feed::Traits;
use crate::xml::Element;

/// The services that feeds name.
#[derive(Debug, Default)]
pub struct Services {
    all: Vec<StudiedService>,
}

#[derive(Debug)]
struct StudiedService {
    name: String,
    /// It was asked in this session.
    asked: bool,
    /// Once it has answered.
    traits: Option<Traits>,
}

impl Services {
    /// The question to a service that was not asked yet.
    pub fn study(&mut self, name: &str) -> Option<Element> {
        match self.all.iter_mut().find(|known| known.name == name) {
            Some(known) if known.asked || known.traits.is_some() => return None,
            Some(known) => known.asked = true,
            None => self.all.push(StudiedService {
                name: name.into(),
                asked: true,
                traits: None,
            }),
        }
        Some(disco::info(Some(name), None))
    }

    /// What a service said; `None` when that was nothing.
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

    /// What is known of a service.
    pub fn traits_of(&self, name: &str) -> Option<Traits> {
        let known = self.all.iter().find(|known| known.name == name);
        known.and_then(|known| known.traits)
    }

    /// In a new session those are asked again that have not answered.
    pub fn begin_session(&mut self) {
        for known in &mut self.all {
            known.asked = false;
        }
    }
}
