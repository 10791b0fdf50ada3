//! What the application does in a dialogue.

use super::Dialogue;
use crate::support::script::{millis, xml};
use epode_proto::event::IqId;
use epode_proto::io::Input;
use epode_proto::sasl::Credentials;
use epode_proto::time::Millis;

impl Dialogue {
    #[track_caller]
    pub(super) fn act(&mut self, what: &str) {
        let (command, element) = match what.find('<') {
            Some(at) => what.split_at(at),
            None => (what, ""),
        };
        let words: Vec<&str> = command.split_whitespace().collect();
        self.do_it(&words, element);
        self.drain();
    }

    #[track_caller]
    fn do_it(&mut self, words: &[&str], element: &str) {
        let now = self.now;
        match *words {
            ["connect", "with", ref then @ ..] => {
                self.do_it(&["connect"], "");
                self.do_it(then, "");
            }
            ["connect"] => {
                assert!(self.connection.connect(now), "it is not offline");
                self.sid = None;
                self.window = 1;
                self.base = 0;
                self.last_rid = None;
                self.first = self.exchanges.len();
            }
            ["disconnect"] => self.connection.disconnect(now),
            ["abort"] => self.connection.abort(now),
            ["pause"] => self.connection.pause(now),
            ["leave"] => {
                self.leaving = true;
                self.connection.set_leaving(now, true);
            }
            ["return"] => {
                self.leaving = false;
                self.connection.set_leaving(now, false);
            }
            ["hidden"] => self.see(true),
            ["visible"] => self.see(false),
            ["forfeit"] => self.connection.forfeit(now),
            ["attach", sid, rid] => self.attach(sid, rid, false),
            ["attach", "alone", sid, rid] => self.attach(sid, rid, true),
            ["wake"] => self.connection.wake(now),
            ["tap"] => self.connection.tap(true),
            ["send"] => {
                let sent = self.connection.send(self.names.fill(&xml(element)));
                sent.expect("it can be sent");
            }
            ["request"] | ["request", _] => {
                let timeout = words.get(1).map(|span| Millis(millis(span)));
                let iq = self.names.fill(&xml(element));
                let sent = self.connection.request(now, iq, timeout);
                sent.expect("it can be asked");
            }
            ["forget", number] => {
                let request = IqId(number.parse().expect("a number"));
                self.connection.forget(request);
            }
            ["credentials", username, password] => {
                self.give(Some(Credentials::Password {
                    username: username.into(),
                    password: password.into(),
                    authzid: None,
                }));
            }
            ["token", token] => self.give(Some(Credentials::Token {
                username: None,
                token: token.into(),
                authzid: Some("romeo@example.org".into()),
            })),
            ["anonymous"] => self.give(Some(Credentials::Anonymous)),
            ["external"] => self.give(Some(Credentials::External { authzid: None })),
            ["no", "credentials"] => self.give(None),
            ["derived", number] => self.answer_derivation(number, true),
            ["refused", number] => self.answer_derivation(number, false),
            _ => panic!("no such act: {words:?}"),
        }
    }

    fn see(&mut self, hidden: bool) {
        let input = Input::Visibility { hidden };
        self.connection.handle_input(self.now, input);
    }

    fn give(&mut self, credentials: Option<Credentials>) {
        let input = Input::Credentials(credentials);
        self.connection.handle_input(self.now, input);
    }
}
