// Payloads of pubsub items as plain values, and two payloads that pages create: JSON (XEP-0335 0.1), Atom entries (RFC
// 4287), Django's XML serialization, text. Decoding consists of pure functions over stanzas. Nothing is evaluated, and
// nothing becomes HTML.
//
// A payload in another format, or only partly in one of these, is returned as the element itself. Fields are defined,
// not assigned: a field called `__proto__` is an ordinary field.
//
// Specification: XEP-0335 0.1, RFC 4287.
//
// Left out of Atom: contributor, generator, rights, source, extensions, relative addresses (xml:base). The payload
// element has them.

import { badArgument } from "./errors.js";
import { type Stanza, plainText } from "./stanza.js";
import { Markup, type Xml, xml } from "./xml.js";

/**
 * The format of a payload: `json` (XEP-0335, or JSON text in an Atom entry), `atom` (an entry, RFC 4287), `django` (Django's XML
 * serialization), `text` (an element that holds text alone), `stanza` (any other element: the value is the element), `none` (no payload).
 * @example
 * const format: PayloadFormat | undefined = (await client.pubsub.item("/blog/Post", "17"))?.format;
 */
export type PayloadFormat = "json" | "atom" | "django" | "text" | "stanza" | "none";

/**
 * The value of an Atom entry (RFC 4287 §4.1.2). A part that is missing, or a date that is not one, is `undefined`. Parts that are not listed
 * here are in the payload.
 * @example
 * await client.pubsub.subscribe<AtomEntry>("/blog/Post", ({ value }) => console.log(value.title, value.links[0]?.href));
 */
export interface AtomEntry {
  /** The entry's own id, an IRI; not the item's. */
  id: string | undefined;
  /** The title as text, also where it is XHTML. Where its `type` is `html`, the text is HTML of the publisher: do not trust it. */
  title: string | undefined;
  /** The summary, in the same form as the title. */
  summary: string | undefined;
  /** The content as text; as the `<content/>` element where it holds elements (XHTML, XML) or an address (`src`). */
  content: string | Stanza | undefined;
  /** When the entry was changed. */
  updated: Date | undefined;
  /** When the entry was published for the first time. */
  published: Date | undefined;
  /** The authors. */
  authors: { name?: string | undefined; uri?: string | undefined; email?: string | undefined }[];
  /** The links; `rel` is `alternate` where the entry does not give it. */
  links: { href: string; rel?: string; type?: string; title?: string; hreflang?: string; length?: string }[];
  /** The categories. */
  categories: { term: string; scheme?: string; label?: string }[];
}

/**
 * The value of an object in Django's XML serialization, the same as in its JSON; several objects are an array of them.
 *
 * Integers are numbers, or strings where they are too large to be exact. Floats are numbers, booleans booleans. A `DateTimeField` with a time
 * zone (`USE_TZ`) is a `Date`. JSON fields are their values; `None` is `null`. All other fields are strings, unchanged: decimals, dates,
 * times, and date-times without a zone, since only the server knows which instant they are. A relation is a key, a to-many relation an
 * array of keys; a key is a string, or an array of strings where it is a natural one.
 * @example
 * await client.pubsub.subscribe<DjangoObject<{ title: string }>>("/blog/Post", ({ value }) => console.log(value.pk, value.fields.title));
 */
export interface DjangoObject<Fields = Record<string, unknown>> {
  /** The model, as Django names it: `"blog.post"`. */
  model: string;
  /** The primary key; `undefined` if natural keys are used. */
  pk: string | undefined;
  /** The fields by name. */
  fields: Fields;
}

const ATOM = "http://www.w3.org/2005/Atom";
const JSON_NS = "urn:xmpp:json:0";

type Decoded = readonly [format: PayloadFormat, value: unknown];

/** The value of a payload and its format. @internal */
export function decodePayload(payload: Stanza | undefined): { format: PayloadFormat; value: unknown } {
  if (!payload) return { format: "none", value: undefined };
  const [format, value] = read(payload) ?? ["stanza", payload];
  return { format, value };
}

