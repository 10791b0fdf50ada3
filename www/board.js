// The live feed: the orders of a pubsub node, in three columns. What a node holds when we come is the snapshot; from
// then on its events are shown as they arrive, whoever caused them.

import { announcer, byId, duration, el, fill, timeOf } from "./dom.js";
import { STATES, changed, fromPayload, newId, toPayload } from "./record.js";

/** How many orders the node keeps, and the page shows. */
const LIMIT = 60;
/** For how long a change is marked. */
const FRESH = 4000;

/** For a node that we may have to create: everybody writes, and deletions are told. */
const NODE_CONFIG = {
  access_model: "open",
  publish_model: "open",
  persist_items: true,
  max_items: LIMIT,
  deliver_payloads: true,
  notify_retract: true,
  send_last_published_item: "never",
  itemreply: "publisher",
};

/** Some services let an item be changed by its publisher and the node's owner only, whatever the publish model. */
const refusal = (error) => (error.condition === "forbidden" ? "this server leaves it to whoever published it." : error.message);

export class Board {
  #config;
  #client;
  #feed;
  #cards = new Map();
  #columns = new Map();
  /** While the snapshot is on its way: ids of which an event has told already. */
  #told;
  /** When we saved what has not come back yet, by id: `performance.now()`. */
  #saving = new Map();
  #delays = [];
  #arrived = 0;
  #editing;
  /** The id of what is in the form because saving it failed. */
  #unsaved;
  #announce = announcer(byId("announcements"));

