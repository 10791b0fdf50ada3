//! The position of a feed as a text that a page can store.
//!
//! `2.FLAGS.LAST.ARCHIVED.DIGESTS`, each part Base64: version, feed hash and service traits; the id of the last
//! item; its id in the node's archive; the digests of the known publications, eight bytes each. The first part is the version: it
//! changes whenever [`Digest`]s are computed in another way. The digests of another version cannot be compared, so that a feed continues
//! with a gap.

use super::known::KnownItems;
use super::{Order, Traits};
use crate::sasl::base64;
use crate::xep::pubsub::digest::{Digest, hash_id};

/// The version that is written.
const VERSION: &str = "2";

/// The position of a feed.
#[derive(Clone, Debug, Default)]
pub struct Position {
    /// Written by another version: earlier publications cannot be recognised, and `known` is empty.
    pub outdated: bool,
    /// The last item's id.
    pub last: Option<String>,
    /// The id of the last item in the node's archive (XEP-0442), if there is one.
    pub archived: Option<String>,
    /// The known publications.
    pub known: KnownItems,
    /// The known traits of the service.
    pub traits: Traits,
}

impl Position {
    /// As text, for this node of this service. `limit`: how many publications at most.
    pub fn write(&self, service: &str, node: &str, limit: usize) -> String {
        let mut flags = address(service, node).to_be_bytes().to_vec();
        flags.push(match self.traits.order {
            Order::Unknown => 0,
            Order::Publication => 1,
            Order::Creation => 2,
        });
        flags.push(self.traits.archive.into());
        let digests = self.known.digests();
        let excess = digests.len().saturating_sub(limit);
        flags.push((self.known.is_complete() && excess == 0).into());
        let mut known = Vec::new();
        for digest in digests.iter().skip(excess) {
            known.extend_from_slice(&digest.id.to_be_bytes());
            known.extend_from_slice(&digest.revision.to_be_bytes());
        }
        let mut text = String::from(VERSION);
        let last = self.last.as_deref().unwrap_or_default().as_bytes();
        let archived = self.archived.as_deref().unwrap_or_default().as_bytes();
        for part in [&flags, last, archived, &known] {
            text.push('.');
            text.push_str(&base64::encode(part));
        }
        text
    }

    /// Parses a position; `None` if it is invalid or of another feed. One of another version is [`Position::outdated`].
    pub fn read(text: &str, service: &str, node: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let version = parts.next()?;
        if !is_version(version) {
            return None;
        }
        let flags = base64::decode(parts.next()?)?;
        let last = base64::decode(parts.next()?)?;
        let archived = base64::decode(parts.next()?)?;
        let known = base64::decode(parts.next()?)?;
        let (of, flags) = flags.split_first_chunk::<4>()?;
        let [order, archive, complete] = *flags else {
            return None;
        };
        if parts.next().is_some()
            || !known.len().is_multiple_of(8)
            || u32::from_be_bytes(*of) != address(service, node)
        {
            return None;
        }
        let mut digests = Vec::new();
        let mut rest = known.as_slice();
        while let Some((id, after)) = rest.split_first_chunk::<4>() {
            let (revision, after) = after.split_first_chunk::<4>()?;
            digests.push(Digest {
                id: u32::from_be_bytes(*id),
                revision: u32::from_be_bytes(*revision),
            });
            rest = after;
        }
        if version != VERSION {
            return Some(Self {
                outdated: true,
                last: word(last)?,
                ..Self::default()
            });
        }
        Some(Self {
            outdated: false,
            last: word(last)?,
            archived: word(archived)?,
            known: KnownItems::restore(digests, complete == 1),
            traits: Traits {
                order: match order {
                    1 => Order::Publication,
                    2 => Order::Creation,
                    _ => Order::Unknown,
                },
                archive: archive == 1,
            },
        })
    }
}

/// A number without leading zeros, of up to four digits.
fn is_version(text: &str) -> bool {
    (1..=4).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.starts_with('0')
}

/// The hash of the feed: a position of another feed would cause gaps.
fn address(service: &str, node: &str) -> u32 {
    let mut address = String::from(service);
    address.push('\n');
    address.push_str(node);
    hash_id(&address)
}

/// A part that may be absent.
#[allow(clippy::option_option)]
fn word(bytes: Vec<u8>) -> Option<Option<String>> {
    let text = String::from_utf8(bytes).ok()?;
    Some((!text.is_empty()).then_some(text))
}
