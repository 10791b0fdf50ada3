//! Many lives of a feed: a node that is published to while the session of who watches it comes and goes, in virtual time, from
//! a seed. What must hold is in `judge.rs`.

mod judge;
mod service;
mod world;

use super::{REDUCED, setting};
use judge::Tally;
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::World;

#[test]
fn no_publication_is_missed_in_silence() {
    let from = setting("EPODE_SIM_FROM", 1);
    // One of these takes as long as several of the others.
    let seeds = setting("EPODE_SIM_SEEDS", REDUCED).div_ceil(4);
    let mut tally = Tally::default();
    let mut failed = Vec::new();
    for seed in from..from + seeds {
        let mut world = World::new(seed);
        if catch_unwind(AssertUnwindSafe(|| world.run())).is_err() {
            println!("seed {seed} failed: {:?}", world.kind());
            failed.push(seed);
        }
        world.add_to(&mut tally);
    }
    println!("{}", tally.lines(seeds));
    assert!(failed.is_empty(), "failing seeds: {failed:?}");
    if seeds >= REDUCED / 4 {
        tally.assert_lively();
    }
}
