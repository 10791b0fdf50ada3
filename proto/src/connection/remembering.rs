//! What earlier logins have shown of each service, so that the next one takes fewer round trips: kept here, given to the
//! session, and to a page that keeps it from one visit to the next.

use super::Connection;
use super::state::Timer;
use crate::event::Event;
use crate::session::{Memory, memory};
use crate::time::Instant;

impl Connection {
    /// What is remembered of the services (XEP-0484's tokens, too: as secret as passwords), for [`Connection::remember`] of
    /// another connection for the same account.
    pub fn memory(&self) -> String {
        let mut services = Vec::new();
        for (service, memory) in self.config.services.iter().zip(&self.memories) {
            services.push((&*service.address, memory));
        }
        memory::write(self.account(), &services)
    }

    /// Whom the memory is for: the account, or the domain where there is none.
    fn account(&self) -> &str {
        let session = &self.config.session;
        session.account.as_deref().unwrap_or(&session.domain)
    }

    /// Takes what [`Connection::memory`] gave. What is not for this account, or cannot be read, is ignored.
    pub fn remember(&mut self, text: &str) {
        let mut memories = Vec::new();
        for service in &self.config.services {
            memories.push(memory::read(text, self.account(), &service.address));
        }
        self.memories = memories;
    }

    /// Whether the first request waits: over BOSH the first message of a login travels in it, if credentials are there soon.
    pub(super) fn gathers(&mut self, now: Instant) -> bool {
        if self.timers.is_due(Timer::Gather, now) || !self.session.awaits_early_credentials() {
            self.timers.stop(Timer::Gather);
        }
        self.timers.get(Timer::Gather).is_some()
    }

    /// What the session has learned of the service in use is kept, and told.
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
