//! A publish-subscribe service with one node, as different services are: in what it lists and how, in what it keeps.

use crate::simulation::dice::Dice;
use epode_proto::ns;
use epode_proto::xml::{Element, Limits, parse};

pub const SERVICE: &str = "pubsub.localhost";
pub const NODE: &str = "live";
const ME: &str = "me@localhost";

/// What one kind of service does.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Lists (and drops) by the time of creation, as ejabberd does; else by that of publication, as Prosody.
    pub by_creation: bool,
    /// Has pages, and tells by them when it was asked for the newest.
    pub pages: bool,
    /// Lists ids with the newest first.
    pub newest_first: bool,
    /// How many items the node keeps.
    pub keeps: usize,
    /// How many it lists at most.
    pub lists: usize,
    /// Answers no request for items but by id.
    pub only_ids: bool,
    /// Answers no request for items at all.
    pub mute: bool,
    /// Sends the last item to whoever subscribes.
    pub last_item: bool,
    /// Tells of items without what they hold.
    pub bare: bool,
    /// Keeps an archive of so many publications; 0: none.
    pub archives: usize,
    /// Subscriptions outlive a restart.
    pub remembers: bool,
    /// Writes the attributes of a payload in another order, and with a prefix, in every other answer.
    pub respells: bool,
    /// Lists items without what they hold; that is told by id only.
    pub lists_bare: bool,
    /// The last item has a stamp.
    pub stamps: bool,
    /// How often what was sent is sent once more, per thousand publications.
    pub doubles: u64,
    /// The archive does not say that it has come to its end.
    pub endless: bool,
    /// Each subscription has an id.
    pub subids: bool,
    /// Time it takes to handle one stanza. What is for the client waits meanwhile, behind it.
    pub slow: u64,
}

impl Kind {
    pub fn of(dice: &mut Dice) -> Self {
        let by_creation = dice.chance(400);
        let pages = by_creation || dice.chance(300);
        let bare = dice.chance(150);
        let slow = dice.pick(&[0, 0, 3, 20]);
        Self {
            by_creation,
            pages,
            newest_first: dice.chance(500),
            keeps: dice.pick(&[1, 3, 10, 10, 100_000, 100_000, 100_000]),
            lists: if pages {
                dice.pick(&[7, 50, 100_000])
            } else {
                100_000
            },
            only_ids: dice.chance(60),
            mute: dice.chance(40),
            last_item: dice.chance(300),
            bare,
            archives: if !bare && dice.chance(120) {
                dice.pick(&[20, 100_000])
            } else {
                0
            },
            remembers: dice.chance(700),
            slow,
            respells: dice.chance(300),
            lists_bare: dice.chance(150),
            // Prosody does not, and has no queue that it could overtake.
            stamps: slow > 0 || dice.chance(500),
            doubles: dice.pick(&[0, 0, 30]),
            endless: dice.chance(300),
            subids: dice.chance(300),
        }
    }
}

impl Kind {
    /// Does it list items as they were published, and at one moment?
    pub fn is_by_publication(&self) -> bool {
        !self.by_creation && !self.only_ids && !self.pages && !self.lists_bare
    }
}

#[derive(Clone, Debug)]
pub struct Stored {
    pub id: String,
    pub content: u64,
    created: u64,
    published: u64,
}

#[derive(Clone, Debug)]
enum Entry {
    Item { id: String, content: u64 },
    Retract { id: String },
    Purge,
}

/// What is on its way to the client's session, or from it.
enum Mail {
    Out(String),
    In(Element),
}

pub struct Service {
    pub kind: Kind,
    pub exists: bool,
    pub subscribed: bool,
    pub online: bool,
    pub items: Vec<Stored>,
    /// Publications, numbered from 1.
    pub count: u64,
    archive: Vec<(u64, Entry)>,
    names: u64,
    mail: Vec<(u64, Mail)>,
    busy: u64,
    /// What was sent last, with the publication that it told: its item, and what that held.
    sent: Vec<(String, Option<(String, u64)>)>,
    spelling: bool,
    subids: u64,
    /// What the client is told when it asks what this is.
    pub tells: bool,
}

fn event(inner: &str, more: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{SERVICE}' to='{ME}'><event xmlns='{}'>{inner}</event>{more}</message>",
        ns::PUBSUB_EVENT
    )
}

fn payload(content: u64, other: bool) -> String {
    if other {
        return format!(
            "<q:row m=\"0\" n=\"{content}\" xmlns:q='urn:rows'>content {content}</q:row>"
        );
    }
    format!("<row xmlns='urn:rows' n='{content}' m='0'>content {content}</row>")
}

/// When an item came to be, as ejabberd names pages.
fn stamp(created: u64) -> String {
    format!(
        "2026-01-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        1 + created / 86_400_000 % 28,
        created / 3_600_000 % 24,
        created / 60_000 % 60,
        created / 1000 % 60,
        created % 1000
    )
}

