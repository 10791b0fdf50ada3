//! The connection in virtual time: what it sends and reports, and when.

// A test may stop at what should not be.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod again;
mod anything;
mod bad_input;
mod binding;
mod bosh;
mod broken;
mod delivery;
mod derivation;
mod deviations;
mod disconnect;
mod ends;
mod handover;
mod iq;
mod leaving;
mod login;
mod login_early;
mod login_sasl2;
mod mechanisms;
mod optional;
mod options;
mod outage;
mod pacing;
mod redirects;
mod register;
mod senders;
mod socket;

use crate::support::dialogue::Dialogue;
use epode_proto::connection::Config;

/// The attributes of a typical server's session response.
const NORMAL: &str = "wait='60' hold='1' requests='2' inactivity='60' polling='5'";

/// A connection that has sent its first request.
fn opened(config: Config) -> Dialogue {
    let mut dialogue = Dialogue::new(config);
    dialogue.play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: <body rid='1' to='example.org' content='text/xml; charset=utf-8' ver='1.11' wait='60' hold='1' ack='1'
              xmpp:version='1.0'/>",
    );
    dialogue
}

/// Stream features that offer these mechanisms.
fn features(mechanisms: &[&str]) -> String {
    let offer: String = mechanisms
        .iter()
        .map(|mechanism| format!("<sasl:mechanism>{mechanism}</sasl:mechanism>"))
        .collect();
    format!("<stream:features><sasl:mechanisms>{offer}</sasl:mechanisms></stream:features>")
}
