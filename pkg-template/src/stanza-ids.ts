// The ids that servers and rooms give to messages, and those that senders give: read from a received message.
// Specification: XEP-0359 0.7.0.
// Left out: writing ids (a message that is sent can hold an `<origin-id/>` of the page's own), and `<referenced-stanza/>`.

import type { Stanza } from "./stanza.js";

/** The namespace of the ids, which an entity that assigns them announces. @internal */
export const STANZA_IDS = "urn:xmpp:sid:0";

const bare = (jid: string | undefined): string | undefined => jid?.split("/", 1)[0];

/**
 * Whether `by` can have given an id to this message: the message came from it or through it, so that it has replaced what a sender
 * pretends (§3.1 and the business rules of §5). Any other `by` is only a text of the sender.
 */
function isAssigner(message: Stanza, by: string): boolean {
  const { type, from, to } = message;
  // An error stanza holds the stanza that was sent, as its sender chooses to quote it.
  if (message.name !== "message" || type === "error") return false;
  return type === "groupchat" ? bare(from) === by : from === by || bare(to) === by;
}

/** The id that `by` gave to a message; `undefined` also where there are two, of which one must be faked. @internal */
export function stanzaIdOf(message: Stanza, by: string): string | undefined {
  if (!isAssigner(message, by)) return undefined;
  const ids = message.children("stanza-id", STANZA_IDS).filter((one) => one.attr("by") === by);
  return ids.length === 1 ? ids[0]?.attr("id") : undefined;
}
