// What a specification returned, as JSON that can be compared: elements by their XML, namespaces and all.
// Runs in Node and in pages, with either library.

const ELEMENT = 1;
const TEXT = 3;
const FRAGMENT = 11;

const escaped = (text) => text.replace(/[&<>"]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[one]);

/** An element with its attributes in order; `{namespace}` before names where there is one. */
export function canonical(node) {
  if (node.nodeType === TEXT) return escaped(node.nodeValue);
  const inner = Array.from(node.childNodes ?? [], canonical).join("");
  if (node.nodeType === FRAGMENT) return `#fragment(${inner})`;
  if (node.nodeType !== ELEMENT) return `#${node.nodeName}`;
  const attributes = Array.from(node.attributes, ({ name, value }) => ` ${name}="${escaped(value)}"`).sort().join("");
  return `<${node.namespaceURI ? `{${node.namespaceURI}}` : ""}${node.nodeName}${attributes}>${inner}</${node.nodeName}>`;
}

/** As `canonical()`, for what was built and what was parsed alike: the namespace is that of `xmlns` or of the node. */
export function wire(node, outer = "") {
  if (node.nodeType === TEXT) return escaped(node.nodeValue);
  if (node.nodeType !== ELEMENT) return "";
  const ns = node.getAttribute("xmlns") || node.namespaceURI || outer;
  const attributes = Array.from(node.attributes)
    .filter(({ name }) => name !== "xmlns" && !name.startsWith("xmlns:"))
    .map(({ name, value }) => ` ${name}="${escaped(masked(value))}"`)
    .sort()
    .join("");
  const name = node.localName ?? node.nodeName;
  const inner = Array.from(node.childNodes, (child) => wire(child, ns)).join("");
  return `<${name}${ns === outer ? "" : ` {${ns}}`}${attributes}>${inner}</${name}>`;
}

/** Identifiers that are different each time. */
export const masked = (text) =>
  String(text).replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "UUID");

/** Any value as JSON. */
export function shown(value, depth = 0) {
  if (value === undefined) return "(undefined)";
  if (value === null || typeof value === "boolean" || typeof value === "number") return value;
  if (typeof value === "string") return masked(value);
  if (typeof value === "function") return "(function)";
  if (typeof value === "symbol" || typeof value === "bigint") return String(value);
  if (typeof value.nodeType === "number") return `DOM ${masked(canonical(value))}`;
  if (typeof value.tree === "function") return `Builder ${masked(canonical(value.tree()))}`;
  if (value instanceof Error) return `(${value.name})`;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind === "ArrayBuffer") return { bytes: [...new Uint8Array(value)] };
  if (kind === "Document" || kind === "XMLDocument") return "(document)";
  if (depth > 4) return "(deep)";
  if (Array.isArray(value)) return value.map((one) => shown(one, depth + 1));
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, shown(value[key], depth + 1)]));
}
