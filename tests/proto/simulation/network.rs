//! The network between them: everything takes a while, and while it is bad, everything can happen to a request or an answer.

use crate::support::random::Seeded;
use epode::proto::time::{Instant, Millis};

/// What arrives where.
pub enum Parcel {
    /// At the server: a request on a connection.
    Request { connection: u64, body: String },
    /// At the client: an answer.
    Answer {
        connection: u64,
        status: u16,
        body: Vec<u8>,
    },
    /// At the client: a connection broke.
    Broken { connection: u64 },
}

/// How bad it is, in faults per thousand requests or answers.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub per_mille: u64,
    pub slowest: u64,
}

/// Parcels on their way.
pub struct Network {
    random: Seeded,
    weather: Weather,
    parcels: Vec<(Instant, u64, Parcel)>,
    sequence: u64,
    pub faults: u64,
}

impl Network {
    pub fn new(seed: u64, weather: Weather) -> Self {
        Self {
            random: Seeded(seed ^ 0x6e65_7477_6f72_6b21),
            weather,
            parcels: Vec::new(),
            sequence: 0,
            faults: 0,
        }
    }

    /// From now on nothing goes wrong.
    pub fn heal(&mut self) {
        self.weather.per_mille = 0;
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random.next() % bound.max(1)
    }

    fn goes_wrong(&mut self) -> bool {
        let wrong = self.below(1000) < self.weather.per_mille;
        self.faults += u64::from(wrong);
        wrong
    }

    fn post(&mut self, now: Instant, parcel: Parcel) {
        let delay = 1 + self.below(self.weather.slowest);
        self.sequence += 1;
        self.parcels
            .push((now + Millis(delay), self.sequence, parcel));
    }

    /// The client posts a request.
    pub fn send(&mut self, now: Instant, connection: u64, body: String) {
        if !self.goes_wrong() {
            self.post(now, Parcel::Request { connection, body });
            return;
        }
        match self.below(4) {
            // Lost on the way up.
            0 => self.post(now, Parcel::Broken { connection }),
            // Refused by something in between.
            1 => self.gateway(now, connection),
            // It arrives twice: something in between tried again.
            2 => {
                let body_again = body.clone();
                self.post(now, Parcel::Request { connection, body });
                self.post(
                    now,
                    Parcel::Request {
                        connection,
                        body: body_again,
                    },
                );
            }
            // It arrives, and the connection breaks before the answer.
            _ => {
                self.post(
                    now,
                    Parcel::Request {
                        connection: u64::MAX,
                        body,
                    },
                );
                self.post(now, Parcel::Broken { connection });
            }
        }
    }

    /// What is on its way arrives nowhere.
    pub fn lose_all(&mut self) {
        self.parcels.clear();
    }

    /// The other end of a connection is gone.
    pub fn cut(&mut self, now: Instant, connection: u64) {
        self.post(now, Parcel::Broken { connection });
    }

    /// The server answers.
    pub fn answer(&mut self, now: Instant, connection: u64, body: String) {
        let mut body = body.into_bytes();
        if self.goes_wrong() {
            match self.below(4) {
                0 => return self.post(now, Parcel::Broken { connection }),
                1 => return self.gateway(now, connection),
                2 => {
                    // Cut short, with a status that says all is well.
                    let keep = self.below(body.len() as u64) as usize;
                    body.truncate(keep);
                }
                _ => {
                    body = b"<!DOCTYPE html><html><body>Please log in to this network</body></html>"
                        .to_vec()
                }
            }
        }
        let parcel = Parcel::Answer {
            connection,
            status: 200,
            body,
        };
        self.post(now, parcel);
    }

    fn gateway(&mut self, now: Instant, connection: u64) {
        let status = [502, 503, 504, 500][self.below(4) as usize];
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
