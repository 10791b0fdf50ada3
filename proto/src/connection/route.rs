//! The way to a server: which of the configured services is used, and where a server has redirected to.

use super::policy::{Redirects, Target};
use crate::transport::Service;

/// Where the connection is made, now and next.
#[derive(Default)]
pub(super) struct Route {
    /// Which of the configured services is used.
    pub service: usize,
    /// How many services were tried since one worked.
    pub tried: usize,
    /// The address in use, or tried last.
    pub target: Option<Target>,
    /// The address that a server redirected to, until it is tried.
    pub moved: Option<Target>,
    pub redirects: Redirects,
    /// Where the session is, or was when it was suspended.
    pub session_target: Option<Target>,
}

impl Route {
    /// A connection begins, at the service that was used last.
    pub fn begin(&mut self) {
        self.tried = 0;
        self.redirects = Redirects::default();
    }

    /// The address whose turn it is.
    pub fn next_target(&mut self, services: &[Service]) -> Option<Target> {
        if let Some(moved) = self.moved.take() {
            return Some(moved);
        }
        self.tried += 1;
        Some(Target::configured(
            self.service,
            services.get(self.service)?,
        ))
    }

    /// The next service's turn; false when all have had theirs.
    pub fn turn_to_next(&mut self, services: &[Service]) -> bool {
        if self.tried >= services.len() {
            return false;
        }
        self.service = (self.service + 1) % services.len();
        true
    }

    /// All services have had their turn: a new round, from the first of them.
    pub fn begin_round(&mut self) {
        if self.tried > 0 {
            self.tried = 0;
            self.service = 0;
        }
    }

    /// A session is there, at the address in use.
    pub fn settle(&mut self) {
        self.tried = 0;
        self.session_target.clone_from(&self.target);
    }

    /// There is no connection any more.
    pub fn leave(&mut self) {
        self.moved = None;
        self.target = None;
    }
}