  constructor(config) {
    this.#config = config;
    for (const { id, title } of STATES) {
      const list = el("ol", { class: "cards", "aria-labelledby": `column-${id}` });
      const count = el("span", { class: "count" }, "0");
      const column = el("section", { class: "column", "data-state": id }, el("h2", { id: `column-${id}` }, title, " ", count), list);
      this.#columns.set(id, { list, count });
      byId("columns").append(column);
    }
    byId("order").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId("cancel-edit").addEventListener("click", () => this.#edit(undefined));
    byId("order").addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#editing) this.#edit(undefined);
    });
    byId("columns").addEventListener("click", (event) => {
      const button = event.target.closest("button[data-act]");
      const card = this.#cards.get(event.target.closest(".card")?.dataset.id);
      if (button && card) this.#act(button.dataset.act, card);
    });
    this.#count();
  }

  // ── the feed ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async online(client) {
    this.#client = client;
    document.body.dataset.feed = "loading";
    const { node, pubsub: service } = this.#config;
    try {
      await this.#createNode(client);
      this.#told = new Set();
      const feed = await client.pubsub.subscribe(node, (item) => this.#receive(item), { service });
      if (client !== this.#client) return;
      this.#feed = feed;
      feed.on("retract", ({ id }) => this.#remove(id));
      feed.on("purge", () => [...this.#cards.keys()].forEach((id) => this.#remove(id)));
      feed.on("delete", () => this.#problem("The node was deleted: nothing more will arrive. Reconnect to create it again."));
      // Subscribed first and asked afterwards, nothing falls in between.
      const items = await client.pubsub.items(node, { service });
      if (client !== this.#client) return;
      this.#takeSnapshot(items);
      document.body.dataset.feed = "live";
      this.#problem("");
    } catch (error) {
      if (client !== this.#client) return;
      document.body.dataset.feed = "failed";
      this.#problem(`The feed ${node} of ${service} cannot be had: ${error.message}`);
    }
  }

  offline() {
    this.#client = undefined;
    this.#feed = undefined;
    this.#told = undefined;
    this.#saving.clear();
    document.body.dataset.feed = "off";
  }

  async #createNode(client) {
    const { node, pubsub: service } = this.#config;
    try {
      await client.pubsub.createNode(node, { service, config: NODE_CONFIG });
    } catch (error) {
      // It is there already, or is for others to create: subscribing will tell whether that matters.
      if (error.code !== "stanza-error") throw error;
    }
  }

  #takeSnapshot(items) {
    const there = new Set();
    for (const item of items) {
      there.add(item.id);
      if (!this.#told.has(item.id)) this.#put(item, { live: false });
    }
    // What an earlier connection showed and was deleted since.
    for (const id of [...this.#cards.keys()]) {
      if (!there.has(id) && !this.#told.has(id)) this.#remove(id, { quiet: true });
    }
    this.#told = undefined;
    this.#sort();
  }

  #receive(item) {
    this.#told?.add(item.id);
    this.#arrived += 1;
    this.#put(item, { live: true });
    if (item.id === this.#unsaved) {
      this.#unsaved = undefined;
      this.#problem(`Order ${item.id} was saved after all.`, false);
    }
  }

  #put(item, { live }) {
    const { id, publisher, time, receivedAt, payload } = item;
    if (id === undefined) return;
    const record = fromPayload(payload);
    const known = this.#cards.get(id);
    const card = known ?? { id, element: el("li", { class: "card", "data-id": id }) };
    const delay = live ? this.#delayOf(id, record, receivedAt) : known?.delay;
    const kind = known ? (known.record.status === record.status ? "changed" : "moved") : "arrived";
    const before = known?.record.status;
    Object.assign(card, { record, publisher, time, receivedAt, delay, live: live || known?.live, xml: payload?.toString() });
    this.#cards.set(id, card);
    this.#draw(card);
    const { list } = this.#columns.get(record.status);
    if (live || before !== record.status) this.#place(list, card, live);
    if (live) {
      this.#mark(card, kind);
      const state = STATES.find((one) => one.id === record.status).title.toLowerCase();
      this.#announce(kind === "arrived" ? `Order ${id}, ${record.title}, has arrived` : kind === "moved" ? `Order ${id}, ${record.title}, is ${state}` : `Order ${id} has changed`);
    }
    this.#trim();
    this.#count();
  }

  /** The newest first; the focus stays where it was, also when its card moves. */
  #place(list, { element }, first) {
    const focused = element.contains(document.activeElement) ? document.activeElement : undefined;
    if (first) list.prepend(element);
    else list.append(element);
    focused?.focus({ preventScroll: true });
  }

  #sort() {
    const age = ({ record, receivedAt }) => (record.savedAt ?? receivedAt).getTime();
    for (const [status, { list }] of this.#columns) {
      const cards = [...this.#cards.values()].filter((card) => card.record.status === status);
      list.append(...cards.sort((a, b) => age(b) - age(a)).map(({ element }) => element));
    }
  }

  /** How long an item was under way: exactly for what was saved on this page, by two clocks otherwise. */
  #delayOf(id, record, receivedAt) {
    const since = this.#saving.get(id);
    const delay = since === undefined ? record.savedAt && receivedAt - record.savedAt : performance.now() - since;
    // Two machines' clocks may differ by more than a message takes.
    if (delay === undefined || delay < 0 || delay > 60_000) return undefined;
    this.#delays = [...this.#delays.slice(-99), delay];
    return delay;
  }

  #trim() {
    while (this.#cards.size > LIMIT) {
      const [oldest] = [...this.#cards.values()].sort((a, b) => a.receivedAt - b.receivedAt);
      this.#remove(oldest.id, { quiet: true });
    }
  }

  #remove(id, { quiet = false } = {}) {
    this.#told?.add(id);
    const card = this.#cards.get(id);
    if (!card) return;
    this.#cards.delete(id);
    if (this.#editing === card) this.#orphan();
    const { element } = card;
    const next = element.contains(document.activeElement) && (element.nextElementSibling ?? element.previousElementSibling);
    if (next !== false) (next?.querySelector("button") ?? byId("order-what")).focus({ preventScroll: true });
    if (quiet) element.remove();
    else {
      element.classList.add("gone");
      element.inert = true;
      setTimeout(() => element.remove(), 350);
      this.#announce(`Order ${id}, ${card.record.title}, is gone`);
    }
    this.#count();
  }

  // ── cards ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #draw(card) {
    const { id, element, record, delay } = card;
    const focus = element.contains(document.activeElement) ? (document.activeElement.dataset.act ?? "details") : undefined;
    const open = element.querySelector("details")?.open;
    const state = STATES.find((one) => one.id === record.status);
    const act = (name, label, className) => el("button", { type: "button", class: className, "data-act": name, "aria-label": `${label}: order ${id}` }, label);
    fill(
      element,
      el("div", { class: "top" }, el("span", { class: "number" }, id), record.for && el("span", { class: "whom" }, record.for)),
      el("h3", {}, record.title),
      record.note && el("p", { class: "note" }, record.note),
      this.#fields(record.fields),
      el(
        "div",
        { class: "actions" },
        act("next", state.verb, "step"),
        act("edit", "Edit", "quiet"),
        state.next && act("delete", "Delete", "quiet"),
      ),
      el(
        "details",
        { open },
        el(
          "summary",
          { "data-act": "details" },
          el("span", { class: "meta" }, timeOf(card.time ?? record.savedAt ?? card.receivedAt), " ", this.#author(card), record.via && record.via !== "page" && ` from ${record.via}`),
          delay !== undefined && el("span", { class: "delay", title: "From saving to arriving here" }, duration(delay)),
        ),
        this.#details(card),
      ),
    );
    if (focus) (element.querySelector(`[data-act="${focus}"]`) ?? element.querySelector("button")).focus({ preventScroll: true });
  }

  #fields(fields) {
    const entries = Object.entries(fields).slice(0, 8);
    if (entries.length === 0) return undefined;
    return el(
      "dl",
      { class: "fields" },
      entries.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, typeof value === "object" ? JSON.stringify(value) : String(value)))),
    );
  }

  #details({ id, publisher, time, receivedAt, record, xml }) {
    const rows = [
      ["Item", id],
      ["Publisher", publisher ?? "not told"],
      ["Saved", record.savedAt ? timeOf(record.savedAt) : "not told"],
      ["Published", time ? timeOf(time) : "not told"],
      ["Received", timeOf(receivedAt)],
    ];
    return [
      el("dl", { class: "rows" }, rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
      xml && el("pre", { class: "payload" }, xml.length > 2000 ? `${xml.slice(0, 2000)}…` : xml),
    ];
  }

  #author({ publisher }) {
    if (!publisher) return undefined;
    const bare = publisher.split("/")[0];
    const own = this.#client?.jid?.split("/")[0] === bare;
    if (own) return "by you";
    const [user, domain] = bare.split("@");
    return domain === this.#config.domain && domain !== this.#config.anonymousDomain ? `by ${user}` : "by a guest";
  }

  #mark({ element }, kind) {
    element.classList.remove("arrived", "changed", "moved");
    // Read in between, so that the animation of a second change starts anew.
    void element.offsetWidth;
    element.classList.add(kind);
    setTimeout(() => element.classList.remove(kind), FRESH);
  }

  #count() {
    for (const { list, count } of this.#columns.values()) {
      const size = [...list.children].filter((child) => !child.classList.contains("gone")).length;
      count.textContent = size;
      list.dataset.empty = size === 0;
    }
    const total = byId("order-count");
    total.textContent = this.#cards.size;
    total.hidden = this.#cards.size === 0;
    byId("stats").hidden = this.#arrived === 0;
    byId("stat-arrived").textContent = this.#arrived;
    if (this.#delays.length > 0) {
      const sorted = [...this.#delays].sort((a, b) => a - b);
      byId("stat-last").textContent = duration(this.#delays.at(-1));
      byId("stat-median").textContent = duration(sorted[sorted.length >> 1]);
    }
  }

  // ── saving ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #submit() {
    const form = byId("order");
    const given = Object.fromEntries(["title", "for", "note"].map((name) => [name, form.elements[name].value.trim()]));
    if (!given.title) return;
    const editing = this.#editing;
    const id = editing?.id ?? this.#unsaved ?? newId((taken) => this.#cards.has(taken));
    const record = changed(editing?.record ?? { status: "new", fields: {} }, given);
    // Ready for the next one at once; what could not be saved comes back, unless the next one has been begun.
    this.#edit(undefined);
    this.#problem("");
    byId("order-what").focus();
    if ((await this.#publish(id, record)) || form.elements.title.value) return;
    if (editing && this.#cards.has(id)) this.#edit(editing);
    // It may have been saved for all that; with the same id a second time makes no second order.
    else this.#unsaved = id;
    for (const [name, value] of Object.entries(given)) form.elements[name].value = value;
  }

  #act(name, card) {
    const { id, record } = card;
    if (name === "edit") {
      this.#problem("");
      return this.#edit(card);
    }
    const { next } = STATES.find((state) => state.id === record.status);
    if (name === "next" && next) return this.#publish(id, changed(record, { status: next }));
    if (name === "next" || name === "delete") return this.#retract(id);
    return undefined;
  }

  async #publish(id, record) {
    if (!this.#isOnline()) return false;
    const start = performance.now();
    this.#saving.set(id, start);
    const slow = setTimeout(() => this.#problem(`Order ${id}: waiting for the server…`, false), 800);
    try {
      const { node, pubsub: service } = this.#config;
      await this.#client.pubsub.publish(node, toPayload(record), { id, service });
      this.#problem(`Order ${id} is saved: the server confirmed it after ${duration(performance.now() - start)}.`, false);
      return true;
    } catch (error) {
      const isKnown = !["timeout", "disconnected"].includes(error.code);
      this.#problem(isKnown ? `Order ${id} was not saved: ${refusal(error)}` : `Whether order ${id} was saved is not known: no answer has come. Saving again does no harm.`);
      return false;
    } finally {
      clearTimeout(slow);
      // The event may come a little after the result.
      setTimeout(() => this.#saving.get(id) === start && this.#saving.delete(id), 2000);
    }
  }

  async #retract(id) {
    if (!this.#isOnline()) return;
    try {
      const { node, pubsub: service } = this.#config;
      await this.#client.pubsub.retract(node, id, { service });
      this.#problem(`Order ${id} is deleted.`, false);
    } catch (error) {
      this.#problem(`Order ${id} was not deleted: ${refusal(error)}`);
    }
  }

  #isOnline() {
    if (this.#client) return true;
    this.#problem("There is no connection: nothing was saved. Connect first.");
    return false;
  }

  #edit(card) {
    const form = byId("order");
    this.#unsaved = undefined;
    this.#editing?.element.classList.remove("editing");
    this.#editing = card;
    card?.element.classList.add("editing");
    form.classList.toggle("editing", card !== undefined);
    byId("order-title").textContent = card ? `Order ${card.id}` : "New order";
    byId("cancel-edit").hidden = !card;
    for (const name of ["title", "for", "note"]) form.elements[name].value = card?.record[name] ?? "";
    if (card) byId("order-what").select();
  }

  /** The order that is being edited was deleted by somebody: what is written stays. */
  #orphan() {
    const form = byId("order");
    const written = ["title", "for", "note"].map((name) => [name, form.elements[name].value]);
    const { id } = this.#editing;
    this.#edit(undefined);
    for (const [name, value] of written) form.elements[name].value = value;
    this.#problem(`Order ${id} was deleted meanwhile. Saved now, it becomes a new one.`);
  }

  #problem(text, isProblem = true) {
    const outcome = byId("outcome");
    outcome.textContent = text;
    outcome.classList.toggle("bad", isProblem && text !== "");
  }
}
