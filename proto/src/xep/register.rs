//! XEP-0077: In-Band Registration 2.4. Asking what is wanted, answering it, changing the password, leaving.
//!
//! It happens on the stream before login (or with a service after it), so nothing here knows of a session. Replies are
//! empty results or stanza errors: `conflict` (the name is taken), `not-acceptable` (something is missing or refused),
//! `resource-constraint` (too many registrations of late). Left out: solving CAPTCHAs (XEP-0158), which takes a person;
//! that one is needed is told.

use super::data_form::Form;
use crate::ns;
use crate::stanza::iq::{self, Kind};
use crate::xml::Element;

/// What a host wants to know before it makes an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// An account is there already; then the fields show what it holds.
    pub registered: bool,
    /// What the host says to people.
    pub instructions: Option<String>,
    /// The fields of before data forms, by name, with what they hold already. All of those asked for are required.
    pub fields: Vec<(String, String)>,
    /// The data form; where there is one, it counts and `fields` does not (§6).
    pub form: Option<Form>,
    /// A page where registration goes on (§5).
    pub url: Option<String>,
}

/// Why registration cannot be answered with the values given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// These fields are wanted too.
    Missing(Vec<String>),
    /// A person has to do it: solve what is shown at one of these addresses (a `cid:` is inside the stanza), or go on at
    /// such a page; the fields that wait for it are named.
    NeedsHuman {
        /// Where, in the order of the form; the page to go on at comes last.
        addresses: Vec<String>,
        /// The form's fields to be filled with what the person found; empty when only the page will do.
        fields: Vec<String>,
    },
}

impl Requirements {
    /// Reads the reply to [`fields`]; a refusal may hold a form as well (examples 16 and 23). `None` when there is nothing
    /// about registration in it.
    pub fn parse(reply: &Element) -> Option<Self> {
        let query = reply.child("query", ns::REGISTER)?;
        let mut wanted = Self::default();
        for child in query.children() {
            match (child.name(), child.ns()) {
                ("registered", ns::REGISTER) => wanted.registered = true,
                ("instructions", ns::REGISTER) => {
                    wanted.instructions = Some(child.text().trim().into());
                }
                ("remove", ns::REGISTER) => {}
                (name, ns::REGISTER) => {
                    wanted.fields.push((name.into(), child.text().into_owned()));
                }
                ("x", ns::DATA_FORM) => wanted.form = Form::parse(&child),
                ("x", ns::OOB) => {
                    wanted.url = child
                        .child_text("url", ns::OOB)
                        .map(|url| url.trim().into());
                }
                _ => {}
            }
        }
        Some(wanted)
    }

    /// Answers with `values` by the fields' names (`username`, `password`, `email`, …). What the host does not ask for is not
    /// told to it.
    ///
    /// # Errors
    /// What is missing, or that it takes a person.
    pub fn answer(
        &self,
        to: Option<&str>,
        values: &[(String, String)],
    ) -> Result<Element, Unanswered> {
        if let Some(form) = &self.form {
            return self.answer_form(to, form, values);
        }
        if let Some(url) = &self.url
            && self.fields.is_empty()
        {
            return Err(Unanswered::NeedsHuman {
                addresses: vec![url.clone()],
                fields: Vec::new(),
            });
        }
        let mut missing = Vec::new();
        let mut children = Vec::new();
        for (name, held) in &self.fields {
            // A value already there is sent back: that is what the `key` of old hosts is for.
            let value = given(values, name).unwrap_or(held);
            if value.is_empty() {
                missing.push(name.clone());
            }
            children.push(text_field(name, value));
        }
        if !missing.is_empty() {
            return Err(Unanswered::Missing(missing));
        }
        if children.is_empty() {
            // A host that asks for nothing still needs to know who it is that registers.
            for (name, value) in values {
                if name == "username" || name == "password" {
                    children.push(text_field(name, value));
                }
            }
        }
        let query = Element::builder("query", ns::REGISTER)
            .children(children)
            .build();
        Ok(set(to, query))
    }

    fn answer_form(
        &self,
        to: Option<&str>,
        form: &Form,
        values: &[(String, String)],
    ) -> Result<Element, Unanswered> {
        // A field with a picture or a sound asks what only a person can tell. One such answer is enough: a host may offer
        // several tests (XEP-0158).
        let mut addresses = Vec::new();
        let mut tests = Vec::new();
        let mut solved = false;
        for field in form.fields.iter().filter(|field| !field.media.is_empty()) {
            if let Some(var) = &field.var {
                solved |= given(values, var).is_some_and(|value| !value.is_empty());
                addresses.extend_from_slice(&field.media);
                tests.push(var.clone());
            }
        }
        let needs_human = !tests.is_empty() && !solved;
        match form.answer(&as_form_values(values)) {
            Err(mut missing) => {
                if needs_human {
                    missing.retain(|var| !tests.contains(var));
                }
                if !missing.is_empty() {
                    return Err(Unanswered::Missing(missing));
                }
            }
            Ok(x) if !needs_human => {
                let query = Element::builder("query", ns::REGISTER).child(x).build();
                return Ok(set(to, query));
            }
            Ok(_) => {}
        }
        // COMPAT(ejabberd): the page that shows the same test to a browser.
        addresses.extend(form.value("captcha-fallback-url").map(String::from));
        addresses.extend(self.url.clone());
        Err(Unanswered::NeedsHuman {
            addresses,
            fields: tests,
        })
    }
}

/// Asks the host what it wants to know. `to` is left out before login.
pub fn fields(to: Option<&str>) -> Element {
    iq::request(
        Kind::Get,
        to,
        Element::builder("query", ns::REGISTER).build(),
    )
}

/// Ends the account or registration. A host may close the stream with `not-authorized` before its result comes (§3.2).
pub fn remove(to: Option<&str>) -> Element {
    let query = Element::builder("query", ns::REGISTER)
        .element("remove", ns::REGISTER, |remove| remove)
        .build();
    set(to, query)
}

/// Changes the password. `username` is the localpart of the account that is logged in (§3.3).
pub fn change_password(to: Option<&str>, username: &str, password: &str) -> Element {
    let query = Element::builder("query", ns::REGISTER)
        .child(text_field("username", username))
        .child(text_field("password", password))
        .build();
    set(to, query)
}

fn set(to: Option<&str>, query: Element) -> Element {
    iq::request(Kind::Set, to, query)
}

fn text_field(name: &str, value: &str) -> Element {
    Element::builder(name, ns::REGISTER).text(value).build()
}

fn given<'a>(values: &'a [(String, String)], name: &str) -> Option<&'a String> {
    values
        .iter()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value)
}

fn as_form_values(values: &[(String, String)]) -> Vec<(String, Vec<String>)> {
    let mut filled = Vec::with_capacity(values.len());
    for (name, value) in values {
        filled.push((name.clone(), vec![value.clone()]));
    }
    filled
}
