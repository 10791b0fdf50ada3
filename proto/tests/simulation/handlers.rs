//! Handlers that come and go: a message is for exactly those that are there when it comes, in the order in which they came.

use super::judge::Wrong;
use super::world::World;
use crate::support::unicode::NativeUnicode;
use epode_proto::handler::{HandlerId, Matcher};
use epode_proto::jid::Jid;

/// Handlers for messages, in the order in which they were added.
#[derive(Default)]
pub struct PageHandlers {
    all: Vec<HandlerId>,
    pub calls: u64,
}

impl PageHandlers {
    /// A page's handlers; `first` stays.
    pub fn new(first: HandlerId) -> Self {
        Self {
            all: vec![first],
            calls: 0,
        }
    }
}

impl World {
    /// One handler more, or one less; or one that nothing is for.
    pub fn change_handlers(&mut self) {
        let messages = Matcher {
            name: Some("message".into()),
            ..Matcher::default()
        };
        match self.dice.below(3) {
            0 if self.handlers.all.len() > 1 => {
                let others = self.handlers.all.len() as u64 - 1;
                let at = 1 + self.dice.below(others) as usize;
                let handler = self.handlers.all.remove(at);
                if !self.client.remove_handler(handler) {
                    self.judge
                        .blame(Wrong::Untold, "a handler is not there any more");
                }
            }
            1 => {
                let nobody = Jid::parse("nobody@example.org", &NativeUnicode);
                self.client.add_handler(Matcher {
                    from: nobody.ok(),
                    ..messages
                });
            }
            _ => self.handlers.all.push(self.client.add_handler(messages)),
        }
        self.poll();
    }

    /// A message is for these.
    pub fn judge_handlers(&mut self, handlers: &[HandlerId]) {
        self.handlers.calls += handlers.len() as u64;
        if handlers != self.handlers.all {
            let why = format!("handlers {handlers:?} of {:?}", self.handlers.all);
            self.judge.blame(Wrong::Untold, &why);
        }
    }
}
