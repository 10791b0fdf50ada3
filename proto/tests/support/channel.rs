//! Dialogues of a whole [`Client`] over a byte channel: WebSocket frames as bytes in both directions, in virtual time.
//!
//! ```text
//! C: <message …/>               the next frame; structural comparison; `*` is any value, `$name` captures one
//! C: socket                     a WebSocket is asked for;  C: close  it is closed
//! W: <message …/>               a frame comes; also opened, closed
//! +30s                          time passes; timeouts fire at their due times (also 500ms)
//! E: online romeo@example.org/x the next event, in the words of `words`
//! A: send <message/>            the caller acts; see `act`
//! ```
//!
//! Whatever happens must be written down before anything else is done; but the server answers the pings by which the
//! connection learns what has arrived, and what was delivered is only told where a dialogue asks for it (`tells_delivery`).

use super::dialogue::socket_config;
use super::random::Seeded;
use super::script::{Names, Step, millis, rebuild, steps, xml};
use super::tell::{failure_words, status_words};
use super::unicode::NativeUnicode;
use epode_proto::client::{
    Client, ClientConfig, ClientEvent, ClientOutput, FeedOptions, Notice, ParticipantId, Platform,
    StepId, WatchId,
};
use epode_proto::event::{Delivery, IqId};
use epode_proto::handler::{HandlerId, Matcher};
use epode_proto::io::{Input, NetworkFailure, SocketId, Transmit};
use epode_proto::jid::Jid;
use epode_proto::ns;
use epode_proto::reconnect::Reconnect;
use epode_proto::sasl::Credentials;
use epode_proto::time::{Calendar, Instant, Millis};
use epode_proto::xep::audience::Audience;
use epode_proto::xep::disco::Identity;
use epode_proto::xep::muc::request::History;
use epode_proto::xep::muc::{CommandError, CommandId, Ended, JoinOptions, RoomEvent, RoomId};
use epode_proto::xep::pubsub::feed::{Change, Via};
use epode_proto::xep::pubsub::subscriptions::FeedId;
use epode_proto::xep::responder::About;
use epode_proto::xep::version::Version;
use epode_proto::xml::{Element, Limits, parse};
use std::collections::VecDeque;
use std::rc::Rc;

/// 2026-11-27T06:00:00Z at the dialogue's first instant, local time one hour east.
struct FixedCalendar;

impl Calendar for FixedCalendar {
    fn unix_millis(&self) -> i64 {
        1_795_759_200_000
    }

    fn utc_offset_minutes(&self) -> i32 {
        60
    }
}

/// What the client did to its socket.
#[derive(Debug)]
enum Act {
    Open,
    /// The frame's bytes, as they go over the channel.
    Frame(Vec<u8>),
    Close,
}

/// A client, the server's end of its channel, and its clock.
pub struct ClientDialogue {
    pub client: Client,
    pub now: Instant,
    pub names: Names,
    acts: VecDeque<Act>,
    events: VecDeque<ClientEvent>,
    timeout: Option<Instant>,
    socket: Option<SocketId>,
    /// The step and the participants that were reported last.
    pub step: Option<(StepId, Vec<ParticipantId>)>,
    /// Whether `E: 0 delivered` has to be written down.
    pub tells_delivery: bool,
}

/// A client of `example.org` that reconnects and sends initial presence.
pub fn client_config() -> ClientConfig {
    let mut connection = socket_config();
    connection.reconnect = Some(Reconnect::default());
    ClientConfig {
        connection,
        initial_presence: true,
        ephemeral: false,
        about: About {
            version: Version {
                name: "test".into(),
                version: "1".into(),
                os: None,
            },
            identity: Identity {
                category: "client".into(),
                kind: "web".into(),
                name: None,
            },
            features: Vec::new(),
            nodes: Vec::new(),
        },
        audience: Audience::Everyone,
    }
}

/// Unicode by crates, and a calendar that stands still.
pub fn platform() -> Platform {
    Platform {
        unicode: Rc::new(NativeUnicode),
        calendar: Rc::new(FixedCalendar),
    }
}

