//! What the platform derives in a dialogue.

use super::Dialogue;
use epode_proto::io::{DerivationId, Input};
use epode_proto::sasl::Derivation;

/// What the platform does about a derivation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// It is there at once.
    Derives,
    /// There is no `crypto.subtle`.
    Refuses,
    /// It takes until the script says so.
    Holds,
}

impl Dialogue {
    pub(super) fn note_derivation(&mut self, id: DerivationId, derivation: Derivation) {
        self.derivations.push((id, derivation));
        let last = self.derivations.len() - 1;
        match self.platform {
            Platform::Derives => self.settle_derivation(last, true),
            Platform::Refuses => self.settle_derivation(last, false),
            Platform::Holds => {}
        }
    }

    #[track_caller]
    pub(super) fn answer_derivation(&mut self, number: &str, derives: bool) {
        self.settle_derivation(number.parse().expect("a number"), derives);
    }

    #[track_caller]
    fn settle_derivation(&mut self, number: usize, derives: bool) {
        let (id, derivation) = &self.derivations[number];
        let input = Input::Derived {
            id: *id,
            salted_password: derives.then(|| derivation.compute()),
        };
        self.connection.handle_input(self.now, input);
    }
}
