// Payloads of pubsub items as plain values, and two that pages make: JSON (XEP-0335 0.1), Atom entries (RFC 4287), Django's
// XML serialization, text. Decoding is pure functions over stanza handles. Nothing is evaluated, and nothing becomes HTML.
// What is not one of these, or only begins like one, is the handle itself. Fields are defined, not assigned: one that is
// called `__proto__` is a field like any other.
// Specification: XEP-0335 0.1, RFC 4287.
// Left out of Atom: contributor, generator, rights, source, extensions, relative addresses (xml:base). They are in the payload.
import { Xml, makeTag, xmppError } from "./markup.js";
import { plain } from "./plain.js";

const ATOM = "http://www.w3.org/2005/Atom";
const JSON_NS = "urn:xmpp:json:0";

const xml = makeTag((value) => value instanceof Xml);

/** `{ format, value }` of a payload, which may be `undefined`. */
export function decodePayload(payload) {
  if (!payload) return { format: "none", value: undefined };
  const [format, value] = read(payload) ?? ["stanza", payload];
  return { format, value };
}

/** `[format, value]`, where the payload is something that is known. */
function read(payload) {
  const { name, ns } = payload;
  const children = payload.children();
  const isEntry = name === "entry" && ns === ATOM;
  if (name === "django-objects") return readDjango(payload);
  if (children.length > 0) {
    // Django's, wrapped: as django-pubsub publishes it, with nothing beside it.
    if (isEntry && children.length === 1 && children[0].name === "django-objects") return readDjango(children[0]);
    return isEntry && children.some((child) => child.ns === ATOM) ? ["atom", readAtom(payload)] : undefined;
  }
  const text = payload.text();
  if (name === "json" && ns === JSON_NS) return readJson(text);
  // Of texts in an entry, objects and arrays are JSON: "42" may be meant as it stands.
  return (isEntry && /^\s*[[{]/.test(text) && readJson(text)) || (text ? ["text", text] : undefined);
}

function readJson(text) {
  try {
    return ["json", JSON.parse(text)];
  } catch {
    return undefined;
  }
}

/** An instant, which has a zone; anything else is not one (and where a day begins, only the server knows). */
function instant(text) {
  const parts = /^\s*(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,3})?\d*(Z|[+-]\d\d:\d\d)\s*$/i.exec(text ?? "");
  const date = parts && new Date(`${parts[1]}${parts[2] ?? ""}${parts[3]}`.toUpperCase());
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}

// ── Atom ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function readAtom(entry) {
  const child = (name) => entry.child(name, ATOM);
  // A text construct (RFC 4287 §3.1) as text, also where it is XHTML.
  const text = (name) => child(name) && plain(child(name));
  const list = (name, make) => entry.children(name, ATOM).map(make);
  const content = child("content");
  return {
    id: child("id")?.text(),
    title: text("title"),
    summary: text("summary"),
    // Elements, or only an address: what they are, the page knows.
    content: content && (content.children().length > 0 || content.attr("src") !== undefined) ? content : content?.text(),
    updated: instant(child("updated")?.text()),
    published: instant(child("published")?.text()),
    authors: list("author", (author) => ({
      name: author.text("name", ATOM),
      uri: author.text("uri", ATOM),
      email: author.text("email", ATOM),
    })),
    links: list("link", (link) => ({ rel: "alternate", ...link.attrs() })),
    categories: list("category", (category) => ({ ...category.attrs() })),
  };
}

/** An Atom entry to publish: the fields as they are read, all but `content` of plain text. */
export function atom({ id, title, summary, content, updated, published, authors, links, categories }) {
  const one = (name, value) => value !== undefined && new Xml(`<${name}>${xml`${value}`}</${name}>`);
  const date = (name, value) => one(name, value && new Date(value).toISOString());
  return xml`<entry xmlns="${ATOM}">${[
    one("id", id),
    one("title", title),
    one("summary", summary),
    one("content", content),
    date("updated", updated),
    date("published", published),
    authors?.map(({ name, uri, email }) => xml`<author>${[one("name", name), one("uri", uri), one("email", email)]}</author>`),
    links?.map(({ rel, href, type, title: label }) => xml`<link rel="${rel}" href="${href}" type="${type}" title="${label}"/>`),
    categories?.map(({ term, scheme, label }) => xml`<category term="${term}" scheme="${scheme}" label="${label}"/>`),
  ]}</entry>`;
}

/** A value as JSON to publish (XEP-0335). */
export function json(value) {
  const text = JSON.stringify(value);
  if (text === undefined) throw xmppError("bad-argument", "json(): a function, a symbol and undefined are no JSON.");
  // What XML cannot carry, JSON can say; it does so for all but these two by itself.
  return xml`<json xmlns="${JSON_NS}">${text.replace(/[\ufffe\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16)}`)}</json>`;
}

// ── Django ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The objects of a serialization: the one, or a list of them. Undefined where something else is in it. */
function readDjango(root) {
  const objects = root.children().map(readObject);
  if (!objects.every(Boolean)) return undefined;
  return ["django", objects.length === 1 ? objects[0] : objects];
}

/** As in Django's own JSON: model, primary key, fields. */
function readObject(object) {
  const fields = object.children();
  const model = object.attr("model");
  const isRead = (field) => field.name === "field" && field.attr("name") !== undefined;
  if (object.name !== "object" || model === undefined || !fields.every(isRead)) return undefined;
  return { model, pk: object.attr("pk"), fields: Object.fromEntries(fields.map((field) => [field.attr("name"), readField(field)])) };
}

/** A field's value: null, a key or a list of keys for a relation, or by its type. What does not look like its type is a text. */
function readField(field) {
  const children = field.children();
  const only = (name) => children.length > 0 && children.every((child) => child.name === name);
  if (only("None")) return null;
  if (only("natural")) return naturalKey(field);
  if (/ManyToMany/.test(field.attr("rel")) && (only("object") || children.length === 0)) {
    return children.map((one) => one.attr("pk") ?? naturalKey(one));
  }
  // Some other element in it: what it means, the page may know.
  return children.length > 0 ? field : readText(field.attr("type"), field.text());
}

function naturalKey(element) {
  return element.children("natural").map((one) => one.text());
}

function readText(type, text) {
  if (/(Integer|Auto)Field$/.test(type)) {
    // Beyond that a number would be another one.
    return /^\s*[+-]?\d+\s*$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text;
  }
  if (type === "FloatField") {
    // As Python writes them.
    const number = Number(text.replace("inf", "Infinity"));
    return text === "nan" || (/\d|inf/.test(text) && !Number.isNaN(number)) ? number : text;
  }
  if (/BooleanField$/.test(type)) return /^\s*(True|False)\s*$/.test(text) ? text.includes("True") : text;
  if (type === "DateTimeField") return instant(text) ?? text;
  if (/^(JSON|Array|HStore)Field$/.test(type)) return (readJson(text) ?? [, text])[1];
  return text;
}
