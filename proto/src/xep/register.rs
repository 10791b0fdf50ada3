//! XEP-0077: In-Band Registration 2.4. Requests the fields, registers, changes the password, cancels the account.
//!
//! Specification: XEP-0077 2.4.
//!
//! It happens on the stream before login (or with a service after it), so nothing here knows of a session. Replies are
//! empty results or stanza errors: `conflict` (the name is taken), `not-acceptable` (something is missing or refused),
//! `resource-constraint` (too many registrations of late).
//!
//! Where a person is needed, the error names the addresses that a browser can open: those of XEP-0066, of the fallback of a
//! CAPTCHA (XEP-0158), or in the instructions. Left out: showing and solving CAPTCHAs, and their pictures (XEP-0231).

use super::data_form::{Field, Form};
use crate::ns;
use crate::stanza::iq::{self, IqType};
use crate::xml::Element;

/// The fields that a host requires before it registers an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// An account exists already; then the fields have its values.
    pub registered: bool,
    /// The host's instructions.
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
    /// A person has to do it: solve what is shown at one of these addresses, or go on at such a page; the fields that wait for
    /// it are named.
    NeedsHuman {
        /// Where: `https:` addresses first, then `http:` ones. Only where there are none, those that no browser can open, such as a
        /// `cid:` of a picture inside the stanza. Empty when the host names nothing.
        addresses: Vec<String>,
        /// The form's fields to be filled with what the person found; empty when only the page will do.
        fields: Vec<String>,
        /// The host's instructions.
        instructions: Option<String>,
    },
}

/// The fields of XEP-0158 §4.1 whose answers only people know; forms may ask them without a picture.
const CAPTCHAS: [&str; 10] = [
    "audio_recog",
    "ocr",
    "picture_q",
    "picture_recog",
    "qa",
    "speech_q",
    "speech_recog",
    "video_q",
    "video_recog",
    "captcha",
];

/// The fields that hold the address of a page: of XEP-0158's fallback as servers send it, COMPAT(ejabberd), new and old.
const PAGES: [&str; 2] = ["captcha-fallback-url", "url"];

