//! XMPP for web pages, without IO: no network, no clock, no randomness, no JavaScript. Everything that orders, retries, remembers
//! or secures is here, and runs natively in virtual time.
//!
//! The entry is [`client::Client`]: one connection with its presence, feeds, rooms, handlers and requests. Below it
//! is [`connection::Connection`], which connects, reconnects, resumes sessions and keeps the outbox. It uses
//! [`transport`] (BOSH, WebSocket), [`session`] (login and binding) and [`sasl`]. [`xep`] has one module for each extension,
//! [`xml`] the flat document that all modules read.
//!
//! # The run loop
//!
//! A client is a state machine. It has four kinds of methods:
//!
//! | kind | examples | what they do |
//! | --- | --- | --- |
//! | getters | [`jid`](client::Client::jid), [`visit`](client::Client::visit) | read the state |
//! | commands | [`connect`](client::Client::connect), [`send`](client::Client::send), [`subscribe`](client::Client::subscribe) | change the state and return ids |
//! | inputs | [`handle_input`](client::Client::handle_input), [`handle_timeout`](client::Client::handle_timeout) | change the state |
//! | outputs | [`poll_output`](client::Client::poll_output) | return the next action for the shell |
//!
//! After every command and every input the shell polls until it gets `Timeout`, then arms one timer for that time. This is the
//! *drain invariant*: while the shell waits, the machine holds no pending output.
//!
//! ```
//! use epode_proto::client::{Client, ClientEvent, ClientOutput};
//! use epode_proto::io::{Input, Transmit};
//! use epode_proto::time::Instant;
//!
//! /// Called by the shell after each change. `transmit` uses the network, `report` calls the application.
//! fn drain(
//!     client: &mut Client,
//!     now: Instant,
//!     mut transmit: impl FnMut(Transmit),
//!     mut report: impl FnMut(ClientEvent),
//! ) -> Option<Instant> {
//!     loop {
//!         match client.poll_output(now) {
//!             ClientOutput::Transmit(action) => transmit(action),
//!             ClientOutput::Event(event) => report(event),
//!             // A shell whose platform computes PBKDF2 answers later. This shell lets the client compute it.
//!             ClientOutput::Derive { id, .. } => client.handle_input(now, Input::Derived { id, salted_password: None }),
//!             // Arm one timer, then call `handle_timeout`.
//!             ClientOutput::Timeout(at) => return at,
//!         }
//!     }
//! }
//! ```
//!
//! The network answers later with an [`io::Input`] that carries the id of the [`io::Transmit`] it belongs to. The application may
//! call any command while it handles an event, so a shell that keeps the client in a `RefCell` ends its borrow before `report`.
//!
//! # A complete login
//!
//! A complete login over WebSocket, with a server that is a function from a frame to frames:
//!
//! ```
//! use epode_proto::client::{Client, ClientConfig, ClientEvent, ClientOutput, Platform};
//! use epode_proto::event::Status;
//! use epode_proto::io::{Input, Transmit};
//! use epode_proto::sasl::Credentials;
//! use epode_proto::time::Instant;
//! use epode_proto::transport::{Kind, Service};
//! # use epode_proto::{random::Random, time::Calendar, unicode::Unicode};
//! # use std::{collections::VecDeque, rc::Rc};
//! # struct Ascii;
//! # impl Unicode for Ascii {
//! #     fn nfc(&self, text: &str) -> String { text.to_owned() }
//! #     fn nfkc(&self, text: &str) -> String { text.to_owned() }
//! #     fn lowercase(&self, char: char) -> String { char.to_lowercase().collect() }
//! #     fn domain_to_ascii(&self, text: &str) -> Option<String> { Some(text.to_owned()) }
//! # }
//! # struct Fixed;
//! # impl Random for Fixed { fn fill(&mut self, bytes: &mut [u8]) { bytes.fill(7) } }
//! # impl Calendar for Fixed {
//! #     fn unix_millis(&self) -> i64 { 0 }
//! #     fn utc_offset_minutes(&self) -> i32 { 0 }
//! # }
//!
//! /// The server's replies. `streams` counts the opened streams.
//! fn serve(frame: &str, streams: &mut u32) -> Vec<String> {
//!     let name = frame.trim_start_matches('<').split([' ', '>', '/']).next();
//!     match name {
//!         Some("open") => {
//!             *streams += 1;
//!             let feature = match *streams {
//!                 1 => "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms>",
//!                 _ => "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
//!             };
//!             vec![
//!                 "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' id='s' version='1.0' from='example.org'/>".into(),
//!                 format!("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{feature}</stream:features>"),
//!             ]
//!         }
//!         Some("auth") => vec!["<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>".into()],
//!         Some("iq") => {
//!             let id = frame.split("id='").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or_default();
//!             vec![format!(
//!                 "<iq xmlns='jabber:client' type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
//!                  <jid>anon@example.org/web</jid></bind></iq>"
//!             )]
//!         }
//!         _ => vec![],
//!     }
//! }
//!
//! let service = Service { kind: Kind::WebSocket, address: "wss://example.org/ws".into(), confidential: true };
//! let platform = Platform { unicode: Rc::new(Ascii), calendar: Rc::new(Fixed) };
//! let config = ClientConfig::for_service(service, "example.org");
//! let mut client = Client::new(config, platform, Box::new(Fixed));
//! let now = Instant(0);
//! client.connect(now);
//!
//! let mut streams = 0;
//! let mut inputs = VecDeque::new();
//! let jid = 'online: loop {
//!     loop {
//!         match client.poll_output(now) {
//!             ClientOutput::Transmit(Transmit::OpenSocket { socket, .. }) => {
//!                 inputs.push_back(Input::SocketOpened { socket, subprotocol: true });
//!             }
//!             ClientOutput::Transmit(Transmit::Frame { socket, text }) => {
//!                 for answer in serve(&text, &mut streams) {
//!                     inputs.push_back(Input::SocketFrame { socket, text: Some(answer.into_bytes()), frame: 0 });
//!                 }
//!             }
//!             ClientOutput::Event(ClientEvent::CredentialsWanted) => {
//!                 inputs.push_back(Input::Credentials(Some(Credentials::Anonymous)));
//!             }
//!             ClientOutput::Event(ClientEvent::Status(Status::Online(jid))) => break 'online jid,
//!             ClientOutput::Timeout(at) => {
//!                 assert!(at.is_some(), "a client that is not offline always has a deadline");
//!                 break;
//!             }
//!             _ => {}
//!         }
//!     }
//!     client.handle_input(now, inputs.pop_front().expect("the server has answered"));
//! };
//! assert_eq!(jid.as_str(), "anon@example.org/web");
//! ```
//!
//! # Invariants
//!
//! 1. **Nothing lost, nothing twice, in order.** Every [`SendId`](event::SendId) is settled exactly once, every
//!    [`IqId`](event::IqId) gets exactly one reply, and a feed reports each publication once, or a gap.
//! 2. **A client that is not offline always has a deadline.** Nothing waits for ever.
//! 3. **A reply belongs to the request that it answers**: it is matched by id and sender, never by kind.
//! 4. **Inputs cannot fail.** An invalid input becomes an event. An invalid command returns an error.
//! 5. **Everything that a peer can make the client keep or repeat has a limit** (the tables are in `ARCHITECTURE.md`).
//! 6. **Ids are never reused** in a client's life. Commands and events are plain data.
//!
//! Time is an argument ([`time::Instant`]). The shell provides randomness, Unicode tables and the wall clock: [`random::Random`],
//! [`unicode::Unicode`], [`time::Calendar`].

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
pub mod raw_stream;
pub mod reconnect;
pub mod retry_schedule;
pub mod sasl;
pub mod sasl2;
pub mod session;
pub mod stanza;
pub mod states;
pub mod stream;
pub mod time;
pub mod timers;
pub mod transport;
pub mod unicode;
pub mod vec_map;
pub mod xep;
pub mod xml;
