//! Nodes that the page watches (XEP-0163), which its capabilities announce (XEP-0115), and what the server knows of them.
//!
//! In each session the server gets the page's presence; in the end the capabilities in it are those that the page has. Whoever
//! asks what they mean is answered with what they are the hash of.

use super::dice::Dice;
use super::judge::{Judge, Wrong};
use super::server::server_request;
use super::world::World;
use epode_proto::client::WatchId;
use epode_proto::ns;
use epode_proto::xep::caps;
use epode_proto::xep::disco::Info;
use epode_proto::xml::Element;
use std::collections::BTreeMap;

const NODES: [&str; 3] = [
    "urn:xmpp:avatar:metadata",
    "urn:xmpp:bookmarks:1",
    "http://jabber.org/protocol/tune",
];

/// What the server knows of the presence of the page's sessions.
#[derive(Default)]
pub struct Announced {
    /// By session, the verification string of the last presence.
    last: BTreeMap<usize, Option<String>>,
    pub presences: u64,
    pub answers: u64,
}

impl Judge {
    /// A presence for everybody has come. What the server asks about it.
    pub fn presence_announced(&mut self, session: usize, presence: &Element) -> Option<String> {
        self.announced.presences += 1;
        let capabilities = presence.child("c", ns::CAPS);
        let ver = capabilities.and_then(|c| c.attr("ver").map(str::to_owned));
        let asked = ver.as_deref().map(question);
        self.announced.last.insert(session, ver);
        asked
    }

    /// The page has answered what capabilities mean.
    pub fn capabilities_told(&mut self, reply: &Element) {
        let Some(info) = Info::parse(reply) else {
            return;
        };
        self.announced.answers += 1;
        if self.lenient {
            return;
        }
        let ver = caps::verification(&info);
        if info.node.is_none_or(|node| node != caps::node(&ver)) {
            let why = "capabilities that are not what they are announced as";
            self.blame(Wrong::Untold, why);
        }
    }
}

/// Asks the page what its capabilities mean.
fn question(ver: &str) -> String {
    let query = Element::builder("query", ns::DISCO_INFO).attr("node", &caps::node(ver));
    server_request("get", "capabilities", query.build())
}

/// Whether it is the answer to that.
pub fn is_answer(stanza: &Element) -> bool {
    stanza.attr("id") == Some("capabilities") && stanza.attr("type") == Some("result")
}

impl World {
    /// The page watches one node more, or one less.
    pub fn watch(&mut self) {
        if self.dice.chance(400) && !self.watches.is_empty() {
            let at = self.dice.below(self.watches.len() as u64) as usize;
            let watch = self.watches.swap_remove(at);
            self.client.unwatch(watch);
        } else {
            let watch = watch_any(&mut self.dice, &mut self.client);
            self.watches.push(watch);
        }
        self.poll();
    }

    /// Calm has come: the server knows that the page is there, and what it can do.
    pub fn judge_announced(&mut self) {
        let newest = self.server.newest().filter(|_| self.online);
        let Some(session) = newest.filter(|_| !self.judge.lenient) else {
            return;
        };
        let known = self.judge.announced.last.get(&session).cloned();
        let about = self.client.about();
        let announces = about.features.iter().any(|feature| feature == ns::CAPS);
        let Some(known) = known else {
            return self
                .judge
                .blame(Wrong::Lost, "the server knows of no presence");
        };
        let current = caps::verification(&about.info());
        if announces && known.as_ref() != Some(&current) {
            let why = format!("the capabilities are {current}, and announced are {known:?}");
            self.judge.blame(Wrong::Lost, &why);
        }
    }
}

fn watch_any(dice: &mut Dice, client: &mut epode_proto::client::Client) -> WatchId {
    client.watch_node(dice.pick(&NODES))
}