impl ClientDialogue {
    /// Not connected yet.
    pub fn new(config: ClientConfig) -> Self {
        Self {
            client: Client::new(config, platform(), Box::new(Seeded(7))),
            now: Instant(1_000_000),
            names: Names::default(),
            acts: VecDeque::new(),
            events: VecDeque::new(),
            timeout: None,
            socket: None,
            step: None,
            tells_delivery: false,
        }
    }

    /// Logged in as `romeo@example.org/orchard`; `features` are those of the bound stream beside binding. Nothing is said yet
    /// of what the client does on its own in the new session.
    pub fn online(config: ClientConfig, features: &str) -> Self {
        let mut dialogue = Self::new(config);
        dialogue.play(
            "A: connect
             E: connecting
             E: credentials wanted
             C: socket
             A: anonymous",
        );
        dialogue.log_in(features);
        dialogue.play("E: online romeo@example.org/orchard");
        dialogue
    }

    /// Another instance continues the session of this one. Its socket is open, and the stream that resumes has its features.
    pub fn continued(self, config: ClientConfig) -> Self {
        let stored = self.client.snapshot().expect("a session to continue");
        let mut next = Self::new(config);
        next.now = self.now;
        assert!(next.client.restore(next.now, &stored.text));
        next.drain();
        next
    }

    /// From the open socket until bound. The credentials are given.
    pub fn log_in(&mut self, features: &str) {
        self.play(&format!(
            "W: opened
             C: <framing:open to='example.org' version='1.0'/>
             W: <framing:open from='example.org' id='s1' version='1.0'/>
             W: <stream:features><sasl:mechanisms><sasl:mechanism>ANONYMOUS</sasl:mechanism></sasl:mechanisms></stream:features>
             E: ?authenticating
             C: <sasl:auth mechanism='ANONYMOUS'/>
             W: <sasl:success/>
             C: <framing:open to='example.org' version='1.0'/>
             W: <framing:open from='example.org' id='s2' version='1.0'/>
             W: <stream:features><bind:bind/>{features}</stream:features>
             E: ?binding"
        ));
        let Some(Act::Frame(bytes)) = self.acts.pop_front() else {
            panic!("a bind request was expected\n{}", self.unsaid());
        };
        let bind = parse(bytes, &Limits::default()).expect("XML");
        self.names.set("bind", bind.attr("id").expect("an id"));
        self.play(
            "W: <iq type='result' id='$bind'>
               <bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>",
        );
    }

    /// The connection breaks, and the next attempt opens a socket.
    pub fn lose_connection(&mut self) {
        self.play("W: closed");
        let interrupted = self.next_words();
        assert!(interrupted.starts_with("interrupted"), "{interrupted}");
        self.pass_until_socket();
    }

    fn pass_until_socket(&mut self) {
        while self.socket.is_none() {
            let at = self.timeout.expect("an attempt is due");
            self.now = self.now.max(at);
            self.client.handle_timeout(self.now);
            self.drain();
        }
        self.play("E: ?credentials wanted\nC: socket\nA: anonymous");
    }

    /// The next event, in words.
    #[track_caller]
    pub fn next_words(&mut self) -> String {
        words(&self.events.pop_front().expect("an event")).0
    }

    /// The frames that were sent and not looked at.
    pub fn take_frames(&mut self) -> Vec<String> {
        let acts = self.acts.drain(..);
        acts.filter_map(|act| match act {
            Act::Frame(bytes) => String::from_utf8(bytes).ok(),
            Act::Open | Act::Close => None,
        })
        .collect()
    }

    /// The events that were not looked at, in words.
    pub fn take_words(&mut self) -> Vec<String> {
        self.events.drain(..).map(|event| words(&event).0).collect()
    }

    /// Plays a script.
    #[track_caller]
    pub fn play(&mut self, script: &str) {
        for step in steps(script) {
            match step.tag.as_bytes()[0] {
                b'C' => self.check_act(&step),
                b'E' => self.check_event(&step),
                kind => {
                    assert!(
                        self.acts.is_empty() && self.events.is_empty(),
                        "unsaid before {} {}\n{}",
                        step.tag,
                        step.rest,
                        self.unsaid()
                    );
                    match kind {
                        b'+' => self.pass(millis(&step.rest)),
                        b'W' => self.frame(&step.rest),
                        _ => self.act(&step.rest),
                    }
                }
            }
        }
    }

