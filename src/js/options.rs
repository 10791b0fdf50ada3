//! The page's options, read once and checked: what cannot be meant is an error that says what to write instead.

use super::error::Problem;
use super::held::{Held, Slot};
use super::object::{field, text_of};
use super::reader::Reader;
use crate::web::address::Address;
use crate::web::entropy;
use crate::web::http::HttpOptions;
use crate::web::unicode::PlatformUnicode;
use epode_proto::connection::Config;
use epode_proto::jid::Jid;
use epode_proto::reconnect::Reconnect;
use epode_proto::sasl::allowable_name;
use epode_proto::session::{Goal, SessionConfig};
use epode_proto::time::Millis;
use epode_proto::transport::Service;
use epode_proto::transport::bosh::BoshConfig;
use epode_proto::xep::audience::Audience;
use epode_proto::xep::disco::Identity;
use epode_proto::xep::responder::About;
use epode_proto::xep::version::Version;
use epode_proto::xml::Limits;
use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Headers};

/// A secret: a value, or a function called anew for every login.
#[derive(Clone)]
pub enum Secret {
    /// Always the same.
    Value(String),
    /// Asked each time.
    Function(Slot),
}

/// How the page logs in.
#[derive(Clone)]
pub enum Login {
    /// An account and its password.
    Password {
        /// The localpart.
        username: String,
        /// The password.
        password: Secret,
    },
    /// An account and an access token.
    Token {
        /// The account's bare JID.
        bare: String,
        /// The token.
        token: Secret,
    },
    /// No account.
    Anonymous,
    /// By the transport.
    External {
        /// The bare JID to be, if one was named.
        authzid: Option<String>,
    },
}

/// All that a client is made of.
pub struct Options {
    /// For the connection.
    pub config: Config,
    /// For the network.
    pub http: HttpOptions,
    /// How to log in; `None` for registration.
    pub login: Option<Login>,
    /// Where the page keeps what logins have shown: an object with `get` and `set`.
    pub memory: Option<Slot>,
    /// Send initial presence?
    pub presence: bool,
    /// The name under which the session is kept over a reload, where it is.
    pub keep: Option<String>,
    /// For those who ask who we are.
    pub about: About,
    /// Who they may be.
    pub audience: Audience,
    /// In place of the platform's `WebSocket`.
    pub web_socket: Option<Slot>,
    /// In place of the platform's `fetch`.
    pub fetch: Option<Slot>,
}

/// What the option `mechanisms` should be.
const MECHANISMS: &str = "is an array of names of SASL mechanisms: SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, OAUTHBEARER, ANONYMOUS, EXTERNAL, HT-SHA-256-NONE";

/// The largest answer that is read when the page does not say.
const DEFAULT_MAX_BYTES: usize = 16 * 1024 * 1024;

fn bad(message: &str) -> Problem {
    Problem::new("bad-argument", message)
}

/// Without any options there is one thing to say.
fn read(options: &JsValue) -> Reader<'_> {
    let read = Reader::of(options);
    if !options.is_object() {
        read.fail(bad(
            "The options are missing: give { jid, password }, { jid, token } or { domain, anonymous: true }.",
        ));
    }
    read
}

fn secret(read: &Reader<'_>, name: &str, held: &Held) -> Option<Secret> {
    match read.given(name)?.dyn_into::<Function>() {
        Ok(function) => Some(Secret::Function(held.put(&function))),
        Err(value) => {
            if !value.is_string() {
                read.fail(bad(
                    "'password' and 'token' are strings, or functions that give one.",
                ));
            }
            read.sent(name, &value).map(Secret::Value)
        }
    }
}

