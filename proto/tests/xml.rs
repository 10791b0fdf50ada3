//! XML: what is read, what is refused, what is written.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod packed;
mod properties;
mod reading;
mod refusals;
mod work;
mod writing;

use epode_proto::xml::{Element, Limits, XmlError, parse};

/// Reads with the default limits.
fn try_read(xml: &str) -> Result<Element, XmlError> {
    parse(xml.as_bytes().to_vec(), &Limits::default())
}

/// Reads what has to be readable.
#[track_caller]
fn read(xml: &str) -> Element {
    match try_read(xml) {
        Ok(element) => element,
        Err(error) => panic!("{error}: {xml}"),
    }
}
