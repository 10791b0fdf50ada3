//! Passes events to the sink, one call for each event. No borrow of the client is held meanwhile: the page may send,
//! add and remove handlers, disconnect and free.

use super::crossing::Crossing;
use super::shell::Shell;
use super::sink::{Sink, report_exception};
use crate::web::clock;
use crate::web::run_loop::Driven;
use epode_proto::client::{ClientEvent, Notice, WatchId, Watched};
use epode_proto::event::Status;
use epode_proto::handler::HandlerId;
use epode_proto::xep::muc::departure::{Departure, DepartureReason};
use epode_proto::xep::muc::occupant::Occupant;
use epode_proto::xep::muc::{Ended, RoomEvent, RoomId, RoomMessage};
use epode_proto::xep::pubsub::Item;
use epode_proto::xep::pubsub::Subscription;
use epode_proto::xep::pubsub::event::{ItemEvent, PubSubEvent};
use epode_proto::xep::pubsub::feed::Change;
use epode_proto::xml::Element;
use wasm_bindgen::prelude::*;

/// A time in JavaScript's format; `NaN` for none.
#[allow(clippy::cast_precision_loss)]
fn time_of(unix_ms: Option<i64>) -> f64 {
    unix_ms.map_or(f64::NAN, |time| time as f64)
}

/// State, JID and subscription id, as far as the service sent them.
fn subscription_fields(subscription: &Subscription) -> (&'static str, Option<&str>, Option<&str>) {
    let jid = subscription.jid.as_str();
    (
        subscription.state.as_str(),
        (!jid.is_empty()).then_some(jid),
        subscription.subid.as_deref(),
    )
}

impl Shell {
    /// Passes an event to the sink.
    pub(super) fn report_event(&self, sink: &Sink, event: ClientEvent) {
        report_exception(match event {
            ClientEvent::Status(status) => self.report_status(sink, &status),
            ClientEvent::CredentialsWanted => sink.credentials_wanted(),
            ClientEvent::Learned => {
                let memory = self.driver.read(|client| client.connection().memory());
                sink.learned(&memory)
            }
            ClientEvent::Registered => sink.registered(),
            ClientEvent::Stanza { stanza, handlers } => {
                self.report_stanza(sink, &stanza, &handlers)
            }
            ClientEvent::Reply { request, outcome } => match outcome {
                Ok(reply) => {
                    let Crossing { text, words } = self.cross(&reply);
                    sink.reply(request.0, &text, &words)
                }
                Err(failure) => sink.refused(request.0, &sink.failure(&failure)),
            },
            ClientEvent::Settled { send, delivery } => {
                sink.settled(send.0, &sink.delivery(delivery))
            }
            ClientEvent::Undelivered { stanza, delivery } => {
                sink.undelivered(&stanza.to_xml(), &sink.delivery(delivery))
            }
            ClientEvent::Feed { feed, change } => self.report_change(sink, feed.0, *change),
            ClientEvent::FeedEnded { feed, position } => {
                sink.feed_ended(feed.0, position.as_deref())
            }
            ClientEvent::Room { room, event } => self.report_room(sink, room, &event),
            ClientEvent::RoomCommand { command, outcome } => {
                let error = outcome.err().map_or(JsValue::UNDEFINED, |error| {
                    sink.command_failure(&error, || self.end_cause(sink))
                });
                sink.room_command(command.0, &error)
            }
            ClientEvent::RoomUnsent { command, error } => {
                sink.room_command(command.0, &sink.error(super::failures::of_send(error)))
            }
            ClientEvent::RoomDelivery { command, delivery } => {
                sink.room_command(command.0, &sink.delivery(delivery))
            }
            ClientEvent::RoomClosed { room, nick } => sink.room_closed(room.0, &nick),
            ClientEvent::Personal { watches, watched } => {
                self.report_personal(sink, &watches, &watched)
            }
            ClientEvent::ApprovalAsked {
                watches,
                service,
                approval,
            } => sink.approval_asked(
                &numbers(&watches),
                &service,
                &approval.node,
                &approval.jid,
                approval.subid.as_deref(),
                approval.id.as_deref(),
            ),
            ClientEvent::Notice(notice) => sink.notice(&notice_to_js(sink, &notice)),
            // No extension takes part in the steps of sessions yet.
            ClientEvent::SessionStep { .. } => Ok(()),
            ClientEvent::Sent(xml) => sink.sent(&xml),
            ClientEvent::Received(xml) => sink.received(&xml),
        });
    }

