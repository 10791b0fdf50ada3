//! Asynchronous work, on the page's own queue of microtasks.
//!
//! js_sys's executor serves wakers, threads and stack switching too, and costs 2.5 KB gzip of wasm more. Here nobody needs a
//! `Waker`: the task that is polled notes itself in what it waits for ([`super::oneshot`]), and is woken by name.

use super::global::queue_microtask;
use super::oneshot::{Receiver, channel};
use js_sys::Promise;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use wasm_bindgen::prelude::*;

/// Boxed, so that what runs it is in the wasm once.
pub type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Some work, until it is done.
pub struct Task {
    /// Taken out while it runs.
    work: RefCell<Option<Work>>,
    due: Cell<bool>,
}

/// One for the module: pages have one thread.
struct Executor {
    current: RefCell<Option<Rc<Task>>>,
    due: RefCell<Vec<Rc<Task>>>,
    run: RefCell<Option<Closure<dyn FnMut()>>>,
}

thread_local! {
    static EXECUTOR: Executor = const {
        Executor {
            current: RefCell::new(None),
            due: RefCell::new(Vec::new()),
            run: RefCell::new(None),
        }
    };
}

/// Runs `work` from the next microtask on; nobody waits for it.
pub fn spawn(work: Work) {
    wake(&Rc::new(Task {
        work: RefCell::new(Some(work)),
        due: Cell::new(false),
    }));
}

/// The task that runs.
pub fn current() -> Option<Rc<Task>> {
    EXECUTOR.with(|executor| executor.current.borrow().clone())
}

/// Lets a task go on, in the next microtask.
pub fn wake(task: &Rc<Task>) {
    if task.due.replace(true) {
        return;
    }
    EXECUTOR.with(|executor| {
        let mut due = executor.due.borrow_mut();
        due.push(Rc::clone(task));
        if due.len() == 1 {
            let mut run = executor.run.borrow_mut();
            let run = run.get_or_insert_with(|| Closure::new(run_due));
            queue_microtask(run.as_ref().unchecked_ref());
        }
    });
}

fn run_due() {
    EXECUTOR.with(|executor| {
        // What is woken meanwhile has the next microtask.
        for task in executor.due.take() {
            task.due.set(false);
            let Some(mut work) = task.work.take() else {
                continue;
            };
            executor.current.replace(Some(Rc::clone(&task)));
            let pending = work
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending();
            executor.current.replace(None);
            if pending {
                task.work.replace(Some(work));
            }
        }
    });
}

#[wasm_bindgen]
extern "C" {
    /// A promise, as what can be waited for.
    type Thenable;

    #[wasm_bindgen(method)]
    fn then(this: &Thenable, resolved: &JsValue, rejected: &JsValue) -> JsValue;
}

/// What a promise settles with.
pub fn settled(promise: &Promise) -> Receiver<Result<JsValue, JsValue>> {
    let (sender, receiver) = channel();
    let sender = Rc::new(Cell::new(Some(sender)));
    let callback = |outcome: fn(JsValue) -> Result<JsValue, JsValue>| {
        let sender = Rc::clone(&sender);
        // Only one of the two is called; the garbage collector frees both.
        Closure::<dyn FnMut(JsValue)>::new(move |value| {
            if let Some(sender) = sender.take() {
                sender.send(outcome(value));
            }
        })
        .into_js_value()
    };
    let promise: &Thenable = promise.unchecked_ref();
    promise.then(&callback(Ok), &callback(Err));
    receiver
}
