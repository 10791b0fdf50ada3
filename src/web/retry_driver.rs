//! Drives a schedule of retries with the browser's time and the events of the page.
//!
//! The callback is held while the schedule is not idle: a page that keeps no reference to what it reconnects is reconnected all the
//! same.

use super::alarm::Alarm;
use super::clock::now;
use super::lifecycle::{Lifecycle, PageChange};
use epode_proto::retry_schedule::RetrySchedule;
use epode_proto::time::Instant;
use std::cell::RefCell;
use std::rc::Rc;

/// A schedule of retries with its timer.
pub struct RetryDriver {
    schedule: RefCell<RetrySchedule>,
    alarm: Alarm,
    lifecycle: RefCell<Option<Lifecycle>>,
    /// Called when an attempt is due.
    attempt: RefCell<Option<Rc<dyn Fn()>>>,
}

impl RetryDriver {
    /// Creates a driver of an idle schedule.
    pub fn new(schedule: RetrySchedule) -> Rc<Self> {
        Rc::new(Self {
            schedule: RefCell::new(schedule),
            alarm: Alarm::default(),
            lifecycle: RefCell::default(),
            attempt: RefCell::default(),
        })
    }

    /// Sets what is called when an attempt is due, until the schedule is idle again.
    pub fn listen(&self, attempt: Rc<dyn Fn()>) {
        self.attempt.replace(Some(attempt));
    }

    /// Changes the schedule, and arms the timer for what is due next.
    pub fn change<R>(self: &Rc<Self>, change: impl FnOnce(&mut RetrySchedule, Instant) -> R) -> R {
        let result = change(&mut self.schedule.borrow_mut(), now());
        self.update();
        result
    }

    fn update(self: &Rc<Self>) {
        let (at, idle) = {
            let schedule = self.schedule.borrow();
            (schedule.poll_timeout(), schedule.is_idle())
        };
        self.alarm.arm(at, now(), &|| {
            let driver = Rc::downgrade(self);
            Rc::new(move || {
                if let Some(driver) = driver.upgrade() {
                    driver.ring();
                }
            })
        });
        if idle {
            self.attempt.replace(None);
            self.lifecycle.replace(None);
        } else if self.lifecycle.borrow().is_none() {
            let driver = Rc::downgrade(self);
            let lifecycle = Lifecycle::listen(Box::new(move |change| {
                if let (PageChange::Awake, Some(driver)) = (change, driver.upgrade()) {
                    driver.change(RetrySchedule::wake);
                    driver.ring();
                }
            }));
            self.lifecycle.replace(Some(lifecycle));
        }
    }

    fn ring(self: &Rc<Self>) {
        self.alarm.ring(now());
        let due = self.change(RetrySchedule::handle_timeout);
        let attempt = self.attempt.borrow().clone();
        if let (true, Some(attempt)) = (due, attempt) {
            attempt();
        }
    }
}
