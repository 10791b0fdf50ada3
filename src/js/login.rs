//! What a login needs of the page: its secrets, and the place for what logins have shown.

use super::error::Problem;
use super::inner::Inner;
use super::object::{field, text_of};
use super::options::{Login, Secret};
use super::promise::spawn;
use epode_proto::io::Input;
use epode_proto::sasl::Credentials;
use js_sys::futures::JsFuture;
use js_sys::{Function, Promise};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

impl Inner {
    /// What the page kept for us. A place that fails is as good as an empty one.
    pub(super) fn recall(&self) {
        let kept = self.memory.and_then(|memory| {
            let memory = self.held.get(memory);
            let get = field(&memory, "get").dyn_into::<Function>().ok()?;
            get.call0(&memory).ok()?.as_string()
        });
        if let Some(kept) = kept {
            self.driver.change(|client, _| client.remember(&kept));
        }
    }

    pub(super) fn store_memory(&self) {
        let Some(memory) = self.memory else { return };
        let memory = self.held.get(memory);
        let text = self.driver.read(|client| client.connection().memory());
        if let Ok(set) = field(&memory, "set").dyn_into::<Function>() {
            // A full or forbidden storage costs round trips at the next login, nothing else.
            let _ = set.call1(&memory, &JsValue::from_str(&text));
        }
    }

    pub(super) fn give_credentials(self: &Rc<Self>) {
        let Some(login) = self.login.clone() else {
            return self.provide(None);
        };
        let secret = match &login {
            Login::Anonymous => return self.provide(Some(Credentials::Anonymous)),
            Login::External { authzid } => {
                let authzid = authzid.clone();
                return self.provide(Some(Credentials::External { authzid }));
            }
            Login::Password { password, .. } => password,
            Login::Token { token, .. } => token,
        };
        match secret {
            Secret::Value(secret) => self.provide(Some(credentials(&login, secret.clone()))),
            Secret::Function(function) => {
                let function = self.held.get(*function);
                let called = match function.dyn_ref::<Function>() {
                    Some(function) => function.call0(&JsValue::UNDEFINED),
                    None => return self.provide(None),
                };
                // The page may never answer; the connection gives up by itself.
                let inner = Rc::downgrade(self);
                let attempt = self.attempt.get();
                spawn(async move {
                    let secret = match called {
                        Ok(value) => JsFuture::from(Promise::resolve(&value)).await,
                        Err(thrown) => Err(thrown),
                    };
                    let Some(inner) = inner.upgrade() else { return };
                    if inner.attempt.get() != attempt {
                        return;
                    }
                    let secret = secret.and_then(|secret| {
                        // Nothing, on purpose: there is no more to be said about it.
                        if secret.is_undefined() || secret.is_null() {
                            return Ok(None);
                        }
                        let told = |should| format!("What `password` or `token` gives {should}.");
                        text_of(&secret)
                            .map(Some)
                            .map_err(|should| Problem::new("bad-argument", &told(should)).into_js())
                    });
                    let secret = secret.unwrap_or_else(|problem| {
                        inner.credentials_problem.replace(Some(problem));
                        None
                    });
                    inner.provide(secret.map(|secret| credentials(&login, secret)));
                });
            }
        }
    }

    pub(super) fn provide(&self, credentials: Option<Credentials>) {
        self.driver.change(|client, now| {
            client.handle_input(now, Input::Credentials(credentials));
        });
    }
}

fn credentials(login: &Login, secret: String) -> Credentials {
    match login {
        // Prosody's OAUTHBEARER wants the bare JID, which RFC 7628 allows everywhere.
        Login::Token { bare, .. } => Credentials::Token {
            username: None,
            token: secret,
            authzid: Some(bare.clone()),
        },
        Login::Password { username, .. } => Credentials::Password {
            username: username.clone(),
            password: secret,
            authzid: None,
        },
        Login::Anonymous => Credentials::Anonymous,
        Login::External { authzid } => Credentials::External {
            authzid: authzid.clone(),
        },
    }
}
