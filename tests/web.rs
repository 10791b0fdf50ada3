//! The browser shell and the conversions at the boundary, in a headless browser: `wasm-pack test --headless --chrome -- --test web`.
//! What needs a server is in tests/e2e.

#![cfg(target_family = "wasm")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

#[path = "../proto/tests/support/addresses.rs"]
mod addresses;
#[path = "web/stream.rs"]
mod stream;
#[path = "web/support.rs"]
mod support;

use epode::js::core::Core;
use epode::js::jid::normalize_jid;
use epode::js::sink::Sink;
use epode::web::address::Address;
use epode::web::clock;
use epode::web::entropy::Entropy;
use epode::web::race::within;
use epode::web::unicode::PlatformUnicode;
use epode_proto::jid::Jid;
use epode_proto::random::Random;
use epode_proto::transport::Kind;
use epode_proto::unicode::Unicode;
use epode_proto::xml::{Limits, parse};
use js_sys::{Array, Function, Object, Reflect, Uint8Array, Uint32Array};
use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use support::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

// ── the shell ───────────────────────────────────────────────────────────────────────────────────────────────────────

#[wasm_bindgen_test]
fn unicode_is_the_browsers() {
    assert_eq!(PlatformUnicode.nfc("e\u{301}"), "é");
    assert_eq!(PlatformUnicode.nfkc("ﬁ①"), "fi1");
    assert_eq!(PlatformUnicode.lowercase('Ä'), "ä");
    assert_eq!(PlatformUnicode.lowercase('İ'), "i\u{307}");
    assert_eq!(
        PlatformUnicode
            .domain_to_ascii("B\u{fc}cher.example")
            .as_deref(),
        Some("xn--bcher-kva.example")
    );
    for refused in ["a b", "a/b", "a@b", "a:1", "[::1]", "a%41", "\u{2100}"] {
        assert_eq!(PlatformUnicode.domain_to_ascii(refused), None, "{refused}");
    }
}