    fn unsaid(&self) -> String {
        let mut lines = String::new();
        for act in &self.acts {
            match act {
                Act::Frame(bytes) => {
                    lines.push_str(&format!("C: {}\n", String::from_utf8_lossy(bytes)));
                }
                other => lines.push_str(&format!("C: {other:?}\n")),
            }
        }
        for event in &self.events {
            let (words, element) = words(event);
            let element = element.map(|element| element.to_xml()).unwrap_or_default();
            lines.push_str(&format!("E: {words} {element}\n"));
        }
        lines
    }

    #[track_caller]
    fn check_act(&mut self, step: &Step) {
        let Some(act) = self.acts.pop_front() else {
            panic!("silence instead of C: {}\n{}", step.rest, self.unsaid());
        };
        match (step.rest.as_str(), act) {
            ("socket", Act::Open) | ("close", Act::Close) => {}
            (expected, Act::Frame(bytes)) if expected.starts_with('<') => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let actual = parse(bytes, &Limits::default()).expect("XML");
                let actual = rebuild(&actual, false, &mut |_, _, value| Some(value.to_owned()));
                if let Some(difference) = self.names.difference(&xml(expected), &actual) {
                    panic!("{difference}\nC: {expected}\nis {text}\n{}", self.unsaid());
                }
            }
            (expected, Act::Frame(bytes)) => {
                panic!("C: {expected} is {}", String::from_utf8_lossy(&bytes));
            }
            (expected, act) => panic!("C: {expected} is {act:?}"),
        }
    }

    /// `E: ?words` may be missing.
    #[track_caller]
    fn check_event(&mut self, step: &Step) {
        if let Some(optional) = step.rest.strip_prefix('?') {
            if self
                .events
                .front()
                .is_some_and(|event| words(event).0 == optional)
            {
                self.events.pop_front();
            }
            return;
        }
        let Some(event) = self.events.pop_front() else {
            panic!("silence instead of E: {}\n{}", step.rest, self.unsaid());
        };
        let (words, actual) = words(&event);
        let (expected_words, expected) = match step.rest.find('<') {
            Some(at) => step.rest.split_at(at),
            None => (step.rest.as_str(), ""),
        };
        assert_eq!(words, expected_words.trim(), "E: {}", step.rest);
        if !expected.is_empty() {
            let actual = actual.unwrap_or_else(|| panic!("no element in E: {words}"));
            if let Some(difference) = self.names.difference(&xml(expected), &actual) {
                panic!("{difference}\nE: {}\nis {actual:?}", step.rest);
            }
        }
    }

    // ── what is done ────────────────────────────────────────────────────────────────────────────────────────────────

    fn frame(&mut self, what: &str) {
        let socket = self.socket.expect("a socket");
        let input = match what {
            "opened" => Input::SocketOpened {
                socket,
                subprotocol: true,
            },
            "closed" => {
                self.socket = None;
                Input::SocketClosed {
                    socket,
                    failure: NetworkFailure::Unreachable,
                }
            }
            frame => Input::SocketFrame {
                socket,
                text: Some(self.names.fill(&xml(frame)).to_xml().into_bytes()),
                frame: 0,
            },
        };
        self.client.handle_input(self.now, input);
        self.drain();
    }

    fn pass(&mut self, span: u64) {
        let until = self.now + Millis(span);
        while let Some(at) = self.timeout.filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.client.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    #[track_caller]
    fn act(&mut self, what: &str) {
        let (command, element) = match what.find('<') {
            Some(at) => what.split_at(at),
            None => (what, ""),
        };
        let words: Vec<&str> = command.split_whitespace().collect();
        let now = self.now;
        match *words {
            ["connect"] => assert!(self.client.connect(now), "it is not offline"),
            ["disconnect"] => self.client.disconnect(now),
            ["abort"] => self.client.abort(now),
            ["anonymous"] => {
                let input = Input::Credentials(Some(Credentials::Anonymous));
                self.client.handle_input(now, input);
            }
            ["send"] => {
                let sent = self.client.send(self.names.fill(&xml(element)));
                sent.expect("it can be sent");
            }
            ["request"] => {
                let iq = self.names.fill(&xml(element));
                let asked = self.client.request(now, iq, Some(Millis::seconds(30)));
                asked.expect("it can be asked");
            }
            ["forget", number] => self.client.forget(IqId(number.parse().expect("a number"))),
            ["handler", ref criteria @ ..] => {
                let mut matcher = Matcher::default();
                for pair in criteria {
                    let (key, value) = pair.split_once('=').expect("a criterion");
                    match key {
                        "name" => matcher.name = Some(value.into()),
                        "type" => matcher.types.push(value.into()),
                        "ns" => matcher.ns = Some(value.into()),
                        "id" => matcher.id = Some(value.into()),
                        _ => panic!("no such criterion: {key}"),
                    }
                }
                self.client.add_handler(matcher);
            }
            ["unhandle", number] => {
                let handler = HandlerId(number.parse().expect("a number"));
                assert!(self.client.remove_handler(handler), "it was removed before");
            }
            ["watch", node] => {
                self.client.watch_node(node);
            }
            ["watch", "approvals", service] => {
                let service = Jid::parse(service, &NativeUnicode).expect("a JID");
                self.client.watch_approvals(&service);
            }
            ["unwatch", number] => {
                self.client
                    .unwatch(WatchId(number.parse().expect("a number")));
            }
            ["subscribe", node] => {
                let options = FeedOptions {
                    service: Jid::parse("pubsub.example.org", &NativeUnicode).expect("a JID"),
                    node: node.into(),
                    limit: 1000,
                    snapshot: false,
                    repeats: false,
                    options: Vec::new(),
                    full_jid: None,
                    timeout: None,
                    since: None,
                };
                self.client.subscribe(now, options).expect("a feed");
            }
            ["unsubscribe", number] => {
                let feed = FeedId(number.parse().expect("a number"));
                let ended = self.client.unsubscribe(now, feed, None);
                ended.expect("it can be asked");
            }
            ["join", nick] => {
                let room = Jid::parse("lobby@conference.example.org", &NativeUnicode);
                let entry = JoinOptions {
                    password: None,
                    history: History::default(),
                    timeout: Millis::seconds(30),
                };
                let joined = self.client.join(now, &room.expect("a JID"), nick, entry);
                joined.expect("it can be joined");
            }
            ["say", room, body] => {
                let room = RoomId(room.parse().expect("a number"));
                let said = self.client.send_to_room(now, room, body);
                said.expect("it can be said");
            }
            ["leave", room] => {
                let room = RoomId(room.parse().expect("a number"));
                let timeout = Millis::seconds(30);
                let left = self.client.leave_room(now, room, None, timeout);
                assert!(left.is_some(), "we are not in");
            }
            ["abandon", command] => {
                let command = CommandId(command.parse().expect("a number"));
                self.client.abandon(now, command);
            }
            ["participant"] => {
                self.client.add_participant();
            }
            // What a participant sends in the step that was reported last.
            ["restore"] => {
                let (step, _) = self.step.clone().expect("a step");
                let stanza = self.names.fill(&xml(element));
                if stanza.name() == "iq" {
                    let asked = self.client.request_restoring(now, step, stanza, None);
                    asked.expect("it can be asked");
                } else {
                    let sent = self.client.send_restoring(step, stanza);
                    sent.expect("it can be sent");
                }
            }
            ["done", number] => {
                let (step, _) = self.step.clone().expect("a step");
                let participant = ParticipantId(number.parse().expect("a number"));
                self.client.finish_part(step, participant);
            }
            ["remove", "participant", number] => {
                let participant = ParticipantId(number.parse().expect("a number"));
                self.client.remove_participant(participant);
            }
            _ => panic!("no such act: {words:?}"),
        }
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.client.poll_output(self.now) {
                ClientOutput::Transmit(transmit) => self.transmit(transmit),
                ClientOutput::Derive { .. } => panic!("all logins here are anonymous"),
                // What is learned for the next login is another test's subject.
                ClientOutput::Event(ClientEvent::Learned) => {}
                ClientOutput::Event(ClientEvent::Settled {
                    delivery: Delivery::Delivered,
                    ..
                }) if !self.tells_delivery => {}
                ClientOutput::Event(event) => {
                    if let ClientEvent::SessionStep { step, participants } = &event {
                        self.step = Some((*step, participants.clone()));
                    }
                    self.events.push_back(event);
                }
                ClientOutput::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
            }
        }
    }

    fn transmit(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::OpenSocket { socket, .. } => {
                self.socket = Some(socket);
                self.acts.push_back(Act::Open);
            }
            Transmit::Frame { socket, text } => {
                if let Some(id) = own_ping(&text) {
                    let pong = format!("<iq xmlns='jabber:client' type='result' id='{id}'/>");
                    let text = Some(pong.into_bytes());
                    let input = Input::SocketFrame {
                        socket,
                        text,
                        frame: 0,
                    };
                    return self.client.handle_input(self.now, input);
                }
                self.acts.push_back(Act::Frame(text.as_bytes().to_vec()));
            }
            Transmit::CloseSocket(_) => {
                self.socket = None;
                self.acts.push_back(Act::Close);
            }
            other => panic!("over a WebSocket: {other:?}"),
        }
    }
}

