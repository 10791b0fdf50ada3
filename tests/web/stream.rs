//! `StreamCore` and `SaslCore`, as the surface calls them: with what their sink may do within each of its methods.

use super::support::*;
use epode::js::sasl::SaslCore;
use epode::js::settings::StreamSettings;
use epode::js::sink::{Sink, StreamSink};
use epode::js::stream::StreamCore;
use js_sys::futures::JsFuture;
use js_sys::{Array, Function, Promise, Reflect};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

const MESSAGES: &str = "<body xmlns='http://jabber.org/protocol/httpbind'><message xmlns='jabber:client' id='1'/><message xmlns='jabber:client' id='2'/></body>";

/// A method of the object that the surface has, by way of wasm-bindgen's class.
fn call(object: &JsValue, name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let method: Function = get(object, name).unchecked_into();
    method.apply(object, &arguments.iter().collect::<Array>())
}

fn stream_settings(fields: &[(&str, JsValue)]) -> StreamSettings {
    JsValue::from(settings(fields)).unchecked_into()
}

fn stream(sink: &Sink) -> JsValue {
    let sink: &StreamSink = sink.unchecked_ref();
    JsValue::from(StreamCore::new(sink, &stream_settings(&[])).unwrap())
}

/// A method of the sink that returns nothing, in place of its own.
fn replace(sink: &Sink, name: &str, method: impl FnMut() + 'static) {
    let method = Closure::<dyn FnMut()>::new(method).into_js_value();
    Reflect::set(sink, &name.into(), &method).unwrap();
}

/// Opens a stream that gets three frames, of which the last ends it; `react` is called in each method of the sink. What was told, by method.
async fn streamed(react: impl Fn(&JsValue, &str) + Clone + 'static) -> Vec<String> {
    let global = js_sys::global();
    let reported = get(&global, "reportError");
    Reflect::set(&global, &"reportError".into(), &Function::new_no_args("")).unwrap();
    let (_, original) = scripted_fetch(vec![Ok(FEATURES), Ok(MESSAGES), Ok(TERMINATED)]);
    let (sink, notes) = sink();
    let core = stream(&sink);
    let (acting, reacting) = (core.clone(), react.clone());
    act(
        &sink,
        Closure::new(move |name: String| reacting(&acting, &name)),
    );
    let acting = core.clone();
    replace(&sink, "replacement", move || react(&acting, "replacement"));
    let opened = call(&core, "tap", &[true.into()]).and_then(|_| call(&core, "open", &[]));
    assert_eq!(opened.unwrap(), true);
    turns(16).await;
    Reflect::set(&global, &"fetch".into(), &original).unwrap();
    Reflect::set(&global, &"reportError".into(), &reported).unwrap();
    // Where it was freed, it throws.
    let _ = call(&core, "shut", &[]);
    calls(&notes)
}

#[wasm_bindgen_test]
async fn each_event_of_a_stream_is_one_call() {
    let calls = streamed(|_, _| {}).await;
    assert_eq!(&calls[..2], ["sentText", "frame"], "{calls:?}");
    assert!(count(&calls, "frame") >= 2, "{calls:?}");
    assert!(count(&calls, "sentText") >= 3, "{calls:?}");
    assert_eq!(count(&calls, "closed"), 1, "{calls:?}");
    assert_eq!(calls.last().map(String::as_str), Some("closed"));
}

/// What a method of the sink throws ends nothing.
#[wasm_bindgen_test]
async fn each_callback_of_a_stream_may_throw() {
    let expected = streamed(|_, _| {}).await;
    let thrown = streamed(|_, _| wasm_bindgen::throw_str("thrown by the page")).await;
    assert_eq!(thrown, expected);
}

/// No borrow is held while the sink is called: a method may be called in each of them.
#[wasm_bindgen_test]
async fn each_callback_of_a_stream_may_re_enter() {
    let places: Rc<RefCell<Vec<String>>> = Rc::default();
    let noted = Rc::clone(&places);
    let calls = streamed(move |core, name| {
        assert_eq!(get(core, "isBosh"), true);
        assert!(text(core, "service").is_some_and(|service| service.ends_with("/http-bind")));
        assert_eq!(
            get(core, "sid").is_undefined(),
            get(core, "rid").is_undefined()
        );
        assert_eq!(call(core, "open", &[]).unwrap(), false, "opened once");
        assert_eq!(
            call(core, "attach", &["s".into(), 7.into()]).unwrap(),
            false
        );
        call(core, "tap", &[true.into()]).unwrap();
        // Once in each: what is sent is told, too.
        if !noted.borrow().iter().any(|place| place == name) {
            noted.borrow_mut().push(name.to_owned());
            let sent = call(core, "send", &[texts(&["<message to='a'/>"])]);
            assert_eq!(sent.is_err(), name == "closed", "{name}");
            assert!(
                call(core, "send", &[texts(&["<a>"])])
                    .is_err_and(|error| kind(&error) == "bad-xml")
            );
        }
    })
    .await;
    let mut places = places.borrow().clone();
    places.sort();
    assert_eq!(places, ["closed", "frame", "replacement", "sentText"]);
    assert_eq!(count(&calls, "closed"), 1, "{calls:?}");
}

