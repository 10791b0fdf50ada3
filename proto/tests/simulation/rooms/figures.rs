//! What came of the rooms in all scenarios together.

/// What came of it.
#[derive(Clone, Copy, Default)]
pub struct Figures {
    pub stored: u64,
    pub told: u64,
    pub held_again: u64,
    pub own: u64,
    pub joined: u64,
    pub rejoined: u64,
    pub out: u64,
    pub refused: u64,
    pub bounced: u64,
    pub lost: u64,
    pub unreachable: u64,
    pub settled: u64,
}

impl Figures {
    pub fn add(&mut self, other: &Self) {
        self.stored += other.stored;
        self.told += other.told;
        self.held_again += other.held_again;
        self.own += other.own;
        self.joined += other.joined;
        self.rejoined += other.rejoined;
        self.out += other.out;
        self.refused += other.refused;
        self.bounced += other.bounced;
        self.lost += other.lost;
        self.unreachable += other.unreachable;
        self.settled += other.settled;
    }

    pub fn line(&self) -> String {
        format!(
            "  rooms: {} stored, {} told, {} of them history, {} own; {} commands, {} entered, {} entered again, {} refused, {} out; {} bounced, {} lost by rooms, {} unreachable\n",
            self.stored,
            self.told,
            self.held_again,
            self.own,
            self.settled,
            self.joined,
            self.rejoined,
            self.refused,
            self.out,
            self.bounced,
            self.lost,
            self.unreachable
        )
    }
}
