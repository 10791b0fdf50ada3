//! Sessions that change hands in a dialogue.

use super::super::random::Seeded;
use super::super::unicode::NativeUnicode;
use super::Dialogue;
use epode_proto::connection::{Config, Connection, Prebound, Snapshot};
use epode_proto::jid::Jid;
use std::rc::Rc;

impl Dialogue {
    /// What another page would get.
    pub fn snapshot(&self) -> Snapshot {
        self.connection.snapshot().expect("a snapshot")
    }

    /// The page is loaded anew: whatever was not said is gone with the old one, and nobody hears the answers to its requests.
    pub fn reload(&mut self, config: Config) {
        let snapshot = self.snapshot();
        self.next_page(config);
        assert!(
            self.connection.restore(self.now, &snapshot.text),
            "{} is no snapshot",
            snapshot.text
        );
        self.drain();
    }

    /// The same tab, another page: its connection is offline.
    pub fn next_page(&mut self, config: Config) {
        let random = Box::new(Seeded(8));
        self.connection = Connection::new(config, Rc::new(NativeUnicode), random);
        self.forgive();
        self.own = self.exchanges.len();
        self.first = self.own;
        self.socket = None;
        self.tells_trouble = true;
        self.timeout = None;
        for exchange in &mut self.exchanges {
            exchange.open = false;
        }
    }

    pub(super) fn attach(&mut self, sid: &str, rid: &str, alone: bool) {
        let jid = Jid::parse("romeo@example.org/web", &NativeUnicode).expect("a JID");
        let prebound = Prebound {
            jid: &jid,
            sid,
            rid: rid.parse().expect("a rid"),
            alone,
        };
        self.base = 0;
        self.sid = Some(sid.to_owned());
        self.window = 2;
        assert!(self.connection.attach(self.now, prebound), "no session");
    }
}
