//! Sessions that the page knows it may resume (XEP-0198 §5): as long as the server keeps one, the page makes no other.

use super::judge::Wrong;
use super::world::{World, seconds};
use epode_proto::io::Input;
use std::collections::BTreeSet;

/// By `id`, the sessions that the page was told it may resume.
#[derive(Default)]
pub struct Resumable(BTreeSet<String>);

/// The id in `<enabled/>`, by itself or in another element.
fn enabled(text: &str) -> Option<&str> {
    let (_, enabled) = text.split_once("<enabled")?;
    let (enabled, _) = enabled.split_once('>')?;
    if !enabled.contains("resume='true'") {
        return None;
    }
    let (_, id) = enabled.split_once(" id='")?;
    id.split('\'').next()
}

impl World {
    /// Something came that the page is told of now.
    pub fn note_resumable(&mut self, input: &Input) {
        if let Input::SocketFrame {
            text: Some(text), ..
        } = input
            && let Ok(text) = core::str::from_utf8(text)
            && let Some(id) = enabled(text)
        {
            self.resumable.0.insert(id.to_owned());
        }
    }

    /// The page is offline, or gone: it need not resume anything.
    pub fn forget_resumable(&mut self) {
        self.resumable.0.clear();
    }

    /// A new session is bound, after the page had lost the one before it for so long.
    pub fn judge_new_session(&mut self) {
        let resumable = core::mem::take(&mut self.resumable.0);
        let scenario = &self.scenario;
        let certain = scenario.restarts == 0
            && scenario.extras.moves.is_none()
            && !scenario.weather.spoils
            && !self.judge.lenient;
        // A server that says that it keeps sessions may be believed for that long.
        let limit = seconds(scenario.abilities.says);
        let since = self.interrupted_since.unwrap_or(self.now);
        if !certain || self.now >= since + limit {
            return;
        }
        let sockets = &self.server.sockets;
        // Over BOSH there is nothing to resume; where it is the only way in, a new session is right.
        let new = sockets.newest().filter(|_| self.socket.is_some());
        let Some(new) = new.map(|number| format!("sm{number}")) else {
            return;
        };
        if resumable.iter().any(|id| *id != new && sockets.keeps(id)) {
            let why = "a session that was there is not resumed";
            self.judge.blame(Wrong::Lost, why);
        }
        self.resumable.0 = resumable;
    }
}
