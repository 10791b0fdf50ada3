//! The ids of requests whose replies concern the transport alone: its own pings, and requests that were sent twice.

/// How many ids are remembered. A server that answers none must not make the transport remember all of them.
const MOST_IDS: usize = 64;

/// The ids, oldest first.
#[derive(Default)]
pub(super) struct OwnRequests(Vec<String>);

impl OwnRequests {
    /// A request of that id is out.
    pub fn add(&mut self, id: String) {
        if self.0.len() >= MOST_IDS {
            self.0.remove(0);
        }
        self.0.push(id);
    }

    /// A reply has come: true if it answers one of them.
    pub fn take(&mut self, id: &str) -> bool {
        let position = self.0.iter().position(|known| known == id);
        if let Some(position) = position {
            self.0.swap_remove(position);
        }
        position.is_some()
    }
}
