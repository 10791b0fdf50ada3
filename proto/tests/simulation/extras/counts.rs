//! How often the extras of scenarios came to bear.

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    Paused,
    SleptLong,
    StayedAwake,
    SentMeanwhile,
    PauseForgotten,
    KeyChecked,
    KeysRenewed,
    Polled,
    Attached,
    AttachedAlone,
    Sasl2OverBosh,
    Sasl2OverSocket,
    BoundInline,
    EnabledInline,
    ResumedInline,
    ResumeRefusedInline,
    TokenGiven,
    TokenLogin,
    TokenRotated,
    TokenRefused,
    TokenOfFormerPage,
    MovedAtLogin,
    MovedSocketAtLogin,
    MovedSession,
    MovedSocketSession,
    SentToBosh,
    SentIntoTrap,
    Followed,
    ServicePassed,
}

const NAMES: [&str; 29] = [
    "pauses granted",
    "pages that slept longer than a session lasts",
    "pages that paused and did not sleep",
    "messages for sleeping pages",
    "pauses repeated, and forgotten",
    "keys checked",
    "sequences of keys renewed",
    "requests of sessions that poll",
    "sessions of a web server's",
    "of these without credentials",
    "logins by XEP-0388 over BOSH",
    "over sockets",
    "sessions bound in a login",
    "of these with stream management",
    "sessions resumed in a login",
    "sessions not resumed in a login",
    "tokens given",
    "logins with a token",
    "tokens given for another one",
    "tokens refused",
    "logins with the token of a former page",
    "logins over BOSH sent elsewhere",
    "logins over sockets sent elsewhere",
    "BOSH sessions sent elsewhere",
    "sessions on sockets sent elsewhere",
    "pages sent from a socket to BOSH",
    "pages sent where they must not go",
    "pages that went where they were sent",
    "attempts at a service that is not there",
];

/// How many of each there were.
#[derive(Clone)]
pub struct ExtraCounts([u64; NAMES.len()]);

impl Default for ExtraCounts {
    fn default() -> Self {
        Self([0; NAMES.len()])
    }
}

impl ExtraCounts {
    pub fn note(&mut self, extra: Extra) {
        self.0[extra as usize] += 1;
    }

    pub fn count(&self, extra: Extra) -> u64 {
        self.0[extra as usize]
    }

    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }

    /// One that there was none of.
    pub fn none(&self) -> Option<&'static str> {
        let at = self.0.iter().position(|count| *count == 0)?;
        NAMES.get(at).copied()
    }

    pub fn lines(&self) -> String {
        let mut lines = String::from("  extras\n");
        for (name, count) in NAMES.iter().zip(self.0) {
            lines.push_str(&format!("    {count:>9} {name}\n"));
        }
        lines
    }
}
