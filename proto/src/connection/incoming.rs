//! Incoming data: inputs go to the transport, elements to the session or, once it is bound, to the pending requests and
//! the caller.

use super::Connection;
use super::state::{State, Timer};
use crate::error::CloseReason;
use crate::event::{Event, Interruption, Status};
use crate::handler::{is_stanza, is_stanza_name};
use crate::io::Input;
use crate::iq::is_from_own_side;
use crate::mask::masked;
use crate::session::{Directive, Session, Tools};
use crate::stream::error::StreamError;
use crate::time::Instant;
use crate::transport::TransportEvent;
use crate::xml::{Element, Unreadable, XmlError};

impl Connection {
    /// Handles a response of the network or of the page. Cannot fail: an error in the input becomes an event.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        if is_from_network(&input) {
            if let Some(attempt) = self.state.attempt_mut() {
                attempt.heard_at = now;
            }
            self.timers.stop(Timer::Doubt);
        }
        match input {
            Input::Visibility { hidden } => {
                self.hidden = hidden;
                if let Some(transport) = self.state.transport_mut() {
                    transport.set_hidden(hidden);
                }
            }
            Input::Credentials(credentials) => {
                self.negotiate(now, |session, tools, out| {
                    session.handle_credentials(credentials, tools, out)
                });
            }
            Input::Derived {
                id,
                salted_password,
            } => self.handle_derived(now, id, salted_password),
            network => {
                if let Some(transport) = self.state.transport_mut() {
                    transport.handle_input(now, network);
                }
            }
        }
        self.settle(now);
    }

    /// Handles all pending events of the transport.
    pub(super) fn settle(&mut self, now: Instant) {
        while let Some(event) = self.poll_transport_event() {
            match event {
                TransportEvent::Opened => {
                    if let Some(attempt) = self.state.attempt_mut() {
                        attempt.opened = true;
                    }
                }
                TransportEvent::Element(element) => self.handle_element(now, element),
                // Only of streams by hand, which have no connection.
                TransportEvent::Frame(_) => {}
                TransportEvent::Hole => self.events.push_back(Event::Hole),
                TransportEvent::Unreadable(unreadable) => self.handle_unreadable(now, unreadable),
                TransportEvent::Settled(send, delivery) => self.report_settled(send, delivery),
                TransportEvent::Returned(element, name) => self.returned.push((element, name)),
                TransportEvent::OwnSent(element) => self.show_sent(&element),
                TransportEvent::OwnReceived(element) => self.show_received(&element),
                TransportEvent::Closed(reason) => self.handle_closed(now, reason),
            }
        }
        if !self.session.is_established() {
            let mut out = Vec::new();
            self.session.handle_silence(&mut out);
            self.follow(now, out);
        }
        self.report_trouble();
    }

    /// Over BOSH a session outlives its requests: reports each failed attempt to repeat them like a failed attempt to
    /// connect, and reports when they are answered again.
    fn report_trouble(&mut self) {
        let State::Online(online) = &mut self.state else {
            return;
        };
        let trouble = online.link.transport.trouble();
        match (trouble, online.reported_trouble, &self.jid) {
            (Some(trouble), told, _) => {
                let is_new = told.is_none_or(|(attempt, at)| {
                    // The same attempt, made due earlier by a sign of the network.
                    trouble.attempt != attempt || trouble.retry_at < at
                });
                if is_new {
                    online.reported_trouble = Some((trouble.attempt, trouble.retry_at));
                    self.report_status(Status::Interrupted(Box::new(Interruption {
                        reason: trouble.reason,
                        retry_at: trouble.retry_at,
                        attempt: trouble.attempt,
                    })));
                }
            }
            (None, Some(_), Some(jid)) => {
                online.reported_trouble = None;
                let jid = jid.clone();
                self.report_status(Status::Resumed(jid));
            }
            _ => {}
        }
    }

    fn poll_transport_event(&mut self) -> Option<TransportEvent> {
        self.state.transport_mut()?.poll_event()
    }

    fn handle_element(&mut self, now: Instant, element: Element) {
        self.show_received(&element);
        if !self.session.is_established() {
            self.negotiate(now, |session, tools, out| {
                session.handle_element(&element, tools, out)
            });
        } else if is_stanza(&element) {
            self.handle_stanza(now, element);
        } else if let Some(error) = StreamError::parse(&element) {
            if let Some(transport) = self.state.transport_mut() {
                transport.handle_stream_error();
            }
            self.fail(now, CloseReason::Stream(Box::new(error)));
        } else if is_stanza_name(element.name()) {
            self.handle_unreadable(
                now,
                Unreadable {
                    error: XmlError::Malformed("a stanza in a namespace other than jabber:client"),
                    name: element.name().to_owned(),
                },
            );
        }
    }

    fn show_received(&mut self, element: &Element) {
        if self.tapped {
            self.events
                .push_back(Event::Received(masked(element).into()));
        }
    }

    pub(super) fn show_sent(&mut self, element: &Element) {
        if self.tapped {
            self.events.push_back(Event::Sent(masked(element).into()));
        }
    }

    /// Handles unreadable input. A bound session continues without the input: a repetition would be just as unreadable.
    fn handle_unreadable(&mut self, now: Instant, unreadable: Unreadable) {
        let too_large = unreadable.error == XmlError::TooLarge;
        let reason = match too_large {
            true => CloseReason::TooLarge,
            false => CloseReason::BadXml(unreadable.error),
        };
        // No login waits for text outside of any element.
        let harmless =
            unreadable.name.is_empty() && matches!(unreadable.error, XmlError::Malformed(_));
        if !self.session.is_established() && !harmless {
            return self.fail(now, reason);
        }
        self.events.push_back(Event::Unreadable(unreadable));
        if too_large && !self.is_closing() {
            self.fail(now, reason);
        }
    }

    fn handle_stanza(&mut self, now: Instant, stanza: Element) {
        let replies =
            stanza.name() == "iq" && matches!(stanza.attr("type"), Some("result" | "error"));
        let id = stanza.attr("id").unwrap_or_default();
        // The connection's own requests go to its own server; strangers may send stanzas with any id.
        let own = replies && is_from_own_side(&stanza, self.jid.as_ref(), self.unicode.as_ref());
        if own && (self.is_transports(id) || self.is_proof(now, id)) {
            return;
        }
        if replies
            && let Some((request, outcome)) =
                self.pending
                    .settle(&stanza, self.jid.as_ref(), self.unicode.as_ref())
        {
            self.events.push_back(Event::Reply { request, outcome });
            return;
        }
        self.events.push_back(Event::Stanza(stanza));
    }

    /// Whether this is the reply to a request of the transport itself.
    fn is_transports(&mut self, id: &str) -> bool {
        let transport = self.state.transport_mut();
        transport.is_some_and(|transport| transport.handle_reply(id))
    }

    /// Lets the session handle an input with the connection's tools, then carries out its directives.
    pub(super) fn negotiate(
        &mut self,
        now: Instant,
        handle: impl FnOnce(&mut Session, &mut Tools<'_>, &mut Vec<Directive>),
    ) {
        let mut out = Vec::new();
        let mut tools = Tools {
            ids: &mut self.ids,
            random: self.random.as_mut(),
            unicode: self.unicode.as_ref(),
        };
        handle(&mut self.session, &mut tools, &mut out);
        self.follow(now, out);
    }

    fn follow(&mut self, now: Instant, directives: Vec<Directive>) {
        for directive in directives {
            match directive {
                Directive::Send(element) => self.transmit(element, None),
                Directive::Restart { alone } => {
                    if let Some(transport) = self.state.transport_mut() {
                        transport.restart(alone);
                    }
                }
                Directive::Repeated(id) => {
                    if let Some(transport) = self.state.transport_mut() {
                        transport.ignore_reply(id);
                    }
                }
                Directive::Learned => self.learn(),
                Directive::WantCredentials => self.events.push_back(Event::CredentialsWanted),
                Directive::Status(status) => {
                    // During an interruption the page already knows about the attempts.
                    if !matches!(self.state, State::Reconnecting(_)) {
                        self.events.push_back(Event::Status(status));
                    }
                }
                Directive::Established(jid, management) => {
                    self.handle_established(now, jid, management.as_ref());
                }
                Directive::Resumed(resumed) => self.handle_resumed(now, &resumed),
                Directive::ResumeFailed(failed) => self.handle_resume_failed(&failed),
                Directive::Registered => {
                    self.events.push_back(Event::Registered);
                    self.close_stream(now);
                }
                Directive::Fail(reason) => self.fail(now, reason),
            }
        }
    }

    /// Ends the connection for a reason found above the transport; notifies the server without waiting for it.
    pub(super) fn fail(&mut self, now: Instant, reason: CloseReason) {
        if !self.is_closing()
            && let Some(link) = self.state.link_mut()
        {
            link.transport.dismiss(now, reason.clone());
            link.blame = Some(reason);
        }
        self.settle(now);
    }

    /// Reports a status to the page.
    pub(super) fn report_status(&mut self, status: Status) {
        self.events.push_back(Event::Status(status));
    }
}

/// Whether the input shows that the server is reachable.
fn is_from_network(input: &Input) -> bool {
    matches!(
        input,
        Input::HttpAnswered { .. }
            | Input::SocketOpened { .. }
            | Input::SocketFrame { .. }
            | Input::SocketFrameTooLarge { .. }
    )
}
