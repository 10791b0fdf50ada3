//! Limits the time of a future. The loser is dropped, which cleans it up.

use futures_channel::oneshot::{Receiver, channel};
use gloo_timers::callback::Timeout;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs `future` to its end; `None` if `limit` milliseconds pass first.
pub async fn within<F: Future>(future: F, limit: u32) -> Option<F::Output> {
    let (sender, over) = channel();
    let _timer = Timeout::new(limit, move || {
        let _ = sender.send(());
    });
    Race {
        future: Box::pin(future),
        over,
    }
    .await
}

struct Race<F: Future> {
    future: Pin<Box<F>>,
    over: Receiver<()>,
}

impl<F: Future> Future for Race<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = self.future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        Pin::new(&mut self.over).poll(context).map(|_| None)
    }
}
