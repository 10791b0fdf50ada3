//! What happens in the rooms of one scenario: how many there are, of what kind, and how often who does what.

use super::kind::Kind;
use crate::simulation::dice::Dice;

/// What happens in a room at a moment. Which room it is, is decided then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoomAct {
    Enter,
    Speak,
    Rename,
    Depart,
    /// The page gives a command up.
    Abandon,
    RobotSpeaks,
    RobotMoves,
    RobotTakesNick,
    Kick,
    Ban,
    Destroy,
    /// The service forgets who is in, in silence.
    Forget,
    /// The service is not reachable for a while.
    Outage,
}

/// The plan for the rooms of one scenario.
#[derive(Clone, Debug)]
pub struct Plan {
    pub kind: Kind,
    /// How many rooms there are.
    pub rooms: usize,
    /// How many scripted occupants each room has.
    pub robots: usize,
    /// By how many milliseconds the page's clock is ahead of the service's.
    pub skew: i64,
    pub acts: Vec<(u64, RoomAct)>,
}

impl Plan {
    pub fn of(dice: &mut Dice) -> Self {
        let kind = Kind::of(dice);
        let rooms = dice.pick(&[0, 1, 1, 2, 3]);
        let sometimes = |dice: &mut Dice, most: u64| match dice.below(4) {
            0 => 1 + dice.below(most),
            _ => 0,
        };
        let acts = if rooms == 0 {
            Vec::new()
        } else {
            vec![
                (2 + dice.below(6), RoomAct::Enter),
                (dice.pick(&[0, 3, 20]), RoomAct::Speak),
                (sometimes(dice, 4), RoomAct::Rename),
                (sometimes(dice, 3), RoomAct::Depart),
                (sometimes(dice, 2), RoomAct::Abandon),
                (dice.pick(&[0, 5, 30, 80]), RoomAct::RobotSpeaks),
                (dice.pick(&[0, 2, 10]), RoomAct::RobotMoves),
                (sometimes(dice, 2), RoomAct::RobotTakesNick),
                (sometimes(dice, 2), RoomAct::Kick),
                (sometimes(dice, 1), RoomAct::Ban),
                (sometimes(dice, 2), RoomAct::Destroy),
                (sometimes(dice, 2), RoomAct::Forget),
                (sometimes(dice, 1), RoomAct::Outage),
            ]
        };
        Self {
            kind,
            rooms,
            robots: dice.pick(&[1, 2, 4]),
            skew: dice.pick(&[0, 0, -20_000, 20_000]),
            acts,
        }
    }

    /// How many commands and messages of the page, and disturbances that make it act, there are at most.
    pub fn work(&self) -> u64 {
        self.acts.iter().map(|(count, _)| count).sum()
    }
}