/// The options of `Client`. What of them is called later is `held`.
pub fn client(services: &JsValue, options: &JsValue, held: &Held) -> Result<Options, Problem> {
    let read = read(options);
    let password = secret(&read, "password", held);
    let token = secret(&read, "token", held);
    let anonymous = read.flag("anonymous", false);
    let external = read.flag("external", false);
    let jid = read_jid(&read, "jid");
    let bare = jid.as_ref().map(|jid| jid.bare().as_str().to_owned());
    let login = match (bare, password, token, anonymous, external) {
        (Some(_), Some(password), None, false, false) => Some(Login::Password {
            username: localpart(&read, jid.as_ref()),
            password,
        }),
        (Some(bare), None, Some(token), false, false) => {
            localpart(&read, jid.as_ref());
            Some(Login::Token { bare, token })
        }
        (None, None, None, true, false) => Some(Login::Anonymous),
        (authzid, None, None, false, true) => Some(Login::External { authzid }),
        // Of `attach`: the session is there already.
        (_, None, None, false, false) if read.given("sid").is_some() => None,
        _ => {
            read.fail(bad(
                "Give exactly one way to log in: { jid, password }, { jid, token }, { domain, anonymous: true } or { domain, external: true }.",
            ));
            None
        }
    };
    let own = jid.as_ref();
    let resource = read
        .text("resource")
        .or_else(|| own?.resource().map(str::to_owned));
    let known = own.map_or("", Jid::domain).to_owned();
    let domain = domain(
        &read,
        known,
        "'domain' is missing: the name of the XMPP server to log in to.",
    );
    let account = own.filter(|jid| jid.local().is_some() && jid.domain() == domain);
    let account = account.map(|jid| jid.bare().as_str().to_owned());
    let memory = read.given("memory");
    let stores = |name| {
        memory
            .as_ref()
            .is_none_or(|memory| field(memory, name).is_function())
    };
    if !(stores("get") && stores("set")) {
        read.refuse("memory", "is an object with the functions get and set");
    }
    let keep = read_keep(&read, &domain, own);
    let mut options = finish(services, &read, held, Goal::Login, login, domain, resource)?;
    options.config.session.account = account;
    options.memory = memory.map(|memory| held.put(&memory));
    options.keep = keep;
    Ok(options)
}

/// The options of `register`. What of them is called later is `held`.
pub fn registration(
    services: &JsValue,
    options: &JsValue,
    held: &Held,
) -> Result<Options, Problem> {
    let read = read(options);
    let domain = domain(
        &read,
        String::new(),
        "'domain' is missing: the name of the XMPP server to register at.",
    );
    let mut values = Vec::new();
    for name in ["username", "password"] {
        match read.text(name) {
            Some(value) => values.push((name.to_owned(), value)),
            None => read.fail(bad(
                "Registration needs 'username' and 'password', both strings.",
            )),
        }
    }
    values.append(&mut read.texts("fields"));
    let mut options = finish(
        services,
        &read,
        held,
        Goal::Register(values),
        None,
        domain,
        None,
    )?;
    options.presence = false;
    Ok(options)
}