/// The id of a ping to the own server.
fn own_ping(text: &str) -> Option<String> {
    let element = parse(text.as_bytes().to_vec(), &Limits::default()).ok()?;
    let ping = element.attr("to").is_none() && element.has_child("ping", ns::PING);
    ping.then(|| element.attr("id").unwrap_or_default().to_owned())
}

/// An event in words, and the element that belongs to it.
fn words(event: &ClientEvent) -> (String, Option<Element>) {
    let listed = |ids: &[u32]| {
        let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
        ids.join(" ")
    };
    match event {
        ClientEvent::Status(status) => (status_words(status), None),
        ClientEvent::CredentialsWanted => ("credentials wanted".into(), None),
        ClientEvent::Learned => ("learned".into(), None),
        ClientEvent::Registered => ("registered".into(), None),
        ClientEvent::SessionStep { step, participants } => {
            let participants: Vec<u32> = participants.iter().map(|id| id.0).collect();
            (
                format!("step {} of {}", step.0, listed(&participants)),
                None,
            )
        }
        ClientEvent::Stanza { stanza, handlers } => {
            let handlers: Vec<u32> = handlers.iter().map(|id| id.0).collect();
            (
                format!("stanza for {}", listed(&handlers)),
                Some(stanza.clone()),
            )
        }
        ClientEvent::Reply { request, outcome } => match outcome {
            Ok(reply) => (format!("reply {}", request.0), Some(reply.clone())),
            Err(failure) => (
                format!("request {} {}", request.0, failure_words(failure)),
                None,
            ),
        },
        ClientEvent::Settled { send, delivery } => {
            (format!("{} {}", send.0, delivery_words(*delivery)), None)
        }
        ClientEvent::Undelivered { stanza, delivery } => {
            let words = format!("not delivered: {}", delivery_words(*delivery));
            (words, Some(stanza.clone()))
        }
        ClientEvent::Feed { feed, change } => {
            let (words, element) = change_words(change);
            (format!("feed {} {words}", feed.0), element)
        }
        ClientEvent::FeedEnded { feed, .. } => (format!("feed {} is over", feed.0), None),
        ClientEvent::Room { room, event } => {
            let (words, element) = room_words(event);
            (format!("room {} {words}", room.0), element)
        }
        ClientEvent::RoomCommand { command, outcome } => {
            let words = match outcome {
                Ok(()) => "done".to_owned(),
                Err(CommandError::Refused { error, .. }) => format!("refused {}", error.condition),
                Err(error) => format!("{error:?}"),
            };
            (format!("command {} {words}", command.0), None)
        }
        ClientEvent::RoomUnsent { command, error } => {
            (format!("command {} unsent {error:?}", command.0), None)
        }
        ClientEvent::RoomDelivery { command, delivery } => (
            format!("command {} {}", command.0, delivery_words(*delivery)),
            None,
        ),
        ClientEvent::RoomClosed { room, .. } => (format!("room {} closed", room.0), None),
        ClientEvent::Personal { watches, watched } => {
            let watches: Vec<u32> = watches.iter().map(|id| id.0).collect();
            let words = format!(
                "personal for {}: {} {}",
                listed(&watches),
                watched.account,
                watched.event.node()
            );
            (words, None)
        }
        ClientEvent::ApprovalAsked {
            watches,
            service,
            approval,
        } => {
            let watches: Vec<u32> = watches.iter().map(|id| id.0).collect();
            let words = format!(
                "approval for {}: {service} {} {}",
                listed(&watches),
                approval.node,
                approval.jid
            );
            (words, None)
        }
        ClientEvent::Notice(notice) => match notice {
            Notice::ForeignEvent { from, node, stanza } => (
                format!("foreign event of {node} by {from}"),
                Some(stanza.clone()),
            ),
            Notice::Unreadable(unreadable) => (format!("unreadable: {}", unreadable.error), None),
            Notice::BacklogFull => ("backlog full".into(), None),
            Notice::StepTimedOut {
                participants,
                rooms,
            } => {
                let waiting = participants.iter().map(|id| id.0.to_string());
                let waiting = waiting.chain(rooms.iter().map(|id| format!("room {}", id.0)));
                let waiting: Vec<String> = waiting.collect();
                (format!("step timed out: {}", waiting.join(" ")), None)
            }
        },
        ClientEvent::Sent(_) => ("sent".into(), None),
        ClientEvent::Received(_) => ("received".into(), None),
    }
}

