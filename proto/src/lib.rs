//! XMPP itself: no IO, no clock, no randomness, no JavaScript. Tested natively.
//!
//! The run loop is the contract between [`connection::Connection`] and whoever owns the network: change something
//! (a command, an input, a timeout), drain [`connection::Connection::poll_output`] until `Timeout`, change something again.
//!
//! ```
//! use epode_proto::connection::Connection;
//! use epode_proto::event::Event;
//! use epode_proto::io::{Input, Output, Transmit};
//! use epode_proto::time::Instant;
//!
//! /// What a shell does after each change. `post` sends bytes, `tell` calls the page.
//! fn drain(
//!     connection: &mut Connection,
//!     now: Instant,
//!     mut post: impl FnMut(Transmit),
//!     mut tell: impl FnMut(Event),
//! ) -> Option<Instant> {
//!     loop {
//!         match connection.poll_output(now) {
//!             Output::Transmit(transmit) => post(transmit),
//!             Output::Event(event) => tell(event),
//!             // A shell whose platform computes PBKDF2 answers later instead.
//!             Output::Derive { id, .. } => {
//!                 let salted_password = None;
//!                 connection.handle_input(now, Input::Derived { id, salted_password });
//!             }
//!             Output::Timeout(at) => return at, // arm one timer, then `handle_timeout`
//!         }
//!     }
//! }
//! ```

pub mod client;
pub mod connection;
pub mod error;
pub mod event;
pub mod handler;
pub mod io;
pub mod iq;
pub mod jid;
pub mod mask;
pub mod ns;
pub mod outbox;
pub mod prepare;
pub mod random;
pub mod reconnect;
pub mod sasl;
pub mod sasl2;
pub mod session;
pub mod stanza;
pub mod stream;
pub mod time;
pub mod transport;
pub mod unicode;
pub mod vec_map;
pub mod xep;
pub mod xml;
