// Payloads of pubsub items as plain values: JSON (XEP-0335 0.1), and an element that holds text alone. Pure functions over
// stanza handles. Nothing is evaluated and nothing becomes HTML; what cannot be read is the handle itself.

const JSON_NS = "urn:xmpp:json:0";

/** `{ format, value }` of a payload, which may be `undefined`. */
export function decodePayload(payload) {
  if (!payload) return { format: "none", value: undefined };
  if (payload.name === "json" && payload.ns === JSON_NS) {
    try {
      return { format: "json", value: JSON.parse(payload.text()) };
    } catch {
      return { format: "stanza", value: payload };
    }
  }
  if (payload.children().length === 0) return { format: "text", value: payload.text() };
  return { format: "stanza", value: payload };
}