fn change_words(change: &Change) -> (String, Option<Element>) {
    let named = |via: &Via| match via {
        Via::Snapshot => "snapshot",
        Via::Live => "live",
        Via::CatchUp => "catch-up",
    };
    match change {
        Change::Subscribed(_) => ("subscribed".into(), None),
        Change::Refused(failure) => (format!("refused {}", failure_words(failure)), None),
        Change::Item { item, via, .. } => {
            let id = item.id.as_deref().unwrap_or("-");
            (format!("item {id} {}", named(via)), item.payload.clone())
        }
        Change::Retract { id, via } => (format!("retract {id} {}", named(via)), None),
        Change::Purge => ("purge".into(), None),
        Change::Gap { .. } => ("gap".into(), None),
        Change::Live => ("live".into(), None),
        Change::Subscription(told) => (format!("subscription {}", told.state.as_str()), None),
        Change::Configuration => ("configuration".into(), None),
        Change::Delete { .. } => ("delete".into(), None),
        Change::End => ("end".into(), None),
    }
}

fn delivery_words(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Delivered => "delivered",
        Delivery::Undelivered => "undelivered",
        Delivery::Unknown => "unknown",
    }
}

fn room_words(event: &RoomEvent) -> (String, Option<Element>) {
    match event {
        RoomEvent::Joined { .. } => ("joined".into(), None),
        RoomEvent::Rejoined { .. } => ("rejoined".into(), None),
        RoomEvent::Message(message) => {
            let nick = message.nick.as_deref().unwrap_or("-");
            let body = message.body.as_deref().unwrap_or("-");
            let kind = match (message.own, message.delayed) {
                (true, _) => "own ",
                (false, true) => "delayed ",
                (false, false) => "",
            };
            (format!("{kind}message of {nick}: {body}"), None)
        }
        RoomEvent::Subject { subject, .. } => {
            (format!("subject {subject}").trim_end().into(), None)
        }
        RoomEvent::OccupantJoined(occupant) => (format!("{} entered", occupant.nick), None),
        RoomEvent::OccupantLeft { occupant, .. } => (format!("{} left", occupant.nick), None),
        RoomEvent::Bounced { error, .. } => (format!("bounced {}", error.condition), None),
        RoomEvent::Out(Ended::Refused(error)) => (format!("out: {}", error.condition), None),
        RoomEvent::Out(ended) => (format!("out: {ended:?}"), None),
        other => (format!("{other:?}"), None),
    }
}
