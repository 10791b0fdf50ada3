//! A scene: the rooms machine, a clock, and what it does written as lines.

use std::collections::VecDeque;
use std::rc::Rc;

use epode_proto::event::{Delivery, RequestFailure};
use epode_proto::jid::Jid;
use epode_proto::ns;
use epode_proto::stanza::StanzaError;
use epode_proto::time::{Instant, Millis};
use epode_proto::xep::delay::write_date_time;
use epode_proto::xep::muc::departure::Departure;
use epode_proto::xep::muc::request::History;
use epode_proto::xep::muc::{
    CommandError, CommandId, Ended, JoinOptions, RequestToken, RoomEvent, RoomId, RoomMessage,
    RoomOutput, RoomRefusal, Rooms,
};
use epode_proto::xml::Element;

use crate::support::random::Seeded;
use crate::support::unicode::NativeUnicode;
use crate::xep::all;

pub const ROOM: &str = "coven@chat.shakespeare.lit";
/// Our full JID, as in the XEP's examples.
pub const OWN: &str = "hag66@shakespeare.lit/pda";
pub const MEMBER: &str = "<item affiliation='member' role='participant'/>";
pub const NOBODY: &str = "<item affiliation='none' role='none'/>";
pub const SELF: &str = "<item affiliation='member' role='participant'/><status code='110'/>";
pub const SUBJECT: &str = "<message type='groupchat' from='$'><subject/></message>";

pub fn jid(text: &str) -> Jid {
    Jid::parse(text, &NativeUnicode).expect("a JID")
}

/// A presence from an occupant; `$` is the room.
pub fn presence(nick: &str, inside: &str) -> String {
    format!(
        "<presence from='$/{nick}'><x xmlns='http://jabber.org/protocol/muc#user'>{inside}</x></presence>"
    )
}

pub fn gone(nick: &str, inside: &str) -> String {
    presence(nick, inside).replace("<presence ", "<presence type='unavailable' ")
}

/// A message to all.
pub fn said(nick: &str, body: &str, more: &str) -> String {
    format!(
        "<message type='groupchat' from='$/{nick}'{}<body>{body}</body>{}</message>",
        if more.starts_with(' ') {
            format!("{more}>")
        } else {
            ">".into()
        },
        if more.starts_with(' ') { "" } else { more },
    )
}

