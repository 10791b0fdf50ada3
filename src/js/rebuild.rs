//! A new session in place of one that was lost: presence, rooms and subscriptions are there again, as the page left them.

use super::client::Inner;
use super::feed::FeedState;
use super::options::Waiting;
use super::promise::spawn;
use crate::proto::stanza::presence;
use crate::proto::xep::pubsub::request;
use std::rc::Rc;

impl Inner {
    /// Presence first, then the rooms, then the subscriptions, in this turn: what was kept meanwhile comes after them.
    pub fn rebuild(self: &Rc<Self>) {
        let broadcast = self.broadcast.borrow().clone();
        match broadcast {
            // Who went on purpose stays away.
            Some(presence) if presence.attr("type") == Some("unavailable") => {}
            Some(presence) => self.post(presence),
            None if self.wants_presence() => self.post(presence::available(None).build()),
            None => {}
        }
        let mut rooms = Vec::new();
        for room in self.rooms.borrow().values() {
            rooms.push(Rc::clone(room));
        }
        for room in rooms {
            room.rejoin(self);
        }
        let mut feeds = Vec::new();
        for feed in self.feeds.borrow().values() {
            // One whose first request is on its way is minded by whoever sent it.
            if feed.confirmed.get() {
                feeds.push(Rc::clone(feed));
            }
        }
        for feed in feeds {
            self.renew(feed);
        }
    }

    /// Subscribes again, from whatever our address is now.
    fn renew(self: &Rc<Self>, feed: Rc<FeedState>) {
        let Ok(own) = self.subscriber() else { return };
        self.subscriptions.borrow_mut().renew(feed.id, &own);
        let request = request::subscribe(Some(&feed.service), &feed.node, own.as_str(), &[]);
        // In this turn: what comes of what was kept, the feed shall tell, too.
        let reply = self.request(request, Waiting::default());
        let client = Rc::clone(self);
        spawn(async move {
            match reply.await {
                Ok(reply) => {
                    let told = request::parse_subscription(&reply);
                    client
                        .subscriptions
                        .borrow_mut()
                        .confirm(feed.id, told.as_ref());
                    feed.confirm(told.as_ref());
                }
                // Lost again: the next session does it.
                Err(problem) if problem.is_disconnected() => {}
                Err(problem) => {
                    client.forget_feed(feed.id);
                    feed.end();
                    client.complain(problem);
                }
            }
        });
    }
}
