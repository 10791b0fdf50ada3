//! The memory of earlier logins at each service, which saves round trips at the next login: kept here, passed to the
//! session, and passed to a page that stores it between visits.

use super::Connection;
use super::state::Timer;
use crate::event::Event;
use crate::session::{Memory, memory};
use crate::time::Instant;

impl Connection {
    /// The memory of all services as text, for [`Connection::remember`] of another connection for the same account. It
    /// holds the tokens of XEP-0484: as secret as passwords.
    pub fn memory(&self) -> String {
        let mut services = Vec::new();
        for (service, memory) in self.config.services.iter().zip(&self.memories) {
            services.push((&*service.address, memory));
        }
        memory::write(self.account(), &services)
    }

    /// The owner of the memory: the account, or the domain if there is no account.
    fn account(&self) -> &str {
        let session = &self.config.session;
        session.account.as_deref().unwrap_or(&session.domain)
    }

    /// Restores the text of [`Connection::memory`]. Ignores a text that belongs to another account or cannot be read.
    pub fn remember(&mut self, text: &str) {
        let mut memories = Vec::new();
        for service in &self.config.services {
            memories.push(memory::read(text, self.account(), &service.address));
        }
        self.memories = memories;
    }

    /// Whether the first request waits: over BOSH the first message of a login travels in it if the credentials arrive
    /// soon.
    pub(super) fn gathers(&mut self, now: Instant) -> bool {
        if self.timers.is_due(Timer::Gather, now) || !self.session.awaits_early_credentials() {
            self.timers.stop(Timer::Gather);
        }
        self.timers.get(Timer::Gather).is_some()
    }

    /// Keeps what the session has learned of the service in use, and reports it.
    pub(super) fn learn(&mut self) {
        let Some(target) = &self.route.target else {
            return;
        };
        let at = target.configured_at();
        while self.memories.len() <= at {
            self.memories.push(Memory::default());
        }
        if let Some(memory) = self.memories.get_mut(at) {
            let before = memory.clone();
            target.remember(memory, self.session.memory());
            if *memory != before {
                self.events.push_back(Event::Learned);
            }
        }
    }
}
