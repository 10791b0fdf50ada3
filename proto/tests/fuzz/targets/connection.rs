//! A script for a connection: what the page does, what the server and the network do, and how time passes.
//!
//! It begins with four numbers: which of the ways to connect in `support/shell/words.rs`, how the server opens BOSH sessions,
//! where the script sets in (0 connecting, 1 online) and the seed of the connection's chance. A number is one byte: a digit, a
//! letter from `a` for 10, or the byte's own value. Then come the steps, each a sign and its numbers; what is no sign is passed over:
//!
//! ```text
//! C D A k z         connect, disconnect, abort, wake, pause
//! R N               the page is loaded anew, after N frames have arrived
//! r TEXT⏎           a session is restored from these bytes
//! m TEXT⏎           these bytes are what is remembered of the services
//! s                 send a message
//! q SPAN            ask, with a reply awaited for that long (0: for ever)
//! f N               forget what was asked
//! c N               give credentials: 0 none, 1 a password, else none needed
//! t N               look on (1) or no longer (0)
//! S N P             the server answers the open request N, or the next frame, as it should, and says the payload P of those in
//!                   `words.rs` or none; over a socket, an odd N: it has forgotten the session
//! b N A P P         the server answers the request N with attributes and payloads of those in `words.rs`
//! w N TEXT⏎         … with a body that is open for its attributes: ` ack='1'><message/>`
//! B N STATUS KIND TEXT⏎   … with these bytes
//! F N KIND          the request N fails
//! o N               the socket opens, 0: for XMPP
//! p P               a frame comes that nobody asked for: a payload of those in `words.rs`
//! v TEXT⏎           … these bytes
//! V                 … a binary one
//! x N KIND          the socket is gone, after N frames have arrived
//! + SPAN LATE       time passes; timeouts fire when they are due (0) or only at the end (1)
//! ```

use crate::support::script::xml;
use crate::support::shell::{ATTRIBUTES, PAYLOADS, SESSIONS, Shell, Step, WAYS, body};
use epode_proto::io::NetworkFailure;

/// The target.
pub fn connection(data: &[u8]) {
    let mut tape = Tape(data.iter());
    let way = pick(&WAYS, tape.number());
    let session = pick(&SESSIONS, tape.number());
    let online = tape.number() % 2 == 1;
    let mut shell = Shell::new(session, way, tape.number() as u64);
    shell.step(Step::Connect);
    if online && !way.registers {
        shell.log_in();
    }
    while let Some(sign) = tape.byte() {
        if let Some(step) = tape.step(sign) {
            shell.step(step);
        }
    }
    shell.end();
}

/// In milliseconds: about the connection's own times, below and above.
const SPANS: [u64; 16] = [
    0, 1, 10, 50, 150, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 30_000, 60_000, 70_000, 120_000,
    900_000,
];
const STATUSES: [u16; 12] = [
    200, 204, 302, 400, 401, 403, 404, 429, 500, 502, 503, 65_535,
];
const KINDS: [Option<&str>; 3] = [Some("text/xml; charset=utf-8"), None, Some("text/html")];
const FAILURES: [NetworkFailure; 4] = [
    NetworkFailure::Unreachable,
    NetworkFailure::BlockedByCors,
    NetworkFailure::MixedContent,
    NetworkFailure::TooLarge,
];

fn pick<T: Copy>(all: &[T], number: usize) -> T {
    all[number % all.len()]
}

struct Tape<'a>(std::slice::Iter<'a, u8>);

impl Tape<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.0.next().copied()
    }

    fn number(&mut self) -> usize {
        match self.byte() {
            None => 0,
            Some(digit @ b'0'..=b'9') => usize::from(digit - b'0'),
            Some(letter @ b'a'..=b'z') => usize::from(letter - b'a') + 10,
            Some(other) => usize::from(other),
        }
    }

    /// Up to the end of the line.
    fn text(&mut self) -> Vec<u8> {
        self.0
            .by_ref()
            .copied()
            .take_while(|byte| *byte != b'\n')
            .collect()
    }

    fn words(&mut self) -> String {
        String::from_utf8_lossy(&self.text()).into_owned()
    }

    fn span(&mut self) -> u64 {
        pick(&SPANS, self.number())
    }

    fn step(&mut self, sign: u8) -> Option<Step> {
        Some(match sign {
            b'C' => Step::Connect,
            b'D' => Step::Disconnect,
            b'A' => Step::Abort,
            b's' => Step::Send,
            b'q' => Step::Request(Some(self.span()).filter(|span| *span > 0)),
            b'f' => Step::Forget(self.number()),
            b'c' => Step::Credentials(self.number() as u8),
            b't' => Step::Tap(self.number() == 1),
            b'S' => {
                let (which, payload) = (self.number(), self.number());
                Step::Serve(which, PAYLOADS.get(payload).copied().into_iter().collect())
            }
            b'b' => {
                let which = self.number();
                let attributes = pick(&ATTRIBUTES, self.number());
                let payloads = [
                    pick(&PAYLOADS, self.number()),
                    pick(&PAYLOADS, self.number()),
                ];
                let body = body(attributes, &payloads);
                Step::Answer(which, 200, KINDS[0], body.to_xml().into_bytes())
            }
            b'w' => {
                let which = self.number();
                let mut body = OPENING.as_bytes().to_vec();
                body.extend(self.text());
                body.extend(b"</body>");
                Step::Answer(which, 200, KINDS[0], body)
            }
            b'B' => {
                let (which, status) = (self.number(), pick(&STATUSES, self.number()));
                let kind = pick(&KINDS, self.number());
                Step::Answer(which, status, kind, self.text())
            }
            b'k' => Step::Wake,
            b'z' => Step::Pause,
            b'R' => Step::Reload(self.number()),
            b'r' => Step::Tamper(true, self.words()),
            b'm' => Step::Tamper(false, self.words()),
            b'o' => Step::Open(self.number() == 0),
            b'p' => match pick(&PAYLOADS, self.number()) {
                payload if payload.starts_with('<') => {
                    Step::Frame(Some(xml(payload).to_xml().into_bytes()))
                }
                other => Step::Frame(Some(other.into())),
            },
            b'v' => Step::Frame(Some(self.text())),
            b'V' => Step::Frame(None),
            b'x' => Step::Lose(self.number(), pick(&FAILURES, self.number())),
            b'F' => Step::Fail(self.number(), pick(&FAILURES, self.number())),
            b'+' => Step::Pass(self.span(), self.number() == 1),
            _ => return None,
        })
    }
}

const OPENING: &str = "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' \
xmlns:sasl='urn:ietf:params:xml:ns:xmpp-sasl' xmlns:bind='urn:ietf:params:xml:ns:xmpp-bind'";
