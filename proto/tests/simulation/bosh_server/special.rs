//! What not every BOSH session has: pauses (XEP-0124 §10), a pace of polling (§12), keys (§15), a web server that made it.

use super::{BoshServer, Session};
use crate::simulation::extras::{Extra, Extras};
use crate::simulation::judge::{Judge, Wrong};
use crate::simulation::login::Login;
use crate::simulation::server::INACTIVITY;
use epode_proto::time::{Instant, Millis};
use epode_proto::xml::Element;
use sha1::{Digest, Sha1};

/// The rid of the first request in a session that a web server made.
const FIRST_RID: u64 = 5_000;

/// How one session is special.
pub struct Special {
    maxpause: Option<u64>,
    forgets_pauses: bool,
    /// The client knows of `maxpause`.
    told: bool,
    /// The session lasts that long without a request.
    pub lasts: Millis,
    /// Since when it pauses.
    paused_at: Option<Instant>,
    /// What the next key must be the preimage of.
    key: Option<String>,
    /// How far apart requests must be in a session that polls, and whether that holds for all of them.
    polling: Option<Millis>,
    polls_strictly: bool,
    /// When the last new request came, and whether it and its answer were empty.
    last: Option<(Instant, bool)>,
    /// The first rid.
    pub first: u64,
}

impl Special {
    pub fn new(extras: &Extras, first: u64) -> Self {
        Self {
            maxpause: extras.maxpause,
            forgets_pauses: extras.forgets_pauses,
            told: true,
            lasts: INACTIVITY,
            paused_at: None,
            key: None,
            polling: extras.polling.map(Millis::seconds),
            polls_strictly: extras.polls_strictly,
            last: None,
            first,
        }
    }

    /// §7.2.
    pub fn attributes(&self, hold: usize) -> String {
        let wait = if self.polling.is_some() { 0 } else { 60 };
        let polling = self.polling.map_or(2, |interval| interval.0 / 1_000);
        let maxpause = match self.maxpause {
            Some(longest) => format!("maxpause='{longest}'"),
            None => String::new(),
        };
        format!(
            "wait='{wait}' hold='{hold}' requests='{}' inactivity='60' polling='{polling}' ver='1.11' {maxpause}",
            hold + 1
        )
    }

    /// A new request's turn has come. What is wrong with it, as a condition (§17.2).
    pub fn check(
        &mut self,
        request: &Element,
        now: Instant,
        judge: &mut Judge,
    ) -> Result<(), &'static str> {
        self.lasts = INACTIVITY;
        self.paused_at = None;
        self.check_key(request, judge)?;
        self.check_pace(request, now, judge)
    }

    /// §15.4: the request shows the key before the last one.
    fn check_key(&mut self, request: &Element, judge: &mut Judge) -> Result<(), &'static str> {
        let shown = request.attr("key");
        if let Some(expected) = &self.key {
            let digest = Sha1::digest(shown.unwrap_or_default().as_bytes());
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            if *expected != digest {
                judge.blame(Wrong::Disordered, "a key that does not belong there");
                return Err("item-not-found");
            }
            judge.extras.note(Extra::KeyChecked);
        }
        let new = request.attr("newkey");
        if new.is_some() && self.key.is_some() {
            judge.extras.note(Extra::KeysRenewed);
        }
        self.key = new.or(shown).map(str::to_owned);
        Ok(())
    }

    /// §12. COMPAT(ejabberd): where it is strict, not only empty requests are too early.
    fn check_pace(
        &mut self,
        request: &Element,
        now: Instant,
        judge: &mut Judge,
    ) -> Result<(), &'static str> {
        let Some(interval) = self.polling else {
            return Ok(());
        };
        if request.attr("type").is_some() {
            // §12 is not about the good-bye, which may leave beside another request.
            return Ok(());
        }
        judge.extras.note(Extra::Polled);
        let empty = request.children().next().is_none();
        let early = self.last.is_some_and(|(last, quiet)| {
            now < last + interval && (self.polls_strictly || empty && quiet)
        });
        self.last = Some((now, empty));
        if early {
            judge.blame(Wrong::Restless, "a session that polls too often");
            return Err("policy-violation");
        }
        Ok(())
    }

    /// A request was answered.
    pub fn note_answer(&mut self, payload: &str) {
        if let Some((_, quiet)) = &mut self.last {
            *quiet &= payload.is_empty();
        }
    }

    /// The request asks for a pause: true when it is granted.
    fn pause(&mut self, request: &Element, now: Instant, judge: &mut Judge) -> bool {
        let Some(asked) = request.attr("pause") else {
            return false;
        };
        let seconds = asked.parse().unwrap_or(u64::MAX);
        if !self.told || self.maxpause.is_none_or(|longest| seconds > longest) {
            judge.blame(
                Wrong::Untold,
                "a longer pause than the server said that it grants",
            );
            return false;
        }
        judge.extras.note(Extra::Paused);
        self.lasts = Millis::seconds(seconds).max(INACTIVITY);
        self.paused_at = Some(now);
        true
    }
}

impl Session {
    /// §10: a pause is granted by answering all that is held. Its own answer carries nothing.
    pub fn handle_pause(
        &mut self,
        request: &Element,
        now: Instant,
        judge: &mut Judge,
        out: &mut Vec<super::Say>,
    ) {
        if !self.special.pause(request, now, judge) {
            return;
        }
        while let Some(held) = self.held.front() {
            let rid = held.rid;
            let last = self.held.len() == 1;
            let payload: String = match last {
                true => String::new(),
                false => self.outgoing.drain(..).collect(),
            };
            self.answer(now, payload, out);
            if last && self.special.forgets_pauses {
                self.said.remove(&rid);
                self.forgotten_pause = Some(rid);
            }
        }
    }
}

impl BoshServer {
    /// A web server makes a session for a page: its number, sid, and the next rid.
    pub fn prebind(&mut self, now: Instant, judge: &mut Judge) -> (usize, String, u64) {
        let sid = "prebound".to_owned();
        let login = Login::new(self.abilities, None, 0);
        let mut session = Session::new(
            sid.clone(),
            FIRST_RID - 1,
            now,
            self.abilities,
            login,
            Special::new(&self.extras, FIRST_RID),
        );
        session.special.told = false;
        let number = judge.bound(false);
        session.number = Some(number);
        self.sessions.push(session);
        (number, sid, FIRST_RID)
    }

    fn session(&self, number: usize) -> Option<&Session> {
        let mut sessions = self.sessions.iter();
        sessions.find(|session| session.number == Some(number))
    }

    /// The session ends, and its client is told where to go: false when nothing is held that could be answered with that.
    pub fn move_session(
        &mut self,
        number: usize,
        body: String,
        judge: &mut Judge,
        out: &mut Vec<super::Say>,
    ) -> bool {
        let mut sessions = self.sessions.iter();
        let at = sessions.position(|one| one.number == Some(number) && !one.held.is_empty());
        let Some(at) = at else {
            return false;
        };
        let mut session = self.sessions.remove(at);
        if let Some(held) = session.held.pop_front() {
            super::say(held.connection, body, out);
        }
        session.end(judge, out);
        true
    }

    /// Whether the client was told that this session may pause.
    pub fn lets_pause(&self, number: usize) -> bool {
        let session = self.session(number);
        session.is_some_and(|session| session.special.told && session.special.maxpause.is_some())
    }

    /// When the pause of a session ends, while it pauses.
    pub fn paused_until(&self, number: usize) -> Option<Instant> {
        let special = &self.session(number)?.special;
        Some(special.paused_at? + special.lasts)
    }
}
