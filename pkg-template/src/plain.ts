// The text of an element and all that is in it, without the markup.

import type { Stanza } from "./stanza.js";

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

/** Of a stanza, in document order. Its XML is the writer's, which leaves no `>` in an attribute. @internal */
export function plain(element: Stanza): string {
  if (element.children().length === 0) return element.text();
  const text = element.toString().replace(/<[^>]*>/g, "");
  return text.replace(/&(?:#(\d+)|(\w+));/g, (_, code: string | undefined, name: string) =>
    code ? String.fromCodePoint(Number(code)) : (ENTITIES[name] ?? ""),
  );
}