    /// Packs an element, with the text of the frame it came in if that is the latest.
    fn cross(&self, element: &Element) -> Crossing {
        Crossing::of(element, |number| self.driver.run_loop().frame(number))
    }

    fn payload_of(&self, item: &Item) -> Crossing {
        let payload = item.payload.as_ref();
        payload.map_or_else(Crossing::nothing, |payload| self.cross(payload))
    }

    fn report_stanza(
        &self,
        sink: &Sink,
        stanza: &Element,
        handlers: &[HandlerId],
    ) -> Result<(), JsValue> {
        let Some((first, others)) = handlers.split_first() else {
            return Ok(());
        };
        let Crossing { text, words } = self.cross(stanza);
        if others.is_empty() {
            return sink.stanza(&text, &words, first.0, None);
        }
        let others: Vec<u32> = others.iter().map(|id| id.0).collect();
        sink.stanza(&text, &words, first.0, Some(&others))
    }

    fn report_status(&self, sink: &Sink, status: &Status) -> Result<(), JsValue> {
        match status {
            Status::Connecting => sink.status("connecting"),
            Status::Authenticating => sink.status("authenticating"),
            Status::Binding => sink.status("binding"),
            Status::Disconnecting => sink.status("disconnecting"),
            Status::Online(_) => sink.online(false),
            Status::Resumed(_) => sink.online(true),
            Status::Interrupted(interruption) => {
                let error = self.explain(sink, &interruption.reason);
                let pause = interruption.retry_at - clock::now();
                #[allow(clippy::cast_precision_loss)]
                let pause = pause.0 as f64;
                sink.interrupted(&error, interruption.attempt, pause)
            }
            Status::Offline(reason) => sink.offline(&self.explain(sink, reason)),
        }
    }

    fn report_room(&self, sink: &Sink, room: RoomId, event: &RoomEvent) -> Result<(), JsValue> {
        let id = room.0;
        match event {
            RoomEvent::Joined { .. } | RoomEvent::Configured { .. } => Ok(()),
            RoomEvent::Rejoined { .. } => sink.room_rejoined(id),
            RoomEvent::Message(message) => self.report_message(sink, id, message, false),
            RoomEvent::Private(message) => self.report_message(sink, id, message, true),
            RoomEvent::Subject { subject, nick, .. } => {
                sink.room_subject(id, subject, nick.as_deref())
            }
            RoomEvent::OccupantJoined(occupant) => {
                sink.room_joined(id, &self.occupant(sink, room, occupant))
            }
            RoomEvent::OccupantChanged(occupant) => {
                sink.room_changed(id, &self.occupant(sink, room, occupant))
            }
            RoomEvent::OccupantLeft {
                occupant,
                departure,
            } => {
                let occupant = self.occupant(sink, room, occupant);
                let text = departure.reason.as_deref();
                sink.room_left(id, &occupant, why(departure), text)
            }
            RoomEvent::NickChanged { from, to, own } => sink.room_nick(id, from, to, *own),
            RoomEvent::Bounced { error, stanza, .. } => {
                sink.room_error(id, &sink.refusal(error, Some(stanza)))
            }
            RoomEvent::Lost { message } => sink.room_error(
                id,
                &sink.detailed("lost-by-room", None, None, Some(message)),
            ),
            RoomEvent::Unreachable => sink.room_error(id, &sink.error("silent-room")),
            RoomEvent::Crowded => sink.room_error(id, &sink.error("crowded-room")),
            RoomEvent::Out(ended) => report_out(sink, id, ended),
        }
    }

    /// Creates an occupant by the sink.
    pub(super) fn occupant(&self, sink: &Sink, room: RoomId, occupant: &Occupant) -> JsValue {
        let is_own = |nick: &str| nick == occupant.nick;
        let own = self.driver.read(|client| {
            let visit = client.visit(room);
            visit.is_some_and(|visit| is_own(visit.nick()))
        });
        sink.occupant(
            &occupant.nick,
            occupant.role.as_str(),
            occupant.affiliation.as_str(),
            occupant.jid.as_deref(),
            occupant.show.as_deref(),
            occupant.status.as_deref(),
            own,
        )
        .unwrap_or(JsValue::UNDEFINED)
    }
}

impl Shell {
    fn report_message(
        &self,
        sink: &Sink,
        room: u32,
        message: &RoomMessage,
        private: bool,
    ) -> Result<(), JsValue> {
        let Crossing { text, words } = self.cross(&message.stanza);
        sink.room_message(
            room,
            message.nick.as_deref(),
            message.body.as_deref(),
            message.id.as_deref(),
            time_of(message.time),
            message.delayed,
            message.own,
            private,
            &text,
            &words,
        )
    }

