//! What the tests of the boundary have in common: a sink that notes its calls, settings, a scripted `fetch`.

use epode::js::settings::Settings;
use epode::js::sink::Sink;
use js_sys::futures::JsFuture;
use js_sys::{Array, Function, Object, Promise, Reflect};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

pub fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value).unwrap();
    }
    object.into()
}

pub fn get(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).unwrap()
}

pub fn text(value: &JsValue, name: &str) -> Option<String> {
    get(value, name).as_string()
}

/// Lets everything run that waits for this turn to end.
pub async fn turn() {
    let promise = Promise::new(&mut |resolve, _| {
        gloo_timers::callback::Timeout::new(0, move || {
            resolve.call0(&JsValue::UNDEFINED).unwrap();
        })
        .forget();
    });
    JsFuture::from(promise).await.unwrap();
}

/// A sink of JavaScript that notes each call as `[method, …arguments]`, and what its `act` then does: throw, re-enter, free.
pub fn sink() -> (Sink, Rc<RefCell<Vec<Array>>>) {
    let notes: Rc<RefCell<Vec<Array>>> = Rc::default();
    let writer = Rc::clone(&notes);
    let note = Closure::<dyn FnMut(Array)>::new(move |call: Array| writer.borrow_mut().push(call));
    let make = Function::new_with_args(
        "note",
        "const sink = new Proxy({ act: () => {} }, {
           get(target, name) {
             if (name in target) return target[name];
             if (name === 'problem') return (kind, first, second) => Object.assign(new Error(kind), { kind, first, second });
             if (name === 'stanzaError') return (condition) => Object.assign(new Error(condition), { kind: 'stanza-error' });
             if (name === 'closeReason') return (code, message) => Object.assign(new Error(message), { kind: code });
             if (name === 'occupant') return (nick) => ({ nick });
             if (name === 'replacement') return () => undefined;
             return (...args) => {
               const copies = args.map((one) => ArrayBuffer.isView(one) ? one.slice() : one);
               note([name, ...copies]);
               target.act(name, ...copies);
             };
           },
         });
         return sink;",
    );
    let sink = make
        .call1(&JsValue::UNDEFINED, &note.into_js_value())
        .unwrap();
    (sink.unchecked_into(), notes)
}

/// What the sink does after each call.
pub fn act(sink: &Sink, act: Closure<dyn FnMut(String)>) {
    Reflect::set(sink, &"act".into(), &act.into_js_value()).unwrap();
}

/// Settings with these fields in place of the usual ones.
pub fn settings(fields: &[(&str, JsValue)]) -> Settings {
    let settings = object(&[
        ("services", texts(&["/http-bind"])),
        ("domain", "example.org".into()),
        ("anonymous", true.into()),
        ("allowPlainText", false.into()),
        ("presence", true.into()),
        ("wait", 60.into()),
        ("hold", 1.into()),
        ("keys", false.into()),
        (
            "headers",
            texts(&["Content-Type", "text/xml; charset=utf-8"]),
        ),
        ("withCredentials", false.into()),
        ("timeout", 30_000.into()),
        ("maxBytes", (1 << 24).into()),
        ("reconnect", true.into()),
        ("streamManagement", true.into()),
        ("silence", 30_000.into()),
        ("features", texts(&[])),
    ]);
    for (name, value) in fields {
        Reflect::set(&settings, &(*name).into(), value).unwrap();
    }
    settings.unchecked_into()
}

pub fn texts(all: &[&str]) -> JsValue {
    all.iter()
        .map(|one| JsValue::from_str(one))
        .collect::<Array>()
        .into()
}

pub fn kind(error: &JsValue) -> String {
    text(error, "kind").unwrap_or_default()
}

/// The names of the calls so far.
pub fn calls(notes: &Rc<RefCell<Vec<Array>>>) -> Vec<String> {
    let notes = notes.borrow();
    notes
        .iter()
        .filter_map(|call| call.get(0).as_string())
        .collect()
}

/// `fetch`, scripted: each request is noted and answered with what the script says.
pub fn scripted_fetch(
    answers: Vec<Result<&'static str, ()>>,
) -> (Rc<RefCell<Vec<String>>>, JsValue) {
    let bodies = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&bodies);
    let answers = RefCell::new(answers.into_iter());
    let fetch =
        Closure::<dyn FnMut(JsValue, JsValue) -> Promise>::new(move |_: JsValue, init: JsValue| {
            noted
                .borrow_mut()
                .push(text(&init, "body").unwrap_or_default());
            let body = text(&init, "body").unwrap_or_default();
            // The good-bye is answered whatever the script still holds.
            let answer = if body.contains("type='terminate'") {
                Some(Ok(TERMINATED))
            } else {
                answers.borrow_mut().next()
            };
            match answer {
                Some(Ok(answer)) => {
                    let iq = body.split("<iq").nth(1).unwrap_or_default();
                    let id = iq.split("id='").nth(1).unwrap_or_default();
                    let id = id.split('\'').next().unwrap_or_default();
                    let answer = answer.replace("ID", id);
                    let constructor: Function = get(&js_sys::global(), "Response").unchecked_into();
                    let headers = object(&[("Content-Type", "text/xml; charset=utf-8".into())]);
                    let options = object(&[("headers", headers)]);
                    let arguments: Array = [answer.as_str().into(), options].iter().collect();
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

pub const TERMINATED: &str = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>";
pub const FEATURES: &str = "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' sid='s' wait='60' hold='1' requests='2'><stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms></stream:features></body>";
pub async fn turns(count: usize) {
    for _ in 0..count {
        turn().await;
    }
}

pub fn count(calls: &[String], name: &str) -> usize {
    calls.iter().filter(|call| *call == name).count()
}