pub fn error(from: &str, id: &str, condition: &str) -> String {
    format!(
        "<presence type='error' from='{from}' id='{id}'><error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    )
    .replace(" id=''", "")
}

pub struct Scene {
    pub rooms: Rooms,
    pub now: u64,
    visits: Vec<RoomId>,
    commands: Vec<CommandId>,
    said: Option<CommandId>,
    /// Ids of the presences and messages that were sent, and the stanzas.
    pub sent: Vec<Element>,
    requests: VecDeque<RequestToken>,
    lines: Vec<String>,
}

impl Scene {
    /// In a session, in no room.
    pub fn new() -> Self {
        let rooms = Rooms::new(Rc::new(NativeUnicode), Box::new(Seeded(7)));
        let mut scene = Self {
            rooms,
            now: 1_000,
            visits: Vec::new(),
            commands: Vec::new(),
            said: None,
            sent: Vec::new(),
            requests: VecDeque::new(),
            lines: Vec::new(),
        };
        scene.session(true);
        scene
    }

    /// In the room as `thirdwitch`, with `firstwitch`.
    pub fn joined() -> Self {
        let mut scene = Self::new();
        scene.join("thirdwitch");
        scene.hear(&presence("firstwitch", MEMBER));
        scene.hear(&presence("thirdwitch", SELF));
        scene.hear(SUBJECT);
        scene.expect(&[
            "join thirdwitch",
            "1: subject \"\"",
            "c1 ok",
            "1: joined 110",
        ]);
        scene
    }

    pub fn instant(&self) -> Instant {
        Instant(self.now)
    }

    pub fn session(&mut self, confidential: bool) {
        self.rooms
            .handle_session(Instant(self.now), &jid(OWN), confidential);
        self.drain();
    }

    pub fn entry() -> JoinOptions {
        JoinOptions {
            password: None,
            history: History::default(),
            timeout: Millis(30_000),
        }
    }

    pub fn join(&mut self, nick: &str) {
        self.join_with(nick, Self::entry()).expect("not in yet");
    }

    pub fn join_within(&mut self, nick: &str, timeout: u64) {
        let timeout = Millis(timeout);
        let entry = JoinOptions {
            timeout,
            ..Self::entry()
        };
        self.join_with(nick, entry).expect("not in yet");
    }

    pub fn join_with(&mut self, nick: &str, entry: JoinOptions) -> Result<(), RoomRefusal> {
        let now = self.instant();
        let (visit, command) = self.rooms.join(now, &jid(ROOM), nick, entry)?;
        self.visits.push(visit);
        self.commands.push(command);
        self.drain();
        Ok(())
    }

    /// The newest visit.
    pub fn visit(&self) -> RoomId {
        *self.visits.last().expect("a visit")
    }

    pub fn leave(&mut self) {
        self.leave_within(30_000);
    }

    pub fn leave_within(&mut self, timeout: u64) {
        let (now, visit) = (self.instant(), self.visit());
        let command = self.rooms.leave(now, visit, None, Millis(timeout));
        self.commands.push(command.expect("in the room"));
        self.drain();
    }

    pub fn nick(&mut self, nick: &str) {
        self.nick_within(nick, 30_000);
    }

    pub fn nick_within(&mut self, nick: &str, timeout: u64) {
        let (now, visit) = (self.instant(), self.visit());
        let command = self.rooms.set_nick(now, visit, nick, Millis(timeout));
        self.commands.extend(command.expect("in the room"));
        self.drain();
    }

    pub fn say(&mut self, body: &str) {
        let (now, visit) = (self.instant(), self.visit());
        let command = self.rooms.send(now, visit, body).expect("in the room");
        self.said = Some(command);
        self.drain();
    }

    /// What became of the last message that was said.
    pub fn settle_last(&mut self, delivery: Delivery) {
        let command = self.said.expect("something was said");
        self.rooms.handle_delivery(command, delivery);
        self.drain();
    }

    pub fn whisper(&mut self, nick: &str, body: &str) {
        let (now, visit) = (self.instant(), self.visit());
        self.rooms
            .send_private(now, visit, nick, body)
            .expect("in the room");
        self.drain();
    }

    pub fn abandon(&mut self, number: usize) {
        self.rooms
            .abandon(Instant(self.now), self.commands[number - 1]);
        self.drain();
    }

    /// The id of the stanza that was sent as number `n` from the end, 0 being the last.
    pub fn id(&self, back: usize) -> String {
        let at = self.sent.len() - 1 - back;
        self.sent[at].attr("id").expect("an id").to_owned()
    }

    /// Stanzas come in; `$` is the room.
    pub fn hear(&mut self, text: &str) {
        for stanza in all(&text.replace('$', ROOM)) {
            self.hear_element(&stanza);
        }
    }

    pub fn hear_element(&mut self, stanza: &Element) {
        let unix = 1_700_000_000_000 + self.now as i64;
        self.rooms.handle_stanza(Instant(self.now), unix, stanza);
        self.drain();
    }

    /// The oldest request is answered.
    pub fn reply(&mut self, outcome: Result<Element, RequestFailure>) {
        let request = self.requests.pop_front().expect("a request");
        let now = self.instant();
        self.rooms.handle_reply(now, request, &outcome);
        self.drain();
    }

    pub fn reply_ok(&mut self) {
        self.reply(Ok(all("<iq type='result'/>").remove(0)));
    }

    pub fn reply_error(&mut self, condition: &str) {
        let text = format!(
            "<iq type='error'><error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        );
        let reply = all(&text).remove(0);
        let error = StanzaError::parse(&reply);
        self.reply(Err(RequestFailure::Refused { error, reply }));
    }

    /// Time passes; timers fire when they are due.
    pub fn wait(&mut self, ms: u64) {
        let until = self.now + ms;
        let mut fired = 0;
        while let Some(due) = self.rooms.poll_timeout().filter(|due| due.0 <= until) {
            fired += 1;
            assert!(fired < 10_000, "a timer that does not stop");
            self.now = self.now.max(due.0);
            self.rooms.handle_timeout(Instant(self.now));
            self.drain();
        }
        self.now = until;
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.rooms.poll_output() {
            let line = self.line(output);
            self.lines.push(line);
        }
    }

    /// What happened since the last time.
    pub fn take(&mut self) -> Vec<String> {
        core::mem::take(&mut self.lines)
    }

    #[track_caller]
    pub fn expect(&mut self, lines: &[&str]) {
        assert_eq!(self.take(), lines);
    }

    pub fn nicks(&self) -> Vec<String> {
        let visit = self.rooms.visit(self.visit());
        let occupants = visit.map(|visit| visit.occupants().to_vec());
        let occupants = occupants.unwrap_or_default();
        occupants
            .iter()
            .map(|occupant| occupant.nick.clone())
            .collect()
    }

    pub fn is_joined(&self) -> bool {
        self.rooms
            .visit(self.visit())
            .is_some_and(|visit| visit.is_joined())
    }

    pub fn own_nick(&self) -> String {
        let visit = self.rooms.visit(self.visit()).expect("a visit");
        visit.nick().to_owned()
    }

    fn line(&mut self, output: RoomOutput) -> String {
        match output {
            RoomOutput::Send { stanza, .. } => {
                let line = describe(&stanza);
                self.sent.push(stanza);
                line
            }
            RoomOutput::Request { request, iq, .. } => {
                self.requests.push_back(request);
                let payload = iq.children().next().expect("a payload");
                let to = iq.attr("to").unwrap_or_default();
                match payload.name() {
                    "ping" => format!("ping {}", resource(to)),
                    _ => format!("configure {}", iq.attr("type").unwrap_or_default()),
                }
            }
            RoomOutput::Settled { command, outcome } => {
                let at = self.commands.iter().position(|known| *known == command);
                let number = at.map_or(self.commands.len(), |at| at) + 1;
                let outcome = match outcome {
                    Ok(()) => "ok".into(),
                    Err(error) => self::outcome(&error),
                };
                format!("c{number} {outcome}")
            }
            RoomOutput::Event { room, event } => {
                format!("{}: {}", self.number(room), describe_event(&event))
            }
            RoomOutput::Closed { room, .. } => format!("{}: closed", self.number(room)),
        }
    }

    fn number(&self, room: RoomId) -> usize {
        let at = self.visits.iter().position(|known| *known == room);
        at.unwrap_or(self.visits.len()) + 1
    }
}

fn resource(jid: &str) -> &str {
    jid.split_once('/').map_or("", |(_, resource)| resource)
}

fn describe(stanza: &Element) -> String {
    let to = resource(stanza.attr("to").unwrap_or_default());
    match (stanza.name(), stanza.attr("type")) {
        ("presence", Some(_)) => format!("leave {to}"),
        ("presence", None) if stanza.has_child("x", ns::MUC) => {
            let x = stanza.child("x", ns::MUC).expect("it");
            let history = x.child("history", ns::MUC);
            let since = history.and_then(|history| history.attr("since").map(str::to_owned));
            let since = since.map(|_| " since").unwrap_or_default();
            format!("join {to}{since}")
        }
        ("presence", None) => format!("nick {to}"),
        _ => {
            let body = stanza.child_text("body", ns::CLIENT);
            let subject = stanza.child_text("subject", ns::CLIENT);
            format!("say {to}{}", body.or(subject).unwrap_or_default())
        }
    }
}

fn outcome(error: &CommandError) -> String {
    match error {
        CommandError::Refused { error, .. } => format!("refused {}", error.condition),
        CommandError::TimedOut => "timed out".into(),
        CommandError::SentAway(departure) => format!("sent away {}", why(departure)),
        CommandError::Left => "left".into(),
        CommandError::SessionLost => "session lost".into(),
        CommandError::Offline => "offline".into(),
        CommandError::Insecure => "insecure".into(),
    }
}

fn why(departure: &Departure) -> String {
    format!("{:?}", departure.why).to_lowercase()
}

fn codes(codes: &[u16]) -> String {
    codes.iter().map(|code| format!(" {code}")).collect()
}

fn message(message: &RoomMessage) -> String {
    let mut line = format!(
        "{}: {}",
        message.nick.as_deref().unwrap_or("(room)"),
        message.body.as_deref().unwrap_or("(no body)")
    );
    if message.own {
        line.push_str(" [own]");
    }
    if message.delayed {
        line.push_str(" [delayed");
        if let Some(time) = message.time {
            line.push(' ');
            line.push_str(&write_date_time(time));
        }
        line.push(']');
    }
    line
}

fn describe_event(event: &RoomEvent) -> String {
    match event {
        RoomEvent::Joined { codes: all } => format!("joined{}", codes(all)),
        RoomEvent::Rejoined { codes: all } => format!("rejoined{}", codes(all)),
        RoomEvent::Message(said) => format!("message {}", message(said)),
        RoomEvent::Private(said) => format!("private {}", message(said)),
        RoomEvent::Subject { subject, nick, .. } => match nick {
            Some(nick) => format!("subject \"{subject}\" by {nick}"),
            None => format!("subject \"{subject}\""),
        },
        RoomEvent::OccupantJoined(occupant) => format!("came {}", occupant.nick),
        RoomEvent::OccupantChanged(occupant) => format!("changed {}", occupant.nick),
        RoomEvent::OccupantLeft {
            occupant,
            departure,
        } => format!("left {} {}", occupant.nick, why(departure)),
        RoomEvent::NickChanged { from, to, own } => {
            format!("nick {from} -> {to}{}", if *own { " [own]" } else { "" })
        }
        RoomEvent::Configured { codes: all } => format!("configured{}", codes(all)),
        RoomEvent::Bounced { nick, error, .. } => match nick {
            Some(nick) => format!("bounced {} {nick}", error.condition),
            None => format!("bounced {}", error.condition),
        },
        RoomEvent::Lost { message } => format!(
            "lost {}",
            message.child_text("body", ns::CLIENT).unwrap_or_default()
        ),
        RoomEvent::Unreachable => "unreachable".into(),
        RoomEvent::Crowded => "crowded".into(),
        RoomEvent::Out(ended) => match ended {
            Ended::Departed(departure) => format!("out {}", why(departure)),
            Ended::Refused(error) => format!("out refused {}", error.condition),
            Ended::GivenUp => "out given up".into(),
            Ended::Insecure => "out insecure".into(),
            Ended::Disconnected => "out disconnected".into(),
        },
    }
}
