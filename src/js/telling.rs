//! What happens to a client, told to the page: statuses, stanzas, what was not delivered, problems.

use super::error::{Problem, of_delivery, report};
use super::inner::{Inner, closed_early};
use super::object::date;
use super::stanza::Stanza;
use super::views::{self, Failed, Online, Reconnecting, Undelivered, View};
use crate::web::clock::unix_millis;
use epode_proto::client::{ClientEvent, Notice};
use epode_proto::error::CloseReason;
use epode_proto::event::{Delivery, Status};
use epode_proto::handler::HandlerId;
use epode_proto::xml::Element;
use js_sys::Function;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

impl Inner {
    pub(super) fn handle(self: &Rc<Self>, event: ClientEvent) {
        match event {
            ClientEvent::Status(status) => self.handle_status(status),
            ClientEvent::CredentialsWanted => {
                // What was asked for an attempt before this one is no answer to it.
                self.attempt.set(self.attempt.get().wrapping_add(1));
                self.give_credentials();
            }
            ClientEvent::Learned => self.store_memory(),
            ClientEvent::Registered => self.finish_connecting(Ok(())),
            ClientEvent::Stanza { stanza, handlers } => {
                for id in handlers {
                    self.call_handler(id, &stanza);
                }
            }
            ClientEvent::Reply { request, outcome } => {
                let sender = self.requests.borrow_mut().remove(&request);
                if let Some(sender) = sender {
                    let _ = sender.send(outcome);
                }
            }
            ClientEvent::Settled { send, delivery } => {
                let sender = self.sends.borrow_mut().remove(&send);
                if let Some(sender) = sender {
                    let _ = sender.send(delivery);
                }
            }
            ClientEvent::Undelivered { stanza, delivery } => {
                self.tell_undelivered(&stanza, delivery)
            }
            ClientEvent::Feed { feed, change } => {
                let feed = self.feeds.borrow().get(&feed).cloned();
                if let Some(feed) = feed {
                    feed.tell(self, *change);
                }
            }
            ClientEvent::FeedEnded { feed, position } => {
                let feed = self.feeds.borrow_mut().remove(&feed);
                if let Some(feed) = feed {
                    feed.finish(position);
                }
            }
            ClientEvent::Room { room, event } => self.tell_room(room, &event),
            ClientEvent::RoomCommand { command, outcome } => self.settle_command(command, outcome),
            ClientEvent::RoomUnsent { command, error } => self.settle_unsent(command, error),
            ClientEvent::RoomDelivery { command, delivery } => {
                self.settle_delivery(command, delivery);
            }
            ClientEvent::RoomClosed { room, nick } => self.close_room(room, nick),
            ClientEvent::Personal { watches, watched } => self.tell_personal(&watches, &watched),
            ClientEvent::ApprovalAsked {
                watches,
                service,
                approval,
            } => self.tell_approval(&watches, &service, &approval),
            ClientEvent::Notice(notice) => self.tell_notice(notice),
            // No extension takes part in the steps of sessions yet.
            ClientEvent::SessionStep { .. } => {}
            ClientEvent::Sent(xml) => {
                self.listeners.emit("sent", &JsValue::from_str(&xml));
            }
            ClientEvent::Received(xml) => {
                self.listeners.emit("received", &JsValue::from_str(&xml));
            }
        }
    }

    /// Calls a handler, unless a handler before it has removed it.
    pub(super) fn call_handler(&self, id: HandlerId, stanza: &Element) {
        let callback = self.handlers.borrow().get(&id).copied();
        let Some(callback) = callback else { return };
        if let Ok(callback) = self.held.get(callback).dyn_into::<Function>() {
            let stanza = Stanza::from(stanza.clone());
            if let Err(error) = callback.call1(&JsValue::UNDEFINED, &stanza.into()) {
                report(&error);
            }
        }
    }

    pub(super) fn tell_undelivered(&self, stanza: &Element, delivery: Delivery) {
        if let Some(problem) = of_delivery(delivery)
            && self.listeners.wants("undelivered")
        {
            let event = Undelivered {
                xml: &stanza.to_xml(),
                error: problem.into_js(),
            };
            self.listeners.emit("undelivered", &event.to_js());
        }
    }