    fn report_change(&self, sink: &Sink, feed: u32, change: Change) -> Result<(), JsValue> {
        match change {
            Change::Subscribed(subscription) => {
                let (state, jid, subid) = subscription
                    .as_ref()
                    .map_or(("subscribed", None, None), subscription_fields);
                sink.feed_agreed(feed, state, jid, subid)
            }
            Change::Refused(failure) => sink.feed_refused(feed, &sink.failure(&failure)),
            Change::Item { item, time, via } => {
                let Crossing { text, words } = self.payload_of(&item);
                let publisher = item.publisher.as_deref();
                let (id, time) = (item.id.as_deref(), time_of(time));
                sink.feed_item(feed, id, &text, &words, publisher, time, via.into())
            }
            Change::Retract { id, via } => sink.feed_retracted(feed, &id, via.into()),
            Change::Purge => sink.feed_purged(feed),
            Change::Gap { after, before } => {
                sink.feed_gap(feed, after.as_deref(), before.as_deref())
            }
            Change::Live => sink.feed_live(feed),
            Change::Subscription(subscription) => {
                let (state, jid, subid) = subscription_fields(&subscription);
                sink.feed_subscription(feed, state, jid, subid)
            }
            Change::Configuration => sink.feed_configured(feed),
            Change::Delete { redirect } => sink.feed_deleted(feed, redirect.as_deref()),
            // The end follows as an event of the client.
            Change::End => Ok(()),
        }
    }

    fn report_personal(
        &self,
        sink: &Sink,
        watches: &[WatchId],
        watched: &Watched,
    ) -> Result<(), JsValue> {
        let watches = numbers(watches);
        let (account, node) = (watched.account.as_str(), watched.event.node());
        let change = |kind: &str, id: Option<&str>, redirect: Option<&str>| {
            sink.personal_change(&watches, kind, account, node, id, redirect)
        };
        match &watched.event {
            PubSubEvent::Items { entries, .. } => {
                for entry in entries {
                    match entry {
                        ItemEvent::Published(item) => {
                            let Crossing { text, words } = self.payload_of(item);
                            sink.personal_item(
                                &watches,
                                account,
                                node,
                                item.id.as_deref(),
                                &text,
                                &words,
                                item.publisher.as_deref(),
                                time_of(watched.time),
                            )
                        }
                        ItemEvent::Retracted { id } => change("retract", Some(id), None),
                    }?;
                }
                Ok(())
            }
            PubSubEvent::Purge { .. } => change("purge", None, None),
            PubSubEvent::Delete { redirect, .. } => change("delete", None, redirect.as_deref()),
            PubSubEvent::Configuration { .. } => change("configuration", None, None),
            // These events belong to a subscription, which is a feed.
            PubSubEvent::Subscription(_) | PubSubEvent::Collection { .. } => Ok(()),
        }
    }
}

fn report_out(sink: &Sink, room: u32, ended: &Ended) -> Result<(), JsValue> {
    match ended {
        Ended::Departed(departure) => sink.room_out(
            room,
            why(departure),
            departure.reason.as_deref(),
            departure.alternative.as_deref(),
        ),
        Ended::Refused(error) => sink.room_out(room, "refused", Some(&error.condition), None),
        Ended::Insecure => sink.room_out(room, "refused", Some("insecure"), None),
        Ended::GivenUp => sink.room_out(room, "error", None, None),
        Ended::Disconnected => sink.room_out(room, "disconnected", None, None),
    }
}

fn why(departure: &Departure) -> &'static str {
    match departure.why {
        DepartureReason::Left => "left",
        DepartureReason::Kicked => "kicked",
        DepartureReason::Banned => "banned",
        DepartureReason::AffiliationLost | DepartureReason::MembersOnly => "removed",
        DepartureReason::Shutdown => "shutdown",
        DepartureReason::Technical => "error",
        DepartureReason::Destroyed => "destroyed",
        DepartureReason::Missed => "disconnected",
    }
}

fn numbers(watches: &[WatchId]) -> Vec<u32> {
    watches.iter().map(|watch| watch.0).collect()
}

fn notice_to_js(sink: &Sink, notice: &Notice) -> JsValue {
    match notice {
        Notice::ForeignEvent { from, node, stanza } => {
            sink.detailed("foreign-event", Some(node), Some(from), Some(stanza))
        }
        Notice::Unreadable(unreadable) => sink.unreadable(unreadable),
        Notice::BacklogFull => sink.error("backlog-full"),
        Notice::StepTimedOut { .. } => sink.error("step-timed-out"),
    }
}
