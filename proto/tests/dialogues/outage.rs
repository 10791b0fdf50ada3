//! An outage: the delays between attempts, the effect of a network sign, and the reports to the caller.
//!
//! `npm run outage` prints the distribution that [`a_client_reconnects_soon_after_the_service_returns`] checks, and measures real servers.

use crate::support::dialogue::{Dialogue, config, socket_config};
use crate::support::random::Seeded;
use crate::support::unicode::NativeUnicode;
use epode_proto::connection::{Config, Connection};
use epode_proto::event::{Event, Status};
use epode_proto::io::{Input, NetworkFailure, Output, Transmit};
use epode_proto::reconnect::{Backoff, Reconnect};
use epode_proto::sasl::Credentials;
use epode_proto::time::{Instant, Millis};
use std::rc::Rc;

fn lasting(config: Config) -> Config {
    Config {
        reconnect: Some(Reconnect::default()),
        ..config
    }
}

fn over_socket() -> Dialogue {
    Dialogue::online_over_socket(lasting(socket_config()), "")
}

/// Plays an attempt that fails at once; returns the delay before it.
fn attempt(dialogue: &mut Dialogue) -> u64 {
    let before = dialogue.now;
    dialogue.play(
        "+due
         E: credentials wanted
         C: socket
         W: closed",
    );
    let pause = (dialogue.now - before).0;
    dialogue.interrupted();
    pause
}

// ── pauses ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Uniform between 0 and the duration of the outage, which counts as at least 1 s and at most 30 s.
#[test]
fn delays_are_uniformly_distributed() {
    let reconnect = Reconnect::default();
    for (outage, most) in [(0, 1_000), (500, 1_000), (7_000, 7_000), (90_000, 30_000)] {
        let mut sum = 0;
        let mut longest = 0;
        for seed in 0..2_000 {
            let mut backoff = Backoff::default();
            backoff.note_lost(Instant(0), Instant(0), 0);
            let pause = backoff
                .next(Instant(outage), &reconnect, &mut Seeded(seed))
                .0;
            assert!(pause <= most, "{pause} after {outage}");
            sum += pause;
            longest = longest.max(pause);
        }
        let mean = sum / 2_000;
        assert!(
            (most * 47 / 100..most * 53 / 100).contains(&mean),
            "{mean} of {most}"
        );
        assert!(longest > most * 9 / 10, "{longest} of {most}");
    }
}

/// Quick failures do not lengthen the delays.
#[test]
fn quick_failures_do_not_use_up_the_short_delays() {
    let mut dialogue = over_socket();
    let began = dialogue.now;
    dialogue.play("W: closed");
    dialogue.interrupted();
    for _ in 0..20 {
        let outage = (dialogue.now - began).0;
        let pause = attempt(&mut dialogue);
        assert!(
            pause <= outage.clamp(1_000, 30_000),
            "{pause} after {outage}"
        );
    }
}

/// A connection that breaks soon belongs to the same outage; its duration does not count.
#[test]
fn a_connection_that_breaks_repeatedly() {
    let reconnect = Reconnect::default();
    let longest = |backoff: &mut Backoff, now: u64| {
        let pauses =
            (0..200).map(|seed| backoff.next(Instant(now), &reconnect, &mut Seeded(seed)).0);
        pauses.max().unwrap_or_default()
    };
    let mut backoff = Backoff::default();
    backoff.note_online(Instant(0));
    backoff.note_lost(Instant(60_000), Instant(60_000), 0);
    backoff.note_online(Instant(68_000));
    backoff.note_lost(Instant(78_000), Instant(78_000), 0);
    assert!((7_500..=8_000).contains(&longest(&mut backoff, 78_000)));
    assert!((9_500..=10_000).contains(&longest(&mut backoff, 80_000)));
    backoff.note_online(Instant(80_000));
    backoff.note_lost(Instant(100_000), Instant(100_000), 0);
    assert!(longest(&mut backoff, 100_000) <= 1_000);
}

// ── signs of a working network ──────────────────────────────────────────────────────────────────────────────────────

/// The attempt is made at once, and the delays restart.
#[test]
fn a_network_sign_restarts_the_delays() {
    for failures in [10, 18] {
        let mut dialogue = over_socket();
        dialogue.play("W: closed");
        dialogue.interrupted();
        for _ in 0..failures {
            attempt(&mut dialogue);
        }
        dialogue.now = dialogue.now + Millis(10);
        dialogue.play("A: wake");
        assert_eq!(
            dialogue.next_words(),
            format!("interrupted {} unreachable", failures + 1)
        );
        let sign = dialogue.now;
        dialogue.play(
            "E: credentials wanted
             C: socket
             W: closed",
        );
        dialogue.interrupted();
        for _ in 0..5 {
            let since = (dialogue.now - sign).0;
            let pause = attempt(&mut dialogue);
            assert!(pause <= since.max(1_000), "{pause} {since} after the sign");
        }
    }
}