/// The most addresses that are named.
const MOST_ADDRESSES: usize = 8;

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
                ("x", ns::OOB) if wanted.url.is_none() => {
                    wanted.url = child
                        .child_text("url", ns::OOB)
                        .map(|url| String::from(url.trim()))
                        .filter(|url| !url.is_empty());
                }
                _ => {}
            }
        }
        Some(wanted)
    }

    /// Answers with `values` by the fields' names (`username`, `password`, `email`, …). Fields that the host does not request are not
    /// sent.
    ///
    /// # Errors
    /// A missing field, or the need for a human.
    pub fn answer(
        &self,
        to: Option<&str>,
        values: &[(String, String)],
    ) -> Result<Element, Unanswered> {
        if let Some(form) = &self.form {
            return self.answer_form(to, form, values);
        }
        if self.fields.is_empty() && (self.url.is_some() || !self.pages(None).is_empty()) {
            return Err(self.needs_human(None, Vec::new()));
        }
        let mut missing = Vec::new();
        let mut children = Vec::new();
        for (name, held) in &self.fields {
            // An existing value is sent back, as the `key` of old hosts requires.
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
        let mut tests = Vec::new();
        let mut solved = false;
        for field in form.fields.iter().filter(|field| is_test(field)) {
            if let Some(var) = &field.var {
                solved |= given(values, var).is_some_and(|value| !value.is_empty());
                tests.push(var.clone());
            }
        }
        let needs_human = !tests.is_empty() && !solved;
        let only_page = !form.fields.iter().any(is_question) && !self.pages(Some(form)).is_empty();
        match form.answer(&as_form_values(values)) {
            Err(mut missing) => {
                if needs_human {
                    missing.retain(|var| !tests.contains(var));
                }
                if !missing.is_empty() {
                    return Err(Unanswered::Missing(missing));
                }
            }
            Ok(x) if !(needs_human || only_page) => {
                let query = Element::builder("query", ns::REGISTER).child(x).build();
                return Ok(set(to, query));
            }
            Ok(_) => {}
        }
        Err(self.needs_human(Some(form), tests))
    }

    fn needs_human(&self, form: Option<&Form>, fields: Vec<String>) -> Unanswered {
        let mut addresses = self.pages(form);
        let media = form.map_or(&[][..], |form| &form.fields);
        let media = media.iter().flat_map(|field| &field.media);
        for address in media.clone().filter(|address| is_web(address)) {
            add(&mut addresses, address);
        }
        // Encrypted addresses first; otherwise in the host's order.
        let (mut addresses, open): (Vec<_>, Vec<_>) = addresses
            .into_iter()
            .partition(|address| starts_with(address, "https:"));
        addresses.extend(open);
        if addresses.is_empty() {
            // A script would be run where the page shows it as a link.
            for address in media
                .chain(&self.url)
                .filter(|one| !starts_with(one, "javascript:"))
            {
                add(&mut addresses, address);
            }
        }
        addresses.truncate(MOST_ADDRESSES);
        let instructions = form.and_then(|form| form.instructions.clone());
        Unanswered::NeedsHuman {
            addresses,
            fields,
            instructions: instructions
                .or_else(|| self.instructions.clone())
                .filter(|text| !text.is_empty()),
        }
    }

    /// The addresses of pages for people: of the fields made for it, of XEP-0066, in what is written to people.
    fn pages(&self, form: Option<&Form>) -> Vec<String> {
        let mut pages = Vec::new();
        if let Some(form) = form {
            for value in PAGES.iter().filter_map(|page| form.value(page)) {
                if is_web(value.trim()) {
                    add(&mut pages, value.trim());
                }
            }
        }
        if let Some(url) = self.url.as_deref().filter(|url| is_web(url)) {
            add(&mut pages, url);
        }
        let fields = form.map_or(&[][..], |form| &form.fields);
        let fixed = fields.iter().filter(|field| field.is("fixed"));
        let said = fixed.flat_map(|field| &field.values);
        let said = said.chain(form.and_then(|form| form.instructions.as_ref()));
        for text in said.chain(&self.instructions) {
            let ends = |char: char| char.is_whitespace() || "<>\"'()[]{}".contains(char);
            for word in text.split(ends) {
                let word = word.trim_end_matches(['.', ',', ';', ':', '!', '?']);
                if is_web(word) {
                    add(&mut pages, word);
                }
            }
        }
        pages
    }
}

/// Whether only a person can answer a field.
fn is_test(field: &Field) -> bool {
    let is_known = |var: &str| CAPTCHAS.contains(&var);
    !field.media.is_empty() || field.required && field.var.as_deref().is_some_and(is_known)
}

/// Whether a field asks something: it is not only there to be read, or to be sent back.
fn is_question(field: &Field) -> bool {
    let var = field.var.as_deref().unwrap_or_default();
    !(var.is_empty() || field.is("fixed") || field.is("hidden") || PAGES.contains(&var))
}

/// Whether a browser can open an address.
fn is_web(address: &str) -> bool {
    let host =
        ["https://", "http://"].map(|start| starts_with(address, start).then_some(start.len()));
    host.into_iter().flatten().any(|at| address.len() > at)
        && !address.contains(char::is_whitespace)
}

fn starts_with(address: &str, start: &str) -> bool {
    matches!(address.get(..start.len()), Some(own) if own.eq_ignore_ascii_case(start))
}

/// Adds an address, once.
fn add(addresses: &mut Vec<String>, address: &str) {
    if addresses.iter().all(|own| own != address) {
        addresses.push(address.into());
    }
}

/// Requests the registration fields. `to` is `None` before login.
pub fn fields(to: Option<&str>) -> Element {
    iq::request(
        IqType::Get,
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
    iq::request(IqType::Set, to, query)
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
