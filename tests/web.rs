//! The browser shell and the conversions at the boundary, in a headless browser: `wasm-pack test --headless --chrome -- --test web`.
//! What needs a server is in tests/e2e.

#![cfg(target_family = "wasm")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

#[path = "../proto/tests/support/addresses.rs"]
mod addresses;

use epode::js::client::ClientCore;
use epode::js::listeners::Listeners;
use epode::js::node_views::NodeAnswer;
use epode::js::register::register;
use epode::js::stanza::Stanza;
use epode::web::address::Address;
use epode::web::clock;
use epode::web::entropy::Entropy;
use epode::web::race::{RaceError, race};
use epode::web::unicode::PlatformUnicode;
use epode_proto::jid::Jid;
use epode_proto::random::Random;
use epode_proto::transport::Kind;
use epode_proto::unicode::Unicode;
use epode_proto::xml::{Limits, parse};
use js_sys::futures::JsFuture;
use js_sys::{Array, Function, Object, Promise, Reflect};
use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;
use web_sys::AbortController;

wasm_bindgen_test_configure!(run_in_browser);

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value).unwrap();
    }
    object.into()
}

fn get(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).unwrap()
}

fn text(value: &JsValue, name: &str) -> Option<String> {
    get(value, name).as_string()
}

/// One service, as the entry hands it on.
fn services(address: &str) -> JsValue {
    let list: Array = Array::new();
    list.push(&address.into());
    list.into()
}

fn credentials() -> Vec<(&'static str, JsValue)> {
    vec![
        ("jid", "romeo@example.org".into()),
        ("password", "pencil".into()),
    ]
}

/// A function of JavaScript that notes what it is called with.
fn notebook() -> (Function, Rc<RefCell<Vec<JsValue>>>) {
    let notes = Rc::new(RefCell::new(Vec::new()));
    let writer = Rc::clone(&notes);
    let closure = Closure::<dyn FnMut(JsValue)>::new(move |value| writer.borrow_mut().push(value));
    (closure.into_js_value().unchecked_into(), notes)
}

/// Lets everything run that waits for this turn to end.
async fn turn() {
    let promise = Promise::new(&mut |resolve, _| {
        gloo_timers::callback::Timeout::new(0, move || {
            resolve.call0(&JsValue::UNDEFINED).unwrap();
        })
        .forget();
    });
    JsFuture::from(promise).await.unwrap();
}

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

