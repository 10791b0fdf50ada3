//! One timer for the earliest deadline of a machine.
//!
//! Setting a timer costs more than handling a stanza, and most stanzas postpone a deadline. A timer whose deadline was
//! postponed therefore stays as it is; when it fires, it is set again.

use super::global::{is_hidden, next_task};
use epode_proto::time::Instant;
use gloo_timers::callback::Timeout;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A deadline and its timer, which may be set to an earlier time.
#[derive(Default)]
pub struct Alarm {
    deadline: Cell<Option<Instant>>,
    timer: RefCell<Option<(Instant, Timeout)>>,
}

impl Alarm {
    /// Takes a deadline; without one, no timer is left. `fire` must call [`Alarm::ring`].
    pub fn arm(&self, at: Option<Instant>, now: Instant, fire: &dyn Fn() -> Rc<dyn Fn()>) {
        self.deadline.set(at);
        let Some(at) = at else {
            self.timer.replace(None);
            return;
        };
        if at <= now && is_hidden() {
            // A timer of a hidden page fires late, however short it is.
            self.timer.replace(None);
            let fire = fire();
            return next_task(move || fire());
        }
        if self
            .timer
            .borrow()
            .as_ref()
            .is_some_and(|(set, _)| *set <= at)
        {
            return;
        }
        let fire = fire();
        // setTimeout counts in 32 bits; later deadlines are armed again when it fires.
        let delay = u32::try_from((at - now).0).unwrap_or(u32::MAX);
        let timer = Timeout::new(delay.min(0x7fff_ffff), move || fire());
        self.timer.replace(Some((at, timer)));
    }

    /// Handles that the timer has fired. Returns true if the deadline has come; otherwise the caller arms [`Alarm::deadline`] again.
    ///
    /// The timer is dropped, not forgotten: a forgotten timer leaks its closure.
    pub fn ring(&self, now: Instant) -> bool {
        self.timer.replace(None);
        self.deadline.get().is_some_and(|at| at <= now)
    }

    /// The deadline.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline.get()
    }

    /// Forgets the deadline and stops the timer.
    pub fn stop(&self) {
        self.deadline.set(None);
        self.timer.replace(None);
    }
}
