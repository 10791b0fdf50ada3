// An order, as it travels in an item: JSON (XEP-0335), or an Atom entry (RFC 4287). Whatever else a node holds is shown
// as well as can be.

import { xml } from "/epode/index.js";

const JSON_NS = "urn:xmpp:json:0";
const ATOM_NS = "http://www.w3.org/2005/Atom";

/** The way of an order. `verb` is the button that takes it to `next`; without `next` it is done, and deleted. */
export const STATES = [
  { id: "new", title: "New", verb: "Start", next: "making" },
  { id: "making", title: "In the making", verb: "Ready", next: "ready" },
  { id: "ready", title: "Ready", verb: "Collected", next: undefined },
];

const KNOWN = ["title", "for", "note", "status", "savedAt", "via"];

/** The payload that carries a record. */
export const toPayload = (record) => xml`<json xmlns="${JSON_NS}">${JSON.stringify(record)}</json>`;

/** `{ title, for, note, status, savedAt, via, fields }` of whatever was published. */
export function fromPayload(payload) {
  if (!payload) return tidy({ title: "An item without a payload" });
  if (payload.ns === ATOM_NS && payload.name === "entry") return fromAtom(payload);
  if (payload.ns === JSON_NS) {
    try {
      const data = JSON.parse(payload.text());
      if (data !== null && typeof data === "object" && !Array.isArray(data)) return tidy(data);
      return tidy({ title: String(data) });
    } catch {
      return tidy({ title: "Not JSON, though it says so", note: payload.text() });
    }
  }
  return tidy({ title: payload.text().trim() || `<${payload.name}>`, note: payload.ns });
}

function fromAtom(entry) {
  const category = entry.child("category", ATOM_NS)?.attr("term");
  return tidy({
    title: entry.text("title", ATOM_NS),
    for: entry.child("author", ATOM_NS)?.text("name", ATOM_NS),
    note: entry.text("summary", ATOM_NS),
    status: category,
    savedAt: entry.text("updated", ATOM_NS),
    via: entry.text("generator", ATOM_NS),
  });
}

const text = (value) => (value === undefined || value === null ? "" : String(value).trim());

function tidy(data) {
  const status = STATES.some(({ id }) => id === data.status) ? data.status : "new";
  const savedAt = new Date(data.savedAt ?? NaN);
  return {
    title: text(data.title ?? data.name) || "Untitled",
    for: text(data.for),
    note: text(data.note),
    status,
    via: text(data.via),
    savedAt: Number.isNaN(savedAt.getTime()) ? undefined : savedAt,
    // What we do not know is shown by its name, and kept when the record is changed.
    fields: Object.fromEntries(Object.entries(data).filter(([key]) => !KNOWN.includes(key))),
  };
}

/** The record again, changed and saved now. */
export function changed(record, changes) {
  const { title, for: whom, note, status, fields } = { ...record, ...changes };
  return { ...fields, title, for: whom, note, status, savedAt: new Date().toISOString(), via: "page" };
}

const LETTERS = "ACDEFHJKLMNPRTUVWXY3479";

/** A short number for a new order, such as one finds on a ticket. */
export function newId(isTaken) {
  for (;;) {
    const bytes = crypto.getRandomValues(new Uint8Array(4));
    const id = Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length]).join("");
    if (!isTaken(id)) return id;
  }
}