    pub(super) fn tell_notice(&self, notice: Notice) {
        self.complain(match notice {
            Notice::ForeignEvent { from, node, stanza } => {
                let text = format!(
                    "An event of node {node} came from {from}, which is not its service. It was ignored."
                );
                Problem::new("protocol-error", &text).told_by(&stanza)
            }
            Notice::Unreadable(unreadable) => Problem::from(&unreadable),
            Notice::BacklogFull => Problem::new(
                "too-large",
                "More than 1,000 stanzas came before there was a handler: the oldest are dropped. Add handlers before connect().",
            ),
            Notice::StepTimedOut { .. } => Problem::new(
                "timeout",
                "A room did not answer within 10 s of the new session. What was kept meanwhile has been sent.",
            ),
        });
    }

    pub(super) fn handle_status(self: &Rc<Self>, status: Status) {
        match status {
            Status::Connecting => {
                self.begun.set(true);
                self.tell_status("connecting");
            }
            Status::Authenticating => self.tell_status("authenticating"),
            Status::Binding => self.tell_status("binding"),
            Status::Disconnecting => self.tell_status("disconnecting"),
            Status::Online(_) => self.be_online(false),
            Status::Resumed(_) => self.be_online(true),
            Status::Interrupted(interruption) => {
                // A password function that is still at it concerns nobody any more.
                self.attempt.set(self.attempt.get().wrapping_add(1));
                self.status.set("reconnecting");
                let problem = self.explain(&interruption.reason);
                let pause = interruption.retry_at - crate::web::clock::now();
                #[allow(clippy::cast_possible_wrap)]
                let retry_at = unix_millis().saturating_add(pause.0) as i64;
                let event = Reconnecting {
                    status: "reconnecting",
                    error: problem.into(),
                    attempt: interruption.attempt.into(),
                    retry_at: date(retry_at),
                };
                self.listeners.emit("status", &event.to_js());
            }
            Status::Offline(reason) => self.handle_offline(&reason),
        }
    }

    pub(super) fn tell_status(&self, status: &'static str) {
        self.status.set(status);
        self.listeners
            .emit("status", &views::Status { status }.to_js());
    }

    pub(super) fn be_online(&self, resumed: bool) {
        self.status.set("online");
        self.finish_connecting(Ok(()));
        for sender in core::mem::take(&mut *self.awaiting.borrow_mut()) {
            let _ = sender.send(());
        }
        let status = "online";
        self.listeners
            .emit("status", &Online { status, resumed }.to_js());
    }

    pub(super) fn handle_offline(self: &Rc<Self>, reason: &CloseReason) {
        let error = self.explain(reason);
        self.status.set("offline");
        self.attempt.set(self.attempt.get().wrapping_add(1));
        let cause = error.clone().unwrap_or_else(closed_early);
        // The end of an attempt that was given up is told when another one may have been asked for.
        if self.begun.replace(false) {
            self.finish_connecting(Err(cause));
        }
        self.awaiting.borrow_mut().clear();
        for sender in core::mem::take(&mut *self.closing.borrow_mut()) {
            let _ = sender.send(());
        }
        match error {
            None => self.tell_status("offline"),
            Some(error) => {
                let event = Failed {
                    status: "offline",
                    error,
                };
                self.listeners.emit("status", &event.to_js());
            }
        }
    }

    /// The client is freed: its feeds tell that they are over.
    pub(super) fn end_feeds(&self) {
        let feeds = core::mem::take(&mut *self.feeds.borrow_mut());
        for (id, feed) in feeds.into_entries() {
            let position = self.driver.read(|client| client.feed_position(id));
            feed.finish(position);
        }
    }

    /// The error of an end that was not asked for.
    pub(super) fn explain(&self, reason: &CloseReason) -> Option<JsValue> {
        self.complete(Problem::of_end(reason))
    }

    /// The same, of a problem that is known already: with the service, and what the page's own function threw.
    pub(super) fn complete(&self, problem: Option<Problem>) -> Option<JsValue> {
        let cause = self.credentials_problem.borrow_mut().take();
        let mut problem = problem?;
        let service = self
            .driver
            .read(|client| client.connection().service().map(str::to_owned));
        // An option of the page's own is wrong wherever it is used.
        if let Some(service) = service
            && problem.code() != "bad-argument"
        {
            problem = problem.about(&service);
        }
        if let Some(cause) = cause {
            problem = problem.caused_by(cause);
        }
        Some(problem.into_js())
    }
}
