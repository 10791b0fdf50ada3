//! A life that begins with a session which a web server made for the page (XEP-0124; XEP-0206 §8 of old: "pre-binding").

use super::Extra;
use crate::simulation::judge::Wrong;
use crate::simulation::world::World;
use crate::support::unicode::NativeUnicode;
use epode_proto::connection::Prebound;
use epode_proto::jid::Jid;
use epode_proto::time::Millis;

impl World {
    /// A web server makes a session; the page that it is for is there after a while, and attaches to it.
    pub fn attach(&mut self) {
        let (number, sid, rid) = self.server.bosh.prebind(self.now, &mut self.judge);
        let loads = Millis(1 + self.extra_dice.below(20_000));
        self.run_until(self.now + loads);
        let jid = format!("a@example.org/{number}");
        let jid = Jid::parse(&jid, &NativeUnicode).expect("a JID");
        let alone = self.scenario.extras.attaches_alone;
        self.judge.extras.note(Extra::Attached);
        if alone {
            self.judge.extras.note(Extra::AttachedAlone);
        }
        self.tell(|| format!("attach {sid} {rid}"));
        let prebound = Prebound {
            jid: &jid,
            sid: &sid,
            rid,
            alone,
        };
        if !self.client.attach(self.now, prebound) {
            self.judge.blame(Wrong::Untold, "an attach that is refused");
        }
        self.offline = false;
        self.poll();
    }

    /// Whether the page may be loaded anew: not before it was online in the session that was made for it. Otherwise the next page
    /// restores a session in which no presence was sent, and sends none, because it takes the session for the former page's.
    pub fn may_reload(&self) -> bool {
        !self.scenario.extras.attaches || self.sessions > 0
    }

    /// In calm weather the page has come online in the session that was made for it.
    pub fn judge_attached(&mut self) {
        if self.scenario.extras.attaches && self.server.newest() != Some(0) {
            let why = "the session of the web server is not the page's";
            self.judge.blame(Wrong::Lost, why);
        }
    }
}
