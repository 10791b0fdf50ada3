//! One value, later: what a callback settles and an async function awaits. Single-threaded, as pages are.

use super::task::{Task, current, wake};
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

enum State<T> {
    Waiting(Option<Rc<Task>>),
    Ready(T),
    /// The sender is gone, or the value is taken.
    Gone,
}

/// Settles its [`Receiver`], once.
pub struct Sender<T>(Rc<RefCell<State<T>>>);

/// The value to come; `None` when the sender was dropped without one.
pub struct Receiver<T>(Rc<RefCell<State<T>>>);

/// A new pair.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let state = Rc::new(RefCell::new(State::Waiting(None)));
    (Sender(Rc::clone(&state)), Receiver(state))
}

impl<T> Sender<T> {
    /// Hands the value over.
    pub fn send(self, value: T) {
        self.finish(State::Ready(value));
    }

    fn finish(&self, state: State<T>) {
        let before = self.0.replace(state);
        if let State::Waiting(Some(task)) = before {
            wake(&task);
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if matches!(*self.0.borrow(), State::Waiting(_)) {
            self.finish(State::Gone);
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        let before = self.0.replace(State::Gone);
        match before {
            State::Ready(value) => Poll::Ready(Some(value)),
            State::Gone => Poll::Ready(None),
            State::Waiting(_) => {
                self.0.replace(State::Waiting(current()));
                Poll::Pending
            }
        }
    }
}
