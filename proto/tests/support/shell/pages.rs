//! Pages that come one after the other in a [`Shell`], and what the earlier one leaves to the later.

use super::{Place, Shell, connection};

impl Shell {
    /// Whoever waited for something was of the page that is gone.
    pub(super) fn reload(&mut self, arrives: usize) {
        let snapshot = self.connection.snapshot();
        let memory = self.connection.memory();
        self.seed = self.seed.wrapping_add(1);
        self.connection = connection(self.way, self.seed);
        self.connection.remember(&memory);
        self.sends.clear();
        self.requests.clear();
        self.place = Place::Offline;
        self.leaving = false;
        self.wants_credentials = false;
        self.http.reload();
        self.abandon_socket(arrives);
        if let Some(snapshot) = snapshot {
            self.tell("  snapshot", &snapshot);
            // Where the server has sent us elsewhere, nobody takes a page's storage for the server's word.
            let moved = snapshot.text.contains("//elsewhere.example.org/");
            self.restored = self.connection.restore(self.now, &snapshot.text);
            assert!(self.restored || moved, "{}", snapshot.text);
        }
    }

    /// Goes on with what somebody wrote.
    pub(super) fn restore(&mut self, text: &str) {
        let offline = self.connection.is_offline();
        let restored = self.connection.restore(self.now, text);
        assert!(offline || !restored);
        if restored {
            self.restored = true;
            self.leaving = false;
            self.socket.lied = true;
            self.tampered = true;
        }
    }
}
