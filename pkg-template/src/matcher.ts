// The stanzas that a handler receives.

import { Reader } from "./reader.js";

/**
 * The stanzas that a handler is called for. A property that is left out matches everything; all that are given must match.
 * @example
 * const fromRomeo: Matcher = { name: "message", type: "chat", from: "romeo@example.org" };
 * client.addHandler((stanza) => console.log(stanza.text("body")), fromRomeo);
 */
export interface Matcher {
  /** `"message"`, `"presence"` or `"iq"`. */
  name?: string;
  /** One type or several. A message without `type` is `"normal"`, a presence without one is `"available"`. */
  type?: string | readonly string[];
  /** A namespace: of the stanza itself or of one of its direct children. */
  ns?: string;
  /** The `id` attribute. */
  id?: string;
  /** The sender. A bare JID matches all its resources; a full one only itself. */
  from?: string;
}

/** A matcher, read and validated. @internal */
export interface MatcherFields {
  name: string | undefined;
  types: string[];
  ns: string | undefined;
  id: string | undefined;
  from: string | undefined;
}

/** Reads a matcher. @internal */
export function readMatcher(matcher: unknown): MatcherFields {
  const read = new Reader(matcher);
  const type = read.given("type");
  const fields = {
    name: read.text("name"),
    types: typeof type === "string" ? [read.sendable("type", type)] : read.list("type"),
    ns: read.text("ns"),
    id: read.text("id"),
    from: read.jid("from"),
  };
  read.done();
  return fields;
}
