//! The ids of requests whose replies concern the transport alone: its own pings, and requests that were sent twice.

/// The largest number of remembered ids. A server that never answers must not make the transport remember all of them.
const MOST_IDS: usize = 64;

/// The ids, oldest first.
#[derive(Default)]
pub(super) struct OwnRequests(Vec<String>);

impl OwnRequests {
    /// Remembers the id of a sent request.
    pub fn add(&mut self, id: String) {
        if self.0.len() >= MOST_IDS {
            self.0.remove(0);
        }
        self.0.push(id);
    }

    /// Returns true if a reply with this id answers a remembered request, and forgets the id.
    pub fn take(&mut self, id: &str) -> bool {
        let position = self.0.iter().position(|known| known == id);
        if let Some(position) = position {
            self.0.swap_remove(position);
        }
        position.is_some()
    }
}
