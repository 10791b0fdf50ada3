//! A new session in place of one that was lost: presence, rooms and subscriptions are there again, as the page left them.

use super::client::Inner;
use epode_proto::jid::Jid;
use std::rc::Rc;

impl Inner {
    /// Presence first, then the rooms, then the subscriptions, in this turn: what was kept meanwhile comes after them.
    pub fn rebuild(self: &Rc<Self>, jid: &Jid) {
        let broadcast = self.broadcast.borrow().clone();
        match broadcast {
            // Who went on purpose stays away.
            Some(presence) if presence.attr("type") == Some("unavailable") => {}
            Some(presence) => self.post(presence),
            None => self.be_present(),
        }
        self.begin_rooms(jid);
        self.begin_feeds(false);
    }
}
