//! What the page sends, and the promises of what becomes of it.

use super::error::{Problem, of_delivery};
use super::inner::Inner;
use super::options::Waiting;
use crate::web::race::race;
use epode_proto::event::{Delivery, IqId, RequestFailure};
use epode_proto::io::REPLY_TIMEOUT;
use epode_proto::xml::Element;
use futures_channel::oneshot::{Receiver, channel};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Forgets a request when whoever waited for it is gone.
pub(super) struct Asking {
    inner: Rc<Inner>,
    request: IqId,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let waiting = self.inner.requests.borrow_mut().remove(&self.request);
        if waiting.is_some() {
            self.inner
                .driver
                .change(|client, _| client.forget(self.request));
        }
    }
}

impl Inner {
    /// Sends a stanza.
    pub fn send(&self, stanza: Element) -> Result<Receiver<Delivery>, Problem> {
        let id = self
            .driver
            .change(|client, _| client.send(stanza))
            .map_err(|error| self.refuse(error))?;
        let (sender, delivery) = channel();
        self.sends.borrow_mut().insert(id, sender);
        Ok(delivery)
    }

    /// Sends a request, in this turn, and waits for its result.
    pub fn request(
        self: &Rc<Self>,
        iq: Element,
        waiting: Waiting,
    ) -> impl Future<Output = Result<Element, Problem>> + use<> {
        let sent = self.begin_request(iq, &waiting);
        async move {
            let (_asking, reply) = sent?;
            match race(reply, waiting.signal, None).await {
                Ok(Ok(outcome)) => outcome.map_err(Problem::from),
                Ok(Err(_)) => Err(RequestFailure::Disconnected.into()),
                Err(lost) => Err(lost.into()),
            }
        }
    }

    pub(super) fn begin_request(
        self: &Rc<Self>,
        iq: Element,
        waiting: &Waiting,
    ) -> Result<(Asking, Receiver<Result<Element, RequestFailure>>), Problem> {
        if let Some(signal) = &waiting.signal
            && signal.aborted()
        {
            return Err(crate::web::race::RaceError::Aborted(signal.reason()).into());
        }
        let timeout = waiting.timeout.unwrap_or(REPLY_TIMEOUT);
        let request = self
            .driver
            .change(|client, now| client.request(now, iq, Some(timeout)))
            .map_err(|error| self.refuse(error))?;
        Ok(self.await_reply(request))
    }

    /// The reply to a request that was sent; given up when what is returned is dropped.
    pub(super) fn await_reply(
        self: &Rc<Self>,
        request: IqId,
    ) -> (Asking, Receiver<Result<Element, RequestFailure>>) {
        let (sender, reply) = channel();
        self.requests.borrow_mut().insert(request, sender);
        let inner = Rc::clone(self);
        (Asking { inner, request }, reply)
    }

    /// Waits for the reply to a request that was sent.
    pub fn replied(
        self: &Rc<Self>,
        request: IqId,
        signal: Option<web_sys::AbortSignal>,
    ) -> impl Future<Output = Result<Element, Problem>> + use<> {
        let (asking, reply) = self.await_reply(request);
        async move {
            let _asking = asking;
            match race(reply, signal, None).await {
                Ok(Ok(outcome)) => outcome.map_err(Problem::from),
                Ok(Err(_)) => Err(RequestFailure::Disconnected.into()),
                Err(lost) => Err(lost.into()),
            }
        }
    }
}

/// How the promise of something sent ends.
pub fn delivered(delivery: Option<Delivery>) -> Result<JsValue, JsValue> {
    match of_delivery(delivery.unwrap_or(Delivery::Unknown)) {
        None => Ok(JsValue::UNDEFINED),
        Some(problem) => Err(problem.into_js()),
    }
}