/// The same table as natively (`proto/tests/jid.rs`).
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
fn entropy_fills_everything_differently() {
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
async fn a_race_is_won_lost_or_aborted() {
    assert!(matches!(race(async { 1 }, None, Some(1_000)).await, Ok(1)));
    assert!(matches!(
        race(pending::<()>(), None, Some(1)).await,
        Err(RaceError::TimedOut)
    ));
    let controller = AbortController::new().unwrap();
    let signal = controller.signal();
    gloo_timers::callback::Timeout::new(1, move || controller.abort()).forget();
    assert!(matches!(
        race(pending::<()>(), Some(signal.clone()), None).await,
        Err(RaceError::Aborted(_))
    ));
    // Aborted before: the work does not even begin.
    assert!(matches!(
        race(async { 1 }, Some(signal), None).await,
        Err(RaceError::Aborted(_))
    ));
}

// ── the boundary ────────────────────────────────────────────────────────────────────────────────────────────────────

fn stanza(xml: &str) -> JsValue {
    Stanza::from(parse(xml.as_bytes().to_vec(), &Limits::default()).unwrap()).into()
}

fn call(object: &JsValue, method: &str, arguments: &[JsValue]) -> JsValue {
    let method: Function = get(object, method).unchecked_into();
    method
        .apply(object, &arguments.iter().collect::<Array>())
        .unwrap()
}

#[wasm_bindgen_test]
fn a_stanza_reads_on_demand() {
    let message = stanza(
        "<message xmlns='jabber:client' from='a@b/c' id='1' type='chat' xml:lang='en'>\
           <body>h\u{1F600}&lt;</body><x xmlns='urn:x' n='1'/><x xmlns='urn:y' n='2'/></message>",
    );
    // The entry's getters read these: name, ns, to, from, id, type.
    let fields: Vec<Option<String>> = (0..6)
        .map(|index| call(&message, "_field", &[index.into()]).as_string())
        .collect();
    let expected = ["message", "jabber:client", "", "a@b/c", "1", "chat"];
    for (field, expected) in fields.iter().zip(expected) {
        assert_eq!(field.as_deref().unwrap_or_default(), expected);
    }
    assert!(call(&message, "_field", &[2.into()]).is_undefined());
    assert_eq!(
        call(&message, "attr", &["id".into()])
            .as_string()
            .as_deref(),
        Some("1")
    );
    assert!(call(&message, "attr", &["nothing".into()]).is_undefined());
    let lang = ["lang".into(), "http://www.w3.org/XML/1998/namespace".into()];
    assert_eq!(
        call(&message, "attr", &lang).as_string().as_deref(),
        Some("en")
    );
    assert_eq!(
        call(&message, "text", &["body".into()])
            .as_string()
            .as_deref(),
        Some("h\u{1F600}<")
    );
    assert!(call(&message, "text", &["subject".into()]).is_undefined());
    let second = call(&message, "child", &["x".into(), "urn:y".into()]);
    assert_eq!(
        call(&second, "attr", &["n".into()]).as_string().as_deref(),
        Some("2")
    );
    let all: Array = call(&message, "children", &["x".into()]).unchecked_into();
    assert_eq!(all.length(), 2);
    let attributes = call(&message, "attrs", &[]);
    assert_eq!(text(&attributes, "from").as_deref(), Some("a@b/c"));
    assert!(get(&attributes, "lang").is_undefined());
    let xml = call(&message, "toString", &[]).as_string().unwrap();
    assert!(stanza(&xml).is_object());
    assert!(xml.contains("jabber:client") && xml.contains("urn:y"));
}

#[wasm_bindgen_test]
async fn events_wait_for_their_first_listener_and_come_in_order() {
    let listeners = Listeners::new(&["kept"], &["passing"]);
    for number in 0..3 {
        listeners.emit("kept", &number.into());
        listeners.emit("passing", &number.into());
    }
    let (kept, kept_notes) = notebook();
    let (passing, passing_notes) = notebook();
    let registration = listeners.on("kept", kept).unwrap();
    listeners.on("passing", passing).unwrap();
    assert!(
        kept_notes.borrow().is_empty(),
        "a listener is not called while it is registered"
    );
    // What comes before the old ones are handed over stays behind them.
    listeners.emit("kept", &3.into());
    listeners.emit("passing", &3.into());
    turn().await;
    listeners.emit("kept", &4.into());
    let numbers = |notes: &Rc<RefCell<Vec<JsValue>>>| -> Vec<f64> {
        notes.borrow().iter().filter_map(JsValue::as_f64).collect()
    };
    assert_eq!(numbers(&kept_notes), [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(numbers(&passing_notes), [3.0]);
    registration.remove();
    registration.remove();
    listeners.emit("kept", &5.into());
    assert_eq!(kept_notes.borrow().len(), 5);
    assert!(listeners.on("nothing", notebook().0).is_none());
}

#[wasm_bindgen_test]
async fn what_is_kept_is_bounded() {
    let listeners = Listeners::new(&["kept"], &[]);
    let told: Vec<bool> = (0..1_002)
        .map(|number| listeners.emit("kept", &number.into()))
        .collect();
    assert!(told[..1_000].iter().all(|fine| *fine));
    // The loss is told once.
    assert_eq!(told[1_000..], [false, true]);
    let (listener, notes) = notebook();
    listeners.on("kept", listener).unwrap();
    turn().await;
    assert_eq!(notes.borrow().len(), 1_000);
    assert_eq!(notes.borrow()[0].as_f64(), Some(2.0));
}

#[wasm_bindgen_test]
fn options_are_checked() {
    let refuse = |service: &str, options: JsValue| -> (String, String) {
        let error = ClientCore::new(&services(service), &options, &JsValue::UNDEFINED)
            .err()
            .expect("an error");
        assert!(error.is_instance_of::<js_sys::Error>());
        assert_eq!(text(&error, "name").as_deref(), Some("XmppError"));
        (
            text(&error, "code").unwrap(),
            text(&error, "message").unwrap(),
        )
    };
    let with = |name: &'static str, value: JsValue| {
        let mut fields = credentials();
        fields.push((name, value));
        object(&fields)
    };
    assert!(
        ClientCore::new(
            &services("/http-bind"),
            &object(&credentials()),
            &JsValue::UNDEFINED
        )
        .is_ok()
    );
    for (options, hint) in [
        (JsValue::UNDEFINED, "options are missing"),
        (object(&[]), "exactly one way to log in"),
        (
            object(&[("jid", "romeo@example.org".into())]),
            "exactly one way to log in",
        ),
        (with("anonymous", true.into()), "exactly one way to log in"),
        (object(&[("anonymous", true.into())]), "domain"),
        (with("wait", "60".into()), "wait"),
        (with("wait", 0.into()), "wait"),
        (with("timeout", (-1).into()), "timeout"),
        (
            with("headers", object(&[("bad name", "x".into())])),
            "headers",
        ),
        (with("headers", object(&[("X", "a\nb".into())])), "headers"),
        (with("presence", "yes".into()), "presence"),
        (with("password", 7.into()), "password"),
        (
            with("about", object(&[("features", "x".into())])),
            "features",
        ),
    ] {
        let (code, message) = refuse("/http-bind", options);
        assert_eq!(code, "bad-argument", "{message}");
        assert!(message.contains(hint), "{message}");
    }
    let odd = object(&[("jid", "@".into()), ("password", "x".into())]);
    assert_eq!(refuse("/http-bind", odd).0, "bad-jid");
    assert_eq!(
        refuse("gopher://example.org", object(&credentials())).0,
        "bad-argument"
    );
}

/// Ids that everybody can guess are worse than no client.
/// Half of a surrogate pair, which only JavaScript has in a string.
fn half() -> JsValue {
    js_sys::JsString::from_char_code1(0xd83d).into()
}

#[wasm_bindgen_test]
fn options_that_cannot_be_sent_are_refused() {
    let wrong = ["a\u{1}b", "\0", "\u{fffe}"].map(JsValue::from_str);
    let with = |name: &'static str, value: JsValue| {
        let mut fields = credentials();
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        object(&fields)
    };
    for value in wrong.into_iter().chain([half()]) {
        let options = [
            with("resource", value.clone()),
            with("lang", value.clone()),
            with("password", value.clone()),
            with("contentType", value.clone()),
            with("headers", object(&[("X", value.clone())])),
            with("about", object(&[("name", value.clone())])),
            with("about", object(&[("version", value.clone())])),
            with("about", object(&[("os", value.clone())])),
            with("about", object(&[("features", Array::of1(&value).into())])),
            with("jid", value.clone()),
            with("domain", value.clone()),
        ];
        for (at, options) in options.iter().enumerate() {
            let error = ClientCore::new(&services("/http-bind"), options, &JsValue::UNDEFINED)
                .err()
                .expect("an error");
            let code = text(&error, "code").unwrap();
            let expected = if at < 9 { "bad-argument" } else { "bad-jid" };
            assert_eq!(code, expected, "{at}: {value:?}");
        }
    }
    for resource in ["", "\u{85}", "\u{202e}", &"r".repeat(1024)] {
        assert!(
            ClientCore::new(
                &services("/b"),
                &with("resource", resource.into()),
                &JsValue::UNDEFINED
            )
            .is_err(),
            "{resource:?}"
        );
    }
    for (lang, right) in [
        ("de", true),
        ("", true),
        ("de_DE", false),
        ("deutsch-land-", false),
    ] {
        let made = ClientCore::new(
            &services("/b"),
            &with("lang", lang.into()),
            &JsValue::UNDEFINED,
        );
        assert_eq!(made.is_ok(), right, "{lang}");
    }
}

#[wasm_bindgen_test]
async fn a_registration_that_cannot_be_sent_is_refused() {
    let value = JsValue::from_str("a\u{1}b");
    for value in [value, half()] {
        for (name, wrong) in [
            ("username", value.clone()),
            ("password", value.clone()),
            ("lang", value.clone()),
            ("fields", object(&[("email", value.clone())])),
        ] {
            let mut fields: Vec<(&str, JsValue)> = vec![
                ("domain", "example.org".into()),
                ("username", "romeo".into()),
                ("password", "pencil".into()),
            ];
            fields.retain(|(known, _)| *known != name);
            fields.push((name, wrong));
            let outcome = JsFuture::from(register(services("/b"), object(&fields))).await;
            let error = outcome.expect_err("an error");
            assert_eq!(
                text(&error, "code").as_deref(),
                Some("bad-argument"),
                "{name}"
            );
            assert!(text(&error, "message").unwrap().contains(name), "{name}");
        }
    }
}

/// What a peer names is a field like any other, `__proto__` too, and what it does not name is not there.
#[wasm_bindgen_test]
fn records_have_no_prototype() {
    let check = |record: &JsValue, name: &str, value: &JsValue| {
        let object: &Object = record.unchecked_ref();
        assert!(Object::get_prototype_of(object).loose_eq(&JsValue::NULL));
        assert_eq!(get(record, name), *value);
        let names: Vec<String> = Object::keys(object)
            .iter()
            .filter_map(|name| name.as_string())
            .collect();
        assert!(names.contains(&name.to_owned()), "{names:?}");
        assert!(get(record, "constructor").is_undefined());
    };
    let element = read("<a __proto__='x' b='c'/>");
    let attrs = Stanza::from(element).attrs();
    check(&attrs, "__proto__", &"x".into());
    check(&attrs, "b", &"c".into());

    let configuration = read(
        "<iq xmlns='jabber:client' type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure>
           <x xmlns='jabber:x:data' type='form'><field var='__proto__' type='text-multi'><value>1</value></field>
           <field var='pubsub#title'><value>Title</value></field></x></configure></pubsub></iq>",
    );
    let form = NodeAnswer::Configuration.read(&configuration);
    let values = get(&form, "values");
    assert!(Array::is_array(&get(&values, "__proto__")));
    check(&values, "title", &"Title".into());

    let affiliations = read(
        "<iq xmlns='jabber:client' type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub'><affiliations>
           <affiliation node='__proto__' affiliation='owner'/></affiliations></pubsub></iq>",
    );
    check(
        &NodeAnswer::Affiliations.read(&affiliations),
        "__proto__",
        &"owner".into(),
    );
}

fn read(xml: &str) -> epode_proto::xml::Element {
    parse(xml.as_bytes().to_vec(), &Limits::default()).unwrap()
}

#[wasm_bindgen_test]
fn without_randomness_there_is_no_client() {
    let crypto = get(&js_sys::global(), "crypto");
    let broken = object(&[("value", JsValue::UNDEFINED), ("configurable", true.into())]);
    let own: Object = crypto.clone().unchecked_into();
    Object::define_property(&own, &"getRandomValues".into(), &broken.unchecked_into());
    let made = ClientCore::new(
        &services("/http-bind"),
        &object(&credentials()),
        &JsValue::UNDEFINED,
    );
    Reflect::delete_property(&own, &"getRandomValues".into()).unwrap();
    let error = made.err().expect("an error");
    assert_eq!(text(&error, "code").as_deref(), Some("insecure"));
    assert!(
        ClientCore::new(
            &services("/http-bind"),
            &object(&credentials()),
            &JsValue::UNDEFINED
        )
        .is_ok()
    );
}

/// `fetch`, scripted: each request is noted and answered with what the script says.
fn scripted_fetch(answers: Vec<Result<&'static str, ()>>) -> (Rc<RefCell<Vec<String>>>, JsValue) {
    let bodies = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&bodies);
    let answers = RefCell::new(answers.into_iter());
    let fetch =
        Closure::<dyn FnMut(JsValue, JsValue) -> Promise>::new(move |_: JsValue, init: JsValue| {
            noted
                .borrow_mut()
                .push(text(&init, "body").unwrap_or_default());
            match answers.borrow_mut().next() {
                Some(Ok(answer)) => {
                    let constructor: Function = get(&js_sys::global(), "Response").unchecked_into();
                    let headers = object(&[("Content-Type", "text/xml; charset=utf-8".into())]);
                    let options = object(&[("headers", headers)]);
                    let arguments: Array = [answer.into(), options].iter().collect();
                    Promise::resolve(&Reflect::construct(&constructor, &arguments).unwrap())
                }
                Some(Err(())) => Promise::reject(&js_sys::TypeError::new("Failed to fetch")),
                None => Promise::new(&mut |_, _| {}),
            }
        });
    let global = js_sys::global();
    let original = get(&global, "fetch");
    Reflect::set(&global, &"fetch".into(), &fetch.into_js_value()).unwrap();
    (bodies, original)
}

