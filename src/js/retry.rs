//! `RetryCore`: when a stream by hand is opened again, as the page sees it (pkg-template/src/retry-timer.ts).

use super::sink::report_exception;
use crate::web::entropy::Entropy;
use crate::web::retry_driver::RetryDriver;
use epode_proto::reconnect::Reconnect;
use epode_proto::retry_schedule::{Ending, RetrySchedule};
use epode_proto::time::Millis;
use js_sys::Function;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// A schedule of retries.
#[wasm_bindgen]
pub struct RetryCore(Rc<RetryDriver>);

#[wasm_bindgen]
impl RetryCore {
    /// An idle schedule with these pauses, in milliseconds.
    #[wasm_bindgen(constructor)]
    pub fn new(least: Option<u32>, most: Option<u32>) -> RetryCore {
        let mut pauses = Reconnect::default();
        pauses.least = least.map_or(pauses.least, |least| Millis(u64::from(least)));
        pauses.most = most.map_or(pauses.most, |most| Millis(u64::from(most)));
        let schedule = RetrySchedule::new(pauses, Box::new(Entropy));
        Self(RetryDriver::new(schedule))
    }

    /// The page has logged in. `attempt` is called when a stream is to be opened, and held until the schedule is idle again.
    #[wasm_bindgen(js_name = noteOnline)]
    pub fn note_online(&self, attempt: Function) {
        self.0.listen(Rc::new(move || {
            report_exception(attempt.call0(&JsValue::UNDEFINED).map(drop));
        }));
        self.0.change(RetrySchedule::note_online);
    }

    /// The stream or the attempt has ended. The pause in milliseconds; `undefined` if no attempt follows.
    #[wasm_bindgen(js_name = noteEnded)]
    #[allow(clippy::cast_precision_loss)]
    pub fn note_ended(&self, condition: &str, refused: bool) -> Option<f64> {
        let ending = match refused {
            true => Ending::Refused(condition),
            false => Ending::Lost(condition),
        };
        let pause = self
            .0
            .change(|schedule, now| schedule.note_ended(now, ending));
        pause.map(|pause| pause.0 as f64)
    }

    /// Nothing is due any more.
    pub fn stop(&self) {
        self.0.change(|schedule, _| schedule.stop());
    }
}