impl Service {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            exists: true,
            subscribed: false,
            online: false,
            items: Vec::new(),
            count: 0,
            archive: Vec::new(),
            names: 0,
            mail: Vec::new(),
            busy: 0,
            sent: Vec::new(),
            spelling: false,
            subids: 0,
            tells: false,
        }
    }

    fn push(&mut self, now: u64, text: String) {
        if self.online {
            self.mail.push((now, Mail::Out(text)));
        }
    }

    pub fn receive(&mut self, now: u64, iq: Element) {
        self.mail.push((now, Mail::In(iq)));
    }

    pub fn is_busy(&self) -> bool {
        !self.mail.is_empty()
    }

    pub fn cut(&mut self) {
        self.online = false;
        self.mail.clear();
        self.sent.clear();
    }

    /// What leaves for the client until now.
    pub fn run(&mut self, now: u64) -> Vec<String> {
        let mut out = Vec::new();
        while !self.mail.is_empty() && self.busy.max(self.mail[0].0) <= now {
            let (since, mail) = self.mail.remove(0);
            self.busy = self.busy.max(since);
            match mail {
                Mail::Out(text) => out.push(text),
                Mail::In(iq) => {
                    self.busy += self.kind.slow;
                    out.push(self.answer(&iq));
                    if self.kind.last_item
                        && iq
                            .child("pubsub", ns::PUBSUB)
                            .is_some_and(|pubsub| pubsub.has_child("subscribe", ns::PUBSUB))
                        && let Some(last) = self.items.iter().max_by_key(|item| item.published)
                    {
                        let delay = match self.kind.stamps {
                            true => "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>",
                            false => "",
                        };
                        out.push(event(&self.items_event(&last.id, last.content), delay));
                    }
                }
            }
        }
        out
    }

    fn items_event(&self, id: &str, content: u64) -> String {
        let inside = if self.kind.bare {
            String::new()
        } else {
            payload(content, self.spelling)
        };
        format!("<items node='{NODE}'><item id='{id}'>{inside}</item></items>")
    }

    fn tell(&mut self, now: u64, inner: &str, told: Option<(String, u64)>) {
        let mark = match self.kind.archives {
            0 => String::new(),
            _ => format!(
                "<stanza-id xmlns='urn:xmpp:sid:0' by='{SERVICE}' id='a{}'/>",
                self.archive.last().map_or(0, |(name, _)| *name)
            ),
        };
        if self.subscribed && self.online {
            let text = event(inner, &mark);
            self.push(now, text.clone());
            self.sent.push((text, told));
        }
    }

    fn note(&mut self, entry: Entry) {
        // A node that comes again has other names.
        self.names += 1;
        self.archive.push((self.names, entry));
        // One that is empty would name its entries anew.
        while self.archive.len() > self.kind.archives.max(1) {
            self.archive.remove(0);
        }
    }

    /// Publishes; `content` of a publication that was there is a row that was saved unchanged. True when it was new.
    pub fn publish(&mut self, now: u64, id: &str, content: u64) {
        self.exists = true;
        self.count += 1;
        let count = self.count;
        match self.items.iter_mut().find(|item| item.id == id) {
            Some(item) => {
                item.content = content;
                item.published = count;
            }
            None => {
                let item = Stored {
                    id: id.into(),
                    content,
                    created: count,
                    published: count,
                };
                self.items.push(item);
            }
        }
        self.sort();
        let excess = self.items.len().saturating_sub(self.kind.keeps);
        self.items.drain(..excess);
        self.note(Entry::Item {
            id: id.into(),
            content,
        });
        let inner = self.items_event(id, content);
        self.tell(now, &inner, Some((id.into(), content)));
    }

    /// Another session of the account did not take what was sent last: it comes here once more. Only as far back as each is
    /// what its item holds still: what has changed since looks like a publication. How many came.
    pub fn double(&mut self, now: u64) -> usize {
        let mut ids = Vec::new();
        let mut from = self.sent.len();
        for (_, told) in self.sent.iter().rev().take(10) {
            let Some((id, content)) = told else { break };
            let current = |item: &&Stored| item.id == *id && item.content == *content;
            if ids.contains(id) || !self.items.iter().any(|item| current(&item)) {
                break;
            }
            ids.push(id.clone());
            from -= 1;
        }
        let again: Vec<_> = self.sent[from..]
            .iter()
            .map(|(text, _)| text.clone())
            .collect();
        let count = again.len();
        for text in again {
            self.push(now, text);
        }
        count
    }

    /// Another attempt begins: a copy of what was sent to the one before would be news to it.
    pub fn begin_attempt(&mut self) {
        self.sent.clear();
    }

    fn sort(&mut self) {
        let by_creation = self.kind.by_creation;
        self.items.sort_by_key(|item| {
            if by_creation {
                item.created
            } else {
                item.published
            }
        });
    }

    pub fn retract(&mut self, now: u64, id: &str) {
        self.items.retain(|item| item.id != id);
        self.note(Entry::Retract { id: id.into() });
        self.tell(
            now,
            &format!("<items node='{NODE}'><retract id='{id}'/></items>"),
            None,
        );
    }

    pub fn purge(&mut self, now: u64) {
        self.items.clear();
        self.note(Entry::Purge);
        self.tell(now, &format!("<purge node='{NODE}'/>"), None);
    }

    /// A restart of a service that keeps nothing.
    pub fn forget_node(&mut self) {
        self.exists = false;
        self.subscribed = false;
        self.items.clear();
        self.archive.clear();
        self.sent.clear();
    }

    fn answer(&mut self, iq: &Element) -> String {
        let id = iq.attr("id").expect("an id");
        let result = |inner: &str| {
            format!(
                "<iq xmlns='jabber:client' type='result' id='{id}' from='{SERVICE}'>{inner}</iq>"
            )
        };
        let error = |kind: &str, condition: &str| {
            format!(
                "<iq xmlns='jabber:client' type='error' id='{id}' from='{SERVICE}'><error type='{kind}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
            )
        };
        self.spelling = self.kind.respells && !self.spelling;
        if iq.has_child("query", ns::DISCO_INFO) {
            let like_prosody = !self.kind.by_creation
                && !self.kind.pages
                && self.kind.slow == 0
                && self.kind.newest_first;
            let name = match like_prosody {
                true => "Prosody PubSub Service",
                false => "another",
            };
            let archive = match self.kind.archives {
                0 => "",
                _ => "<feature var='urn:xmpp:mam:2'/>",
            };
            return match self.tells {
                true => result(&format!(
                    "<query xmlns='{}'><identity category='pubsub' type='service' name='{name}'/>{archive}</query>",
                    ns::DISCO_INFO
                )),
                false => error("cancel", "service-unavailable"),
            };
        }
        if iq.has_child("ping", ns::PING) {
            return error("cancel", "service-unavailable");
        }
        if !self.exists {
            return error("cancel", "item-not-found");
        }
        if let Some(query) = iq.child("query", ns::DISCO_ITEMS) {
            assert_eq!(query.attr("node"), Some(NODE));
            let mut ids: Vec<_> = self.items.iter().map(|item| item.id.clone()).collect();
            if self.kind.newest_first {
                ids.reverse();
            }
            let list: String = ids
                .iter()
                .map(|id| format!("<item jid='{SERVICE}' name='{id}'/>"))
                .collect();
            return result(&format!(
                "<query xmlns='{}' node='{NODE}'>{list}</query>",
                ns::DISCO_ITEMS
            ));
        }
        if let Some(query) = iq.child("query", ns::MAM) {
            return self.answer_archive(&query, &result, &error);
        }
        let pubsub = iq.child("pubsub", ns::PUBSUB).expect("a request of pubsub");
        if pubsub.has_child("subscribe", ns::PUBSUB) {
            if !self.subscribed {
                self.subids += 1;
            }
            self.subscribed = true;
            let subid = match self.kind.subids {
                true => format!("subid='s{}'", self.subids),
                false => String::new(),
            };
            return result(&format!(
                "<pubsub xmlns='{}'><subscription node='{NODE}' jid='{ME}' {subid} subscription='subscribed'/></pubsub>",
                ns::PUBSUB
            ));
        }
        if let Some(unsubscribe) = pubsub.child("unsubscribe", ns::PUBSUB) {
            let own = format!("s{}", self.subids);
            if self.kind.subids && unsubscribe.attr("subid").is_some_and(|subid| subid != own) {
                return error("cancel", "unexpected-request");
            }
            self.subscribed = false;
            return result("");
        }
        let items = pubsub.child("items", ns::PUBSUB).expect("items");
        if self.kind.mute {
            return error("cancel", "feature-not-implemented");
        }
        let spelling = self.spelling;
        let list = |items: &[Stored], bare: bool| -> String {
            let item = |item: &Stored| match bare {
                true => format!("<item id='{}'/>", item.id),
                false => {
                    let payload = payload(item.content, spelling);
                    format!("<item id='{}'>{payload}</item>", item.id)
                }
            };
            items.iter().map(item).collect()
        };
        let wanted: Vec<String> = items
            .children()
            .map(|item| item.attr("id").expect("an id").into())
            .collect();
        if !wanted.is_empty() {
            // In the order of the list, not of the question.
            let found: Vec<_> = self
                .items
                .iter()
                .filter(|item| wanted.contains(&item.id))
                .cloned()
                .collect();
            return result(&format!(
                "<pubsub xmlns='{}'><items node='{NODE}'>{}</items></pubsub>",
                ns::PUBSUB,
                list(&found, false)
            ));
        }
        if self.kind.only_ids {
            return error("modify", "bad-request");
        }
        let set = pubsub.child("set", ns::RSM);
        let number =
            |text: Option<String>| text.map(|text| text.parse::<usize>().expect("a number"));
        let (asked, before) = match &set {
            Some(set) if self.kind.pages => (
                number(set.child_text("max", ns::RSM)),
                set.child_text("before", ns::RSM),
            ),
            _ => (
                number(items.attr("max_items").map(Into::into)),
                Some(String::new()),
            ),
        };
        let asked = asked.unwrap_or(usize::MAX).min(self.kind.lists);
        let end = match before.as_deref() {
            Some("") | None => self.items.len(),
            // Times can be compared, names can be gone.
            Some(name) if self.kind.by_creation => self
                .items
                .iter()
                .filter(|item| stamp(item.created).as_str() < name)
                .count(),
            Some(name) => match self.items.iter().position(|item| self.name(item) == name) {
                Some(at) => at,
                None => return error("cancel", "item-not-found"),
            },
        };
        let start = end.saturating_sub(asked);
        let page = &self.items[start..end];
        let set = match (self.kind.pages, page) {
            (false, _) => String::new(),
            (true, []) => format!(
                "<set xmlns='{}'><count>{}</count></set>",
                ns::RSM,
                self.items.len()
            ),
            (true, page) => format!(
                "<set xmlns='{}'><first index='{start}'>{}</first><last>{}</last><count>{}</count></set>",
                ns::RSM,
                self.name(&page[0]),
                self.name(&page[page.len() - 1]),
                self.items.len()
            ),
        };
        result(&format!(
            "<pubsub xmlns='{}'><items node='{NODE}'>{}</items>{set}</pubsub>",
            ns::PUBSUB,
            list(page, self.kind.lists_bare)
        ))
    }

    fn name(&self, item: &Stored) -> String {
        if self.kind.by_creation {
            stamp(item.created)
        } else {
            format!("page-{}", item.id)
        }
    }

    /// Results are stanzas of their own before the reply: here they travel in one text, which the world takes apart.
    fn answer_archive(
        &self,
        query: &Element,
        result: &dyn Fn(&str) -> String,
        error: &dyn Fn(&str, &str) -> String,
    ) -> String {
        let set = query.child("set", ns::RSM).expect("a range");
        let after = set.child_text("after", ns::RSM).expect("after");
        let after: u64 = after[1..].parse().expect("a name");
        let max: usize = set
            .child_text("max", ns::RSM)
            .expect("max")
            .parse()
            .expect("a number");
        if !self.archive.iter().any(|(name, _)| *name == after) {
            return error("cancel", "item-not-found");
        }
        let rest: Vec<_> = self
            .archive
            .iter()
            .filter(|(name, _)| *name > after)
            .collect();
        let page = &rest[..rest.len().min(max.min(7))];
        let mut text = String::new();
        for (name, entry) in page {
            let inner = match entry {
                Entry::Item { id, content } => format!(
                    "<items node='{NODE}'><item id='{id}'>{}</item></items>",
                    payload(*content, self.spelling)
                ),
                Entry::Retract { id } => {
                    format!("<items node='{NODE}'><retract id='{id}'/></items>")
                }
                Entry::Purge => format!("<purge node='{NODE}'/>"),
            };
            text.push_str(&format!(
                "<message xmlns='jabber:client' from='{SERVICE}' to='{ME}'><result xmlns='{}' queryid='{}' id='a{name}'><forwarded xmlns='{}'><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>{}</forwarded></result></message>",
                ns::MAM,
                query.attr("queryid").expect("a name"),
                ns::FORWARD,
                event(&inner, ""),
            ));
        }
        let complete = if page.len() == rest.len() && !self.kind.endless {
            " complete='true'"
        } else {
            ""
        };
        let last = page
            .last()
            .map_or(String::new(), |(name, _)| format!("<last>a{name}</last>"));
        let last = match self.kind.endless && page.is_empty() {
            true => format!("<last>a{after}</last>"),
            false => last,
        };
        text.push_str(&result(&format!(
            "<fin xmlns='{}'{complete}><set xmlns='{}'>{last}</set></fin>",
            ns::MAM,
            ns::RSM
        )));
        text
    }
}

/// The stanzas of a text, each by itself.
pub fn stanzas(text: &str) -> Vec<Element> {
    let whole = format!("<all xmlns='jabber:client'>{text}</all>");
    let whole = parse(whole.into_bytes(), &Limits::default()).expect("XML");
    whole.children().collect()
}
