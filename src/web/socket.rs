//! WebSockets with text frames, identified by the ids of the connection.

use super::address::Address;
use super::platform::{ApiOverrides, web_socket};
use epode_proto::io::{Input, NetworkFailure, SocketId};
use epode_proto::vec_map::VecMap;
use js_sys::{ArrayBuffer, JsString, Uint8Array};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// The WebSocket subprotocol (RFC 7395 §3.1).
const SUBPROTOCOL: &str = "xmpp";

#[wasm_bindgen]
extern "C" {
    /// A `WebSocket`, the platform's or one with the same interface.
    type RawSocket;

    #[wasm_bindgen(method, catch)]
    fn send(this: &RawSocket, text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    fn close(this: &RawSocket);

    #[wasm_bindgen(method, getter)]
    fn protocol(this: &RawSocket) -> String;

    #[wasm_bindgen(method, setter, js_name = binaryType)]
    fn set_binary_type(this: &RawSocket, kind: &str);

    #[wasm_bindgen(method, setter)]
    fn set_onopen(this: &RawSocket, listener: Option<&JsValue>);

    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &RawSocket, listener: Option<&JsValue>);

    #[wasm_bindgen(method, setter)]
    fn set_onerror(this: &RawSocket, listener: Option<&JsValue>);

    #[wasm_bindgen(method, setter)]
    fn set_onclose(this: &RawSocket, listener: Option<&JsValue>);

    type SocketEvent;

    #[wasm_bindgen(method, getter)]
    fn data(this: &SocketEvent) -> JsValue;
}

thread_local! {
    /// Ignores `error` events, since `close` follows. COMPAT(the npm package ws): an error without a listener
    /// ends the process, even after the socket was closed here.
    static IGNORE: Closure<dyn FnMut()> = Closure::new(|| {});
}

struct OpenSocket {
    raw: RawSocket,
}

impl OpenSocket {
    fn listen(&self, [open, message, close]: [Option<&JsValue>; 3]) {
        self.raw.set_onopen(open);
        self.raw.set_onmessage(message);
        self.raw.set_onclose(close);
    }
}

impl Drop for OpenSocket {
    /// Stops listening and closes the socket. Frames sent before are still transmitted.
    fn drop(&mut self) {
        self.listen([None; 3]);
        self.raw.close();
    }
}

/// The frame that is being handled, as the platform gave it: what is read of it need not become a string again.
#[derive(Default)]
struct LatestFrame {
    number: Cell<u32>,
    text: RefCell<Option<Rc<JsString>>>,
}

impl LatestFrame {
    /// Keeps a frame; returns its number, which is not 0.
    fn keep(&self, text: JsString) -> u32 {
        let number = self.number.get().wrapping_add(1).max(1);
        self.number.set(number);
        self.text.replace(Some(Rc::new(text)));
        number
    }
}

/// The sockets in use.
pub struct Sockets {
    max_bytes: usize,
    latest: Rc<LatestFrame>,
    platform: Rc<dyn ApiOverrides>,
    open: Rc<RefCell<VecMap<SocketId, OpenSocket>>>,
}

impl Sockets {
    /// Creates a set without sockets. A frame of more than `max_bytes` is not read.
    pub fn new(max_bytes: usize, platform: Rc<dyn ApiOverrides>) -> Self {
        Self {
            max_bytes,
            latest: Rc::default(),
            platform,
            open: Rc::default(),
        }
    }

