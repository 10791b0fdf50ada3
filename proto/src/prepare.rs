//! Prepares and checks the options of a connection before anything is sent: a value that a stream or a stanza cannot
//! carry is an error of the caller, not of the stream.
//!
//! Texts that travel inside stanzas are checked when the stanza is sent ([`SendError::IllegalCharacter`]).
//!
//! [`SendError::IllegalCharacter`]: crate::connection::SendError::IllegalCharacter

use crate::connection::Config;
use crate::jid::Jid;
use crate::session::Goal;
use crate::unicode::Unicode;
use crate::xml::is_xml_text;

/// The largest length of a language tag in bytes: far beyond any registered tag (RFC 5646 §4.4.1 recommends 35).
const TAG_BYTES: usize = 255;

/// An option that cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadOption {
    /// Its name in the JavaScript interface.
    pub name: &'static str,
    /// Whether it holds a character that XML cannot carry; otherwise it is not what the option of that name is for.
    pub is_illegal_text: bool,
}

impl BadOption {
    /// The name of the sentence that people read, in pkg-template/src/advice.ts.
    pub fn sentence(&self) -> &'static str {
        if self.is_illegal_text {
            "unsendable-option"
        } else {
            "invalid-option"
        }
    }
}

impl Config {
    /// Converts the options to the form in which they are sent: the domain and the resource as parts of a JID (RFC 7622
    /// §3.2, §3.4), no language if the tag is empty. Idempotent.
    ///
    ///  # Errors
    ///  The first option that cannot be sent.
    pub fn prepare(&mut self, unicode: &dyn Unicode) -> Result<(), BadOption> {
        let domain = prepare_domain(&self.session.domain, unicode)?;
        domain.domain().clone_into(&mut self.session.domain);
        domain.domain().clone_into(&mut self.bosh.to);
        if let Some(resource) = &self.session.resource {
            let full = domain.with_resource(resource, unicode);
            let full = full.map_err(|_| invalid("resource"))?;
            self.session.resource = full.resource().map(str::to_owned);
        }
        prepare_language(&mut self.bosh.lang)?;
        if let Goal::Register(values) = &self.session.goal {
            for (name, value) in values {
                if !(is_xml_text(name) && is_xml_text(value)) {
                    return Err(unsendable(match name.as_str() {
                        "username" => "username",
                        "password" => "password",
                        _ => "fields",
                    }));
                }
            }
        }
        Ok(())
    }
}

/// The domain to reach, as a JID of its own.
pub(crate) fn prepare_domain(domain: &str, unicode: &dyn Unicode) -> Result<Jid, BadOption> {
    Jid::from_parts(None, domain, None, unicode).map_err(|_| invalid("domain"))
}

/// The stream's language; none where the tag is empty.
pub(crate) fn prepare_language(lang: &mut Option<String>) -> Result<(), BadOption> {
    if lang.as_deref() == Some("") {
        *lang = None;
    }
    match lang {
        Some(tag) if !is_language_tag(tag) => Err(invalid("lang")),
        _ => Ok(()),
    }
}

/// An option that is not what its name says.
fn invalid(name: &'static str) -> BadOption {
    BadOption {
        name,
        is_illegal_text: false,
    }
}

/// An option with a character that XML cannot carry.
fn unsendable(name: &'static str) -> BadOption {
    BadOption {
        name,
        is_illegal_text: true,
    }
}

/// Whether a text has the shape of a language tag (RFC 5646 §2.1): subtags of 1 to 8 letters and digits, the first of
/// letters. Does not check whether the subtags are registered.
pub fn is_language_tag(tag: &str) -> bool {
    let fits = |(at, subtag): (usize, &str)| {
        (1..=8).contains(&subtag.len())
            && subtag.bytes().all(|byte| match at {
                0 => byte.is_ascii_alphabetic(),
                _ => byte.is_ascii_alphanumeric(),
            })
    };
    tag.len() <= TAG_BYTES && tag.split('-').enumerate().all(fits)
}