fn finish(
    services: &JsValue,
    read: &Reader<'_>,
    held: &Held,
    goal: Goal,
    login: Option<Login>,
    domain: String,
    resource: Option<String>,
) -> Result<Options, Problem> {
    if !entropy::is_available() {
        return Err(Problem::new(
            "insecure",
            "This platform has no crypto.getRandomValues, which rids and nonces are made with. Provide it before making a client.",
        ));
    }
    let services = read_services(read, services);
    let wait = read.number("wait", 1, 3_600, "is a number of seconds, 1 to 3600");
    let hold = read.number("hold", 1, 4, "is a number of requests, 1 to 4");
    let bytes = read.number("maxBytes", 1, u32::MAX, "is a number of bytes, 1 or more");
    let max_bytes = bytes.map_or(DEFAULT_MAX_BYTES, |bytes| bytes as usize);
    let mut headers = read.texts("headers");
    let content_type = read.text("contentType");
    headers.push((
        "Content-Type".to_owned(),
        content_type.unwrap_or_else(|| "text/xml; charset=utf-8".to_owned()),
    ));
    let checked = Headers::new();
    for (name, value) in &headers {
        let allowed = checked.as_ref().map(|checked| checked.set(name, value));
        if !matches!(allowed, Ok(Ok(()))) {
            read.refuse("headers", "holds a name or value that HTTP does not allow");
        }
    }
    let timeout = timeout(read).unwrap_or(Millis::seconds(30));
    let plain_text_allowed = read.flag("allowPlainText", false);
    let mechanisms = read_mechanisms(read);
    let reconnect = read_reconnect(read);
    let stream_management = read.flag("streamManagement", true);
    let keys = read.flag("keys", false);
    let should = "is a number of milliseconds, 1000 or more";
    let silence = read.number("silence", 1_000, 0x7fff_ffff, should);
    let silence = Millis(u64::from(silence.unwrap_or(30_000)));
    let lang = read.text("lang");
    let with_credentials = read.flag("withCredentials", false);
    let presence = read.flag("presence", true);
    let web_socket = callable(
        read,
        held,
        "WebSocket",
        "is a class with the interface of the browser's WebSocket",
    );
    let fetch = callable(
        read,
        held,
        "fetch",
        "is a function with the interface of the browser's fetch",
    );
    let about = read.given("about").unwrap_or(JsValue::UNDEFINED);
    let about_read = Reader::of(&about);
    let name = about_read.text("name");
    let version = about_read.text("version");
    let os = about_read.text("os");
    let features = about_read.list("features");
    let audience = match about_read.text("answerTo").as_deref() {
        None => Audience::default(),
        Some(name) => Audience::parse(name).unwrap_or_else(|| {
            about_read.refuse("answerTo", "is \"everyone\", \"contacts\" or \"nobody\"");
            Audience::default()
        }),
    };
    read.done()?;
    about_read.done()?;
    let mut options = Options {
        config: Config {
            session: SessionConfig {
                goal,
                account: None,
                domain: domain.clone(),
                resource,
                plain_text_allowed,
                mechanisms,
                haste: true,
            },
            services,
            bosh: BoshConfig {
                // Each service's own.
                address: "".into(),
                foreign: false,
                to: domain,
                from: None,
                lang,
                wait: wait.unwrap_or(60),
                hold: hold.unwrap_or(1),
                pauses: reconnect.unwrap_or_default(),
                keys,
                spaced: true,
                limits: Limits {
                    bytes: max_bytes,
                    ..Limits::default()
                },
            },
            timeout,
            reconnect,
            stream_management,
            silence,
        },
        http: HttpOptions {
            headers,
            with_credentials,
            max_bytes,
        },
        login,
        memory: None,
        presence,
        keep: None,
        about: About {
            identity: Identity {
                category: "client".to_owned(),
                kind: "web".to_owned(),
                name: name.clone(),
            },
            version: Version {
                name: name.unwrap_or_else(|| "epode".to_owned()),
                version: version.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
                os,
            },
            features,
            nodes: Vec::new(),
        },
        audience,
        web_socket,
        fetch,
    };
    // What cannot be sent is told now, and not when it would be.
    let prepared = options.config.prepare(&PlatformUnicode);
    prepared.map_err(|wrong| bad(&format!("{wrong}.")))?;
    Ok(options)
}

/// An option that is a function or a class.
fn callable(read: &Reader<'_>, held: &Held, name: &str, should: &str) -> Option<Slot> {
    let value = read.given(name)?;
    if !value.is_function() {
        read.refuse(name, should);
    }
    Some(held.put(&value))
}

/// The services, an array of texts, in the order in which they are tried.
fn read_services(read: &Reader<'_>, addresses: &JsValue) -> Vec<Service> {
    let mut services = Vec::new();
    let addresses: &js_sys::Array = addresses.unchecked_ref();
    for at in 0..addresses.length() {
        let resolved = Address::resolve(&addresses.get(at).as_string().unwrap_or_default());
        match resolved.map(|address| (address.kind, address)) {
            Some((Some(kind), address)) => services.push(Service {
                kind,
                address: address.href.into(),
                confidential: address.confidential,
            }),
            _ => read.fail(bad("The service is not an http:, https:, ws: or wss: address. Give the path or URL of the BOSH service, usually \"/http-bind\", or the URL of the WebSocket service.")),
        }
    }
    if addresses.length() == 0 {
        read.fail(bad("There is no service to connect to: the list is empty."));
    }
    services
}

/// `keep`: yes or no, or a name. What is kept for one account is not taken by another.
fn read_keep(read: &Reader<'_>, domain: &str, own: Option<&Jid>) -> Option<String> {
    let given = read.given("keep")?;
    let mut key = String::from("epode ");
    match (given.as_bool(), given.as_string()) {
        (Some(false), _) => return None,
        (None, Some(name)) => key.push_str(&name),
        (None, None) => read.refuse("keep", "is true, false or a name"),
        _ => {}
    }
    key.push(' ');
    key.push_str(domain);
    if let Some(own) = own {
        key.push(' ');
        key.push_str(own.bare().as_str());
    }
    Some(key)
}

