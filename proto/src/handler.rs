//! The registry of stanza handlers: finds the handlers that match a stanza.
//!
//! Handlers are grouped by *which* criteria they name and indexed by the values of those criteria. A stanza
//! costs one look-up per group in use and per value of the stanza, independent of the number of handlers; only
//! the number of matching handlers adds cost.
//!
//! Namespaces are those of the stanza and of its direct children. Deeper elements may be forwarded from another sender.

use super::jid::Jid;
use super::ns;
use super::unicode::Unicode;
use super::vec_map::VecMap;
use super::xml::Element;

/// The id of a registered handler. Ids increase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandlerId(pub u32);

/// The criteria of a handler. A field that is `None` or empty matches every stanza.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matcher {
    /// `message`, `presence` or `iq`.
    pub name: Option<String>,
    /// One of these types; see [`stanza_type`] for stanzas without one.
    pub types: Vec<String>,
    /// A namespace of the stanza or of one of its direct children.
    pub ns: Option<String>,
    /// The `id` attribute.
    pub id: Option<String>,
    /// The sender: a bare JID matches all its resources, a full one only itself.
    pub from: Option<Jid>,
}

impl Matcher {
    fn group(&self) -> CriteriaSet {
        CriteriaSet(
            bit(self.name.is_some(), NAME)
                | bit(!self.types.is_empty(), TYPE)
                | bit(self.ns.is_some(), NS)
                | bit(self.id.is_some(), ID)
                | match &self.from {
                    None => 0,
                    Some(from) if from.is_bare() => FROM_BARE,
                    Some(_) => FROM_FULL,
                },
        )
    }

    /// Whether this matcher selects particular requests, so that its handler is responsible for answering them.
    pub fn answers_requests(&self) -> bool {
        self.ns.is_some()
            || self.id.is_some()
            || self.name.as_deref() == Some("iq") && !self.types.is_empty()
    }

    fn fits(&self, stanza: &Element, from: Option<&Jid>) -> bool {
        self.name
            .as_deref()
            .is_none_or(|name| name == stanza.name())
            && (self.types.is_empty() || self.types.iter().any(|kind| kind == stanza_type(stanza)))
            && self
                .id
                .as_deref()
                .is_none_or(|id| stanza.attr("id") == Some(id))
            && self.ns.as_deref().is_none_or(|ns| {
                stanza.ns() == ns || stanza.children().any(|child| child.ns() == ns)
            })
            && self.from.as_ref().is_none_or(|wanted| {
                from.is_some_and(|from| {
                    if wanted.is_bare() {
                        wanted.same_bare(from)
                    } else {
                        wanted == from
                    }
                })
            })
    }
}

/// The type of a stanza; the default if the attribute is absent (RFC 6121 §5.2.2: a message is `normal`); presence: `available`.
pub fn stanza_type(stanza: &Element) -> &str {
    stanza.attr("type").unwrap_or(match stanza.name() {
        "message" => "normal",
        "presence" => "available",
        _ => "",
    })
}

/// The criteria a matcher names, as a set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct CriteriaSet(u8);

const NAME: u8 = 1;
const TYPE: u8 = 2;
const NS: u8 = 4;
const ID: u8 = 8;
const FROM_BARE: u8 = 16;
const FROM_FULL: u8 = 32;

