//! When a stream by hand is opened again after an interruption: [`RetrySchedule`].
//!
//! A [`RawStream`](crate::raw_stream::RawStream) is used once, and its caller logs in. The schedule decides when the caller opens the
//! next one, with the pauses of [`crate::reconnect`], and which ends another attempt cannot change. Left out, because it is the
//! caller's business: credentials, resuming a session, what is sent meanwhile.

use super::random::Random;
use super::reconnect::{
    BEGUN_WITH_SIGN, Backoff, Reconnect, is_curable_condition, is_curable_refusal,
};
use super::time::{Instant, Millis};

/// How long one attempt may take. Then the next pause begins; the attempt may still succeed during the pause.
const ATTEMPT: Millis = Millis::seconds(30);

/// Why a stream or an attempt has ended, as far as the schedule looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending<'a> {
    /// The stream was lost or closed; the condition of the stream error or of the BOSH body, empty if there was none.
    Lost(&'a str),
    /// The server refused the login or the binding, with this condition.
    Refused(&'a str),
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Nothing is to be opened.
    Idle,
    Online,
    /// The next attempt is due at this time.
    Waiting(Instant),
    /// The attempt began at this time.
    Attempting(Instant),
}

/// The pauses between the attempts to open a stream again.
pub struct RetrySchedule {
    pauses: Reconnect,
    backoff: Backoff,
    random: Box<dyn Random>,
    stage: Stage,
}

impl RetrySchedule {
    /// A schedule that waits for the first [`RetrySchedule::note_online`].
    pub fn new(pauses: Reconnect, random: Box<dyn Random>) -> Self {
        Self {
            pauses,
            backoff: Backoff::default(),
            random,
            stage: Stage::Idle,
        }
    }

    /// Whether it waits for anything.
    pub fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    /// The caller has logged in.
    pub fn note_online(&mut self, now: Instant) {
        if !matches!(self.stage, Stage::Online) {
            self.backoff.note_online(now);
            self.stage = Stage::Online;
        }
    }

    /// The stream, or the attempt, has ended. Returns the pause before the next attempt; `None`, and the schedule is idle, if another
    /// attempt would end in the same way, or if the caller has not been online.
    pub fn note_ended(&mut self, now: Instant, ending: Ending<'_>) -> Option<Millis> {
        let is_curable = match ending {
            Ending::Lost(condition) => is_curable_condition(condition),
            Ending::Refused(condition) => is_curable_refusal(condition),
        };
        match self.stage {
            _ if !is_curable => self.stop(),
            Stage::Idle => {}
            Stage::Online => {
                self.backoff.note_lost(now, now, 0);
                self.pause(now);
            }
            Stage::Attempting(_) => self.pause(now),
            // The attempt took too long and has been counted.
            Stage::Waiting(_) => {}
        }
        match self.stage {
            Stage::Waiting(at) => Some(at - now),
            _ => None,
        }
    }

    fn pause(&mut self, now: Instant) {
        let pause = self.backoff.next(now, &self.pauses, self.random.as_mut());
        self.stage = Stage::Waiting(now + pause);
    }

    /// A sign of a working network: the pauses start anew, a waiting attempt is due, and so is the one that replaces an attempt from
    /// before the sign.
    pub fn wake(&mut self, now: Instant) {
        self.backoff.begin_anew(now);
        match self.stage {
            Stage::Waiting(at) => self.stage = Stage::Waiting(at.min(now)),
            Stage::Attempting(begun) if now >= begun + BEGUN_WITH_SIGN => {
                let patience = self.backoff.patience();
                self.backoff.note_replaced();
                self.backoff.count();
                self.stage = Stage::Waiting(now.max(begun + patience));
            }
            Stage::Attempting(_) | Stage::Idle | Stage::Online => {}
        }
    }

    /// Ends the schedule: nothing is due any more.
    pub fn stop(&mut self) {
        self.stage = Stage::Idle;
        self.backoff = Backoff::default();
    }

    /// Time has passed. True: the caller opens a stream now, in place of the one that it may still be opening.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        match self.stage {
            Stage::Waiting(at) if now >= at => {
                self.stage = Stage::Attempting(now);
                true
            }
            Stage::Attempting(begun) if now >= begun + ATTEMPT => {
                self.pause(now);
                false
            }
            _ => false,
        }
    }

    /// When [`RetrySchedule::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Idle | Stage::Online => None,
            Stage::Waiting(at) => Some(at),
            Stage::Attempting(begun) => Some(begun + ATTEMPT),
        }
    }
}
