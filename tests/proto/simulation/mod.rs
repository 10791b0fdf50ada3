//! Many lives of a connection: a scripted server behind a simulated network, in virtual time, from a seed.
//!
//! Each seed is one scenario: how bad the network is, who says how much when. While faults fly, stanzas go both ways; then
//! the network heals and everything must drain. What must hold is in `world.rs`.
//!
//! `cargo test` runs a fixed number of seeds. `npm run sim -- --seeds N [--from SEED]` runs more; a failing seed is printed
//! and replays with `--from SEED --seeds 1`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod network;
mod server;
mod world;

use world::{Scenario, Tally, World};

const REDUCED: u64 = 200;

fn setting(name: &str, default: u64) -> u64 {
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
        let outcome = std::panic::catch_unwind(|| World::new(Scenario::of(seed)).run());
        match outcome {
            Ok(one) => tally.add(&one),
            Err(_) => failed.push(seed),
        }
    }
    println!("{}", tally.line(seeds));
    assert!(failed.is_empty(), "failing seeds: {failed:?}");
    if seeds >= REDUCED {
        // A simulation in which nothing goes wrong proves nothing.
        assert!(tally.faults > seeds, "too few faults: {}", tally.faults);
        assert!(tally.restarts > 0 && tally.delivered_up > 0 && tally.delivered_down > 0);
    }
}
