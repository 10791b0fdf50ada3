//! Snapshots of stream management: the data with which another page resumes the session after a reload (XEP-0198 1.6.3
//! §5).

use super::{Mode, StreamManagement};
use crate::ns;
use crate::time::{Instant, Millis};
use crate::xml::Element;

/// How long a session is assumed to be kept by a server that declares no time, in seconds. A server that has dropped it
/// refuses the resumption.
const ASSUMED_MAX: u64 = 600;

impl StreamManagement {
    /// The snapshot of a session that can be resumed.
    pub fn snapshot(&self) -> Option<Element> {
        let id = self.id.as_deref()?;
        let mut snapshot = Element::builder("stream", ns::EPODE_SESSION)
            .attr("id", id)
            .attr("handled", &self.handled.to_string())
            .attr("acked", &self.acked.to_string());
        if let Some(max) = self.max {
            snapshot = snapshot.attr("max", &max.to_string());
        }
        for stanza in self.unacked.iter() {
            snapshot = snapshot.element("sent", ns::EPODE_SESSION, |sent| {
                let kind = if stanza.message { "message" } else { "other" };
                sent.attr("kind", kind).text(&stanza.text)
            });
        }
        Some(snapshot.build())
    }

    /// How long the server keeps the session without a stream.
    pub fn lasts(&self) -> Millis {
        Millis::seconds(self.max.unwrap_or(ASSUMED_MAX))
    }

    /// Restores the session of a snapshot. `None` if `snapshot` is not valid. The ids of sent stanzas are forgotten.
    pub fn restore(snapshot: &Element, now: Instant, silence: Millis) -> Option<Self> {
        if !snapshot.is("stream", ns::EPODE_SESSION) {
            return None;
        }
        let mut managed = Self::new(now, silence);
        let id = snapshot.attr("id").filter(|id| !id.is_empty())?;
        managed.id = Some(id.to_owned());
        managed.handled = snapshot.attr("handled")?.parse().ok()?;
        managed.acked = snapshot.attr("acked")?.parse().ok()?;
        if let Some(max) = snapshot.attr("max") {
            managed.max = Some(max.parse().ok()?);
        }
        managed.sent = managed.acked;
        for sent in snapshot.children() {
            let message = sent.attr("kind")? == "message";
            managed.note_sent(sent.text().as_ref().into(), None, message);
        }
        managed.asked_up_to = managed.acked;
        managed.mode = Mode::On;
        Some(managed)
    }
}
