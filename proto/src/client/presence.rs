//! Own presence: RFC 6121 §4 (initial presence, last broadcast presence) and XEP-0115 1.6 (own capabilities).
//!
//! Left out: directed presence, which the caller sends, and the capabilities of others.

use super::{Client, SendLane};
use crate::ns;
use crate::stanza::presence;
use crate::time::Instant;
use crate::xep::caps;
use crate::xep::responder::About;
use crate::xml::Element;

/// The broadcast presence of the client.
pub(super) struct OwnPresence {
    /// Whether the client sends initial presence.
    automatic: bool,
    about: About,
    /// The presence that was broadcast last, as the caller wrote it. A new session gets it again.
    broadcast: Option<Element>,
    /// When initial presence is due.
    initial_at: Option<Instant>,
    /// The verification string that the last presence carried; `None` until a feature needs to be announced.
    announced: Option<String>,
    /// Whether the announced features may have changed in this turn.
    changed: bool,
}

impl OwnPresence {
    pub(super) fn new(automatic: bool, about: About) -> Self {
        Self {
            automatic,
            about,
            broadcast: None,
            initial_at: None,
            announced: None,
            changed: false,
        }
    }

    /// Forgets the presence: the connection is offline.
    pub(super) fn reset(&mut self) {
        self.broadcast = None;
        self.initial_at = None;
    }

    /// Marks the features as possibly changed; the end of the turn sends presence again if they did.
    pub(super) fn note_changed(&mut self) {
        self.changed = true;
    }

    /// Whether the last broadcast presence was available or an initial presence is due.
    pub(super) fn is_available(&self) -> bool {
        match &self.broadcast {
            Some(presence) => presence.attr("type").is_none(),
            None => self.automatic,
        }
    }
}

impl Client {
    /// The presence that was broadcast last.
    pub fn broadcast(&self) -> Option<&Element> {
        self.presence.broadcast.as_ref()
    }

    /// Schedules initial presence in a first session, after the caller was notified; cancelled if the caller sends presence.
    pub(super) fn schedule_initial_presence(&mut self, now: Instant) {
        if self.presence.automatic {
            self.presence.initial_at = Some(now);
        }
    }

    pub(super) fn presence_deadline(&self) -> Option<Instant> {
        self.presence.initial_at
    }

    pub(super) fn handle_presence_timeout(&mut self, now: Instant) {
        if self.presence.initial_at.is_some_and(|at| now >= at) {
            self.presence.initial_at = None;
            self.send_initial_presence(SendLane::Ordinary);
        }
    }

    /// Sends initial presence, unless a presence was broadcast.
    pub(super) fn send_initial_presence(&mut self, lane: SendLane) {
        self.presence.initial_at = None;
        if self.presence.automatic && self.presence.broadcast.is_none() {
            self.post(presence::available(None).build(), lane);
        }
    }

    /// Broadcasts the last presence again in a new session. A caller that went unavailable stays unavailable.
    pub(super) fn restore_presence(&mut self) {
        match self.presence.broadcast.clone() {
            Some(presence) if presence.attr("type") == Some("unavailable") => {}
            Some(presence) => self.post(presence, SendLane::Restoring),
            None => self.send_initial_presence(SendLane::Restoring),
        }
    }

    pub(super) fn note_broadcast(&mut self, presence: &Element) {
        self.presence.broadcast = Some(presence.clone());
        self.presence.initial_at = None;
    }

    // ── capabilities ────────────────────────────────────────────────────────────────────────────────────────────────

    /// The reply to disco#info: identity and features, with the watched nodes (XEP-0163 §4.3).
    pub fn about(&self) -> About {
        let mut about = self.presence.about.clone();
        if self.announces() {
            about.features.push(ns::CAPS.to_owned());
            for node in self.watches.nodes() {
                about.features.push(format!("{node}+notify"));
            }
            let verification = caps::verification(&about.info());
            about.nodes.push(caps::node(&verification));
        }
        about
    }

    /// Whether presence carries capabilities. Once announced, they always are: COMPAT(Prosody, ejabberd): a presence without
    /// capabilities leaves the former ones in force.
    fn announces(&self) -> bool {
        self.presence.announced.is_some() || self.watches.nodes().next().is_some()
    }

    /// A broadcast presence with our capabilities, where they are announced.
    pub(super) fn with_capabilities(&mut self, presence: &Element) -> Element {
        let carries_own = presence.has_child("c", ns::CAPS);
        if presence.attr("type").is_some() || carries_own || !self.announces() {
            return presence.clone();
        }
        let verification = caps::verification(&self.about().info());
        let presence = presence.with_child(caps::to_element(&verification));
        self.presence.announced = Some(verification);
        presence
    }

    /// At the end of a turn: sends presence again if the announced features changed. Returns true if it was sent.
    pub(super) fn announce_if_changed(&mut self) -> bool {
        if !std::mem::take(&mut self.presence.changed) || !self.lasting || !self.announces() {
            return false;
        }
        let current = caps::verification(&self.about().info());
        if self.presence.announced.as_ref() == Some(&current) {
            return false;
        }
        match self.presence.broadcast.clone() {
            // An unavailable client announces its features when it becomes available.
            Some(presence) if presence.attr("type").is_some() => return false,
            Some(presence) => self.post(presence, SendLane::Ordinary),
            None => self.send_initial_presence(SendLane::Ordinary),
        }
        true
    }
}
