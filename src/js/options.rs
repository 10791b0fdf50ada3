//! The page's options, read once and checked: what cannot be meant is an error that says what to write instead.

use super::error::Problem;
use super::object::field;
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
use serde::Deserialize;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Headers};

/// `ClientOptions` and `RegisterOptions` as they are written; functions and signals are read beside it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    jid: Option<String>,
    anonymous: bool,
    external: bool,
    domain: Option<String>,
    resource: Option<String>,
    username: Option<String>,
    fields: BTreeMap<String, String>,
    allow_plain_text: bool,
    presence: bool,
    lang: Option<String>,
    wait: u32,
    hold: u32,
    headers: BTreeMap<String, String>,
    with_credentials: bool,
    content_type: String,
    timeout: f64,
    max_bytes: usize,
    about: WrittenAbout,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WrittenAbout {
    name: Option<String>,
    version: Option<String>,
    os: Option<String>,
    features: Vec<String>,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            jid: None,
            anonymous: false,
            external: false,
            domain: None,
            resource: None,
            username: None,
            fields: BTreeMap::new(),
            allow_plain_text: false,
            presence: true,
            lang: None,
            wait: 60,
            hold: 1,
            headers: BTreeMap::new(),
            with_credentials: false,
            content_type: "text/xml; charset=utf-8".to_owned(),
            timeout: 30_000.0,
            max_bytes: 16 * 1024 * 1024,
            about: WrittenAbout::default(),
        }
    }
}

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

fn bad(message: &str) -> Problem {
    Problem::new("bad-argument", message)
}

fn read(options: &JsValue) -> Result<Written, Problem> {
    if !options.is_object() {
        return Err(bad(
            "The options are missing: give { jid, password }, { jid, token } or { domain, anonymous: true }.",
        ));
    }
    serde_wasm_bindgen::from_value(options.clone()).map_err(|error| {
        let mut message = String::from("An option has the wrong type: ");
        message.push_str(&error.to_string());
        bad(&message)
    })
}

fn secret(options: &JsValue, name: &str) -> Result<Option<Secret>, Problem> {
    let value = field(options, name);
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
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
    let written = read(options)?;
    let password = secret(options, "password")?;
    let token = secret(options, "token")?;
    let jid = match &written.jid {
        None => None,
        Some(text) => Some(jid(text)?),
    };
    let login = match (&jid, password, token, written.anonymous, written.external) {
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
    let resource = written.resource.clone().or_else(|| {
        jid.as_ref()
            .and_then(|jid| jid.resource().map(str::to_owned))
    });
    let domain = match (&written.domain, &jid) {
        (Some(domain), _) => domain_of(domain)?,
        (None, Some(jid)) => jid.domain().to_owned(),
        (None, None) => {
            return Err(bad(
                "'domain' is missing: the name of the XMPP server to log in to.",
            ));
        }
    };
    finish(service, written, Goal::Login, Some(login), domain, resource)
}

/// The options of `register`.
pub fn registration(service: &str, options: &JsValue) -> Result<Options, Problem> {
    let written = read(options)?;
    let domain = match &written.domain {
        Some(domain) => domain_of(domain)?,
        None => {
            return Err(bad(
                "'domain' is missing: the name of the XMPP server to register at.",
            ));
        }
    };
    let (Some(username), Some(Secret::Value(password))) =
        (written.username.clone(), secret(options, "password")?)
    else {
        return Err(bad(
            "Registration needs 'username' and 'password', both strings.",
        ));
    };
    let mut values = vec![
        ("username".to_owned(), username),
        ("password".to_owned(), password),
    ];
    values.extend(written.fields.clone());
    let goal = Goal::Register(values);
    finish(service, written, goal, None, domain, None)
}

fn finish(
    service: &str,
    written: Written,
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
    if !(1..=3600).contains(&written.wait) || !(1..=4).contains(&written.hold) {
        return Err(bad("'wait' is 1 to 3600 seconds, 'hold' 1 to 4 requests."));
    }
    if !(written.timeout >= 1.0 && written.timeout <= 2_147_483_647.0) {
        return Err(bad("'timeout' is a number of milliseconds greater than 0."));
    }
    let headers =
        Headers::new().map_err(|error| bad("Headers are missing here.").caused_by(error))?;
    let named = written
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in named.chain([("Content-Type", written.content_type.as_str())]) {
        headers.set(name, value).map_err(|error| {
            bad("A header's name or value is not allowed in HTTP.").caused_by(error)
        })?;
    }
    let limits = Limits {
        bytes: written.max_bytes,
        ..Limits::default()
    };
    let about = written.about;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let timeout = Millis(written.timeout as u64);
    Ok(Options {
        config: Config {
            session: SessionConfig {
                goal,
                domain: domain.clone(),
                resource,
                plain_text_allowed: address.confidential || written.allow_plain_text,
            },
            bosh: BoshConfig {
                to: domain,
                lang: written.lang,
                wait: written.wait,
                hold: written.hold,
                limits,
            },
            timeout,
        },
        http: HttpOptions {
            address,
            headers: written.headers.into_iter().collect(),
            with_credentials: written.with_credentials,
            content_type: written.content_type,
            max_bytes: written.max_bytes,
        },
        login,
        presence: written.presence,
        about: About {
            identity: Identity {
                category: "client".to_owned(),
                kind: "web".to_owned(),
                name: about.name.clone(),
            },
            version: Version {
                name: about.name.unwrap_or_else(|| "epode".to_owned()),
                version: about
                    .version
                    .unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
                os: about.os,
            },
            features: about.features,
            nodes: Vec::new(),
        },
    })
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
        let timeout = field(options, "timeout");
        let timeout = match timeout.as_f64() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Some(timeout) if timeout >= 1.0 && timeout <= 2_147_483_647.0 => {
                Some(Millis(timeout as u64))
            }
            None if timeout.is_undefined() => None,
            _ => return Err(bad("'timeout' is a number of milliseconds greater than 0.")),
        };
        let signal = field(options, "signal");
        let signal = if signal.is_undefined() {
            None
        } else {
            Some(
                signal
                    .dyn_into::<AbortSignal>()
                    .map_err(|_| bad("'signal' is an AbortSignal."))?,
            )
        };
        Ok(Self { timeout, signal })
    }
}

/// A text option.
pub fn text(options: &JsValue, name: &str) -> Result<Option<String>, Problem> {
    let value = field(options, name);
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    value.as_string().map(Some).ok_or_else(|| {
        let mut message = String::from("The option '");
        message.push_str(name);
        message.push_str("' is a string.");
        bad(&message)
    })
}
