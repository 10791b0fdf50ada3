//! Sessions that are handed over: kept over a reload of the page (snapshot and restore), or made by a web server
//! (attach).
//!
//! Based on XEP-0124 1.11.2 §14.3: a server repeats its responses to requests that are repeated byte for byte, so that
//! no stanza that was under way during the reload is lost or delivered twice.

use super::broken::is_troubled;
use super::keys::Keys;
use super::pacing::Gate;
use super::pause::{LONGEST, is_pause};
use super::{Bosh, BoshConfig, OVERTAKEN, Progress, Queued, Request, RequestPurpose, State};
use crate::ns;
use crate::time::{Instant, Millis};
use crate::transport::Names;
use crate::xml::Element;

/// The largest snapshot, in bytes: browsers limit a page's whole storage to a few megabytes.
const LARGEST: usize = 1 << 20;
/// How long the next request waits for the response to a repeated one. COMPAT(Prosody, ejabberd): if the next request
/// overtook the repeated one, the server might ignore the repeated one and treat the session as broken.
pub(super) const SETTLING: Millis = Millis(200);
/// How long to wait for responses that show whether a pause has arrived.
const PAUSE_CHECK: Millis = Millis::seconds(1);
/// The highest rid that all implementations can represent (§14.1).
pub(super) const LAST_RID: u64 = (1 << 53) - 1;

impl Bosh {
    /// The data with which another page continues this session; `None` if the session is not open, or the data is
    /// larger than 1 MiB.
    pub fn snapshot(&self) -> Option<Element> {
        if !self.is_open() || self.is_over() {
            return None;
        }
        let mut snapshot = Element::builder("bosh", ns::EPODE_SESSION).attr("sid", &self.sid);
        for (name, value) in [
            ("rid", self.next_rid),
            ("requests", self.terms.requests as u64),
            ("wait", self.terms.wait.0),
            ("hold", u64::from(self.terms.hold)),
            ("inactivity", self.terms.inactivity.0),
            ("polling", self.terms.polling.0),
            ("ack", u64::from(self.terms.acknowledges)),
            ("legacy", u64::from(self.terms.legacy)),
            ("maxpause", self.terms.maxpause.unwrap_or(0)),
        ] {
            snapshot = snapshot.attr(name, &value.to_string());
        }
        if let Some(keys) = &self.keys {
            snapshot = snapshot
                .attr("seed", &keys.seed)
                .attr("sequence", &keys.sequence.to_string())
                .attr("left", &keys.left.to_string());
        }
        for request in &self.in_flight {
            snapshot = snapshot.element("request", ns::EPODE_SESSION, |entry| {
                let entry = entry.attr("errand", request.purpose.name());
                match &request.progress {
                    Progress::Answered { body, .. } => entry.child(body.clone()),
                    Progress::InFlight(_) => entry.text(&request.body),
                    Progress::Repeating(_) => entry.attr("broken", "1").text(&request.body),
                }
            });
        }
        for queued in self.queue.iter() {
            match queued {
                Queued::Element(element, _) => snapshot = snapshot.child(element.clone()),
                // The login is not complete.
                Queued::Restart { .. } => return None,
            }
        }
        let snapshot = snapshot.build();
        (snapshot.held_bytes() <= LARGEST).then_some(snapshot)
    }

    /// How long the server keeps the session without requests: longer while it pauses.
    pub fn lasts(&self) -> Millis {
        let paused = self.in_flight.iter().any(is_pause);
        match self.terms.maxpause {
            Some(longest) if paused => Millis::seconds(longest.min(LONGEST)),
            _ => self.terms.inactivity,
        }
    }

    /// Continues the session of a [`Bosh::snapshot`]: repeats the unanswered requests, then sends new ones. `None` if
    /// `snapshot` is not valid.
    ///
    /// The ids of sent elements are forgotten. No [`Opened`](super::TransportEvent::Opened) is reported.
    pub fn restore(
        config: BoshConfig,
        snapshot: &Element,
        now: Instant,
        names: Names,
    ) -> Option<Self> {
        if !snapshot.is("bosh", ns::EPODE_SESSION) {
            return None;
        }
        let number = |name: &str| snapshot.attr(name)?.parse::<u64>().ok();
        let mut bosh = Self::attach(config, snapshot.attr("sid")?, number("rid")?, names)?;
        bosh.terms.requests = usize::try_from(number("requests")?).ok()?.clamp(1, 16);
        bosh.terms.wait = Millis(number("wait")?);
        bosh.terms.hold = u32::try_from(number("hold")?).ok()?;
        bosh.terms.inactivity = Millis(number("inactivity")?);
        bosh.terms.polling = Millis(number("polling")?);
        bosh.terms.acknowledges = number("ack")? != 0;
        bosh.terms.legacy = number("legacy")? != 0;
        bosh.terms.maxpause = number("maxpause").filter(|longest| *longest > 0);
        if let Some(seed) = snapshot.attr("seed") {
            bosh.keys = Some(Keys {
                seed: seed.to_owned(),
                sequence: number("sequence")?,
                left: number("left").filter(|left| *left < 128)?,
            });
        }
        if bosh.terms.requests == 1 || bosh.terms.hold == 0 || bosh.terms.wait == Millis(0) {
            // It is not known when the last request was sent (§12).
            bosh.pacing.set(Gate::Poll, now + bosh.terms.polling);
            bosh.apply_polling_interval();
            bosh.pacing.go_on(now);
        }
        for child in snapshot.children() {
            if child.is("request", ns::EPODE_SESSION) {
                let request = restored(&child, now)?;
                bosh.in_flight.push(request);
            } else {
                bosh.queue.push_back(Queued::Element(child.detach(), None));
            }
        }
        let mut rid = bosh.next_rid;
        for request in bosh.in_flight.iter_mut().rev() {
            rid = rid.checked_sub(1)?;
            request.rid = rid;
        }
        bosh.last_in_order = rid.checked_sub(1)?;
        bosh.delay_after_pause(now);
        Some(bosh)
    }

