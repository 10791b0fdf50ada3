//! XEP-0442: Pubsub Message Archive Management 0.2, on XEP-0313 1.1: fetches the publications after a given entry of a node's
//! archive. Preferred for catching up, since an archive is complete and reports removed entries.
//!
//! Specification: XEP-0442 0.2.0, XEP-0313 1.1.
//!
//! Left out: filters, preferences, flipped pages. Neither Prosody 0.12 nor ejabberd 23 keeps such an archive.

use super::arrival::{Arrival, Arrived, SentTime, arrivals_of};
use super::catch_up::MOST;
use crate::ns;
use crate::stanza::iq::{self, IqType};
use crate::xep::delay::Delay;
use crate::xep::pubsub::event;
use crate::xep::rsm::{Page, Range};
use crate::xml::Element;

/// The number of entries requested per page.
const PAGE: u32 = 100;

/// The maximal number of pages.
const PAGES: usize = 1_000;
/// The maximal number of pages without new entries.
const EMPTY: u32 = 4;
/// The approximate limit of result bytes held. Beyond it the query ends as [`PageResult::Endless`].
const BYTES: usize = 64 << 20;

/// What follows a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageResult {
    /// Another page, which [`Archive::request`] asks for.
    Next,
    /// The query is complete.
    Last,
    /// The archive has too many pages or gives no page end: the result is incomplete.
    Endless,
}

/// A running query.
#[derive(Debug)]
pub struct Archive {
    name: String,
    after: String,
    /// The results, in order.
    pub found: Vec<Arrival>,
    /// The archive id of the last result of this page.
    latest: Option<String>,
    /// The number of results when the page was requested.
    asked_at: usize,
    empty: u32,
    bytes: usize,
    /// The last ids of the pages.
    ends: Vec<String>,
}

impl Archive {
    /// Creates a query for the entries after this one. `feed` and `number` make its id unique in the session.
    pub fn new(feed: u32, number: u32, after: &str) -> Self {
        let name = format!("feed-{feed}-{number}");
        Self {
            name,
            after: after.into(),
            found: Vec::new(),
            latest: None,
            asked_at: 0,
            empty: 0,
            bytes: 0,
            ends: Vec::new(),
        }
    }

    /// The request for the next page (XEP-0442 §2, XEP-0313 §4.2).
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
        iq::request(IqType::Set, Some(service), query)
    }

    /// Handles one result. False if it belongs to another query. The caller checks the sender.
    pub fn handle_result(&mut self, result: &Element, service: &str, node: &str) -> bool {
        if result.attr("queryid") != Some(&self.name) {
            return false;
        }
        let forwarded = result.child("forwarded", ns::FORWARD);
        let message = forwarded
            .as_ref()
            .and_then(|forwarded| forwarded.child("message", ns::CLIENT));
        let id = result.attr("id");
        self.latest = id.map(Into::into).or(self.latest.take());
        let near = self.found.iter().rev().take(2 * PAGE as usize);
        let twice = |arrival: &Arrival| arrival.archived().map(String::as_str) == id;
        if self.found.len() >= MOST
            || self.bytes >= BYTES
            || id.is_some() && near.into_iter().any(twice)
        {
            return true;
        }
        if let Some(message) = message
            && let Some(event) = event::parse(&message)
            && event.node() == node
        {
            let stamp = forwarded.map(|forwarded| SentTime {
                time: Delay::of(&forwarded, service).map(|delay| delay.stamp),
                by_service: false,
            });
            let mut arrivals = arrivals_of(&event, stamp.unwrap_or_default(), id.map(Into::into));
            for arrival in &mut arrivals {
                if let Arrival::Item(Arrived { item, .. }) = arrival
                    && let Some(payload) = &item.payload
                {
                    let payload = payload.detach();
                    self.bytes += payload.held_bytes();
                    item.payload = Some(payload);
                }
            }
            self.found.append(&mut arrivals);
        }
        true
    }

    /// Handles the end of a page. Without `<fin/>` the service does not confirm that the result is complete. Without
    /// the id of the last result (§4.2 allows leaving out `<set/>` for an empty page) the received results decide.
    pub fn handle_end(&mut self, reply: &Element) -> PageResult {
        let Some(fin) = reply.child("fin", ns::MAM) else {
            return PageResult::Endless;
        };
        if matches!(fin.attr("complete"), Some("true" | "1")) {
            return if self.found.len() < MOST && self.bytes < BYTES {
                PageResult::Last
            } else {
                PageResult::Endless
            };
        }
        if self.found.len() == self.asked_at {
            self.empty += 1;
        }
        let last = Page::child_of(&fin).and_then(|page| page.last);
        let last = last.or(self.latest.take());
        match last {
            Some(last)
                if last != self.after
                    && !self.ends.contains(&last)
                    && self.ends.len() < PAGES
                    && self.empty <= EMPTY
                    && self.found.len() < MOST
                    && self.bytes < BYTES =>
            {
                self.ends.push(core::mem::replace(&mut self.after, last));
                self.asked_at = self.found.len();
                PageResult::Next
            }
            _ => PageResult::Endless,
        }
    }
}
