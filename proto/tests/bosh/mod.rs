//! XEP-0124: a BOSH session without a connection, on the wire.

// A test may stop at what should not be.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod ends;
mod handover;
mod keys;
mod opening;
mod pause;
mod polling;
mod trouble;

/// The attributes of the session response of a typical server with `maxpause`.
const NORMAL: &str =
    "ver='1.11' wait='60' hold='1' requests='2' inactivity='60' polling='5' maxpause='120'";