    /// The former page paused the session, and the pause may have arrived. If it did, the server has responded to the requests
    /// before it, and responds to their repetitions without delay: the other requests wait briefly for that, and then follow
    /// in order.
    fn delay_after_pause(&mut self, now: Instant) {
        let mut behind = false;
        let mut first = true;
        let mut turn = now;
        for request in &mut self.in_flight {
            behind |= is_inherited_pause(request) && !first;
            first = false;
            let pauses = is_pause(request);
            if let Progress::Repeating(at) = &mut request.progress {
                if behind {
                    *at = now + PAUSE_CHECK;
                    self.pacing.wait_until(now + PAUSE_CHECK);
                } else if !pauses {
                    *at = turn;
                    turn = turn + SETTLING;
                }
            }
        }
    }

    /// The requests before such a pause have their responses: the pause has most likely arrived, and is not repeated (§14.3)
    /// unless later requests get no response.
    pub(super) fn release_after_pause(&mut self, now: Instant) {
        let Some(first) = self.in_flight.first_mut() else {
            return;
        };
        if !is_inherited_pause(first) {
            if let Progress::Repeating(at) = &mut first.progress
                && first.inherited
            {
                *at = now.min(*at);
            }
            return;
        }
        first.progress = Progress::Repeating(now + OVERTAKEN);
        for request in self.in_flight.iter_mut().skip(1) {
            if let Progress::Repeating(at) = &mut request.progress {
                *at = now.min(*at);
            }
        }
        self.pacing.go_on(now);
    }

    /// Continues a session that a web server has made for its page; `rid` is that of the next request. The terms of the
    /// session are not known; two requests at once are assumed to be allowed. `None` if `sid` is empty, or `rid` is 0
    /// or beyond 2⁵³ − 1.
    ///
    /// The session is open from the start: no [`Opened`](super::TransportEvent::Opened) is reported.
    pub fn attach(config: BoshConfig, sid: &str, rid: u64, names: Names) -> Option<Self> {
        if sid.is_empty() || rid == 0 || rid > LAST_RID {
            return None;
        }
        let mut bosh = Self::new(config, rid, String::new(), names);
        bosh.keys = None;
        bosh.sid = sid.to_owned();
        bosh.terms.requests = 2;
        bosh.last_in_order = rid - 1;
        bosh.enter(State::Bound);
        Some(bosh)
    }
}

/// Whether the request is a pause of the former page that is not known to have broken.
fn is_inherited_pause(request: &Request) -> bool {
    let waits = matches!(request.progress, Progress::Repeating(_));
    is_pause(request) && request.attempts == 0 && waits
}

/// Whether the former page has sent the request and this page has not repeated it yet.
pub(super) fn is_unsent_inherited(request: &Request) -> bool {
    request.inherited && !is_troubled(request)
}

/// A request of a snapshot, without its rid.
fn restored(entry: &Element, now: Instant) -> Option<Request> {
    let purpose = match entry.attr("errand")? {
        "poll" => RequestPurpose::Poll,
        "payload" => RequestPurpose::Payload,
        "pause" => RequestPurpose::Pause,
        _ => return None,
    };
    // All requests but such a pause have been sent before and got no response.
    let unbroken = purpose == RequestPurpose::Pause && entry.attr("broken").is_none();
    let progress = match entry.children().next() {
        Some(body) => Progress::Answered {
            body: body.detach(),
            sent_up_to: 0,
        },
        // The pause has most likely arrived: repeat it only if the next request gets no response.
        None if unbroken => Progress::Repeating(now + OVERTAKEN),
        None => Progress::Repeating(now),
    };
    Some(Request {
        rid: 0,
        body: entry.text().as_ref().into(),
        carried: Vec::new(),
        purpose,
        sent_at: now,
        attempts: usize::from(!unbroken),
        pauses: 0,
        broken_since: None,
        damaged: (0, 0),
        overtaken_since: None,
        inherited: true,
        progress,
    })
}