    /// Opens a socket; `on_input` receives its inputs, never within this call.
    pub fn open(&self, socket: SocketId, address: &str, on_input: Rc<dyn Fn(Input)>) {
        let failed = move |failure: NetworkFailure| Input::SocketClosed { socket, failure };
        let resolved = Address::resolve(address);
        let mixed = resolved.is_some_and(|address| address.mixed);
        let raw: RawSocket = match web_socket(&*self.platform, address, SUBPROTOCOL) {
            Some(Ok(raw)) if !mixed => raw.unchecked_into(),
            made => {
                // The constructor throws for mixed content and for an invalid address.
                let failure = if mixed {
                    NetworkFailure::MixedContent
                } else if made.is_none() {
                    NetworkFailure::Unsupported("WebSocket")
                } else {
                    NetworkFailure::Unreachable
                };
                js_sys::futures::spawn_local(async move { on_input(failed(failure)) });
                return;
            }
        };
        // One listener for each event: reading the type of an event decodes a string.
        let sockets = Rc::downgrade(&self.open);
        let report = Rc::clone(&on_input);
        let on_open = Closure::<dyn FnMut()>::new(move || {
            let Some(sockets) = sockets.upgrade() else {
                return;
            };
            let protocol = sockets
                .borrow()
                .get(&socket)
                .map(|open| open.raw.protocol());
            let subprotocol = protocol.as_deref() == Some(SUBPROTOCOL);
            report(Input::SocketOpened {
                socket,
                subprotocol,
            });
        });
        let max_bytes = self.max_bytes;
        let latest = Rc::clone(&self.latest);
        let report = Rc::clone(&on_input);
        let on_message = Closure::<dyn FnMut(SocketEvent)>::new(move |event: SocketEvent| {
            report(read_frame(socket, event.data(), max_bytes, &latest));
            // It is not needed after this, and may be large.
            latest.text.take();
        });
        let sockets = Rc::downgrade(&self.open);
        let on_close = Closure::<dyn FnMut()>::new(move || {
            if let Some(sockets) = sockets.upgrade() {
                let gone = sockets.borrow_mut().remove(&socket);
                drop(gone);
            }
            on_input(failed(NetworkFailure::Unreachable));
        });
        // XMPP has no binary frames (RFC 7395 §3.2); a binary frame is read as text.
        raw.set_binary_type("arraybuffer");
        IGNORE.with(|ignore| raw.set_onerror(Some(ignore.as_ref())));
        // The socket owns the listeners, so all are collected together. A replacement of `WebSocket` may report a message after
        // its end, so the listeners must still exist; the message is ignored.
        let open = OpenSocket { raw };
        open.listen([
            Some(&on_open.into_js_value()),
            Some(&on_message.into_js_value()),
            Some(&on_close.into_js_value()),
        ]);
        self.open.borrow_mut().insert(socket, open);
    }

    /// The frame of that number, while it is being handled.
    pub fn frame(&self, number: u32) -> Option<Rc<JsString>> {
        if number != self.latest.number.get() {
            return None;
        }
        self.latest.text.borrow().clone()
    }

    /// Sends a text frame; discarded if the socket is closed.
    pub fn send(&self, socket: SocketId, text: &str) {
        if let Some(open) = self.open.borrow().get(&socket) {
            let _ = open.raw.send(text);
        }
    }

    /// Closes a socket.
    pub fn close(&self, socket: SocketId) {
        let open = self.open.borrow_mut().remove(&socket);
        drop(open);
    }

    /// Closes all sockets.
    pub fn close_all(&self) {
        drop(core::mem::take(&mut *self.open.borrow_mut()));
    }
}

/// Reads a frame; a frame larger than the limit is not copied.
fn read_frame(socket: SocketId, data: JsValue, max_bytes: usize, latest: &LatestFrame) -> Input {
    let is_too_large = |size: u32| size as usize > max_bytes;
    let data = match data.dyn_into::<JsString>() {
        Ok(text) if is_too_large(text.length()) => return Input::SocketFrameTooLarge { socket },
        Ok(text) => {
            return Input::SocketFrame {
                socket,
                text: Some(String::from(&text).into_bytes()),
                frame: latest.keep(text),
            };
        }
        Err(data) => data,
    };
    let text = match data.dyn_ref::<ArrayBuffer>() {
        Some(bytes) if is_too_large(bytes.byte_length()) => {
            return Input::SocketFrameTooLarge { socket };
        }
        Some(_) => Some(Uint8Array::new(&data).to_vec()),
        None => None,
    };
    Input::SocketFrame {
        socket,
        text,
        frame: 0,
    }
}
