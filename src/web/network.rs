//! The network of one connection: carries out what the protocol asks for ([`Transmit`]).

use super::http::{Http, HttpOptions};
use super::platform::ApiOverrides;
use super::socket::Sockets;
use epode_proto::io::{Input, Transmit};
use js_sys::JsString;
use std::rc::Rc;

/// HTTP exchanges and WebSockets.
pub struct Network {
    http: Rc<Http>,
    sockets: Sockets,
}

impl Network {
    /// Creates a network in which nothing is under way.
    pub fn new(options: HttpOptions, platform: Rc<dyn ApiOverrides>) -> Self {
        Self {
            sockets: Sockets::new(options.max_bytes, Rc::clone(&platform)),
            http: Rc::new(Http::new(options, platform)),
        }
    }

    /// Carries out an action; `hear` receives its inputs, never within this call.
    pub fn carry_out(&self, transmit: Transmit, hear: Rc<dyn Fn(Input)>) {
        match transmit {
            Transmit::OpenSocket { socket, address } => self.sockets.open(socket, &address, hear),
            Transmit::Frame { socket, text } => self.sockets.send(socket, &text),
            Transmit::CloseSocket(socket) => self.sockets.close(socket),
            Transmit::Http {
                exchange,
                address,
                foreign,
                body,
                farewell,
            } => self
                .http
                .post(exchange, &address, foreign, &body, farewell, hear),
            Transmit::CancelHttp(exchange) => self.http.cancel(exchange),
        }
    }

    /// The frame of that number, while it is being handled.
    pub fn frame(&self, number: u32) -> Option<Rc<JsString>> {
        self.sockets.frame(number)
    }

    /// Ends everything that is under way; no input follows.
    pub fn close(&self) {
        self.http.cancel_all();
        self.sockets.close_all();
    }
}
