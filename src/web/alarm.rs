//! One timer for the earliest deadline.
//!
//! Setting a timer costs more than handling a stanza, and most stanzas postpone a deadline. A timer whose deadline was postponed is
//! left as it is: when it fires it is set again.

use epode_proto::time::Instant;
use gloo_timers::callback::Timeout;
use std::cell::{Cell, RefCell};

/// A deadline and its timer, which may be set to an earlier moment.
#[derive(Default)]
pub struct Alarm {
    deadline: Cell<Option<Instant>>,
    timer: RefCell<Option<(Instant, Timeout)>>,
}

impl Alarm {
    /// Takes a deadline. Returns it if a timer must be set for it; without a deadline no timer is left.
    pub fn take_deadline(&self, at: Option<Instant>) -> Option<Instant> {
        self.deadline.set(at);
        if at.is_none() {
            self.clear();
        }
        let timer = self.timer.borrow().as_ref().map(|(at, _)| *at);
        at.filter(|at| timer.is_none_or(|timer| *at < timer))
    }

    /// Sets the timer; `ring` is called once, never within this call.
    pub fn set(&self, at: Instant, now: Instant, ring: impl FnOnce() + 'static) {
        // setTimeout counts in 32 bits; later deadlines are armed again when it fires.
        let delay = u32::try_from((at - now).0).unwrap_or(u32::MAX);
        let timer = Timeout::new(delay.min(0x7fff_ffff), ring);
        self.timer.replace(Some((at, timer)));
    }

    /// The timer has fired, or another task will do its work. It is dropped, not forgotten: a forgotten timer leaks its closure.
    pub fn clear(&self) {
        self.timer.replace(None);
    }

    /// Whether the deadline has come.
    pub fn is_due(&self, now: Instant) -> bool {
        self.deadline.get().is_some_and(|at| at <= now)
    }

    /// The deadline that is still ahead.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline.get()
    }
}