/** `[format, value]` if the payload has a known format. */
function read(payload: Stanza): Decoded | undefined {
  const { name, ns } = payload;
  const children = payload.children();
  const isEntry = name === "entry" && ns === ATOM;
  if (name === "django-objects") return readDjango(payload);
  if (children.length > 0) {
    // Django's format, wrapped: as django-pubsub publishes it, without siblings.
    if (isEntry && children.length === 1 && children[0]?.name === "django-objects") return readDjango(children[0] as Stanza);
    return isEntry && children.some((child) => child.ns === ATOM) ? ["atom", readAtom(payload)] : undefined;
  }
  const text = payload.text();
  if (name === "json" && ns === JSON_NS) return readJson(text);
  // Of the texts in an entry, only objects and arrays are decoded as JSON: "42" may be plain text.
  return (isEntry && /^\s*[[{]/.test(text) ? readJson(text) : undefined) ?? (text ? ["text", text] : undefined);
}

function readJson(text: string): Decoded | undefined {
  try {
    return ["json", JSON.parse(text) as unknown];
  } catch {
    return undefined;
  }
}

/** An instant, which has a zone; `undefined` for any other text (only the server knows where its days begin). */
function instant(text: string | undefined): Date | undefined {
  const parts = /^\s*(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,3})?\d*(Z|[+-]\d\d:\d\d)\s*$/i.exec(text ?? "");
  const date = parts && new Date(`${parts[1]}${parts[2] ?? ""}${parts[3]}`.toUpperCase());
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}

// ── Atom ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function readAtom(entry: Stanza): AtomEntry {
  const child = (name: string): Stanza | undefined => entry.child(name, ATOM);
  // A text construct (RFC 4287 §3.1) as text, even if it is XHTML.
  const text = (name: string): string | undefined => {
    const found = child(name);
    return found && plainText(found);
  };
  const list = <T>(name: string, make: (one: Stanza) => T): T[] => entry.children(name, ATOM).map(make);
  const content = child("content");
  return {
    id: child("id")?.text(),
    title: text("title"),
    summary: text("summary"),
    // Elements, or only an address: the page interprets them.
    content: content && (content.children().length > 0 || content.attr("src") !== undefined) ? content : content?.text(),
    updated: instant(child("updated")?.text()),
    published: instant(child("published")?.text()),
    authors: list("author", (author) => ({
      name: author.text("name", ATOM),
      uri: author.text("uri", ATOM),
      email: author.text("email", ATOM),
    })),
    links: list("link", (link) => ({ rel: "alternate", ...link.attrs() }) as AtomEntry["links"][number]),
    categories: list("category", (category) => ({ ...category.attrs() }) as AtomEntry["categories"][number]),
  };
}

/**
 * Makes an Atom entry to publish (RFC 4287, which requires `id`, `title` and `updated`). All values are text and are escaped. Throws
 * `bad-stanza` for characters that XML cannot carry.
 * @example
 * await client.pubsub.publish("blog", atom({ id: "1", title: "First", updated: new Date() }));
 */
export function atom(entry: Partial<AtomEntry> & { content?: string }): Xml {
  const { id, title, summary, content, updated, published, authors, links, categories } = entry;
  const one = (name: string, value: unknown): unknown => value !== undefined && new Markup(`<${name}>${xml`${value}`.toString()}</${name}>`);
  const date = (name: string, value: Date | undefined): unknown => one(name, value && new Date(value).toISOString());
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

/**
 * Makes a payload to publish from a value: `<json xmlns="urn:xmpp:json:0"/>` (XEP-0335). Throws `bad-argument` for what is not JSON (a
 * function, a symbol, `undefined`), and what `JSON.stringify` throws (circular objects, `BigInt`).
 * @example
 * await client.pubsub.publish("todos", json({ done: false, text: "Read RFC 6120" }));
 */
export function json(value: unknown): Xml {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw badArgument("json(): a function, a symbol and undefined are no JSON.");
  // JSON can escape the characters that XML cannot carry; `JSON.stringify` escapes all but these two.
  return xml`<json xmlns="${JSON_NS}">${text.replace(/[\ufffe\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16)}`)}</json>`;
}

// ── Django ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The objects of a serialization: one, or a list. Undefined if it contains other elements. */
function readDjango(root: Stanza): Decoded | undefined {
  const objects = root.children().map(readObject);
  if (!objects.every(Boolean)) return undefined;
  return ["django", objects.length === 1 ? objects[0] : objects];
}

/** As in Django's JSON: model, primary key, fields. */
function readObject(object: Stanza): DjangoObject | undefined {
  const fields = object.children();
  const model = object.attr("model");
  const isRead = (field: Stanza): boolean => field.name === "field" && field.attr("name") !== undefined;
  if (object.name !== "object" || model === undefined || !fields.every(isRead)) return undefined;
  return { model, pk: object.attr("pk"), fields: Object.fromEntries(fields.map((field) => [field.attr("name") as string, readField(field)])) };
}

/**
 * A field's value: null, a key or a list of keys for a relation, or according to its type. A value that does not fit
 * its type is text.
 */
function readField(field: Stanza): unknown {
  const children = field.children();
  const only = (name: string): boolean => children.length > 0 && children.every((child) => child.name === name);
  if (only("None")) return null;
  if (only("natural")) return naturalKey(field);
  if (/ManyToMany/.test(field.attr("rel") ?? "") && (only("object") || children.length === 0)) {
    return children.map((one) => one.attr("pk") ?? naturalKey(one));
  }
  // Another element in the field: the page interprets it.
  return children.length > 0 ? field : readText(field.attr("type") ?? "", field.text());
}

function naturalKey(element: Stanza): string[] {
  return element.children("natural").map((one) => one.text());
}

function readText(type: string, text: string): unknown {
  if (/(Integer|Auto)Field$/.test(type)) {
    // Larger integers would lose precision as numbers.
    return /^\s*[+-]?\d+\s*$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text;
  }
  if (type === "FloatField") {
    // In Python's notation.
    const number = Number(text.replace("inf", "Infinity"));
    return text === "nan" || (/\d|inf/.test(text) && !Number.isNaN(number)) ? number : text;
  }
  if (/BooleanField$/.test(type)) return /^\s*(True|False)\s*$/.test(text) ? text.includes("True") : text;
  if (type === "DateTimeField") return instant(text) ?? text;
  if (/^(JSON|Array|HStore)Field$/.test(type)) return (readJson(text) ?? ["text", text])[1];
  return text;
}
