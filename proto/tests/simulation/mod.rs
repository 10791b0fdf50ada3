//! Many lives of a connection: a scripted server behind a simulated network, in virtual time, from a seed.
//!
//! Each seed is one scenario: over what, how bad the network is, what the server can do, who says how much when. While
//! faults fly, stanzas go both ways; then calm comes and everything must drain. What must hold is in `judge.rs` and `life.rs`.
//!
//! `cargo test` runs a fixed number of seeds. `npm run sim -- --seeds N [--from SEED]` runs more; a failing seed is printed
//! and replays with `--from SEED --seeds 1`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod bosh_server;
mod dice;
mod extras;
mod faults;
mod feeds;
mod handlers;
mod http;
mod judge;
mod life;
mod login;
mod pacing;
mod reload;
mod resuming;
mod rooms;
mod scenario;
mod server;
mod socket_server;
mod watching;
mod wire;
mod world;

use scenario::{Scenario, Tally};
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::World;

pub(super) const REDUCED: u64 = 1_200;

pub(super) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn nothing_is_lost_doubled_or_out_of_order() {
    let from = setting("EPODE_SIM_FROM", 1);
    let seeds = setting("EPODE_SIM_SEEDS", REDUCED);
    let mut tally = Tally::default();
    let mut failed = Vec::new();
    for seed in from..from + seeds {
        let mut world = World::new(Scenario::of(seed));
        world.tell(|| format!("{:?}", world.scenario));
        if catch_unwind(AssertUnwindSafe(|| world.run())).is_err() {
            println!("seed {seed} failed: {:?}", world.scenario);
            failed.push(seed);
        }
        world.add_to(&mut tally);
    }
    println!("{}", tally.lines(seeds));
    assert!(failed.is_empty(), "failing seeds: {failed:?}");
    if seeds >= REDUCED {
        // A simulation in which nothing goes wrong proves nothing.
        assert!(tally.faults.total() > seeds, "too few faults");
        assert!(
            tally.faults.none().is_none(),
            "never: {:?}",
            tally.faults.none()
        );
        assert!(tally.up > seeds && tally.down > seeds && tally.resumed > 0);
        let extra = tally.extras.none();
        assert!(extra.is_none(), "never: {extra:?}");
        assert!(tally.overtakes > 0, "all requests arrived in order");
    }
}
