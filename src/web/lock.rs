//! What only one page may have at a time: a tab that was duplicated has a copy of all that the first one remembers.
//!
//! Web Locks where they are (Web Locks API, secure contexts only); elsewhere the owner answers those who ask over a
//! `BroadcastChannel`. Where there is neither, there is one page, or nobody to tell of another.

use super::entropy::Entropy;
use super::oneshot::{Sender, channel};
use super::race::race;
use super::task::settled;
use epode_proto::random::token;
use js_sys::{Function, Object, Promise, Reflect};
use std::cell::Cell;
use std::rc::Rc;
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

    #[wasm_bindgen(js_name = BroadcastChannel)]
    type Channel;

    #[wasm_bindgen(constructor, js_class = "BroadcastChannel", catch)]
    fn new(name: &str) -> Result<Channel, JsValue>;

    #[wasm_bindgen(method, js_name = postMessage, catch)]
    fn post(this: &Channel, message: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &Channel, listener: Option<&JsValue>);

    #[wasm_bindgen(method)]
    fn close(this: &Channel);

    type Message;

    #[wasm_bindgen(method, getter)]
    fn data(this: &Message) -> JsValue;
}

/// How long a page that is on its way out may keep it, in milliseconds.
const PATIENCE: u32 = 1_000;
/// How long an owner may take to answer, in milliseconds.
const ANSWER: u32 = 250;
/// The owner's answer to everybody's question.
const MINE: &str = "mine";

/// Held until dropped.
pub struct Lock {
    _hold: Hold,
}

enum Hold {
    /// By the browser; calling it lets go.
    Held(Function),
    /// By whoever answers.
    Told(Channel, #[allow(dead_code)] Closure<dyn FnMut(Message)>),
    /// Nobody can tell.
    Assumed,
}

impl Drop for Hold {
    fn drop(&mut self) {
        match self {
            Self::Held(release) => {
                let _ = release.call0(&JsValue::UNDEFINED);
            }
            Self::Told(channel, _) => {
                channel.set_onmessage(None);
                channel.close();
            }
            Self::Assumed => {}
        }
    }
}

impl From<Hold> for Lock {
    fn from(hold: Hold) -> Self {
        Self { _hold: hold }
    }
}

impl Lock {
    /// The lock of that name; `None` when another page has it, and does not go.
    pub async fn acquire(name: &str) -> Option<Self> {
        if let Some(locks) = locks() {
            return Self::from_browser(&locks, name).await;
        }
        match Channel::new(name) {
            Ok(channel) => Self::by_asking(channel).await,
            Err(_) => Some(Hold::Assumed.into()),
        }
    }

    async fn from_browser(locks: &Locks, name: &str) -> Option<Self> {
        let (sender, held) = channel();
        let sender = Cell::new(Some(sender));
        let held_now = Closure::once_into_js(move |_: JsValue| {
            // Held until this promise settles.
            Promise::new(&mut |release, _| {
                if let Some(sender) = sender.take() {
                    sender.send(Hold::Held(release).into());
                }
            })
        });
        let controller = AbortController::new().ok()?;
        let options = Object::new();
        // A fresh object takes any field.
        let _ = Reflect::set(&options, &"signal".into(), &controller.signal());
        let request = locks.request(name, &options, &held_now).ok()?;
        // That it was given up is told by its rejection.
        drop(settled(&request));
        match race(held, None, Some(PATIENCE)).await {
            Ok(lock) => lock,
            Err(_) => {
                controller.abort();
                None
            }
        }
    }

    async fn by_asking(channel: Channel) -> Option<Self> {
        let mark = token(&mut Entropy, 16);
        let (sender, taken) = super::oneshot::channel::<()>();
        let asking = Rc::new(Cell::new(Some(sender)));
        let answering = {
            let asking = Rc::clone(&asking);
            let mark = mark.clone();
            let channel: Channel = channel.clone().unchecked_into();
            Closure::new(move |message: Message| {
                let message = message.data().as_string().unwrap_or_default();
                let waiting: Option<Sender<()>> = asking.take();
                match waiting {
                    // It belongs to somebody; or of two who ask at once, and of whom the later need not have heard the
                    // earlier, to the other one.
                    Some(waiting) if message == MINE || message < mark => waiting.send(()),
                    Some(waiting) => {
                        asking.set(Some(waiting));
                        let _ = channel.post(MINE);
                    }
                    None if message != MINE => {
                        let _ = channel.post(MINE);
                    }
                    None => {}
                }
            })
        };
        channel.set_onmessage(Some(answering.as_ref()));
        let _ = channel.post(&mark);
        let hold = Hold::Told(channel, answering);
        let taken = matches!(race(taken, None, Some(ANSWER)).await, Ok(Some(())));
        asking.set(None);
        (!taken).then(|| hold.into())
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
