//! Keeps what a connection hands over from one page to the next of the same tab: in the tab's storage, with a ticket that only
//! one page can redeem.
//!
//! While a page has its session, nothing is stored: what would be is stale with the next request. It is stored when the page
//! goes, each time with a new ticket, and taken out by the page that comes. A tab that was duplicated in between has a copy of
//! both; the ticket is redeemed once ([`super::lock`]).

use super::clock::unix_millis;
use super::entropy::Entropy;
use super::lock::redeem;
use super::storage::Storage;
use epode_proto::connection::Snapshot;
use epode_proto::random::token;
use std::cell::RefCell;
use std::rc::Rc;

/// What a tab keeps of one connection.
pub struct Keeper {
    key: String,
    storage: Storage,
    /// What this page has stored last, if that is still there.
    stored: RefCell<Option<String>>,
}

impl Keeper {
    /// Keeps under that name; `None` where nothing can be kept.
    pub fn new(key: String) -> Option<Rc<Self>> {
        let storage = Storage::of_tab()?;
        Some(Rc::new(Self {
            key,
            storage,
            stored: RefCell::default(),
        }))
    }

    /// Has a page before this one left something?
    pub fn has_any(&self) -> bool {
        self.storage.has(&self.key)
    }

    /// What it left, if that is not too old and no other page has redeemed it.
    pub async fn claim(self: Rc<Self>) -> Option<String> {
        let record = self.storage.take(&self.key)?;
        let (until, ticket, text) = read(&record)?;
        redeem(ticket, until).await.then(|| text.to_owned())
    }

    /// Stores what the next page needs. False when there is nothing to store.
    pub fn store(&self, snapshot: Option<&Snapshot>) -> bool {
        let Some(snapshot) = snapshot else {
            if self.stored.take().is_some() {
                self.storage.take(&self.key);
            }
            return false;
        };
        let until = unix_millis().saturating_add(snapshot.lasts.0);
        let ticket = token(&mut Entropy, 20);
        let record = format!("{until} {ticket} {}", snapshot.text);
        let stored = self.storage.keep(&self.key, &record);
        self.stored.replace(stored.then_some(record));
        stored
    }

    /// The page is back and did not go: is the session still its own? False when another page took what it left, or a copy of it.
    pub async fn take_back(&self) -> bool {
        let Some(record) = self.stored.take() else {
            return true;
        };
        let ours = self
            .storage
            .take(&self.key)
            .is_some_and(|kept| kept == record);
        match read(&record) {
            Some((until, ticket, _)) if ours => redeem(ticket, until).await,
            _ => false,
        }
    }
}

/// Until when a record holds, its ticket and its text, unless it is too old.
fn read(record: &str) -> Option<(u64, &str, &str)> {
    let (until, rest) = record.split_once(' ')?;
    let (ticket, text) = rest.split_once(' ')?;
    let until: u64 = until.parse().ok()?;
    let fresh = unix_millis() <= until;
    fresh.then_some((until, ticket, text))
}
