//! What a page knows of the tokens that it was given (XEP-0484): it shows the newest one, one that was refused never again, and
//! a password only where it has none. A page that is loaded anew knows what the one before it knew.

use super::{ACCOUNT, Extra, secret};
use crate::simulation::judge::Wrong;
use crate::simulation::world::World;
use epode_proto::io::Input;
use epode_proto::ns;
use epode_proto::sasl::HT_SHA_256_NONE;
use epode_proto::xml::{Element, Limits, parse};

/// At one service.
#[derive(Default)]
struct Known {
    /// Came with a login that has not led to a session yet.
    coming: Option<u64>,
    newest: Option<u64>,
    refused: Option<u64>,
    /// Shown in the login under way.
    shown: Option<u64>,
    /// The installation that the login under way names, and the one that the newest token was given to.
    agent: Option<String>,
    owner: Option<String>,
}

/// At both services.
#[derive(Default)]
pub struct KnownTokens {
    bosh: Known,
    socket: Known,
    /// What the page has stored of its logins.
    memory: String,
    /// The page is not the first, and has not logged in.
    inherited: bool,
}

impl KnownTokens {
    fn at(&mut self, socket: bool) -> &mut Known {
        match socket {
            true => &mut self.socket,
            false => &mut self.bosh,
        }
    }
}

fn read(bytes: &[u8]) -> Option<Element> {
    parse(bytes.to_vec(), &Limits::default()).ok()
}

/// The element of that name in a frame or a body.
fn find(element: Element, name: &str) -> Option<Element> {
    if element.is(name, ns::SASL2) {
        return Some(element);
    }
    element.child(name, ns::SASL2)
}

fn is_login(text: &str) -> bool {
    text.contains("<authenticate ") || text.contains("<auth ")
}

impl World {
    /// A login begins at a service, over a socket or not.
    pub fn note_attempt(&mut self, socket: bool) {
        let known = self.tokens.at(socket);
        known.coming = None;
        known.shown = None;
    }

    /// Something leaves for a service.
    pub fn judge_login(&mut self, socket: bool, text: &str) {
        if self.scenario.extras.sasl2.is_none() || !is_login(text) {
            return;
        }
        let asks = read(text.as_bytes()).and_then(|element| find(element, "authenticate"));
        let asked = asks.as_ref();
        let wants = asked.is_some_and(|asks| asks.has_child("request-token", ns::FAST));
        if wants && self.is_away(socket) {
            let why = "a token is asked for where a server sent the page";
            self.judge.blame(Wrong::Untold, why);
        }
        let agent = asks
            .as_ref()
            .and_then(|asks| asks.child("user-agent", ns::SASL2));
        let agent = agent.and_then(|agent| agent.attr("id").map(str::to_owned));
        self.tokens.at(socket).agent = agent;
        let token = asks.filter(|asks| asks.attr("mechanism") == Some(HT_SHA_256_NONE));
        let Some(token) = token else {
            if !self.is_away(socket) && self.tokens.at(socket).newest.is_some() {
                let why = "a login without the token that the page has";
                self.judge.blame(Wrong::Restless, why);
            }
            return;
        };
        if self.is_away(socket) {
            let why = "a token is shown where a server sent the page";
            self.judge.blame(Wrong::Untold, why);
        }
        let initial = token.child_text("initial-response", ns::SASL2);
        let number = self
            .server
            .tokens(socket)
            .number(&initial.unwrap_or_default());
        let Some(number) = number else {
            let why = "a token that the service never gave";
            return self.judge.blame(Wrong::Untold, why);
        };
        let known = self.tokens.at(socket);
        known.shown = Some(number);
        if known.refused == Some(number) {
            let why = "a token that was refused is shown again";
            self.judge.blame(Wrong::Restless, why);
        } else if known.newest.is_some_and(|newest| number < newest) {
            self.judge.blame(Wrong::Untold, "an old token is shown");
        } else if known.newest == Some(number) && known.agent != known.owner {
            let why = "a token is shown in the name of another installation";
            self.judge.blame(Wrong::Untold, why);
        }
    }

    /// Something came that the page is told of now.
    pub fn note_granted(&mut self, input: &Input) {
        if self.scenario.extras.sasl2.is_none() {
            return;
        }
        let (socket, bytes) = match input {
            Input::HttpAnswered { body, .. } => (false, body),
            Input::SocketFrame {
                text: Some(text), ..
            } => (true, text),
            _ => return,
        };
        let Some(element) = read(bytes) else { return };
        let known = self.tokens.at(socket);
        if let Some(success) = find(element.clone(), "success") {
            let token = success.child("token", ns::FAST);
            let given = token.and_then(|token| {
                let text = token.attr("token")?.to_owned();
                (1..).take(10_000).find(|number| secret(*number) == text)
            });
            known.coming = given;
            if known.shown.is_some() && core::mem::take(&mut self.tokens.inherited) {
                self.judge.extras.note(Extra::TokenOfFormerPage);
            }
        } else if find(element, "failure").is_some()
            && let Some(shown) = known.shown.take()
        {
            known.refused = Some(shown);
            known.newest = None;
        }
    }

    /// The page is online: what the login brought is kept.
    pub fn note_tokens(&mut self) {
        for socket in [false, true] {
            let known = self.tokens.at(socket);
            if let Some(coming) = known.coming.take() {
                known.newest = Some(coming);
                known.owner = known.agent.clone();
            }
        }
    }

    /// What the page has to store is another now.
    pub fn store_memory(&mut self) {
        self.tokens.memory = self.client.connection().memory();
    }

    /// The next page is there, with what the one before it has stored.
    pub fn remember(&mut self) {
        if self.scenario.extras.sasl2.is_some() {
            self.client.remember(&self.tokens.memory);
            self.tokens.inherited = true;
        }
    }

    /// The account whose logins are remembered, where tokens may be asked for.
    pub fn account(sasl2: bool) -> Option<String> {
        sasl2.then(|| ACCOUNT.to_owned())
    }
}
