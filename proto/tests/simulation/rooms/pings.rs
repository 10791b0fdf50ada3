//! Pings to an occupant (XEP-0199), and what a service makes of one to the own occupant (XEP-0410 §3.2).

use super::kind::Pings;
use super::room::Desk;
use super::service::{Letter, MucService};
use super::stanzas::{page_jid, refusal, result};
use epode_proto::ns;
use epode_proto::stanza::{ErrorKind, split_jid};
use epode_proto::xml::Element;

/// A ping that is on its way to the pinged client.
pub struct Relay {
    id: String,
    session: usize,
    /// The ping.
    asked: Element,
}

impl MucService {
    /// A session pings an occupant of a room.
    pub fn answer_ping(&mut self, at: usize, session: usize, ping: &Element, desk: &mut Desk<'_>) {
        let room = &self.rooms[at];
        let (kind, condition) = match room.seat(session) {
            _ if !room.exists => (ErrorKind::Cancel, "item-not-found"),
            None => (ErrorKind::Cancel, "not-acceptable"),
            Some(seat) => {
                let nick = ping.attr("to").and_then(|to| split_jid(to).1);
                if nick != Some(room.occupants[seat].nick.as_str()) {
                    (ErrorKind::Cancel, "item-not-found")
                } else {
                    return self.answer_self_ping(session, ping, desk);
                }
            }
        };
        let text = refusal(ping, kind, condition);
        desk.out.push(Letter { session, text });
    }

    fn answer_self_ping(&mut self, session: usize, ping: &Element, desk: &mut Desk<'_>) {
        let id = ping.attr("id").unwrap_or_default();
        let to = ping.attr("to").unwrap_or_default();
        let text = match desk.kind.pings {
            Pings::Answered => result(id, to),
            Pings::Unsupported => refusal(ping, ErrorKind::Cancel, "service-unavailable"),
            Pings::Ignored => return,
            Pings::Relayed => {
                let relay = format!("relay{}", self.relayed);
                self.relayed += 1;
                let text = Element::builder("iq", ns::CLIENT)
                    .attr("type", "get")
                    .attr("from", to)
                    .attr("to", &page_jid(session))
                    .attr("id", &relay)
                    .element("ping", ns::PING, |ping| ping)
                    .build()
                    .to_xml();
                self.relays.push(Relay {
                    id: relay,
                    session,
                    asked: ping.clone(),
                });
                text
            }
        };
        desk.out.push(Letter { session, text });
    }

    /// A client answers what was relayed to it.
    pub fn relay_back(&mut self, session: usize, reply: &Element, desk: &mut Desk<'_>) {
        let id = reply.attr("id").unwrap_or_default();
        let is_it = |relay: &Relay| relay.id == id && relay.session == session;
        let Some(at) = self.relays.iter().position(is_it) else {
            return;
        };
        let asked = self.relays.swap_remove(at).asked;
        let asked_id = asked.attr("id").unwrap_or_default();
        let text = result(asked_id, asked.attr("to").unwrap_or_default());
        desk.out.push(Letter { session, text });
    }
}