/// An attempt that began before the sign and hangs is replaced, at once if it has hung for a while; this is reported.
#[test]
fn a_network_sign_replaces_a_hanging_attempt() {
    let hanging = |opened: bool| {
        let mut dialogue = over_socket();
        dialogue.play("W: closed");
        dialogue.interrupted();
        dialogue.play("+1s\nE: credentials wanted\nC: socket");
        if opened {
            dialogue.play("W: opened\nC: <framing:open to='example.org' version='1.0'/>");
        }
        dialogue
    };
    let mut dialogue = hanging(false);
    dialogue.play(
        "+10s
         A: wake
         C: close
         E: interrupted 2 timeout connecting
         E: credentials wanted
         C: socket",
    );
    // A second sign of the same moment replaces nothing.
    dialogue.play("A: wake\n+29s");
    let mut dialogue = hanging(true);
    dialogue.play("A: anonymous");
    dialogue.play(
        "+10s
         A: wake
         C: <framing:close/>
         C: close
         E: interrupted 2 timeout connecting
         E: credentials wanted
         C: socket",
    );
    // An attempt that is not so old is watched.
    let mut dialogue = hanging(true);
    dialogue.play(
        "A: anonymous
         +500ms
         A: wake
         +999ms
         +1ms
         C: <framing:close/>
         C: close
         E: interrupted 2 timeout connecting
         E: credentials wanted
         C: socket",
    );
    // One that goes on is left alone.
    let mut dialogue = hanging(true);
    dialogue.play("A: anonymous\n+500ms\nA: wake");
    dialogue.play("W: <framing:open from='example.org' id='1' version='1.0'/>\n+20s");
    // Nor does one hang that waits for the caller.
    let mut dialogue = hanging(true);
    dialogue.play(
        "W: <framing:open from='example.org' id='1' version='1.0'/>
         W: <stream:features><sasl:mechanisms><sasl:mechanism>ANONYMOUS</sasl:mechanism></sasl:mechanisms></stream:features>
         +20s
         A: wake",
    );
}

/// Frequent signs still leave a slow network enough time for an attempt.
#[test]
fn many_network_signs_do_not_starve_an_attempt() {
    let mut dialogue = over_socket();
    dialogue.play("W: closed");
    dialogue.interrupted();
    dialogue.play("+1s\nE: credentials wanted\nC: socket");
    let mut replaced = 0;
    for _ in 0..60 {
        dialogue.now = dialogue.now + Millis::seconds(1);
        dialogue.play("A: wake");
        if dialogue.said_anything() {
            dialogue.forgive();
            replaced += 1;
        }
    }
    assert!((2..=8).contains(&replaced), "{replaced}");
    dialogue.forgive();
}

/// Over BOSH: an attempt to open a session.
#[test]
fn a_network_sign_replaces_a_hanging_session_request() {
    let mut dialogue = Dialogue::online_with(lasting(config()), "wait='60' hold='1' requests='1'");
    dialogue.tells_trouble = true;
    dialogue.play(
        "S: <body type='terminate' condition='item-not-found'/>
         E: interrupted 1 terminated item-not-found
         +1s
         E: credentials wanted",
    );
    dialogue.expect_request();
    dialogue.play(
        "+5s
         A: wake
         C: cancel 1
         E: interrupted 2 timeout connecting
         E: credentials wanted",
    );
    dialogue.expect_request();
}

/// Before the first session an attempt may be replaced; the deadline of connecting stays.
#[test]
fn a_network_sign_during_the_first_attempt() {
    let mut dialogue = Dialogue::new(socket_config());
    dialogue.play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: socket
         +10s
         A: wake
         C: close
         E: connecting
         E: credentials wanted
         C: socket
         +19999ms
         +1ms
         C: close
         E: offline timeout connecting",
    );
}

// ── what the caller is told ─────────────────────────────────────────────────────────────────────────────────────────