/// `mechanisms`: names of SASL mechanisms; `None` when left out.
fn read_mechanisms(read: &Reader<'_>) -> Option<Vec<&'static str>> {
    read.given("mechanisms")?;
    let mut allowed = Vec::new();
    for name in read.list("mechanisms") {
        match allowable_name(&name) {
            Some(name) => allowed.push(name),
            None => read.refuse("mechanisms", MECHANISMS),
        }
    }
    if allowed.is_empty() {
        read.refuse("mechanisms", MECHANISMS);
    }
    Some(allowed)
}

/// `reconnect`: yes or no, or the pauses.
fn read_reconnect(read: &Reader<'_>) -> Option<Reconnect> {
    let mut reconnect = Reconnect::default();
    let Some(given) = read.given("reconnect") else {
        return Some(reconnect);
    };
    if let Some(wanted) = given.as_bool() {
        return wanted.then_some(reconnect);
    }
    if !given.is_object() {
        read.refuse(
            "reconnect",
            "is true, false or { least, most } in milliseconds",
        );
    }
    let pauses = Reader::of(&given);
    let should = "is a number of milliseconds, 1 or more";
    if let Some(least) = pauses.number("least", 1, 0x7fff_ffff, should) {
        reconnect.least = Millis(u64::from(least));
    }
    if let Some(most) = pauses.number("most", 1, 0x7fff_ffff, should) {
        reconnect.most = Millis(u64::from(most));
    }
    read.ok(pauses.done());
    Some(reconnect)
}

/// A time in milliseconds, as far as timers count.
fn timeout(read: &Reader<'_>) -> Option<Millis> {
    let should = "is a number of milliseconds, 1 or more";
    let timeout = read.number("timeout", 1, 0x7fff_ffff, should)?;
    Some(Millis(u64::from(timeout)))
}

/// A JID that a page wrote.
pub fn jid(text: &str) -> Result<Jid, Problem> {
    Jid::parse(text, &PlatformUnicode).map_err(|error| {
        Problem::new(
            "bad-jid",
            &format!(
                "Not a JID: {text:?} is {error}. A JID is user@domain, domain, or either with /resource.",
            ),
        )
    })
}

/// An option that is a JID.
pub fn read_jid(read: &Reader<'_>, name: &str) -> Option<Jid> {
    let value = read.given(name)?;
    if !value.is_string() {
        read.refuse(name, "is a string");
        return None;
    }
    // What cannot be sent is no JID either: that is the code for it.
    read.ok(jid(&text_of(&value).unwrap_or_else(|_| "\0".to_owned())))
}

/// The option `domain`, or the one that is known.
fn domain(read: &Reader<'_>, known: String, missing: &str) -> String {
    let domain = read_jid(read, "domain");
    match domain {
        Some(domain) if domain.local().is_some() || !domain.is_bare() => read.fail(bad(
            "'domain' is the server's name alone, such as \"example.org\".",
        )),
        Some(domain) => return domain.domain().to_owned(),
        None if known.is_empty() => read.fail(bad(missing)),
        None => {}
    }
    known
}

fn localpart(read: &Reader<'_>, jid: Option<&Jid>) -> String {
    let local = jid.and_then(Jid::local);
    if local.is_none() {
        read.fail(Problem::new(
            "bad-jid",
            "The 'jid' to log in with needs a user: user@domain.",
        ));
    }
    local.unwrap_or_default().to_owned()
}

/// `{ timeout, signal }`, which every promise takes.
#[derive(Clone, Default)]
pub struct Waiting {
    /// In milliseconds.
    pub timeout: Option<Millis>,
    /// Gives it up.
    pub signal: Option<AbortSignal>,
}

impl Waiting {
    /// Reads them from an options object, which may be absent.
    pub fn read(options: &JsValue) -> Result<Self, Problem> {
        let read = Reader::of(options);
        let waiting = Self::from(&read);
        read.done()?;
        Ok(waiting)
    }

    /// Reads them beside other options.
    pub fn from(read: &Reader<'_>) -> Self {
        let timeout = timeout(read);
        let signal =
            read.given("signal")
                .and_then(|signal| match signal.dyn_into::<AbortSignal>() {
                    Ok(signal) => Some(signal),
                    Err(_) => {
                        read.refuse("signal", "is an AbortSignal");
                        None
                    }
                });
        Self { timeout, signal }
    }
}
