//! Runs a future with a timeout and an `AbortSignal`. The losing future is dropped, which cleans up its resources.

use futures_channel::oneshot::{Receiver, channel};
use gloo_timers::callback::Timeout;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

/// Why a race ended without the future's result.
#[derive(Debug)]
pub enum RaceError {
    /// The signal was aborted, for this reason.
    Aborted(JsValue),
    /// The timeout expired.
    TimedOut,
}

/// Runs `future` until it is done, the signal aborts or `timeout` milliseconds have passed.
pub async fn race<F: Future>(
    future: F,
    signal: Option<AbortSignal>,
    timeout: Option<u32>,
) -> Result<F::Output, RaceError> {
    if let Some(signal) = &signal
        && signal.aborted()
    {
        return Err(RaceError::Aborted(signal.reason()));
    }
    let (sender, lost) = channel();
    let sender = Rc::new(RefCell::new(Some(sender)));
    let lose = {
        let sender = Rc::clone(&sender);
        move |how: RaceError| {
            let sender = sender.borrow_mut().take();
            if let Some(sender) = sender {
                let _ = sender.send(how);
            }
        }
    };
    let _timer = timeout.map(|timeout| {
        let lose = lose.clone();
        Timeout::new(timeout, move || lose(RaceError::TimedOut))
    });
    let _listening = signal.map(|signal| Listening::new(signal, lose));
    Race {
        future: Box::pin(future),
        lost,
    }
    .await
}

/// Listens for `abort` until dropped.
pub struct Listening {
    signal: AbortSignal,
    listener: Closure<dyn FnMut()>,
}

impl Listening {
    /// Calls `lose` when the signal is aborted.
    pub fn new(signal: AbortSignal, lose: impl Fn(RaceError) + 'static) -> Self {
        let reason = signal.clone();
        let listener = Closure::new(move || lose(RaceError::Aborted(reason.reason())));
        let _ = signal.add_event_listener_with_callback("abort", listener.as_ref().unchecked_ref());
        Self { signal, listener }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self
            .signal
            .remove_event_listener_with_callback("abort", self.listener.as_ref().unchecked_ref());
    }
}

struct Race<F: Future> {
    future: Pin<Box<F>>,
    lost: Receiver<RaceError>,
}

impl<F: Future> Future for Race<F> {
    type Output = Result<F::Output, RaceError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = self.future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        match Pin::new(&mut self.lost).poll(context) {
            Poll::Ready(Ok(lost)) => Poll::Ready(Err(lost)),
            _ => Poll::Pending,
        }
    }
}
