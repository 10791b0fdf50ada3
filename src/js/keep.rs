//! How a client begins: with the session that the page before it left, with one that a web server made, or with none.

use super::error::Problem;
use super::inner::Inner;
use super::options::{self, Waiting};
use super::promise::spawn;
use super::reader::Reader;
use crate::web::keeper::Keeper;
use crate::web::race::{RaceError, race};
use epode_proto::client::Client;
use epode_proto::connection::Prebound;
use epode_proto::jid::Jid;
use futures_channel::oneshot::{Receiver, channel};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// A session that a web server made, as the page tells it.
pub struct Given {
    jid: Jid,
    sid: String,
    rid: u64,
    /// Gives it up.
    pub waiting: Waiting,
}

impl Given {
    /// Reads it: `{ jid, sid, rid, signal }`.
    pub fn read(given: &JsValue) -> Result<Self, Problem> {
        let read = Reader::of(given);
        let jid = options::read_jid(&read, "jid").filter(|jid| !jid.is_bare());
        let sid = read.text("sid").filter(|sid| !sid.is_empty());
        let rid = read.given("rid").and_then(|rid| match rid.as_f64() {
            // What is not a whole number of that size is none that the other side would take.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Some(rid) => (rid.fract() == 0.0 && rid >= 0.0).then_some(rid as u64),
            None => rid.as_string()?.parse().ok(),
        });
        // XEP-0124 §14.1: at most 2^53 - 1.
        let rid = rid.filter(|rid| (1..1 << 53).contains(rid));
        let waiting = Waiting::from(&read);
        read.done()?;
        match (jid, sid, rid) {
            (Some(jid), Some(sid), Some(rid)) => Ok(Self {
                jid,
                sid,
                rid,
                waiting,
            }),
            _ => Err(unfit()),
        }
    }
}

fn unfit() -> Problem {
    Problem::new(
        "bad-argument",
        "Not a session to attach to: give { jid, sid, rid }, the full JID, the BOSH session's id and the rid of the next request, and a BOSH service at the JID's domain.",
    )
}

fn busy() -> Problem {
    Problem::new(
        "already-connected",
        "This client is connecting or connected. Await disconnect() first, or make another client.",
    )
}

/// What was begun in the turn in which the page asked for it, and is yet to be awaited.
pub enum Beginning {
    /// It is tried by itself already: this tells when it is back.
    Hurried(Receiver<()>),
    /// Which of the page's askings this is, and what comes of it.
    Asked(u32, Receiver<Result<(), JsValue>>),
}

impl Inner {
    /// Begins to connect, or to go on with a session that a web server made. In the turn of the call: a `disconnect()`
    /// in the next line finds it.
    pub fn begin(
        self: &Rc<Self>,
        signal: Option<&web_sys::AbortSignal>,
        given: Option<&Given>,
    ) -> Result<Beginning, JsValue> {
        if self.freed.get() {
            return Err(super::error::freed().into_js());
        }
        if let Some(signal) = signal.filter(|signal| signal.aborted()) {
            return Err(Problem::from(RaceError::Aborted(signal.reason())).into_js());
        }
        if given.is_none() && self.status.get() == "reconnecting" {
            let (sender, online) = channel();
            self.awaiting.borrow_mut().push(sender);
            self.driver.change(Client::wake);
            return Ok(Beginning::Hurried(online));
        }
        self.recall();
        let (sender, done) = channel();
        if !self.is_offline() || self.connecting.borrow().is_some() {
            return Err(busy().into_js());
        }
        let asked = self.asked.get().wrapping_add(1);
        self.asked.set(asked);
        self.begun.set(false);
        let keeper = self.driver.keeper();
        match (given, keeper) {
            (Some(given), _) => {
                let attached = self.driver.change(|client, now| {
                    client.attach(
                        now,
                        Prebound {
                            jid: &given.jid,
                            sid: &given.sid,
                            rid: given.rid,
                            alone: self.login.is_none(),
                        },
                    )
                });
                if !attached {
                    return Err(unfit().into_js());
                }
                self.connecting.replace(Some(sender));
            }
            (None, Some(keeper)) if keeper.has_any() => {
                self.connecting.replace(Some(sender));
                spawn(Rc::clone(self).take_over(keeper));
            }
            (None, _) => {
                self.connecting.replace(Some(sender));
                self.driver.change(Client::connect);
            }
        }
        Ok(Beginning::Asked(asked, done))
    }

    /// Waits until what was begun is done, or the signal gives it up.
    pub async fn finish(
        self: Rc<Self>,
        beginning: Beginning,
        signal: Option<web_sys::AbortSignal>,
    ) -> Result<(), JsValue> {
        let lost = match beginning {
            Beginning::Hurried(online) => match race(online, signal, None).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(_)) => return Err(super::error::not_connected().into_js()),
                Err(lost) => lost,
            },
            Beginning::Asked(asked, done) => match race(done, signal, None).await {
                Ok(Ok(outcome)) => return outcome,
                Ok(Err(_)) => return Err(super::error::not_connected().into_js()),
                Err(lost) => {
                    // It may have ended by itself, and another have been asked for since.
                    if self.asked.get() == asked {
                        self.connecting.take();
                        self.driver.change(Client::abort);
                    }
                    lost
                }
            },
        };
        Err(Problem::from(lost).into_js())
    }

    /// Goes on with what the page before this one left; connects, if nothing comes of it.
    async fn take_over(self: Rc<Self>, keeper: Rc<Keeper>) {
        let kept = keeper.claim().await;
        // Given up meanwhile?
        if self.connecting.borrow().is_none() {
            return;
        }
        self.driver.change(|client, now| {
            let restored = kept.is_some_and(|kept| client.restore(now, &kept));
            restored || client.connect(now)
        });
    }
}
