//! The page's options, read once and checked: what cannot be meant is an error that says what to write instead.

use super::error::Problem;
use super::object::{field, flag, given, list, number, text, texts, wrong};
use crate::proto::connection::Config;
use crate::proto::jid::Jid;
use crate::proto::session::{Goal, SessionConfig};
use crate::proto::time::Millis;
use crate::proto::transport::bosh::BoshConfig;
use crate::proto::xep::disco::Identity;
use crate::proto::xep::responder::About;
use crate::proto::xep::version::Version;
use crate::proto::xml::Limits;
use crate::web::address::Address;
use crate::web::http::HttpOptions;
use crate::web::unicode::PlatformUnicode;
use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Headers};

/// A secret: a value, or a function called anew for every login.
#[derive(Clone)]
pub enum Secret {
    /// Always the same.
    Value(String),
    /// Asked each time.
    Function(Function),
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
    /// Send initial presence?
    pub presence: bool,
    /// For those who ask who we are.
    pub about: About,
}

/// The largest answer that is read when the page does not say.
const DEFAULT_MAX_BYTES: usize = 16 * 1024 * 1024;

fn bad(message: &str) -> Problem {
    Problem::new("bad-argument", message)
}

fn must_be_there(options: &JsValue) -> Result<(), Problem> {
    if options.is_object() {
        Ok(())
    } else {
        Err(bad(
            "The options are missing: give { jid, password }, { jid, token } or { domain, anonymous: true }.",
        ))
    }
}

fn secret(options: &JsValue, name: &str) -> Result<Option<Secret>, Problem> {
    let Some(value) = given(options, name) else {
        return Ok(None);
    };
    match value.dyn_into::<Function>() {
        Ok(function) => Ok(Some(Secret::Function(function))),
        Err(value) => match value.as_string() {
            Some(text) => Ok(Some(Secret::Value(text))),
            None => Err(bad(
                "'password' and 'token' are strings, or functions that give one.",
            )),
        },
    }
}

/// The options of `Client`.
pub fn client(service: &str, options: &JsValue) -> Result<Options, Problem> {
    must_be_there(options)?;
    let password = secret(options, "password")?;
    let token = secret(options, "token")?;
    let anonymous = flag(options, "anonymous", false)?;
    let external = flag(options, "external", false)?;
    let jid = match text(options, "jid")? {
        None => None,
        Some(text) => Some(jid(&text)?),
    };
    let login = match (&jid, password, token, anonymous, external) {
        (Some(jid), Some(password), None, false, false) => Login::Password {
            username: localpart(jid)?,
            password,
        },
        (Some(jid), None, Some(token), false, false) => Login::Token {
            bare: localpart(jid).map(|_| jid.bare().as_str().to_owned())?,
            token,
        },
        (None, None, None, true, false) => Login::Anonymous,
        (jid, None, None, false, true) => Login::External {
            authzid: jid.as_ref().map(|jid| jid.bare().as_str().to_owned()),
        },
        _ => {
            return Err(bad(
                "Give exactly one way to log in: { jid, password }, { jid, token }, { domain, anonymous: true } or { domain, external: true }.",
            ));
        }
    };
    let resource = text(options, "resource")?.or_else(|| {
        let resource = jid.as_ref()?.resource()?;
        Some(resource.to_owned())
    });
    let domain = match (text(options, "domain")?, &jid) {
        (Some(domain), _) => domain_of(&domain)?,
        (None, Some(jid)) => jid.domain().to_owned(),
        (None, None) => {
            return Err(bad(
                "'domain' is missing: the name of the XMPP server to log in to.",
            ));
        }
    };
    finish(service, options, Goal::Login, Some(login), domain, resource)
}

/// The options of `register`.
pub fn registration(service: &str, options: &JsValue) -> Result<Options, Problem> {
    must_be_there(options)?;
    let domain = match text(options, "domain")? {
        Some(domain) => domain_of(&domain)?,
        None => {
            return Err(bad(
                "'domain' is missing: the name of the XMPP server to register at.",
            ));
        }
    };
    let (Some(username), Some(password)) = (text(options, "username")?, text(options, "password")?)
    else {
        return Err(bad(
            "Registration needs 'username' and 'password', both strings.",
        ));
    };
    let mut values = vec![
        ("username".to_owned(), username),
        ("password".to_owned(), password),
    ];
    values.extend(texts(options, "fields")?);
    finish(service, options, Goal::Register(values), None, domain, None)
}