/// Freed within a callback, nothing is told any more. In a method of its own the class refuses to be freed, and is, once that returns.
#[wasm_bindgen_test]
async fn each_callback_of_a_stream_may_free() {
    for place in ["replacement", "sentText", "frame", "closed"] {
        let freed = Rc::new(Cell::new(false));
        let done = Rc::clone(&freed);
        let calls = streamed(move |core, name| {
            if name == place && !done.replace(true) {
                call(core, "shut", &[]).unwrap();
                let _ = call(core, "free", &[]);
            }
        })
        .await;
        assert!(freed.get(), "{place}");
        let told = calls.last().map(String::as_str);
        let expected = (place != "replacement").then_some(place);
        assert_eq!(told, expected, "{calls:?}");
    }
}

/// Ended within a callback, the end is told once, and nothing after it.
#[wasm_bindgen_test]
async fn each_callback_of_a_stream_may_end_it() {
    for method in ["abort", "close"] {
        for place in ["replacement", "sentText", "frame"] {
            let calls = streamed(move |core, name| {
                if name == place {
                    call(core, method, &[Array::new().into()]).unwrap();
                }
            })
            .await;
            assert_eq!(count(&calls, "closed"), 1, "{method} in {place}: {calls:?}");
            assert_eq!(
                calls.last().map(String::as_str),
                Some("closed"),
                "{calls:?}"
            );
        }
    }
}

#[wasm_bindgen_test]
fn what_a_stream_cannot_be_made_with_is_refused() {
    let (sink, notes) = sink();
    let stream_sink: &StreamSink = sink.unchecked_ref();
    for (field, value, expected) in [
        ("services", texts(&[]), "bad-service"),
        ("services", texts(&["ftp://example.org/"]), "bad-service"),
        ("lang", "d_e".into(), "invalid-option"),
        ("domain", "a b".into(), "invalid-option"),
    ] {
        let refused = StreamCore::new(stream_sink, &stream_settings(&[(field, value)])).err();
        assert_eq!(kind(&refused.unwrap()), expected);
    }
    assert!(calls(&notes).is_empty());
}

// ── one SASL exchange ───────────────────────────────────────────────────────────────────────────────────────────────

const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";
/// RFC 5802 §5.
const CHALLENGE: &[u8] = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
const FOREIGN: &[u8] = b"r=foreign,s=QSXCR+Q6sek8bf92,i=4096";

fn scram(errors: &Sink) -> SaslCore {
    let credentials = ["username", "user", "secret", "pencil", "nonce", NONCE];
    let credentials = credentials.map(str::to_owned).to_vec();
    SaslCore::new(errors.clone(), "SCRAM-SHA-1", credentials).unwrap()
}

fn bytes(bytes: &[u8]) -> JsValue {
    js_sys::Uint8Array::from(bytes).into()
}

#[wasm_bindgen_test]
async fn an_exchange_is_the_one_of_the_rfc() {
    let (errors, _) = sink();
    let core = scram(&errors);
    assert!(SaslCore::knows("SCRAM-SHA-1") && !SaslCore::knows("X-OWN"));
    assert_eq!(
        core.initial().unwrap(),
        b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
    );
    assert_eq!(core.respond(CHALLENGE).unwrap(), None, "it waits for keys");
    let answer = JsFuture::from(core.derive()).await.unwrap();
    let answer = js_sys::Uint8Array::from(answer).to_vec();
    assert!(answer.ends_with(b"p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="));
    assert_eq!(
        core.server_signature().as_deref(),
        Some("rmF9pqV8S7suAoZWja4dJRkFsKQ=")
    );
    assert_eq!(text(&core.keys(), "name").as_deref(), Some("SHA-1"));
    assert!(core.verify(Some(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=".to_vec())));
}

/// What the maker of errors throws is thrown in place of the error.
#[wasm_bindgen_test]
async fn the_maker_of_errors_may_throw() {
    let (errors, _) = sink();
    let core = scram(&errors);
    for method in ["problem", "closeReason"] {
        replace(&errors, method, || wasm_bindgen::throw_str("thrown"));
    }
    let thrown = |error: &JsValue| text(error, "message").as_deref() == Some("thrown");
    assert!(core.respond(FOREIGN).is_err_and(|error| thrown(&error)));
    let derived = JsFuture::from(core.derive()).await;
    assert!(derived.is_err_and(|error| thrown(&error)));
    let keys = ["iterations", "many"].map(str::to_owned).to_vec();
    let refused = SaslCore::new(errors.clone(), "SCRAM-SHA-1", keys).err();
    assert!(thrown(&refused.unwrap()));
}

/// The maker of errors may call any method of the exchange, and free it: at once, or once the method returns that asks for the error.
#[wasm_bindgen_test]
async fn the_maker_of_errors_may_re_enter_and_free() {
    let (errors, _) = sink();
    for waits in [false, true] {
        let core = JsValue::from(scram(&errors));
        let made = Rc::new(Cell::new(0));
        let (acting, counted) = (core.clone(), Rc::clone(&made));
        replace(&errors, "closeReason", move || {
            counted.set(counted.get() + 1);
            assert!(call(&acting, "initial", &[]).is_ok());
            assert!(call(&acting, "keys", &[]).unwrap().is_undefined());
            assert_eq!(call(&acting, "verify", &[bytes(b"v=AAAA")]).unwrap(), false);
            // The surface ignores that it is in use.
            let _ = call(&acting, "free", &[]);
        });
        let failed = if waits {
            let promise: Promise = call(&core, "derive", &[]).unwrap().unchecked_into();
            JsFuture::from(promise).await
        } else {
            call(&core, "respond", &[bytes(FOREIGN)])
        };
        assert!(failed.is_err_and(|error| error.is_undefined()));
        assert_eq!(made.get(), 1, "asked once");
    }
}
