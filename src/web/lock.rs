//! What only one page may redeem: a tab that was duplicated has a copy of all that the first one stored.
//!
//! A stored session carries a ticket that was never used before. The pages of an origin share a list of the tickets that were
//! redeemed (`localStorage`): a page that finds its ticket there begins a session of its own, and asks nobody. So it does not matter
//! whether the page that has the session is busy, asleep, or answers at all.
//! Two pages that redeem a ticket at the same moment are kept apart by a lock where there are any (Web Locks API, secure contexts
//! only); elsewhere the one that wrote last has it. Where there is no list, nobody can tell, and the session is given up.

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

/// What the names of redeemed tickets begin with.
const REDEEMED: &str = "epode:redeemed:";
/// How long a page may wait for another one that redeems a ticket, in milliseconds.
const PATIENCE: u32 = 1_000;
/// Where there are no locks: after how long what another page wrote at the same moment can be seen, in milliseconds. Pages write
/// within one task; what takes time is to tell the other processes of it.
const SETTLING: u32 = 150;

/// Redeems a ticket: true for one page only. `until`: when nobody accepts it any more, in milliseconds since 1970.
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

/// Enters a ticket unless it is there already; the answer is what was written.
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

/// Removes tickets that nobody accepts any more.
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

/// A lock of the browser's, held until dropped.
struct Lock(Function);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.call0(&JsValue::UNDEFINED);
    }
}

impl Lock {
    /// `None` when another page has it for too long.
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
        // A fresh object takes any field.
        let _ = Reflect::set(&options, &"signal".into(), &controller.signal());
        let request = locks.request(name, &options, &held_now).ok()?;
        // That it was given up is told by its rejection.
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