const fn bit(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

/// The hash of a group and its values. A collision costs time only: each candidate is
/// compared in full.
type CriteriaHash = u64;

struct RegisteredHandler<T> {
    matcher: Matcher,
    value: T,
}

/// Handlers with their matchers, each with a value of the owner (a callback).
pub struct HandlerRegistry<T> {
    entries: VecMap<HandlerId, RegisteredHandler<T>>,
    /// Sorted: a search is as fast as in a hash table, and the wasm is 2 KB smaller.
    index: Vec<(CriteriaHash, HandlerId)>,
    /// The groups in use, with the number of handlers in each.
    groups: Vec<(CriteriaSet, usize)>,
    next: u32,
}

impl<T> Default for HandlerRegistry<T> {
    fn default() -> Self {
        Self {
            entries: VecMap::default(),
            index: Vec::new(),
            groups: Vec::new(),
            next: 0,
        }
    }
}

impl<T> HandlerRegistry<T> {
    /// Registers a handler.
    pub fn add(&mut self, matcher: Matcher, value: T) -> HandlerId {
        let id = HandlerId(self.next);
        self.next = self.next.wrapping_add(1);
        let group = matcher.group();
        for key in keys_of(&matcher) {
            self.index.insert(self.place(key, id), (key, id));
        }
        match self.groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, count)) => *count += 1,
            None => self.groups.push((group, 1)),
        }
        self.entries
            .insert(id, RegisteredHandler { matcher, value });
        id
    }

    /// Removes a handler. Returns its value; `None` if the id is unknown.
    pub fn remove(&mut self, id: HandlerId) -> Option<T> {
        let entry = self.entries.remove(&id)?;
        for key in keys_of(&entry.matcher) {
            let place = self.place(key, id);
            if self.index.get(place) == Some(&(key, id)) {
                self.index.remove(place);
            }
        }
        let group = entry.matcher.group();
        if let Some(position) = self.groups.iter().position(|(known, _)| *known == group)
            && let Some((_, count)) = self.groups.get_mut(position)
        {
            *count -= 1;
            if *count == 0 {
                self.groups.swap_remove(position);
            }
        }
        Some(entry.value)
    }

    /// The position of an index entry, or where it would be inserted.
    fn place(&self, key: CriteriaHash, id: HandlerId) -> usize {
        let (mut low, mut high) = (0, self.index.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.index.get(middle).is_some_and(|at| *at < (key, id)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The value of a registered handler.
    pub fn get(&self, id: HandlerId) -> Option<&T> {
        self.entries.get(&id).map(|entry| &entry.value)
    }

    /// The matcher of a registered handler.
    pub fn matcher(&self, id: HandlerId) -> Option<&Matcher> {
        self.entries.get(&id).map(|entry| &entry.matcher)
    }

    /// The number of registered handlers.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no handler is registered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The handlers that match `stanza`, in the order of registration.
    pub fn matching(&self, stanza: &Element, unicode: &dyn Unicode) -> Vec<HandlerId> {
        let mut found = Vec::new();
        if self.entries.is_empty() {
            return found;
        }
        let asks_sender = self
            .groups
            .iter()
            .any(|(group, _)| group.0 & (FROM_BARE | FROM_FULL) != 0);
        let from = if asks_sender {
            stanza
                .attr("from")
                .and_then(|from| Jid::parse(from, unicode).ok())
        } else {
            None
        };
        for (group, _) in &self.groups {
            let Some(partial) = offered(*group, stanza, from.as_ref()) else {
                continue;
            };
            if group.0 & NS == 0 {
                self.collect(partial, stanza, from.as_ref(), &mut found);
                continue;
            }
            self.collect(mix(partial, stanza.ns()), stanza, from.as_ref(), &mut found);
            let mut seen: Vec<u64> = Vec::new();
            for child in stanza.children() {
                let hash = mix(partial, child.ns());
                if child.ns() != stanza.ns()
                    && !seen.contains(&hash)
                    && seen.len() < MOST_NAMESPACES
                {
                    seen.push(hash);
                    self.collect(hash, stanza, from.as_ref(), &mut found);
                }
            }
        }
        found
    }

    fn collect(
        &self,
        key: CriteriaHash,
        stanza: &Element,
        from: Option<&Jid>,
        found: &mut Vec<HandlerId>,
    ) {
        let first = self.place(key, HandlerId(0));
        for (known, id) in self.index.iter().skip(first) {
            if *known != key {
                break;
            }
            if self
                .entries
                .get(id)
                .is_some_and(|entry| entry.matcher.fits(stanza, from))
            {
                insert_in_order(found, *id);
            }
        }
    }
}

/// Insertion sort: few handlers match, mostly in order, and a general sort would add more wasm than it saves time.
fn insert_in_order(found: &mut Vec<HandlerId>, id: HandlerId) {
    let at = found
        .iter()
        .rposition(|known| *known <= id)
        .map_or(0, |at| at + 1);
    if at == 0 || found.get(at - 1) != Some(&id) {
        found.insert(at, id);
    }
}

/// The largest number of namespaces of child elements that are looked up: a limit on the work that one stanza can
/// cause.
const MOST_NAMESPACES: usize = 64;

/// The index keys of a matcher: one for each of its types.
fn keys_of(matcher: &Matcher) -> Vec<CriteriaHash> {
    let group = matcher.group();
    let one = |kind: Option<&str>| {
        let mut hash = start(group);
        for value in [matcher.name.as_deref(), kind, matcher.id.as_deref()]
            .into_iter()
            .flatten()
        {
            hash = mix(hash, value);
        }
        if let Some(from) = &matcher.from {
            hash = mix(hash, from.as_str());
        }
        if let Some(ns) = &matcher.ns {
            hash = mix(hash, ns);
        }
        hash
    };
    if matcher.types.is_empty() {
        return vec![one(None)];
    }
    let mut keys: Vec<CriteriaHash> = Vec::new();
    for kind in &matcher.types {
        let key = one(Some(kind));
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// The hash of a stanza's values for a group, without the namespace, of which a stanza may have several.
/// `None` if the stanza lacks a value that the group needs.
fn offered(group: CriteriaSet, stanza: &Element, from: Option<&Jid>) -> Option<u64> {
    let mut hash = start(group);
    if group.0 & NAME != 0 {
        hash = mix(hash, stanza.name());
    }
    if group.0 & TYPE != 0 {
        hash = mix(hash, stanza_type(stanza));
    }
    if group.0 & ID != 0 {
        hash = mix(hash, stanza.attr("id")?);
    }
    if group.0 & FROM_FULL != 0 {
        hash = mix(hash, from?.as_str());
    }
    if group.0 & FROM_BARE != 0 {
        let from = from?;
        hash = mix(hash, from.bare_str());
    }
    Some(hash)
}

/// The FNV-1a offset, different for each group.
fn start(group: CriteriaSet) -> u64 {
    0xcbf2_9ce4_8422_2325 ^ (u64::from(group.0) << 56)
}

/// FNV-1a with an end mark. The keys are the caller's, so resistance against chosen collisions is not needed.
fn mix(mut hash: u64, text: &str) -> u64 {
    for byte in text.as_bytes() {
        hash = mix_byte(hash, *byte);
    }
    mix_byte(hash, 0xff)
}

fn mix_byte(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

/// Whether the element is a stanza (RFC 6120 §8).
pub fn is_stanza(element: &Element) -> bool {
    element.ns() == ns::CLIENT && is_stanza_name(element.name())
}

/// Whether the name is that of a stanza, in any namespace.
pub fn is_stanza_name(name: &str) -> bool {
    matches!(name, "message" | "presence" | "iq")
}
