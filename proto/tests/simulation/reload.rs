//! The page is loaded anew: what it had in memory is gone, but for a snapshot, with which the next page goes on.
//!
//! Where the session is resumed by counting stanzas, both sides sometimes go on counting from just below 2³².

use super::faults::Fault;
use super::world::World;
use epode_proto::time::Millis;

/// So few stanzas below where counters begin again.
const BEFORE_THE_END: u32 = 0u32.wrapping_sub(3);

impl World {
    /// One page goes; after a while, the next one is there.
    pub fn reload(&mut self) {
        self.tell(|| "the page is loaded anew".into());
        self.note_fault(Fault::Reload);
        let snapshot = self.client.snapshot().map(|snapshot| snapshot.text);
        self.judge.page_gone();
        self.open.clear();
        if let Some(link) = self.socket_link() {
            self.wire.hang_up(self.now, link);
        }
        self.turn_page();
        self.remember();
        let away = self.dice.pick(&[1, 200, 3_000]);
        let back = self.now + Millis(1 + self.dice.below(away));
        self.run_until(back);
        if let Some(until) = self.sleeps_on() {
            self.run_until(until);
        }
        let snapshot = snapshot.map(|text| self.count_from_far(text));
        self.tell(|| format!("{snapshot:?}"));
        if snapshot.is_some_and(|text| self.client.restore(self.now, &text)) {
            self.offline = false;
            self.poll();
        }
    }

    /// Now and then, both sides of a managed session count from elsewhere.
    fn count_from_far(&mut self, text: String) -> String {
        if !self.dice.chance(300) {
            return text;
        }
        let (Some(handled), Some(acked)) = (counter(&text, "handled"), counter(&text, "acked"))
        else {
            return text;
        };
        let up = BEFORE_THE_END.wrapping_sub(acked);
        let down = BEFORE_THE_END.wrapping_sub(handled);
        if !self.server.sockets.shift(self.now, up, down) {
            return text;
        }
        self.note_fault(Fault::FarCount);
        let text = set_counter(&text, "handled", BEFORE_THE_END);
        set_counter(&text, "acked", BEFORE_THE_END)
    }
}

fn place(text: &str, name: &str) -> Option<(usize, usize)> {
    let from = text.find(&format!(" {name}='"))? + name.len() + 3;
    let length = text.get(from..)?.find('\'')?;
    Some((from, from + length))
}

fn counter(text: &str, name: &str) -> Option<u32> {
    let (from, to) = place(text, name)?;
    text.get(from..to)?.parse().ok()
}

fn set_counter(text: &str, name: &str, value: u32) -> String {
    let mut text = text.to_owned();
    if let Some((from, to)) = place(&text, name) {
        text.replace_range(from..to, &value.to_string());
    }
    text
}
