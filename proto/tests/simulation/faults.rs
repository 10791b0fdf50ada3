//! What can go wrong between a page and a server, what is done to bytes on the way, and how often each was done.

use super::dice::Dice;

/// One kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    RequestLost,
    AnswerLost,
    Status5xx,
    Status404,
    Duplicated,
    Late,
    Truncated,
    Empty,
    Html,
    Malformed,
    Garbled,
    OpenRefused,
    OpenHangs,
    WrongProtocol,
    Cut,
    CutUnnoticed,
    Closed,
    Stall,
    StallThenCut,
    Binary,
    Restart,
    Freeze,
    Reload,
    FarCount,
    GhostNick,
    NickTaken,
    NickStolen,
    Kicked,
    Banned,
    Destroyed,
    RemovedMeanwhile,
    RemovedAfterwards,
    RoomsForget,
    RoomsDown,
    HistoryOverlaps,
    SlowlyDerived,
    Underived,
}

const NAMES: [&str; 37] = [
    "requests lost",
    "answers lost",
    "500/502/503/504",
    "404",
    "requests twice",
    "later than wait",
    "cut short",
    "empty answers",
    "HTML",
    "malformed",
    "other letters",
    "sockets refused",
    "sockets that never open",
    "without the subprotocol",
    "sockets cut",
    "cut and not told",
    "closed by the proxy or server",
    "stalls",
    "stalls that end in a cut",
    "binary frames",
    "server restarts",
    "frozen tabs",
    "pages loaded anew",
    "counters near 2³²",
    "nicks that the own ghost has",
    "nicks that others have",
    "nicks taken by others",
    "kicked from a room",
    "banned from a room",
    "rooms destroyed",
    "of these during an interruption",
    "of these without a session",
    "room services that forget who is in",
    "room services not reachable",
    "histories that repeat what was told",
    "keys that take a while",
    "keys that the platform does not derive",
];

/// How many of each there were.
#[derive(Clone)]
pub struct Faults([u64; NAMES.len()]);

impl Default for Faults {
    fn default() -> Self {
        Self([0; NAMES.len()])
    }
}

impl Faults {
    pub fn note(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }

    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// One that there was none of.
    pub fn none(&self) -> Option<&'static str> {
        let at = self.0.iter().position(|count| *count == 0)?;
        NAMES.get(at).copied()
    }

    pub fn lines(&self) -> String {
        let mut lines = String::new();
        for (name, count) in NAMES.iter().zip(self.0) {
            lines.push_str(&format!("    {count:>9} {name}\n"));
        }
        lines
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Faults per thousand requests, answers, frames.
    pub per_mille: u64,
    /// The longest way, in milliseconds.
    pub slowest: u64,
    /// Parcels may also take longer than any wait.
    pub late: bool,
    /// Frames may come that nobody can read. (Answers that nobody can read come in any bad weather.)
    pub spoils: bool,
    /// Letters may be exchanged for others: nobody can notice that.
    pub garbles: bool,
}

/// The beginning of it, not all, and not nothing.
pub fn truncate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let keep = 1 + dice.below(bytes.len().saturating_sub(1) as u64) as usize;
    bytes.truncate(keep);
}

/// Nobody can read it.
pub fn malform(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len() as u64 + 1) as usize;
    let spoilt: &[u8] = if dice.chance(500) { b"<<" } else { b"\xff" };
    bytes.splice(at..at, spoilt.iter().copied());
}

/// Some letters and digits are others now.
pub fn garble(bytes: &mut [u8], dice: &mut Dice) {
    for _ in 0..1 + dice.below(3) {
        let at = dice.below(bytes.len() as u64) as usize;
        if let Some(byte) = bytes
            .get_mut(at)
            .filter(|byte| byte.is_ascii_alphanumeric())
        {
            *byte = dice.pick(b"0123456789abcdefghijklmnopqrstuvwxyz");
        }
    }
}
