//! A page that lets its BOSH session pause (XEP-0124 §10) before it sleeps: as a frozen tab, or gone from memory and made anew.
//!
//! When the server has granted the pause, the page sleeps up to its end; otherwise for seconds. (A page cannot know; a simulation
//! in which the session ends anyway would show nothing.) What the server has for it meanwhile must arrive.

use super::Extra;
use crate::simulation::judge::Wrong;
use crate::simulation::server::INACTIVITY;
use crate::simulation::world::{World, seconds};
use epode_proto::time::{Instant, Millis};

/// How long the page is away before the network has brought the pause to the server, in calm weather.
const DOZE: Millis = Millis::seconds(3);
/// Requests are that far apart; a pause within it may overtake, and is not sent.
const CROWDED: Millis = Millis(25);
/// A page that has paused and does not sleep asks again within that time.
const NOD: Millis = Millis::seconds(6);

/// How the page sleeps.
#[derive(Default)]
pub struct Nap {
    /// When the last pause left.
    asked: Option<Instant>,
    /// Until when the page would sleep, if the server lets it.
    wish: Option<Instant>,
    /// The tab sleeps.
    asleep: bool,
    /// A pause has brought the page through a longer sleep than the session lasts otherwise.
    pub slept: bool,
    /// A page that does not sleep after all has to ask again by then.
    pub stays_awake: Option<Instant>,
    /// The tab slept with all that it had in memory.
    froze: bool,
}

impl World {
    /// A request leaves.
    pub fn note_pause(&mut self, body: &str) {
        if body.contains(" pause='") {
            self.nap.asked = Some(self.now);
        }
    }

    /// The page says that it will sleep, and sleeps.
    pub fn take_nap(&mut self) {
        let newest = self.server.bosh.newest();
        let Some(number) = newest.filter(|_| self.online && self.socket.is_none()) else {
            return;
        };
        let crowded = self.pace.left_within(self.now, CROWDED);
        if self.leaving || !self.server.bosh.lets_pause(number) {
            return;
        }
        self.tell(|| "the page is going to sleep".into());
        let before = self.nap.asked;
        self.client.pause(self.now);
        self.poll();
        if self.nap.asked == before {
            let recently = before.is_some_and(|before| self.now < before + seconds(10));
            if self.is_steady() && !recently && !crowded {
                self.judge
                    .blame(Wrong::Untold, "a page sleeps and does not say so");
            }
            return;
        }
        self.nap.stays_awake = None;
        if self.extra_dice.chance(200) {
            self.nap.stays_awake = Some(self.now + NOD);
            return self.judge.extras.note(Extra::StayedAwake);
        }
        let long = self.extra_dice.pick(&[20, 70, 200, 590]);
        self.nap.wish = Some(self.now + seconds(long));
        if self.extra_dice.chance(300) {
            self.reload();
        } else {
            self.nap.asleep = true;
            self.nap.froze = true;
            self.frozen_until = Some(self.now + DOZE);
        }
    }

    /// All that was due now has been done.
    pub fn judge_nap(&mut self) {
        let Some(until) = self.nap.stays_awake else {
            return;
        };
        let awake = self.online && !self.leaving && self.is_steady() && !self.pace.hidden;
        if !awake {
            self.nap.stays_awake = None;
        } else if self.now > until && self.open.is_empty() {
            let why = "a page that does not sleep asks for nothing";
            self.judge.blame(Wrong::Restless, why);
        }
    }

    /// Whether a repeated pause may have cost the session: not in good weather, for a page that was loaded anew. What was
    /// asked before the pause is answered then, which shows that the pause has arrived, too.
    pub fn pause_was_forgotten(&mut self) -> bool {
        let forgotten = self.judge.extras.count(Extra::PauseForgotten) > 0;
        let quick = self.is_steady() && self.scenario.weather.slowest <= 80;
        if forgotten && quick && !self.nap.froze {
            let why = "a pause that had arrived is repeated";
            self.judge.blame(Wrong::Lost, why);
        }
        forgotten
    }

    /// Time goes on until a tab that sleeps is awake.
    pub fn sleep_out(&mut self) {
        while let Some(until) = self.frozen_until.filter(|_| self.nap.asleep) {
            self.run_until(until);
        }
    }

    /// The page would wake now. Until when it sleeps on, because the server lets it.
    pub fn sleeps_on(&mut self) -> Option<Instant> {
        let Some(wish) = self.nap.wish.take() else {
            self.nap.asleep = false;
            return None;
        };
        let number = self.server.bosh.newest()?;
        let until = self.server.bosh.paused_until(number)?;
        // In bad weather it takes a while to be heard again.
        let margin = match self.scenario.weather.per_mille {
            0 => seconds(5),
            _ => seconds(60),
        };
        let until = wish.min(Instant(until.0.saturating_sub(margin.0)));
        if until <= self.now {
            return None;
        }
        if until > self.now + INACTIVITY {
            self.nap.slept = true;
            self.judge.extras.note(Extra::SleptLong);
        }
        self.judge.extras.note(Extra::SentMeanwhile);
        self.push();
        Some(until)
    }
}
