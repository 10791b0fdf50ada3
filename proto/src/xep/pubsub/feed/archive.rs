//! XEP-0442: Pubsub Message Archive Management 0.2, on XEP-0313 1.1: what was published to a node after a given entry of its
//! archive. The best way of catching up, since an archive forgets nothing that was published and says when it has.
//!
//! Specification: XEP-0442 0.2.0, XEP-0313 1.1.
//!
//! Left out: filters, preferences, flipped pages. Neither Prosody 0.12 nor ejabberd 23 keeps such an archive.

use super::arrival::{Arrival, arrivals_of};
use crate::digits::push_number;
use crate::ns;
use crate::stanza::iq::{self, Kind};
use crate::xep::delay::Delay;
use crate::xep::pubsub::event;
use crate::xep::rsm::{Page, Range};
use crate::xml::Element;

/// How many entries are asked for at once.
const PAGE: u32 = 100;

/// A query that is under way.
#[derive(Debug)]
pub struct Archive {
    name: String,
    after: String,
    /// What came, in order.
    pub found: Vec<Arrival>,
}

impl Archive {
    /// What came after this entry. `feed` and `number` make its name unique in the session.
    pub fn new(feed: u32, number: u32, after: &str) -> Self {
        let mut name = String::from("feed-");
        push_number(&mut name, feed.into());
        name.push('-');
        push_number(&mut name, number.into());
        Self {
            name,
            after: after.into(),
            found: Vec::new(),
        }
    }

    /// The next page (XEP-0442 §2, XEP-0313 §4.2).
    pub fn request(&self, service: &str, node: &str) -> Element {
        let range = Range {
            max: Some(PAGE),
            after: Some(self.after.clone()),
            ..Range::default()
        };
        let query = Element::builder("query", ns::MAM)
            .attr("queryid", &self.name)
            .attr("node", node)
            .child(range.to_element())
            .build();
        iq::request(Kind::Set, Some(service), query)
    }

    /// One entry. False when it belongs to another query. Who sent it is the caller's to check.
    pub fn handle_result(&mut self, result: &Element, service: &str, node: &str) -> bool {
        if result.attr("queryid") != Some(&self.name) {
            return false;
        }
        let forwarded = result.child("forwarded", ns::FORWARD);
        let message = forwarded
            .as_ref()
            .and_then(|forwarded| forwarded.child("message", ns::CLIENT));
        if let Some(message) = message
            && let Some(event) = event::parse(&message)
            && event.node() == node
        {
            let time = forwarded.and_then(|forwarded| Delay::of(&forwarded, service));
            let archived = result.attr("id").map(Into::into);
            self.found.append(&mut arrivals_of(
                &event,
                time.map(|time| time.stamp),
                archived,
            ));
        }
        true
    }

    /// The end of a page: true when it was the last one.
    pub fn handle_end(&mut self, reply: &Element) -> bool {
        let Some(fin) = reply.child("fin", ns::MAM) else {
            return true;
        };
        let last = Page::child_of(&fin).and_then(|page| page.last);
        match last {
            Some(last) if fin.attr("complete") != Some("true") && last != self.after => {
                self.after = last;
                false
            }
            _ => true,
        }
    }
}
