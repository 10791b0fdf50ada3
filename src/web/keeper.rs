//! Stores a session for the next page of the same tab: in the tab's storage, with a ticket that only
//! one page can redeem.
//!
//! While a page uses its session, nothing is stored: a stored session is stale after the next request. It is stored when the page
//! unloads, each time with a new ticket, and removed by the next page. A tab duplicated in between has a copy of
//! both; the ticket is redeemed once ([`super::lock`]).

use super::clock::unix_millis;
use super::entropy::Entropy;
use super::lock::redeem;
use super::storage::Storage;
use epode_proto::connection::Snapshot;
use epode_proto::random::token;
use std::cell::RefCell;
use std::rc::Rc;

/// The stored session of one connection in a tab.
pub struct Keeper {
    key: String,
    storage: Storage,
    /// The record that this page stored last, if it is still valid.
    stored: RefCell<Option<String>>,
}

impl Keeper {
    /// Creates a keeper with this name; `None` without storage.
    pub fn new(key: String) -> Option<Rc<Self>> {
        let storage = Storage::of_tab()?;
        Some(Rc::new(Self {
            key,
            storage,
            stored: RefCell::default(),
        }))
    }

    /// Whether an earlier page left a record.
    pub fn has_any(&self) -> bool {
        self.storage.has(&self.key)
    }

    /// Takes the earlier page's record, unless it is too old or redeemed by another page.
    pub async fn claim(self: Rc<Self>) -> Option<String> {
        let record = self.storage.take(&self.key)?;
        let (until, ticket, text) = read(&record)?;
        redeem(ticket, until).await.then(|| text.to_owned())
    }

    /// Stores the data that the next page needs. Returns false if there is nothing to store.
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

    /// Checks after the return of the page whether the session is still its own. False if another page took the record or a copy.
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

/// The expiry, ticket and text of a record; `None` if it is too old.
fn read(record: &str) -> Option<(u64, &str, &str)> {
    let (until, rest) = record.split_once(' ')?;
    let (ticket, text) = rest.split_once(' ')?;
    let until: u64 = until.parse().ok()?;
    let fresh = unix_millis() <= until;
    fresh.then_some((until, ticket, text))
}
