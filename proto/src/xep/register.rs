//! XEP-0077: In-Band Registration 2.4. Requests the fields, registers, changes the password, cancels the account.
//!
//! Specification: XEP-0077 2.4.
//!
//! Registration happens on the stream before login (or with a service after it), so this file does not depend on a
//! session. Replies are empty results or stanza errors: `conflict` (the name is taken), `not-acceptable` (a field is
//! missing or refused), `resource-constraint` (too many recent registrations).
//!
//! If the registration needs a person, the error names the addresses that a browser can open: those of XEP-0066, of a
//! CAPTCHA's fallback (XEP-0158), or in the instructions. Left out: showing and solving CAPTCHAs, and their pictures
//! (XEP-0231).

use super::data_form::{Field, Form};
use crate::ns;
use crate::stanza::iq::{self, IqType};
use crate::xml::Element;

/// The fields that a host requires before it registers an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// An account already exists; the fields then have its values.
    pub registered: bool,
    /// The host's instructions.
    pub instructions: Option<String>,
    /// The fields of registrations without a data form, by name, with their current values. All of them are required.
    pub fields: Vec<(String, String)>,
    /// The data form; if there is one, `fields` is ignored (§6).
    pub form: Option<Form>,
    /// The address of a page where registration continues (§5).
    pub url: Option<String>,
}

/// Why the values given do not complete the registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// These fields are also required.
    Missing(Vec<String>),
    /// A person must solve a test that one of these addresses shows, or continue on one of these pages; `fields` names
    /// the fields for the solution.
    NeedsHuman {
        /// The addresses: `https:` first, then `http:`. If there are none, addresses that a browser cannot open, such
        /// as a `cid:` of a picture inside the stanza. Empty if the host names none.
        addresses: Vec<String>,
        /// The form's fields for the person's answer; empty if only the page completes the registration.
        fields: Vec<String>,
        /// The host's instructions.
        instructions: Option<String>,
    },
}

/// The fields of XEP-0158 §4.1 that only a person can answer; forms may include them without a picture.
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

/// The fields that hold the address of a page: of XEP-0158's fallback as servers send it, COMPAT(ejabberd), new and
/// old.
const PAGES: [&str; 2] = ["captcha-fallback-url", "url"];

/// The largest number of reported addresses.
const MOST_ADDRESSES: usize = 8;

impl Requirements {
    /// Parses the reply to [`fields`]; an error reply may hold a form as well (examples 16 and 23). `None` if the reply
    /// holds no registration data.
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

    /// Builds the answer from `values`, by field name (`username`, `password`, `email`, …). Fields that the host does
    /// not request are not sent.
    ///
    /// # Errors
    /// [`Unanswered`]: a field is missing, or a person is needed.
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
            // Send an existing value back, as old hosts require for `key`.
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
            // A host that requests no fields still needs the account.
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
        // Only a person can answer a field with a picture or a sound. One such answer is enough: a host may offer
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
        // Encrypted addresses first, otherwise in the host's order.
        let (mut addresses, open): (Vec<_>, Vec<_>) = addresses
            .into_iter()
            .partition(|address| starts_with(address, "https:"));
        addresses.extend(open);
        if addresses.is_empty() {
            // A script address would be executed if the page shows it as a link.
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

    /// The addresses of pages for people: in the fields for that purpose, of XEP-0066, and in texts for people.
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

/// Whether a field requests an answer: it is neither only informative nor only sent back.
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

/// Adds an address unless it is present.
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

/// Cancels the account or registration. A host may close the stream with `not-authorized` before its result arrives
/// (§3.2).
pub fn remove(to: Option<&str>) -> Element {
    let query = Element::builder("query", ns::REGISTER)
        .element("remove", ns::REGISTER, |remove| remove)
        .build();
    set(to, query)
}

/// Changes the password. `username` is the localpart of the logged-in account (§3.3).
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