/// The same table as in the native tests (`proto/tests/jid.rs`).
#[wasm_bindgen_test]
fn addresses_are_normalised_as_natively() {
    let mut wrong = Vec::new();
    for (text, expected) in addresses::ADDRESSES {
        let jid = Jid::parse(text, &PlatformUnicode).ok();
        let found = jid.as_ref().map(Jid::as_str);
        if found != *expected {
            wrong.push(format!("{text:?}: {found:?}, expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[wasm_bindgen_test]
fn entropy_fills_each_buffer_differently() {
    let mut one = [0; 64];
    let mut other = [0; 64];
    Entropy.fill(&mut one);
    Entropy.fill(&mut other);
    assert_ne!(one, other);
    assert!(one.iter().any(|byte| *byte != 0));
}

#[wasm_bindgen_test]
fn the_clock_goes_forward() {
    let before = clock::now();
    assert!(clock::now() >= before);
    assert!(clock::unix_millis() > 1_700_000_000_000);
}

#[wasm_bindgen_test]
fn addresses_are_resolved_and_judged() {
    let own = Address::resolve("/http-bind").unwrap();
    assert!(own.kind == Some(Kind::Bosh) && !own.cross_origin && own.confidential);
    assert!(own.href.ends_with("/http-bind"));
    let plain = Address::resolve("http://example.org/http-bind").unwrap();
    assert!(plain.cross_origin && !plain.confidential);
    for safe in [
        "https://example.org/b",
        "http://127.0.0.1:1/b",
        "http://[::1]/b",
        "http://localhost/b",
        "http://a.localhost/b",
    ] {
        assert!(Address::resolve(safe).unwrap().confidential, "{safe}");
    }
    for unsafe_ in [
        "http://127.0.0.1.example.org/b",
        "http://localhost.example.org/b",
        "http://10.0.0.1/b",
    ] {
        assert!(
            !Address::resolve(unsafe_).unwrap().confidential,
            "{unsafe_}"
        );
    }
    let socket = Address::resolve("ws://example.org/ws").unwrap();
    assert_eq!(socket.kind, Some(Kind::WebSocket));
    assert_eq!(Address::resolve("ftp://example.org/ws").unwrap().kind, None);
    assert!(Address::resolve("http://").is_none());
}

#[wasm_bindgen_test]
async fn a_future_finishes_or_times_out() {
    assert_eq!(within(async { 1 }, 1_000).await, Some(1));
    assert_eq!(within(pending::<()>(), 1).await, None);
    // What was done in time counts, also when the time is over by now.
    assert_eq!(within(async { 2 }, 0).await, Some(2));
}

// ── the boundary ────────────────────────────────────────────────────────────────────────────────────────────────────

fn read(xml: &str) -> epode_proto::xml::Element {
    parse(xml.as_bytes().to_vec(), &Limits::default()).unwrap()
}

#[wasm_bindgen_test]
fn addresses_and_documents_are_read_without_a_client() {
    assert_eq!(
        normalize_jid("Romeo@EXAMPLE.org/R").unwrap(),
        "romeo@example.org/R"
    );
    let reason = normalize_jid("@").unwrap_err();
    assert!(reason.is_string());
    let xml = "<a xmlns='urn:a' b='\u{1F600}'>c</a>";
    let packed = read(xml).pack();
    let crossed: Array = Core::parse_xml(xml).unwrap().unchecked_into();
    assert_eq!(crossed.get(0).as_string(), Some(packed.text));
    assert_eq!(Uint32Array::from(crossed.get(1)).to_vec(), packed.words);
    // A long text crosses as bytes.
    let long = format!("<a>{}</a>", "\u{e4}".repeat(5_000));
    let crossed: Array = Core::parse_xml(&long).unwrap().unchecked_into();
    let bytes: Uint8Array = crossed.get(0).unchecked_into();
    assert_eq!(bytes.to_vec(), read(&long).pack().text.into_bytes());
    assert!(Core::parse_xml("<a>").unwrap_err().is_string());
}

#[wasm_bindgen_test]
fn invalid_settings_are_refused() {
    let (sink, _) = sink();
    assert!(Core::new(&sink, &settings(&[])).is_ok());
    let long = "r".repeat(1024);
    for (name, value, expected) in [
        ("services", texts(&["gopher://example.org"]), "bad-service"),
        ("services", texts(&["http://"]), "bad-service"),
        ("services", texts(&[]), "bad-service"),
        ("resource", "".into(), "invalid-option"),
        ("resource", "\u{85}".into(), "invalid-option"),
        ("resource", "\u{202e}".into(), "invalid-option"),
        ("resource", long.as_str().into(), "invalid-option"),
        ("lang", "de_DE".into(), "invalid-option"),
        ("lang", "deutsch-land-".into(), "invalid-option"),
    ] {
        let error = Core::new(&sink, &settings(&[(name, value)])).err();
        assert_eq!(kind(&error.expect("an error")), expected, "{name}");
    }
    for lang in ["de", ""] {
        assert!(Core::new(&sink, &settings(&[("lang", lang.into())])).is_ok());
    }
}

/// Predictable ids would be worse than no client.
#[wasm_bindgen_test]
fn without_randomness_there_is_no_client() {
    let (sink, _) = sink();
    let crypto = get(&js_sys::global(), "crypto");
    let broken = object(&[("value", JsValue::UNDEFINED), ("configurable", true.into())]);
    let own: Object = crypto.clone().unchecked_into();
    Object::define_property(&own, &"getRandomValues".into(), &broken.unchecked_into());
    let made = Core::new(&sink, &settings(&[]));
    Reflect::delete_property(&own, &"getRandomValues".into()).unwrap();
    assert_eq!(kind(&made.err().expect("an error")), "no-randomness");
    assert!(Core::new(&sink, &settings(&[])).is_ok());
}

#[wasm_bindgen_test]
fn unsendable_stanzas_are_refused_by_name() {
    let (sink, notes) = sink();
    let core = Core::new(&sink, &settings(&[])).unwrap();
    for (xml, expected) in [
        ("<message/>", "not-connected"),
        ("<message>", "bad-xml"),
        ("<a\u{1}/>", "illegal-character"),
    ] {
        assert_eq!(kind(&core.send(xml).unwrap_err()), expected, "{xml}");
        assert_eq!(
            kind(&core.request(xml, 1_000).unwrap_err()),
            expected,
            "{xml}"
        );
    }
    let asked = core.join("room@example.org", "nick", None, None, None, None, None, 1);
    assert_eq!(kind(&asked.unwrap_err()), "not-connected");
    assert_eq!(kind(&core.subscriber().unwrap_err()), "not-connected");
    assert_eq!(kind(&core.send_to_room(1, "x").unwrap_err()), "not-in");
    // Of what is not there, nothing is known, and nothing ends.
    assert_eq!(core.leave(1, None, 1), None);
    assert_eq!(core.room_nick(1), None);
    assert!(!core.is_joined(1) && core.occupants(1).is_empty());
    assert_eq!(core.feed_position(1), None);
    for id in 0..3 {
        core.close_feed(id);
        core.forget(id);
        core.abandon(id);
        core.remove_handler(id);
        core.unwatch(id);
    }
    assert!(notes.borrow().is_empty(), "nothing is told of it");
}

const SUCCESS: &str = "<body xmlns='http://jabber.org/protocol/httpbind'><success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></body>";
const BIND: &str = "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'><stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features></body>";
/// The reply to the binding request, whose id replaces `ID`, and two messages.
const BOUND: &str = "<body xmlns='http://jabber.org/protocol/httpbind'><iq xmlns='jabber:client' type='result' id='ID'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@example.org/b</jid></bind></iq><message xmlns='jabber:client' from='c@example.org/d' id='1'><body>h\u{1F600}</body></message><message xmlns='jabber:client' from='c@example.org/d' id='2'><body>second</body></message></body>";

/// A client that logs in, its sink, and the calls of the sink.
fn logging_in() -> (Rc<Core>, Sink, Rc<RefCell<Vec<Array>>>) {
    let (sink, notes) = sink();
    let core = Rc::new(Core::new(&sink, &settings(&[])).unwrap());
    let login = Rc::clone(&core);
    act(
        &sink,
        Closure::new(move |name: String| {
            if name == "credentialsWanted" {
                login.log_in_anonymously();
            }
        }),
    );
    (core, sink, notes)
}

/// Both directions with a scripted server: the login posts the expected requests, a broken request is repeated byte for byte.
#[wasm_bindgen_test]
async fn the_driver_posts_and_repeats() {
    let (bodies, original) = scripted_fetch(vec![Ok(FEATURES), Err(()), Ok(SUCCESS), Ok(BIND)]);
    let (core, _sink, notes) = logging_in();
    core.connect();
    turns(20).await;
    Reflect::set(&js_sys::global(), &"fetch".into(), &original).unwrap();
    let bodies = bodies.borrow().clone();
    assert!(
        bodies[0].contains("to='example.org'") && bodies[0].contains("hold='1'"),
        "{}",
        bodies[0]
    );
    assert!(bodies[1].contains("mechanism='ANONYMOUS'"), "{}", bodies[1]);
    assert_eq!(bodies[1], bodies[2], "repeated byte for byte");
    assert!(bodies[3].contains("restart='true'"), "{}", bodies[3]);
    assert!(bodies[4].contains("<bind"), "{}", bodies[4]);
    assert_eq!(bodies.len(), 5, "nothing more before the answer");
    let statuses: Vec<String> = notes
        .borrow()
        .iter()
        .filter(|call| call.get(0) == "status")
        .filter_map(|call| call.get(1).as_string())
        .collect();
    assert_eq!(statuses, ["connecting", "authenticating", "binding"]);
    let heard = notes.borrow().len();
    core.shut();
    turns(3).await;
    assert_eq!(notes.borrow().len(), heard, "nothing is told after shut()");
    assert!(core.is_offline());
}

#[wasm_bindgen_test]
async fn an_unreachable_service_is_reported() {
    let (_, original) = scripted_fetch(vec![Err(())]);
    let (core, _sink, notes) = logging_in();
    core.connect();
    turns(5).await;
    Reflect::set(&js_sys::global(), &"fetch".into(), &original).unwrap();
    let notes = notes.borrow();
    let last = notes.last().expect("an end");
    assert_eq!(last.get(0), "offline");
    assert_eq!(kind(&last.get(1)), "unreachable");
}

/// Logs in, with two messages in the response that binds; `react` is called after each call of the sink. Returns the called methods.
async fn online(react: impl Fn(&Rc<Core>, &str) + 'static) -> Vec<String> {
    let global = js_sys::global();
    let reported = get(&global, "reportError");
    let silent = Function::new_no_args("");
    Reflect::set(&global, &"reportError".into(), &silent).unwrap();
    let (_, original) = scripted_fetch(vec![Ok(FEATURES), Ok(SUCCESS), Ok(BIND), Ok(BOUND)]);
    let (core, sink, notes) = logging_in();
    let acting = Rc::clone(&core);
    act(
        &sink,
        Closure::new(move |name: String| {
            if name == "credentialsWanted" {
                acting.log_in_anonymously();
            }
            react(&acting, &name);
        }),
    );
    core.add_handler(Some("message".to_owned()), Vec::new(), None, None, None);
    core.tap(true);
    core.connect();
    turns(16).await;
    Reflect::set(&global, &"fetch".into(), &original).unwrap();
    Reflect::set(&global, &"reportError".into(), &reported).unwrap();
    core.shut();
    calls(&notes)
}

#[wasm_bindgen_test]
async fn each_event_is_one_call() {
    let calls = online(|_, _| {}).await;
    assert_eq!(count(&calls, "online"), 1, "{calls:?}");
    assert_eq!(count(&calls, "stanza"), 2, "{calls:?}");
    assert_eq!(count(&calls, "credentialsWanted"), 1, "{calls:?}");
    assert!(count(&calls, "sent") > 2 && count(&calls, "received") > 2);
}

/// An exception of a callback has no effect: the next event is reported, and nothing stays borrowed.
#[wasm_bindgen_test]
async fn each_callback_may_throw() {
    let expected = online(|_, _| {}).await;
    let through_last_stanza = |calls: &[String]| {
        let last = calls.iter().rposition(|call| call == "stanza");
        calls[..=last.expect("a stanza")].to_vec()
    };
    let calls = online(|core, _| {
        // Still usable, and then out by an exception.
        assert!(core.jid().is_none_or(|jid| jid == "a@example.org/b"));
        wasm_bindgen::throw_str("thrown by the page");
    })
    .await;
    // How much leaves afterwards depends on the timers of the test.
    assert_eq!(through_last_stanza(&calls), through_last_stanza(&expected));
}

/// A callback may call any method of the client.
#[wasm_bindgen_test]
async fn each_callback_may_re_enter() {
    let calls = online(|core, name| {
        let handler = core.add_handler(None, Vec::new(), None, Some("none".to_owned()), None);
        core.remove_handler(handler);
        let watch = core.watch_node("node");
        core.unwatch(watch);
        assert!(!core.domain().is_empty());
        assert_eq!(core.service().is_some(), core.jid().is_some());
        // The client may be further than the event being reported, so ask the client itself whether it is online.
        let is_online = core.jid().is_some();
        match core.send("<message to='a'/>") {
            Ok(_) => assert!(is_online, "{name}"),
            Err(error) => {
                assert!(!is_online, "{name}");
                assert_eq!(kind(&error), "not-connected");
            }
        }
        if name == "online" {
            let feed = core.subscribe(
                "pubsub.example.org",
                "node".to_owned(),
                10,
                true,
                false,
                Vec::new(),
                Vec::new(),
                None,
                None,
                None,
            );
            core.close_feed(feed.unwrap());
        }
    })
    .await;
    assert_eq!(count(&calls, "online"), 1, "{calls:?}");
    assert_eq!(count(&calls, "stanza"), 2, "{calls:?}");
}

/// After free() in a callback no event is reported, not even one of the same turn.
#[wasm_bindgen_test]
async fn each_callback_may_free() {
    for place in [
        "status",
        "credentialsWanted",
        "online",
        "stanza",
        "sent",
        "received",
    ] {
        let calls = online(move |core, name| {
            if name == place {
                core.shut();
            }
        })
        .await;
        assert_eq!(calls.last().map(String::as_str), Some(place), "{calls:?}");
        assert_eq!(count(&calls, place), 1, "{calls:?}");
    }
}

/// After disconnect() in a callback, the login does not continue.
#[wasm_bindgen_test]
async fn each_callback_may_disconnect() {
    for place in ["status", "credentialsWanted", "sent", "received"] {
        let calls = online(move |core, name| {
            if name == place {
                core.disconnect();
            }
        })
        .await;
        assert_eq!(count(&calls, "online"), 0, "{place}: {calls:?}");
        assert_eq!(count(&calls, "offline"), 1, "{place}: {calls:?}");
    }
}

/// The module holds the sink while the connection is not offline.
#[wasm_bindgen_test]
async fn a_connection_owns_its_sink_until_it_is_offline() {
    let (sink, _) = sink();
    let core = Core::new(&sink, &settings(&[])).unwrap();
    let (_, original) = scripted_fetch(Vec::new());
    assert!(!core.owns_sink());
    core.connect();
    assert!(core.owns_sink());
    core.abort();
    turns(3).await;
    Reflect::set(&js_sys::global(), &"fetch".into(), &original).unwrap();
    assert!(!core.owns_sink());
}
