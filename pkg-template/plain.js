// The text of an element and all that is in it, without the markup.

const ENTITIES = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

/** Of a stanza handle, in document order. Its XML is the writer's, which leaves no `>` in an attribute. */
export function plain(element) {
  if (element.children().length === 0) return element.text();
  const text = element.toString().replace(/<[^>]*>/g, "");
  return text.replace(/&(?:#(\d+)|(\w+));/g, (all, code, name) => (code ? String.fromCodePoint(code) : ENTITIES[name]));
}
