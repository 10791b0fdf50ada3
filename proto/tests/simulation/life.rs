//! One scenario from start to end: the page logs in, both sides talk while everything goes wrong, then calm comes, and what
//! must hold is looked at.

use super::faults::{Fault, Weather};
use super::judge::Wrong;
use super::rooms::RoomAct;
use super::scenario::{Kind, Tally, index};
use super::server::Management;
use super::world::{World, seconds};
use epode_proto::event::Delivery;
use epode_proto::ns;
use epode_proto::time::{Instant, Millis};
use epode_proto::xml::Element;

/// What happens at a moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Say,
    Push,
    Ask,
    Restart,
    Freeze,
    Wake,
    Reload,
    Leave,
    TurnVisibility,
    Watch,
    Handle,
    InRoom(RoomAct),
    Nap,
    Move,
}

impl World {
    pub fn run(&mut self) {
        if self.scenario.early {
            self.turn(self.scenario.weather);
        } else {
            self.turn(self.calm());
        }
        if self.scenario.extras.attaches {
            self.attach();
        } else {
            self.connect();
        }
        if !self.scenario.early {
            let deadline = self.now + seconds(90);
            while !self.online && self.now < deadline {
                self.connect_again();
                self.step(deadline);
            }
            assert!(self.online, "not online");
            self.judge_attached();
            self.turn(self.scenario.weather);
        }
        self.talk();
        self.judge_request_rate();
        self.turn(self.calm());
        self.drain();
        self.judge_rooms();
        self.judge_announced();
        self.leave();
        self.judge_all();
    }

    /// What came of it, at whatever point it ended.
    pub fn add_to(&self, tally: &mut Tally) {
        tally.kinds[index(self.scenario.kind)] += 1;
        tally.faults.add(&self.all_faults());
        tally.up += self.judge.received_messages();
        tally.down += self.judge.down;
        tally.replies += self.judge.replies;
        tally.unknown += self.judge.count(Delivery::Unknown);
        tally.undelivered += self.judge.count(Delivery::Undelivered);
        tally.went_down += self.judge.went_down();
        tally.interrupted += self.interrupted;
        tally.reconnected += self.sessions.saturating_sub(1);
        tally.resumed += self.server.sockets.resumed;
        tally.requests += self.server.bosh.requests;
        tally.overtakes += self.server.bosh.overtakes;
        tally.frames += self.server.sockets.frames;
        tally.handled += self.handlers.calls;
        tally.presences += self.judge.announced.presences;
        tally.capabilities += self.judge.announced.answers;
        tally.extras.add(&self.judge.extras);
        tally.rooms.add(&self.judge.rooms.figures);
        for (sum, more) in tally.wrong.iter_mut().zip(self.judge.wrong) {
            *sum += more;
        }
    }

    fn calm(&self) -> Weather {
        Weather {
            per_mille: 0,
            late: false,
            ..self.scenario.weather
        }
    }

    fn turn(&mut self, weather: Weather) {
        self.http.turn(weather);
        self.wire.turn(weather);
    }

    fn connect(&mut self) {
        if !self.client.connect(self.now) {
            return;
        }
        self.offline = false;
        self.poll();
    }

    /// The page tries again by itself, where the connection does not.
    fn connect_again(&mut self) {
        let strict = self.scenario.kind == Kind::Bosh;
        if self.offline && !self.leaving && !strict && self.frozen_until.is_none() {
            self.run_until(self.now + Millis(500));
            self.connect();
        }
    }

    fn talk(&mut self) {
        let scenario = &self.scenario;
        let start = self.now;
        let everywhere = [
            (scenario.up, Act::Say),
            (scenario.down, Act::Push),
            (scenario.asks, Act::Ask),
            (scenario.restarts, Act::Restart),
            (scenario.freezes, Act::Freeze),
            (scenario.wakes, Act::Wake),
            (scenario.reloads, Act::Reload),
            (u64::from(scenario.leaves), Act::Leave),
            (scenario.turns, Act::TurnVisibility),
            (scenario.watches, Act::Watch),
            (scenario.handlers, Act::Handle),
        ];
        let in_rooms = scenario.rooms.acts.iter();
        let in_rooms = in_rooms.map(|(count, act)| (*count, Act::InRoom(*act)));
        let acts: Vec<_> = everywhere.into_iter().chain(in_rooms).collect();
        let span = scenario.span;
        let mut moments = Vec::new();
        for (count, act) in acts {
            for _ in 0..count {
                moments.push((self.dice.below(span.0), act));
            }
        }
        for _ in 0..self.scenario.extras.naps {
            moments.push((self.extra_dice.below(span.0), Act::Nap));
        }
        let moves = self.scenario.extras.moves.as_ref();
        for _ in 0..moves.map_or(0, |moves| moves.sessions) {
            moments.push((self.extra_dice.below(span.0), Act::Move));
        }
        moments.sort_unstable();
        for (moment, act) in moments {
            self.live_until(start + Millis(moment));
            self.act(act);
        }
        self.live_until(start + span);
    }