/// Over both transports: one report for each failed attempt, with the number and the time of the next.
#[test]
fn each_failed_attempt_is_reported() {
    let mut dialogue = Dialogue::online_with(
        lasting(config()),
        "wait='60' hold='1' requests='1' inactivity='600'",
    );
    dialogue.tells_trouble = true;
    dialogue.play(
        "F: unreachable
         C: again 1",
    );
    for attempt in 1..=6 {
        let failure = match attempt {
            1 => "S 502 text/html: <html>Bad Gateway</html>",
            _ => "F: unreachable",
        };
        dialogue.play(failure);
        let told = dialogue.next_interruption();
        assert_eq!(told.attempt, attempt);
        assert_eq!(
            told.reason.code(),
            if attempt == 1 {
                "http-error"
            } else {
                "unreachable"
            }
        );
        let left = dialogue.now;
        dialogue.play("+due\nC: again 1");
        assert_eq!(dialogue.now.max(left), told.retry_at, "attempt {attempt}");
    }
    dialogue.play(
        "S: <body><message id='in'/></body>
         E: stanza
         E: resumed romeo@example.org/orchard
         C: <body rid='2'/>",
    );
    // The next interruption counts from the first again.
    dialogue.play("F: unreachable\nC: again 2\nF: unreachable\nE: interrupted 1 unreachable");
}

#[test]
fn each_failed_attempt_of_a_socket_is_reported() {
    let mut dialogue = over_socket();
    dialogue.play("W: closed");
    for attempt in 1..=6 {
        let told = dialogue.next_interruption();
        assert_eq!(told.attempt, attempt);
        dialogue.play("+due\nE: credentials wanted\nC: socket");
        assert_eq!(dialogue.now, told.retry_at);
        dialogue.play("W: closed");
    }
    dialogue.interrupted();
}

/// If the session is lost in an outage, the count of attempts continues. When the service is back without the session, a new one
/// starts at once: the earlier delays have spread the clients.
#[test]
fn a_service_that_has_restarted() {
    let mut dialogue = Dialogue::online_with(
        lasting(config()),
        "wait='60' hold='1' requests='1' inactivity='600'",
    );
    dialogue.tells_trouble = true;
    dialogue.play(
        "F: unreachable
         C: again 1
         F: unreachable
         E: interrupted 1 unreachable
         +due
         C: again 1
         F: unreachable
         E: interrupted 2 unreachable
         +due
         C: again 1
         S: <body type='terminate' condition='item-not-found'/>
         E: interrupted 3 terminated item-not-found
         +0s
         E: credentials wanted",
    );
    dialogue.expect_request();
}

// ── how soon it is back ─────────────────────────────────────────────────────────────────────────────────────────────

/// A client whose attempts fail at once until the service is back. Returns the time from then to the first attempt that can succeed.
struct Client {
    connection: Connection,
    now: Instant,
    timeout: Option<Instant>,
    attempts: Vec<Transmit>,
    online: bool,
}

impl Client {
    fn online(config: Config, seed: u64) -> Self {
        let connection = Connection::new(config, Rc::new(NativeUnicode), Box::new(Seeded(seed)));
        let mut client = Self {
            connection,
            now: Instant(1_000_000),
            timeout: None,
            attempts: Vec::new(),
            online: false,
        };
        client.connection.connect(client.now);
        client.drain();
        client.log_in();
        assert!(client.online, "{:?}", client.attempts);
        // Long enough to be a good connection.
        client.now = client.now + Millis::seconds(60);
        client
    }

