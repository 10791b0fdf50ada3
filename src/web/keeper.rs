//! Keeps what a connection hands over from one page to the next of the same tab: in the tab's storage, under a mark that only
//! one page owns.
//!
//! While a page has its session, nothing is stored: what would be is stale with the next request. It is stored when the page
//! goes, and taken out by the page that comes. A tab that was duplicated in between has a copy; it cannot get the mark.

use super::clock::unix_millis;
use super::entropy::Entropy;
use super::lock::Lock;
use super::storage::Storage;
use super::task::spawn;
use epode_proto::connection::Snapshot;
use epode_proto::random::token;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What a tab keeps of one connection.
pub struct Keeper {
    key: String,
    storage: Storage,
    /// The mark's name; as long as the page lives, whatever session it has.
    mark: RefCell<String>,
    lock: RefCell<Option<Lock>>,
    /// Something of ours is stored.
    stored: Cell<bool>,
}

impl Keeper {
    /// Keeps under that name; `None` where nothing can be kept.
    pub fn new(key: String) -> Option<Rc<Self>> {
        let storage = Storage::of_tab()?;
        Some(Rc::new(Self {
            key,
            storage,
            mark: RefCell::default(),
            lock: RefCell::default(),
            stored: Cell::new(false),
        }))
    }

    /// Has a page before this one left something?
    pub fn has_any(&self) -> bool {
        self.storage.has(&self.key)
    }

    /// What it left, if that is not too old and nobody else has it. The mark is ours from here on.
    pub async fn claim(self: Rc<Self>) -> Option<String> {
        let record = self.storage.take(&self.key);
        let claimed = match record.as_deref().and_then(read) {
            Some((mark, text)) => {
                let lock = Lock::acquire(mark).await;
                lock.map(|lock| (mark.to_owned(), text.to_owned(), lock))
            }
            None => None,
        };
        let Some((mark, text, lock)) = claimed else {
            self.own();
            return None;
        };
        self.mark.replace(mark);
        self.lock.replace(Some(lock));
        Some(text)
    }

    /// There is something to keep from now on: under a mark of its own, which nobody else knows.
    pub fn own(self: &Rc<Self>) {
        if !self.mark.borrow().is_empty() {
            return;
        }
        let mut mark = String::from("epode:");
        mark.push_str(&token(&mut Entropy, 20));
        self.mark.replace(mark);
        let keeper = Rc::clone(self);
        spawn(Box::pin(async move {
            keeper.lock_mark().await;
        }));
    }

    /// True when the mark is ours then.
    async fn lock_mark(&self) -> bool {
        let mark = self.mark.borrow().clone();
        let lock = Lock::acquire(&mark).await;
        let ours = lock.is_some();
        self.lock.replace(lock);
        ours
    }

    /// Stores what the next page needs, for whoever has the mark, which is nobody then. False when there is nothing to store.
    pub fn store(&self, snapshot: Option<&Snapshot>) -> bool {
        let Some(snapshot) = snapshot else {
            if self.stored.replace(false) {
                self.storage.take(&self.key);
            }
            return false;
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let until = (unix_millis() as u64).saturating_add(snapshot.lasts.0);
        let mut record = String::new();
        epode_proto::digits::push_number(&mut record, until);
        record.push(' ');
        record.push_str(&self.mark.borrow());
        record.push(' ');
        record.push_str(&snapshot.text);
        let stored = self.storage.keep(&self.key, &record);
        self.stored.set(stored);
        self.lock.replace(None);
        stored
    }

    /// The page is back and did not go: is the session still its own? False when another page took what it left, or its mark.
    pub async fn take_back(&self) -> bool {
        let stored = self.stored.replace(false);
        (!stored || self.storage.take(&self.key).is_some()) && self.lock_mark().await
    }
}

/// The mark and the text of a record, unless it is too old.
fn read(record: &str) -> Option<(&str, &str)> {
    let (until, rest) = record.split_once(' ')?;
    let (mark, text) = rest.split_once(' ')?;
    #[allow(clippy::cast_precision_loss)]
    let fresh = unix_millis() <= until.parse::<u64>().ok()? as f64;
    fresh.then_some((mark, text))
}
