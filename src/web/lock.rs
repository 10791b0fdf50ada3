//! Tickets that only one page can redeem: a duplicated tab has a copy of the first one's storage.
//!
//! A stored session carries a new ticket. The pages of an origin share a list of the redeemed tickets
//! (`localStorage`): a page that finds its ticket there begins a new session, without asking another page. So it does not matter
//! whether the page that has the session is busy or frozen.
//! If two pages redeem a ticket at the same time, a lock decides (Web Locks API, secure contexts
//! only); without locks the last writer wins. Without the list the session is abandoned.

use super::clock::unix_millis;
use super::entropy::Entropy;
use super::race::within;
use super::storage::Storage;
use epode_proto::random::token;
use futures_channel::oneshot::channel;
use js_sys::futures::JsFuture;
use js_sys::{Function, Object, Promise, Reflect};
use std::cell::Cell;
use wasm_bindgen::prelude::*;
use web_sys::AbortController;

#[wasm_bindgen]
extern "C" {
    type Locks;

    #[wasm_bindgen(method, catch)]
    fn request(
        this: &Locks,
        name: &str,
        options: &JsValue,
        held: &JsValue,
    ) -> Result<Promise, JsValue>;
}

/// The prefix of the keys of redeemed tickets.
const REDEEMED: &str = "epode:redeemed:";
/// How long a page may wait for another one that redeems a ticket, in milliseconds.
const PATIENCE: u32 = 1_000;
/// Without locks: the time until a simultaneous write of another page is visible, in milliseconds. Pages write
/// within one task; the delay is the notification of the other processes.
const SETTLING: u32 = 150;

/// Redeems a ticket: true for one page only. `until`: the ticket's expiry, in milliseconds since 1970.
pub async fn redeem(ticket: &str, until: u64) -> bool {
    let Some(list) = Storage::of_origin() else {
        return false;
    };
    forget_old(&list);
    let key = [REDEEMED, ticket].concat();
    let Some(locks) = locks() else {
        return redeem_and_look_again(&list, &key, until).await;
    };
    match Lock::acquire(&locks, &key).await {
        Some(_lock) => write(&list, &key, until).is_some(),
        None => false,
    }
}

/// Records a ticket unless it is recorded already; returns the written value.
fn write(list: &Storage, key: &str, until: u64) -> Option<String> {
    if list.has(key) {
        return None;
    }
    let entry = format!("{until} {}", token(&mut Entropy, 16));
    list.keep(key, &entry).then_some(entry)
}

async fn redeem_and_look_again(list: &Storage, key: &str, until: u64) -> bool {
    let Some(entry) = write(list, key, until) else {
        return false;
    };
    // Ends by its timeout.
    let _ = within(std::future::pending::<()>(), SETTLING).await;
    list.look(key).is_some_and(|seen| seen == entry)
}

/// Removes expired tickets.
fn forget_old(list: &Storage) {
    let now = unix_millis();
    for key in list.keys() {
        if !key.starts_with(REDEEMED) {
            continue;
        }
        let until = list.look(&key).and_then(|entry| {
            let (until, _) = entry.split_once(' ')?;
            until.parse::<u64>().ok()
        });
        if until.is_none_or(|until| until < now) {
            list.take(&key);
        }
    }
}

/// A lock of the Web Locks API, held until dropped.
struct Lock(Function);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.call0(&JsValue::UNDEFINED);
    }
}

impl Lock {
    /// `None` if another page holds the lock for too long.
    async fn acquire(locks: &Locks, name: &str) -> Option<Self> {
        let (sender, held) = channel();
        let sender = Cell::new(Some(sender));
        let held_now = Closure::once_into_js(move |_: JsValue| {
            // Held until this promise settles.
            Promise::new(&mut |release, _| {
                if let Some(sender) = sender.take() {
                    let _ = sender.send(Self(release));
                }
            })
        });
        let controller = AbortController::new().ok()?;
        let options = Object::new();
        // Setting a field of a new object cannot fail.
        let _ = Reflect::set(&options, &"signal".into(), &controller.signal());
        let request = locks.request(name, &options, &held_now).ok()?;
        // An aborted request rejects its promise.
        drop(JsFuture::from(request));
        match within(held, PATIENCE).await {
            Some(lock) => lock.ok(),
            None => {
                controller.abort();
                None
            }
        }
    }
}

fn locks() -> Option<Locks> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    if !navigator.is_object() {
        return None;
    }
    let locks = Reflect::get(&navigator, &"locks".into()).ok()?;
    locks.is_object().then(|| locks.unchecked_into())
}
