//! The stanza handler registry: which handlers a stanza wakes.
//!
//! Handlers are grouped by *which* criteria they name, and in each group found by the values of those criteria. A stanza
//! costs one look-up per group in use and per value it can offer, whatever the number of handlers: what grows is only
//! the number of handlers that match.
//!
//! Namespaces are those of the stanza and of its direct children: what lies deeper was written by somebody else.

use super::jid::Jid;
use super::ns;
use super::unicode::Unicode;
use super::vec_map::VecMap;
use super::xml::Element;

/// Names a registered handler. Later handlers have greater names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandlerId(pub u32);

/// Which stanzas wake a handler. What is `None` or empty matches everything.
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
    fn group(&self) -> Group {
        Group(
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

    /// Does this matcher speak of particular requests, so that its handler is the one to answer them?
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

/// The type a stanza has when its attribute is left out (RFC 6121 §5.2.2: a message is `normal`); presence: `available`.
pub fn stanza_type(stanza: &Element) -> &str {
    stanza.attr("type").unwrap_or(match stanza.name() {
        "message" => "normal",
        "presence" => "available",
        _ => "",
    })
}

/// The criteria a matcher names, as a set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group(u8);

const NAME: u8 = 1;
const TYPE: u8 = 2;
const NS: u8 = 4;
const ID: u8 = 8;
const FROM_BARE: u8 = 16;
const FROM_FULL: u8 = 32;

const fn bit(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

/// The hash of a group and of the values in it. Two sets of values with one hash cost time and nothing else: what is
/// found is compared in full.
type Key = u64;

struct Entry<T> {
    matcher: Matcher,
    value: T,
}

/// Handlers by what they match, each with a value of the owner's (a callback).
pub struct HandlerRegistry<T> {
    entries: VecMap<HandlerId, Entry<T>>,
    /// Sorted, which finds as fast as a hash table does and is 2 KB of wasm smaller.
    index: Vec<(Key, HandlerId)>,
    /// The groups in use, with the number of handlers in each.
    groups: Vec<(Group, usize)>,
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
        self.entries.insert(id, Entry { matcher, value });
        id
    }

    /// Removes a handler; unknown ones are none of our business.
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

    /// Where an entry of the index stands, or would.
    fn place(&self, key: Key, id: HandlerId) -> usize {
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

    /// The value of a handler, while it is registered.
    pub fn get(&self, id: HandlerId) -> Option<&T> {
        self.entries.get(&id).map(|entry| &entry.value)
    }

    /// The matcher of a handler, while it is registered.
    pub fn matcher(&self, id: HandlerId) -> Option<&Matcher> {
        self.entries.get(&id).map(|entry| &entry.matcher)
    }

    /// How many handlers are registered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is none registered?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The handlers that `stanza` wakes, in the order they were registered.
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

    fn collect(&self, key: Key, stanza: &Element, from: Option<&Jid>, found: &mut Vec<HandlerId>) {
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

/// Few match as a rule, and most come in order: a whole sorting algorithm would cost more wasm than it saves time.
fn insert_in_order(found: &mut Vec<HandlerId>, id: HandlerId) {
    let at = found
        .iter()
        .rposition(|known| *known <= id)
        .map_or(0, |at| at + 1);
    if at == 0 || found.get(at - 1) != Some(&id) {
        found.insert(at, id);
    }
}

/// A stanza whose children have more namespaces than this is not looked at further: it was made to cost time.
const MOST_NAMESPACES: usize = 64;

/// The keys a matcher is filed under: one for each of its types.
fn keys_of(matcher: &Matcher) -> Vec<Key> {
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
    let mut keys: Vec<Key> = Vec::new();
    for kind in &matcher.types {
        let key = one(Some(kind));
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// The hash of what a stanza offers to a group, without the namespace, of which it may have several.
/// `None` when it lacks something that the group asks for.
fn offered(group: Group, stanza: &Element, from: Option<&Jid>) -> Option<u64> {
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

/// FNV-1a's offset, apart for each group.
fn start(group: Group) -> u64 {
    0xcbf2_9ce4_8422_2325 ^ (u64::from(group.0) << 56)
}

/// FNV-1a with an end mark: the keys are the page's own, so nobody gains by colliding them.
fn mix(mut hash: u64, text: &str) -> u64 {
    for byte in text.bytes().chain([0xff]) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash
}

/// Whether the element is a stanza (RFC 6120 §8).
pub fn is_stanza(element: &Element) -> bool {
    element.ns() == ns::CLIENT && is_stanza_name(element.name())
}

/// Whether stanzas are called that, in whatever namespace.
pub fn is_stanza_name(name: &str) -> bool {
    matches!(name, "message" | "presence" | "iq")
}
