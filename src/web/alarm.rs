//! One timer for the earliest deadline of a machine.

use super::clock::now;
use super::global::{is_hidden, next_task};
use epode_proto::time::Instant;
use gloo_timers::callback::Timeout;
use std::cell::RefCell;
use std::rc::Rc;

/// The armed timer, if any.
#[derive(Default)]
pub struct Alarm(RefCell<Option<(Instant, Timeout)>>);

impl Alarm {
    /// Arms the timer for that time, unless it is armed for it already. `fire` calls [`Alarm::stop`], then handles the timeout.
    pub fn arm(&self, at: Option<Instant>, fire: impl FnOnce() -> Rc<dyn Fn()>) {
        let armed = self.0.borrow().as_ref().map(|(at, _)| *at);
        if armed == at {
            return;
        }
        let Some(at) = at else { return self.stop() };
        let fire = fire();
        if at <= now() && is_hidden() {
            // A timer of a hidden page fires late, however short it is.
            self.stop();
            return next_task(move || fire());
        }
        // setTimeout counts in 32 bits; later deadlines are armed again when it fires.
        let delay = u32::try_from((at - now()).0)
            .unwrap_or(u32::MAX)
            .min(0x7fff_ffff);
        let timeout = Timeout::new(delay, move || fire());
        self.0.replace(Some((at, timeout)));
    }

    /// Stops the timer. One that has fired is dropped, not forgotten: a forgotten timer leaks its closure.
    pub fn stop(&self) {
        self.0.replace(None);
    }
}
