// The view of DOM that stream management uses.

import type { StanzaView } from "./stream-management.js";
import { Builder } from "./builder.js";

/** Name, attributes and text of an element. */
export function toStanzaView(element: Element): StanzaView {
  const attrs: Record<string, string> = {};
  for (const { name, value } of Array.from(element.attributes)) attrs[name] = value;
  return { name: element.tagName, attrs, serialized: Builder.serialize(element) };
}
