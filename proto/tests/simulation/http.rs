//! The network of HTTP: each request and each answer finds its own way, and anything can happen to it there.

use super::dice::Dice;
use super::faults::{Fault, Faults, Weather, garble, malform, truncate};
use epode_proto::time::{Instant, Millis};
use std::collections::BTreeSet;

/// The name of a connection whose other end is gone.
pub const NOBODY: u64 = u64::MAX;

/// What arrives where.
pub enum Parcel {
    /// At the server: a request on a connection.
    Request { connection: u64, body: Vec<u8> },
    /// At the client: an answer.
    Answer {
        connection: u64,
        status: u16,
        body: Vec<u8>,
    },
    /// At the client: a connection broke.
    Broken { connection: u64 },
}

/// Parcels on their way.
pub struct HttpNetwork {
    dice: Dice,
    weather: Weather,
    parcels: Vec<(Instant, u64, Parcel)>,
    sequence: u64,
    /// Connections that have had their answer: each has one at most, whatever the server says twice.
    answered: BTreeSet<u64>,
    pub faults: Faults,
}

impl HttpNetwork {
    pub fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed, "http"),
            weather: Weather {
                per_mille: 0,
                slowest: 1,
                late: false,
                spoils: false,
                garbles: false,
            },
            parcels: Vec::new(),
            sequence: 0,
            answered: BTreeSet::new(),
            faults: Faults::default(),
        }
    }

    pub fn turn(&mut self, weather: Weather) {
        self.weather = weather;
    }

    fn post(&mut self, now: Instant, parcel: Parcel) {
        let delay = 1 + self.dice.below(self.weather.slowest);
        self.post_at(now + Millis(delay), parcel);
    }

    fn post_at(&mut self, at: Instant, parcel: Parcel) {
        self.sequence += 1;
        self.parcels.push((at, self.sequence, parcel));
    }

    /// Later than any server holds a request.
    fn post_late(&mut self, now: Instant, parcel: Parcel) {
        let delay = 60_000 + self.dice.below(60_000);
        self.post_at(now + Millis(delay), parcel);
    }

    /// What goes wrong this time, if anything.
    fn fault(&mut self, kinds: &[Fault]) -> Option<Fault> {
        if !self.dice.chance(self.weather.per_mille) {
            return None;
        }
        let mut fault = self.dice.pick(kinds);
        if self.weather.garbles && self.dice.chance(500) {
            fault = Fault::Garbled;
        }
        if fault == Fault::Late && !self.weather.late {
            fault = Fault::RequestLost;
        }
        self.faults.note(fault);
        Some(fault)
    }

    /// The client posts a request.
    pub fn send(&mut self, now: Instant, connection: u64, mut body: Vec<u8>) {
        use Fault::{AnswerLost, Duplicated, Late, RequestLost, Status5xx, Status404};
        let kinds = [
            RequestLost,
            Status5xx,
            Status404,
            Duplicated,
            AnswerLost,
            Late,
        ];
        match self.fault(&kinds) {
            Some(RequestLost) => return self.post(now, Parcel::Broken { connection }),
            // Refused by something in between.
            Some(Status5xx) => return self.gateway(now, connection),
            Some(Status404) => return self.status(now, connection, 404),
            // Something in between tried again.
            Some(Duplicated) => {
                let body = body.clone();
                self.post(now, Parcel::Request { connection, body });
            }
            // It arrives, and the connection breaks before the answer.
            Some(AnswerLost) => {
                self.post(now, Parcel::Broken { connection });
                let connection = NOBODY;
                return self.post(now, Parcel::Request { connection, body });
            }
            Some(Late) => return self.post_late(now, Parcel::Request { connection, body }),
            Some(Fault::Garbled) => garble(&mut body, &mut self.dice),
            _ => {}
        }
        self.post(now, Parcel::Request { connection, body });
    }

    /// The server is down: nobody takes the request that has arrived.
    pub fn refuse(&mut self, now: Instant, connection: u64) {
        if self.dice.chance(500) {
            self.post(now, Parcel::Broken { connection });
        } else {
            self.gateway(now, connection);
        }
    }

    /// The server is gone: what is on its way to it arrives nowhere.
    pub fn lose_requests(&mut self, now: Instant) {
        let lost = |parcel: &mut (Instant, u64, Parcel)| matches!(parcel.2, Parcel::Request { .. });
        let lost: Vec<_> = self.parcels.extract_if(.., lost).collect();
        for (.., parcel) in lost {
            if let Parcel::Request { connection, .. } = parcel {
                self.cut(now, connection);
            }
        }
    }

    /// The other end of a connection is gone.
    pub fn cut(&mut self, now: Instant, connection: u64) {
        if self.answered.insert(connection) {
            self.post(now, Parcel::Broken { connection });
        }
    }

    /// The server answers.
    pub fn answer(&mut self, now: Instant, connection: u64, body: String) {
        use Fault::{AnswerLost, Empty, Html, Late, Malformed, Status5xx, Status404, Truncated};
        let kinds = [
            AnswerLost, Status5xx, Status404, Truncated, Empty, Html, Malformed, Late,
        ];
        if connection == NOBODY || !self.answered.insert(connection) {
            return;
        }
        let mut body = body.into_bytes();
        match self.fault(&kinds) {
            Some(AnswerLost | Fault::RequestLost) => {
                return self.post(now, Parcel::Broken { connection });
            }
            Some(Status5xx) => return self.gateway(now, connection),
            Some(Status404) => return self.status(now, connection, 404),
            // With a status that says all is well.
            Some(Truncated) => truncate(&mut body, &mut self.dice),
            Some(Empty) => body.clear(),
            Some(Html) => {
                let page = "<!DOCTYPE html><html><body>Please log in to this network</body></html>";
                body = page.into();
            }
            Some(Malformed) => malform(&mut body, &mut self.dice),
            Some(Fault::Garbled) => garble(&mut body, &mut self.dice),
            Some(Late) => {
                let status = 200;
                let parcel = Parcel::Answer {
                    connection,
                    status,
                    body,
                };
                return self.post_late(now, parcel);
            }
            _ => {}
        }
        let parcel = Parcel::Answer {
            connection,
            status: 200,
            body,
        };
        self.post(now, parcel);
    }

    fn gateway(&mut self, now: Instant, connection: u64) {
        let status = self.dice.pick(&[502, 503, 504, 500]);
        self.status(now, connection, status);
    }

    fn status(&mut self, now: Instant, connection: u64, status: u16) {
        let body = b"<html><body>Bad Gateway</body></html>".to_vec();
        let parcel = Parcel::Answer {
            connection,
            status,
            body,
        };
        self.post(now, parcel);
    }

    /// When the next parcel arrives.
    pub fn next_arrival(&self) -> Option<Instant> {
        self.parcels.iter().map(|(at, ..)| *at).min()
    }

    /// The parcels that have arrived, in the order they did.
    pub fn arrived(&mut self, now: Instant) -> Vec<Parcel> {
        let mut due: Vec<_> = self.parcels.extract_if(.., |(at, ..)| *at <= now).collect();
        due.sort_by_key(|(at, sequence, _)| (*at, *sequence));
        due.into_iter().map(|(_, _, parcel)| parcel).collect()
    }
}
