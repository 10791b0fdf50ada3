//! Streams by hand: the transport for a caller that logs in and uses the stream itself.

mod bosh;
mod exchange;
mod limits;
mod socket;