fn finish(
    service: &str,
    options: &JsValue,
    goal: Goal,
    login: Option<Login>,
    domain: String,
    resource: Option<String>,
) -> Result<Options, Problem> {
    let address = Address::resolve(service)
        .filter(|address| address.is_http)
        .ok_or_else(|| {
            bad("The service is not an http: or https: address. Give the path or URL of the BOSH service, usually \"/http-bind\".")
        })?;
    let wait = number(
        options,
        "wait",
        1..=3_600,
        "is a number of seconds, 1 to 3600",
    )?;
    let hold = number(options, "hold", 1..=4, "is a number of requests, 1 to 4")?;
    let bytes = number(
        options,
        "maxBytes",
        1..=u32::MAX,
        "is a number of bytes, 1 or more",
    )?;
    let max_bytes = bytes.map_or(DEFAULT_MAX_BYTES, |bytes| bytes as usize);
    let content_type =
        text(options, "contentType")?.unwrap_or_else(|| "text/xml; charset=utf-8".to_owned());
    let mut headers = texts(options, "headers")?;
    headers.push(("Content-Type".to_owned(), content_type));
    let checked = Headers::new();
    for (name, value) in &headers {
        let allowed = checked.as_ref().map(|checked| checked.set(name, value));
        if !matches!(allowed, Ok(Ok(()))) {
            return Err(wrong(
                "headers",
                "holds a name or value that HTTP does not allow",
            ));
        }
    }
    let timeout = timeout(options)?.unwrap_or(Millis::seconds(30));
    let about = field(options, "about");
    let name = text(&about, "name")?;
    let version = text(&about, "version")?;
    Ok(Options {
        config: Config {
            session: SessionConfig {
                goal,
                domain: domain.clone(),
                resource,
                plain_text_allowed: address.confidential || flag(options, "allowPlainText", false)?,
            },
            bosh: BoshConfig {
                to: domain,
                lang: text(options, "lang")?,
                wait: wait.unwrap_or(60),
                hold: hold.unwrap_or(1),
                limits: Limits {
                    bytes: max_bytes,
                    ..Limits::default()
                },
            },
            timeout,
        },
        http: HttpOptions {
            address,
            headers,
            with_credentials: flag(options, "withCredentials", false)?,
            max_bytes,
        },
        login,
        presence: flag(options, "presence", true)?,
        about: About {
            identity: Identity {
                category: "client".to_owned(),
                kind: "web".to_owned(),
                name: name.clone(),
            },
            version: Version {
                name: name.unwrap_or_else(|| "epode".to_owned()),
                version: version.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
                os: text(&about, "os")?,
            },
            features: list(&about, "features")?,
            nodes: Vec::new(),
        },
    })
}

/// A time in milliseconds, as far as timers count.
fn timeout(options: &JsValue) -> Result<Option<Millis>, Problem> {
    let timeout = number(
        options,
        "timeout",
        1..=0x7fff_ffff,
        "is a number of milliseconds, 1 or more",
    )?;
    Ok(timeout.map(|timeout| Millis(u64::from(timeout))))
}

/// A JID that a page wrote.
pub fn jid(text: &str) -> Result<Jid, Problem> {
    Jid::parse(text, &PlatformUnicode).map_err(|_| {
        let mut message = String::from("Not a JID: ");
        message.push_str(text);
        message.push_str(". A JID is user@domain, domain, or either with /resource.");
        Problem::new("bad-jid", &message)
    })
}

fn domain_of(text: &str) -> Result<String, Problem> {
    let domain = jid(text)?;
    if domain.local().is_some() || !domain.is_bare() {
        return Err(bad(
            "'domain' is the server's name alone, such as \"example.org\".",
        ));
    }
    Ok(domain.domain().to_owned())
}

fn localpart(jid: &Jid) -> Result<String, Problem> {
    jid.local().map(str::to_owned).ok_or_else(|| {
        Problem::new(
            "bad-jid",
            "The 'jid' to log in with needs a user: user@domain.",
        )
    })
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
        let timeout = timeout(options)?;
        let signal = match given(options, "signal") {
            None => None,
            Some(signal) => match signal.dyn_into::<AbortSignal>() {
                Ok(signal) => Some(signal),
                Err(_) => return Err(wrong("signal", "is an AbortSignal")),
            },
        };
        Ok(Self { timeout, signal })
    }
}