    fn live_until(&mut self, end: Instant) {
        while self.now < end {
            self.connect_again();
            self.step(end);
        }
    }

    fn act(&mut self, act: Act) {
        let awake = self.frozen_until.is_none();
        match act {
            Act::Say if awake => self.say(),
            Act::Push => self.push(),
            Act::Ask if awake => self.ask(),
            Act::TurnVisibility if awake => self.turn_visibility(),
            Act::Watch if awake => self.watch(),
            Act::Handle if awake => self.change_handlers(),
            Act::Restart => self.restart(),
            Act::Freeze if awake => {
                let span = self.dice.pick(&[1_000, 10_000, 100_000]);
                self.note_fault(Fault::Freeze);
                self.tell(|| "the tab freezes".into());
                self.frozen_until = Some(self.now + Millis(1 + self.dice.below(span)));
            }
            Act::Wake if awake => {
                self.tell(|| "the network is said to be back".into());
                self.client.wake(self.now);
                self.poll();
            }
            // A page that has said good-bye has nothing to go on with.
            Act::Reload if awake && !self.leaving && self.may_reload() => self.reload(),
            Act::Move => self.move_session(),
            Act::Nap if awake => self.take_nap(),
            Act::InRoom(act) => self.act_in_room(act),
            Act::Leave if awake => {
                self.tell(|| "the page leaves".into());
                self.leaving = true;
                self.excuse_move();
                self.judge.leaving = true;
                self.note_leaving();
                self.client.disconnect(self.now);
                self.poll();
            }
            _ => {}
        }
    }

    /// The server has a message for the page.
    pub fn push(&mut self) {
        let mut said = Vec::new();
        self.server.push(self.now, &mut self.judge, &mut said);
        self.carry(said);
    }

    fn say(&mut self) {
        let id = self.judge.next_message();
        let message = Element::builder("message", ns::CLIENT)
            .attr("id", &id)
            .build();
        self.note_said();
        match self.client.send(message) {
            Ok(send) => {
                self.judge.sent(send, true);
                self.poll();
            }
            Err(error) if self.lasting && !self.leaving => {
                let why = format!("a send is refused: {error:?}");
                self.judge.blame(Wrong::Untold, &why);
            }
            Err(_) => {}
        }
    }

    /// A request to somebody who answers, or does not.
    fn ask(&mut self) {
        let to = self
            .dice
            .pick(&[None, Some("void@example.org"), Some("echo@example.org")]);
        let timeout = self.dice.pick(&[500, 30_000]);
        let mut iq = Element::builder("iq", ns::CLIENT).attr("type", "get");
        if let Some(to) = to {
            iq = iq.attr("to", to);
        }
        let iq = iq.element("query", ns::DISCO_INFO, |query| query).build();
        if let Ok(request) = self.client.request(self.now, iq, Some(Millis(timeout))) {
            // Within the shorter time it may be too far.
            let answered = to != Some("void@example.org") && timeout > 2_000;
            self.judge.asked(request, answered);
            self.poll();
        }
    }

    /// The server goes, and with it all connections to it; after a while it is there again, and knows nobody.
    fn restart(&mut self) {
        self.tell(|| "the server restarts".into());
        self.note_fault(Fault::Restart);
        let polite = self.dice.chance(300);
        let mut said = Vec::new();
        self.server
            .restart(self.now, polite, &mut self.judge, &mut said);
        self.server.down_until = self.now + Millis(self.dice.pick(&[0, 500, 20_000, 200_000]));
        self.http.lose_requests(self.now);
        if polite {
            // Its last words travel.
            return self.carry(said);
        }
        self.wire.lose_all(self.now);
        let connections: Vec<u64> = self.open.keys().copied().collect();
        for connection in connections {
            self.http.cut(self.now, connection);
        }
    }

    /// Time for the longest stall, back-off and wait; then a quiet hour, to see what an idle connection does.
    fn drain(&mut self) {
        self.sleep_out();
        if self.frozen_until.is_some() {
            self.thaw();
        }
        self.live_until(self.now + seconds(100));
        self.enter_all_rooms();
        self.live_until(self.now + seconds(400));
        if !self.judge.lenient {
            self.judge.calm(self.online);
        }
        let hoped_for = self.scenario.reconnects() && !self.leaving && !self.judge.lenient;
        if hoped_for && !self.online {
            self.judge.blame(Wrong::Restless, "it is not online again");
        }
        self.resume_with_little();
        // A room may take as long to let go of a lost session's nick.
        self.live_until(self.now + seconds(400));
        let before = self.transmits;
        self.live_until(self.now + seconds(3_600));
        let busy = self.transmits - before;
        // A poll a minute, or a question each half; and whether a silent room still has us.
        let rooms = 24 * self.scenario.rooms.rooms as u64;
        let most = if let Some(interval) = self.scenario.extras.polling {
            3_600 / interval + 62 + rooms
        } else if self.server.bosh.newest().is_some() {
            62 + rooms
        } else {
            130 + rooms
        };
        if busy > most && !self.judge.lenient {
            let why = format!("a busy loop: {busy} in a quiet hour");
            self.judge.blame(Wrong::Restless, &why);
        }
    }