    fn input(&mut self, input: Input) {
        self.connection.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.connection.poll_output(self.now) {
                Output::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
                Output::Event(Event::CredentialsWanted) => {
                    let credentials = Input::Credentials(Some(Credentials::Anonymous));
                    self.connection.handle_input(self.now, credentials);
                }
                Output::Event(Event::Status(Status::Online(_) | Status::Resumed(_))) => {
                    self.online = true;
                }
                Output::Event(_) => {}
                Output::Derive { .. } => panic!("all logins here are anonymous"),
                Output::Transmit(transmit) => self.attempts.push(transmit),
            }
        }
    }

    /// A server that does what it should, by what it is asked.
    fn log_in(&mut self) {
        const OFFER: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms></stream:features>";
        const BIND: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>";
        const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
        const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";
        let bound = |text: &str| {
            let id = text
                .split(" id='")
                .nth(1)
                .and_then(|rest| rest.split('\'').next());
            format!(
                "<iq xmlns='jabber:client' type='result' id='{}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>romeo@example.org/orchard</jid></bind></iq>",
                id.expect("an id")
            )
        };
        let mut opened = 0;
        for _ in 0..20 {
            for transmit in core::mem::take(&mut self.attempts) {
                match transmit {
                    Transmit::OpenSocket { socket, .. } => self.input(Input::SocketOpened {
                        socket,
                        subprotocol: true,
                    }),
                    Transmit::Frame { socket, text } => {
                        let answers = match &*text {
                            text if text.starts_with("<open") => {
                                opened += 1;
                                vec![OPEN.to_owned(), [OFFER, BIND][opened - 1].to_owned()]
                            }
                            text if text.starts_with("<auth") => vec![SUCCESS.to_owned()],
                            text if text.starts_with("<iq") => vec![bound(text)],
                            _ => Vec::new(),
                        };
                        for answer in answers {
                            self.input(Input::SocketFrame {
                                socket,
                                text: Some(answer.into_bytes()),
                                frame: 0,
                            });
                        }
                    }
                    Transmit::Http { exchange, body, .. } => {
                        let (attributes, payload) = match &*body {
                            body if body.contains("xmpp:restart") => ("", BIND.to_owned()),
                            body if body.contains("<auth") => ("", SUCCESS.to_owned()),
                            body if body.contains("<iq") => ("", bound(body)),
                            body if body.contains(" to=") => (
                                "sid='s' wait='60' hold='1' requests='2' inactivity='60'",
                                OFFER.to_owned(),
                            ),
                            // The one that is held.
                            _ => {
                                self.attempts.push(Transmit::Http {
                                    exchange,
                                    body,
                                    address: "".into(),
                                    foreign: false,
                                    farewell: false,
                                });
                                continue;
                            }
                        };
                        let answer = format!(
                            "<body xmlns='http://jabber.org/protocol/httpbind' {attributes}>{payload}</body>"
                        );
                        self.input(Input::HttpAnswered {
                            exchange,
                            status: 200,
                            content_type: Some("text/xml".to_owned()),
                            body: answer.into_bytes(),
                        });
                    }
                    Transmit::CancelHttp(_) | Transmit::CloseSocket(_) => {}
                }
            }
            if self.online && self.timeout.is_none_or(|at| at > self.now + Millis(50)) {
                return;
            }
            if let Some(at) = self.timeout.filter(|at| *at <= self.now + Millis(50)) {
                self.now = at;
                self.connection.handle_timeout(at);
                self.drain();
            }
        }
    }

    /// What is under way fails, at once.
    fn fail(&mut self) {
        let failure = NetworkFailure::Unreachable;
        for transmit in core::mem::take(&mut self.attempts) {
            match transmit {
                Transmit::Http { exchange, .. } => {
                    self.input(Input::HttpFailed { exchange, failure });
                }
                Transmit::OpenSocket { socket, .. } | Transmit::Frame { socket, .. } => {
                    self.input(Input::SocketClosed { socket, failure });
                }
                Transmit::CancelHttp(_) | Transmit::CloseSocket(_) => {}
            }
        }
    }

    /// The service is away for so long; gives how long after that something is tried.
    fn outage(&mut self, span: Millis) -> u64 {
        let back = self.now + span;
        if self.attempts.is_empty() {
            // The socket that is in use.
            self.attempts.push(Transmit::Frame {
                socket: epode_proto::io::SocketId(0),
                text: "".into(),
            });
        }
        loop {
            // A repetition on the spot fails, too.
            while !self.attempts.is_empty() {
                self.fail();
            }
            self.now = self.timeout.expect("it is tried again");
            self.connection.handle_timeout(self.now);
            self.drain();
            if !self.attempts.is_empty() && self.now >= back {
                return (self.now - back).0;
            }
        }
    }
}

/// After an outage of length t a client reconnects within about t, at most 30 s, and clients are spread over that time.
#[test]
fn a_client_reconnects_soon_after_the_service_returns() {
    const SEEDS: u64 = 1_000;
    println!(
        "transport outage   10 %  median    90 %     max   (seconds from the service's return to the attempt, {SEEDS} seeds)"
    );
    for (name, config) in [("BOSH", config()), ("WebSocket", socket_config())] {
        for outage in [1, 5, 20] {
            let mut waits = Vec::new();
            for seed in 0..SEEDS {
                let mut client = Client::online(lasting(config.clone()), seed);
                waits.push(client.outage(Millis::seconds(outage)));
            }
            waits.sort_unstable();
            let at = |percent: usize| waits[(waits.len() - 1) * percent / 100];
            let seconds = |millis: u64| millis as f64 / 1_000.0;
            println!(
                "{name:9} {outage:4} s {:7.2} {:7.2} {:7.2} {:7.2}",
                seconds(at(10)),
                seconds(at(50)),
                seconds(at(90)),
                seconds(at(100))
            );
            assert!(at(50) <= outage * 1_000, "{name} {outage}");
            assert!(
                at(100) <= 30_000.min((outage * 1_000).max(1_000)),
                "{name} {outage}"
            );
            // Spread, not in one heap.
            assert!(at(90) > at(10) + outage * 200, "{name} {outage}");
        }
    }
}
