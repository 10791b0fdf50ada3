//! The service in use, and the address that a server has redirected to.

use super::policy::{Redirects, Target};
use crate::transport::Service;

/// The current and the next address of the connection.
#[derive(Default)]
pub(super) struct Route {
    /// The position of the service in use.
    pub service: usize,
    /// The number of services tried since one worked.
    pub tried: usize,
    /// The address in use, or the last one tried.
    pub target: Option<Target>,
    /// The address of a redirect, until it is tried.
    pub moved: Option<Target>,
    pub redirects: Redirects,
    /// The address of the session, or of the suspended session.
    pub session_target: Option<Target>,
}

impl Route {
    /// Starts connecting, at the service that was used last.
    pub fn begin(&mut self) {
        self.tried = 0;
        self.redirects = Redirects::default();
    }

    /// The address to try next.
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

    /// Turns to the next service. Returns false if all services have been tried.
    pub fn turn_to_next(&mut self, services: &[Service]) -> bool {
        if self.tried >= services.len() {
            return false;
        }
        self.service = (self.service + 1) % services.len();
        true
    }

    /// All services were tried: starts a new round at the first of them.
    pub fn begin_round(&mut self) {
        if self.tried > 0 {
            self.tried = 0;
            self.service = 0;
        }
    }

    /// A session was established at the address in use.
    pub fn settle(&mut self) {
        self.tried = 0;
        self.session_target.clone_from(&self.target);
    }

    /// The connection has ended.
    pub fn leave(&mut self) {
        self.moved = None;
        self.target = None;
    }
}
