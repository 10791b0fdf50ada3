//! In what services differ.

use crate::simulation::dice::Dice;

/// How the page's own presence can be told from the others'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// Status 110.
    Status,
    /// Status 110, and everybody's real JID.
    StatusAndJid,
    /// Everybody's real JID alone.
    Jid,
    /// Nothing; the subject always comes.
    None,
}

/// What becomes of the ids of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageIds {
    Kept,
    Changed,
    Omitted,
}

/// How a ping to the own occupant is answered (XEP-0410 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pings {
    /// By the service.
    Answered,
    /// By the pinged client, through the service.
    Relayed,
    /// `service-unavailable` or `feature-not-implemented`.
    Unsupported,
    /// Not at all.
    Ignored,
}

/// Who stamps history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampedBy {
    Room,
    Domain,
    Nobody,
}

/// One kind of service.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// How many messages a room holds.
    pub depth: usize,
    pub marks: Marks,
    /// Whether the subject is sent on entering, also an empty one (§7.2.15).
    pub subject: bool,
    /// Whether answers to presences carry their ids; errors always do.
    pub echoes_presence_ids: bool,
    pub message_ids: MessageIds,
    /// Whether sessions of one account may share a nick.
    pub shares_nicks: bool,
    pub pings: Pings,
    pub stamped_by: StampedBy,
    /// Whether the service changes the nicks of those who enter (status 210).
    pub changes_nicks: bool,
}

impl Kind {
    pub fn of(dice: &mut Dice) -> Self {
        use Marks::{Jid, Status, StatusAndJid};
        let marks = dice.pick(&[Status, Status, StatusAndJid, Jid, Marks::None]);
        let marked = matches!(marks, Status | StatusAndJid);
        Self {
            depth: dice.pick(&[0, 5, 50, usize::MAX, usize::MAX]),
            marks,
            subject: marks == Marks::None || dice.chance(700),
            echoes_presence_ids: dice.chance(600),
            message_ids: dice.pick(&[
                MessageIds::Kept,
                MessageIds::Kept,
                MessageIds::Changed,
                MessageIds::Omitted,
            ]),
            shares_nicks: dice.chance(400),
            pings: dice.pick(&[
                Pings::Answered,
                Pings::Answered,
                Pings::Relayed,
                Pings::Unsupported,
                Pings::Ignored,
            ]),
            stamped_by: dice.pick(&[
                StampedBy::Room,
                StampedBy::Room,
                StampedBy::Domain,
                StampedBy::Nobody,
            ]),
            changes_nicks: marked && dice.chance(100),
        }
    }
}

impl Kind {
    /// Whether a client cannot find out that the service has forgotten it.
    pub fn answers_no_pings(&self) -> bool {
        self.pings == Pings::Ignored
    }
}
