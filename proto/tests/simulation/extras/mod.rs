//! What only some scenarios have: BOSH sessions that pause (XEP-0124 §10), show keys (§15), poll (§12) or were made by a web server
//! ([`Client::attach`](epode_proto::client::Client::attach)); logins by XEP-0388 with what travels in them; servers that send the
//! page to another address, and a service that is not there.
//!
//! All of it is drawn from dice of its own, so that the other choices of a seed stay as they are.

mod attaching;
mod counts;
mod moving;
mod pausing;
mod sasl2;
mod tokens;

pub use counts::{Extra, ExtraCounts};
pub use moving::{Moved, Moves, services};
pub use pausing::Nap;
pub use sasl2::{ACCOUNT, Granted, Sasl2, Tokens, secret};
pub use tokens::KnownTokens;

use super::dice::Dice;
use super::scenario::{Kind, has_accounts};

/// What one scenario has beyond the ordinary.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// XEP-0124 `maxpause` in seconds, where the server lets sessions pause, and how many times the page sleeps.
    pub maxpause: Option<u64>,
    pub naps: u64,
    /// Whether an answer to a pause is forgotten (§14.3 does not ask for it to be kept).
    pub forgets_pauses: bool,
    /// The client shows keys.
    pub keys: bool,
    /// The session polls: XEP-0124 `polling` in seconds.
    pub polling: Option<u64>,
    /// In such a session every request that comes too early ends it, as in ejabberd; otherwise empty ones alone (§12).
    pub polls_strictly: bool,
    /// The page begins with a session that a web server made.
    pub attaches: bool,
    /// That page has no credentials.
    pub attaches_alone: bool,
    /// XEP-0388 is offered.
    pub sasl2: Option<Sasl2>,
    /// Servers send the page elsewhere.
    pub moves: Option<Moves>,
    /// The first of the page's services is not there.
    pub dead_service: bool,
}

impl Extras {
    pub fn of(seed: u64, kind: Kind) -> Self {
        let mut dice = Dice::new(seed, "extras");
        let alone = matches!(kind, Kind::Bosh | Kind::BoshAgain);
        let bosh = alone || kind == Kind::Either;
        let polling = Some(dice.pick(&[1, 2, 3])).filter(|_| dice.chance(60) && alone);
        let waits = bosh && polling.is_none();
        let maxpause = Some(dice.pick(&[90, 120, 300, 900])).filter(|_| dice.chance(350) && waits);
        let naps = 1 + dice.below(3);
        let forgets_pauses = dice.chance(300);
        let keys = dice.chance(100) && bosh;
        let polls_strictly = dice.chance(500);
        let attaches = dice.chance(150) && waits;
        let attaches_alone = attaches && kind == Kind::Bosh && dice.chance(500);
        let accounts = has_accounts(seed, kind);
        let sasl2 = Some(Sasl2::of(&mut dice)).filter(|_| dice.chance(600) && accounts);
        let certain = kind != Kind::Garbled;
        let moves = Some(Moves::of(&mut dice, kind)).filter(|_| dice.chance(200) && certain);
        let dead_service = dice.chance(150) && certain && !attaches;
        Self {
            maxpause,
            naps: if maxpause.is_some() { naps } else { 0 },
            forgets_pauses,
            keys,
            polling,
            polls_strictly,
            attaches,
            attaches_alone,
            sasl2,
            moves,
            dead_service,
        }
    }

    /// Whether nothing of it changes when requests leave, or stops the page.
    pub fn keeps_pace(&self) -> bool {
        self.naps == 0 && self.polling.is_none()
    }
}
