// XML as the module packs it (proto/src/xml/packed.rs), for tests without the module.

const XML = "http://www.w3.org/XML/1998/namespace";

const isDeclaration = ({ name }) => name === "xmlns" || name.startsWith("xmlns:");

/** The words of an element, given as XML. */
export function pack(xml) {
  const words = [0, 0, 0];
  const table = [];
  const known = new Map([
    ["", 0],
    [XML, 1],
  ]);
  let text = "";
  const put = (piece) => (text += piece).length;
  const ns = (name) => {
    if (!known.has(name)) {
      known.set(name, table.length / 2 + 2);
      table.push(text.length, put(name));
    }
    return known.get(name);
  };
  const walk = (element) => {
    const attributes = Array.from(element.attributes).filter((one) => !isDeclaration(one));
    const id = ns(element.namespaceURI ?? "");
    const ids = attributes.map((one) => ns(one.namespaceURI ?? ""));
    const at = words.length;
    words.push(attributes.length * 2, 0, id, text.length, put(element.localName ?? element.nodeName));
    attributes.forEach((one, index) => words.push(ids[index], put(one.localName ?? one.name), put(one.value)));
    for (const node of Array.from(element.childNodes)) {
      if (node.nodeType === 1) walk(node);
      else if (node.nodeType === 3) words.push(1, text.length, put(node.nodeValue));
    }
    words[at + 1] = words.length;
  };
  walk(new DOMParser().parseFromString(xml, "text/xml").documentElement);
  words[2] = words.length;
  words.push(...table);
  words[0] = words.length;
  const bytes = new TextEncoder().encode(text);
  words[1] = bytes.length;
  const packed = new Uint32Array(words.length + Math.ceil(bytes.length / 4));
  packed.set(words);
  new Uint8Array(packed.buffer, words.length * 4).set(bytes);
  return packed;
}
