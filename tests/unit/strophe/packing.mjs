// XML as the module packs it (proto/src/xml/packed.rs), for tests without the module.

const KNOWN = ["", "http://www.w3.org/XML/1998/namespace", "jabber:client"];

const isDeclaration = ({ name }) => name === "xmlns" || name.startsWith("xmlns:");

/** The text and the words of an element, given as XML. */
export function pack(xml) {
  const words = [0];
  const table = [];
  const known = new Map(KNOWN.map((name, id) => [name, id]));
  let text = "";
  /** Start and end of a piece. */
  const put = (piece) => {
    const start = text.length;
    text += piece;
    return [start, text.length];
  };
  const ns = (name) => {
    if (!known.has(name)) {
      known.set(name, table.length / 2 + KNOWN.length);
      table.push(...put(name));
    }
    return known.get(name);
  };
  const walk = (element) => {
    const attributes = Array.from(element.attributes).filter((one) => !isDeclaration(one));
    const at = words.length;
    words.push(attributes.length * 2, 0, ns(element.namespaceURI ?? ""), ...put(element.localName ?? element.nodeName));
    for (const one of attributes) words.push(ns(one.namespaceURI ?? ""), ...put(one.localName ?? one.name), ...put(one.value));
    for (const node of Array.from(element.childNodes)) {
      if (node.nodeType === 1) walk(node);
      else if (node.nodeType === 3) words.push(1, ...put(node.nodeValue));
    }
    words[at + 1] = words.length;
  };
  walk(new DOMParser().parseFromString(xml, "text/xml").documentElement);
  words[0] = words.length;
  return [text, Uint32Array.from([...words, ...table])];
}