const FEATURES: &str = "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' sid='s' wait='60' hold='1' requests='2'><stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms></stream:features></body>";
const SUCCESS: &str = "<body xmlns='http://jabber.org/protocol/httpbind'><success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></body>";
const BIND: &str = "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'><stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features></body>";

/// The whole way in and out, with no server but a script: the login posts what it should, presence follows the promise,
/// a broken request is repeated byte for byte, and a failed one says why.
#[wasm_bindgen_test]
async fn the_driver_posts_and_repeats() {
    let (bodies, original) = scripted_fetch(vec![Ok(FEATURES), Err(()), Ok(SUCCESS), Ok(BIND)]);
    let options = object(&[("domain", "example.org".into()), ("anonymous", true.into())]);
    let client =
        ClientCore::new(&services("/http-bind"), &options, &JsValue::UNDEFINED).expect("a client");
    let (listener, statuses) = notebook();
    client.on("status", &listener).expect("a registration");
    let connecting = client.connect(JsValue::UNDEFINED);
    for _ in 0..20 {
        turn().await;
    }
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
    let names: Vec<String> = statuses
        .borrow()
        .iter()
        .filter_map(|event| text(event, "status"))
        .collect();
    assert_eq!(names, ["connecting", "authenticating", "binding"]);
    client.shut();
    let error = JsFuture::from(connecting)
        .await
        .expect_err("freed while connecting");
    assert_eq!(text(&error, "code").as_deref(), Some("freed"));
}

#[wasm_bindgen_test]
async fn a_service_that_is_not_there_is_told() {
    let (_, original) = scripted_fetch(vec![Err(())]);
    let client = ClientCore::new(
        &services("/http-bind"),
        &object(&credentials()),
        &JsValue::UNDEFINED,
    )
    .expect("a client");
    let error = JsFuture::from(client.connect(JsValue::UNDEFINED))
        .await
        .expect_err("unreachable");
    Reflect::set(&js_sys::global(), &"fetch".into(), &original).unwrap();
    assert_eq!(text(&error, "code").as_deref(), Some("unreachable"));
}