    /// However bad it was: what was done has a measure in what there was to do, and in the time it took.
    fn judge_request_rate(&mut self) {
        let scenario = &self.scenario;
        let stanzas =
            scenario.up + scenario.down + scenario.asks + scenario.rooms.work() + scenario.watches;
        let moves = scenario.extras.moves.as_ref();
        let moves = moves.map_or(0, |moves| moves.logins + moves.sessions);
        let troubles =
            10 + moves + scenario.reloads + scenario.restarts + scenario.freezes + scenario.wakes;
        let span = (self.now - Instant(1_000_000)).0 / 1_000;
        let most = 20 * troubles + 20 * stanzas + 5 * span;
        if self.transmits > most {
            let why = format!(
                "too many requests: {} where {most} are many",
                self.transmits
            );
            self.judge.blame(Wrong::Restless, &why);
        }
    }

    /// Of all that was ever sent, only what the server has not acknowledged is still kept, and sent again.
    fn resume_with_little(&mut self) {
        let before = self.server.sockets.frames;
        let resumed = self.server.sockets.resumed;
        if self.socket.is_none() || !self.online || self.judge.lenient {
            return;
        }
        self.wire.cut_all(self.now);
        self.live_until(self.now + seconds(40));
        let again = self.server.sockets.frames - before;
        if self.server.sockets.resumed > resumed && again > 60 {
            let why = format!("{again} frames to resume with");
            self.judge.blame(Wrong::Restless, &why);
        }
    }

    /// The page leaves, if it has not; within the time for good-byes all is over.
    fn leave(&mut self) {
        self.leaving = true;
        self.excuse_move();
        self.judge.leaving = true;
        if self.pace.hidden {
            self.turn_visibility();
        }
        self.note_leaving();
        self.client.disconnect(self.now);
        self.poll();
        self.run_until(self.now + seconds(10));
        if !self.offline || self.timeout.is_some() || !self.open.is_empty() || self.socket.is_some()
        {
            self.judge.blame(Wrong::Restless, "it does not end");
        }
    }

    fn judge_all(&mut self) {
        self.judge.calm(false);
        if self.judge.lenient {
            return;
        }
        // A page that repeats a pause ends its session where the server forgets those.
        let forgotten = self.pause_was_forgotten();
        let scenario = &self.scenario;
        if scenario.restarts > 0 {
            return;
        }
        let untroubled = scenario.weather.per_mille == 0
            && scenario.freezes == 0
            && scenario.socketless == Millis(0);
        let stayed = scenario.reloads == 0 && !scenario.leaves;
        // A good-bye at the pace of a session that polls may be answered later than the page waits for it.
        let hurried = scenario.leaves && scenario.extras.polling.is_some();
        // A session that is sent elsewhere ends, unless it can be resumed; one that is elsewhere is not left to the next page.
        let moves = scenario.extras.moves.as_ref();
        let moved = moves
            .is_some_and(|moves| moves.sessions > 0 || scenario.reloads + scenario.extras.naps > 0);
        let untroubled = untroubled && !forgotten && !hurried && !moved;
        let stayed = stayed && !moved;
        // Cuts and stalls alone cost nothing where sessions can be resumed, as long as both sides know of it.
        let sockets = &self.server.sockets;
        let resumes = scenario.kind == Kind::Socket
            && scenario.abilities.management == Management::Resumes
            && !scenario.weather.spoils
            && !self.wire.enabled_lost
            && sockets.dropped == 0;
        // Longer than that a server need not keep a session without requests, nor a client try.
        let survives =
            scenario.kind == Kind::Bosh && self.longest_interruption < seconds(50) && !forgotten;
        let delivered = self.judge.count(Delivery::Delivered);
        let all = self.judge.sent_messages();
        if (untroubled || stayed && (resumes || survives)) && delivered < all {
            let why = format!("{delivered} of {all} delivered");
            self.judge.blame(Wrong::Lost, &why);
        }
        let awake = scenario.extras.naps == 0;
        if untroubled && awake && !scenario.leaves && self.judge.unanswered > 0 {
            self.judge
                .blame(Wrong::Lost, "requests without the replies to them");
        }
        let kept = self.server.sockets.dropped == 0 && self.server.bosh.expired == 0;
        if untroubled && kept && self.judge.forgotten_and_lost() > 0 {
            self.judge
                .blame(Wrong::Lost, "what a page left to the next one is lost");
        }
        if resumes && stayed && self.sessions > 1 {
            self.judge
                .blame(Wrong::Lost, "a session that was there is not resumed");
        }
    }
}
