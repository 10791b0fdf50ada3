// The live feed: the orders of a pubsub node, in three columns. What a node holds when we come is the snapshot; from
// then on its events are shown as they arrive, whoever caused them.

import { announcer, byId, duration, el, fill, timeOf } from "./dom.js";
import { STATES, changed, fromPayload, newId, toPayload } from "./record.js";

/** How many orders the node keeps, and the page shows. */
const LIMIT = 60;
/** For how long a change is marked. */
const FRESH = 4000;
/** What is saved while there is no connection is kept for so long: `ms`. Whether there is one, the client minds itself. */
const PATIENCE = 30 * 60_000;
/** After this time it is said that the server is waited for: `ms`. */
const SLOW = 800;

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

/** The session was lost, and the answer with it. */
const isLost = (error) => error.code === "disconnected";

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
  /** Resolves when the snapshot of this session is here, or cannot be had. */
  #loaded;
  /** When we saved what has not come back yet, by id: `performance.now()`. */
  #saving = new Map();
  /** Ids of what the server is waited for. */
  #waiting = new Set();
  /** Who is to hear that the interruption is over. */
  #interrupted = [];
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
    // What waits, waits in this page.
    addEventListener("beforeunload", (event) => this.#waiting.size > 0 && event.preventDefault());
    this.#count();
  }

  // ── the feed ──────────────────────────────────────────────────────────────────────────────────────────────────────

  online(client) {
    this.#client = client;
    this.#loaded = this.#load();
  }

  /**
   * After an interruption. In the same session nothing was missed; in a new one the client has subscribed again, and what
   * happened in between the node knows. Resolves to what that was, in words.
   */
  back(resumed) {
    if (!resumed) this.#loaded = this.#load();
    for (const resolve of this.#interrupted.splice(0)) resolve();
    return resumed ? undefined : this.#loaded;
  }

  offline() {
    this.#client = undefined;
    this.#feed = undefined;
    this.#told = undefined;
    this.#loaded = undefined;
    for (const resolve of this.#interrupted.splice(0)) resolve();
    document.body.dataset.feed = "off";
  }

  /** Has the feed, and what the node holds. Resolves to what was new, in words, if anything was here before. */
  async #load() {
    const client = this.#client;
    const { node, pubsub: service } = this.#config;
    const told = new Set();
    const isOld = () => client !== this.#client || told !== this.#told;
    this.#told = told;
    document.body.dataset.feed = "loading";
    try {
      await this.#createNode(client);
      if (isOld()) return undefined;
      if (!this.#feed) await this.#subscribe(client);
      if (isOld()) return undefined;
      // Subscribed first and asked afterwards, nothing falls in between.
      const items = await client.pubsub.items(node, { service });
      if (isOld()) return undefined;
      const meant = this.#takeSnapshot(items);
      document.body.dataset.feed = "live";
      return meant;
    } catch (error) {
      // The next session does it, should this one be lost.
      if (isOld() || isLost(error)) return undefined;
      document.body.dataset.feed = "failed";
      this.#problem(`The feed ${node} of ${service} cannot be had: ${error.message}`);
      return undefined;
    }
  }

  async #subscribe(client) {
    const { node, pubsub: service } = this.#config;
    // What is there, and what was missed, the board asks for as a whole, since it tells what has changed.
    const onItem = (item) => item.via === "live" && this.#receive(item);
    const feed = await client.pubsub.subscribe(node, onItem, { service, snapshot: false });
    if (client !== this.#client) return;
    this.#feed = feed;
    feed.on("retract", ({ id, via }) => via === "live" && this.#remove(id));
    feed.on("purge", () => [...this.#cards.keys()].forEach((id) => this.#remove(id)));
    feed.on("delete", () => this.#problem("The node was deleted: nothing more will arrive. Connect again to create it anew."));
    // Also when it cannot be had again in a new session: then the next snapshot begins with another one.
    feed.on("end", () => {
      if (feed === this.#feed) this.#feed = undefined;
    });
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
    const isFirst = this.#cards.size === 0;
    const there = new Set();
    let changes = 0;
    for (const item of items) {
      there.add(item.id);
      if (this.#told.has(item.id)) continue;
      const isChange = this.#put(item, { live: false, mark: !isFirst });
      if (isChange) changes += 1;
    }
    // What an earlier session showed and was deleted since.
    for (const id of [...this.#cards.keys()]) {
      if (there.has(id) || this.#told.has(id)) continue;
      this.#remove(id, { quiet: true });
      changes += 1;
    }
    this.#told = undefined;
    this.#sort();
    const meanwhile = changes === 0 ? "nothing had changed" : changes === 1 ? "one order had changed" : `${changes} orders had changed`;
    return `The board was fetched again: ${meanwhile}.`;
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

  /** Shows an item; true when there is something new about it. */
  #put(item, { live, mark = live }) {
    const { id, publisher, time, receivedAt, payload } = item;
    if (id === undefined) return false;
    const record = fromPayload(payload);
    const known = this.#cards.get(id);
    const card = known ?? { id, element: el("li", { class: "card", "data-id": id }) };
    const delay = live ? this.#delayOf(id, record, receivedAt) : known?.delay;
    const kind = known ? (known.record.status === record.status ? "changed" : "moved") : "arrived";
    const before = known?.record.status;
    const isNew = live || JSON.stringify(known?.record) !== JSON.stringify(record);
    Object.assign(card, { record, publisher, time, receivedAt, delay, live: live || known?.live, xml: payload?.toString() });
    this.#cards.set(id, card);
    this.#draw(card);
    const { list } = this.#columns.get(record.status);
    if (live || before !== record.status) this.#place(list, card, live);
    if (mark && isNew) this.#mark(card, kind);
    if (live) {
      const state = STATES.find((one) => one.id === record.status).title.toLowerCase();
      this.#announce(kind === "arrived" ? `Order ${id}, ${record.title}, has arrived` : kind === "moved" ? `Order ${id}, ${record.title}, is ${state}` : `Order ${id} has changed`);
    }
    this.#trim();
    this.#count();
    return isNew;
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

  /** Saves an order: now, or when the server is back. False when it is not saved, or may not be. */
  async #publish(id, record) {
    const client = this.#client;
    if (!this.#hasConnection()) return false;
    const start = performance.now();
    const isUpdate = this.#cards.has(id);
    this.#saving.set(id, start);
    const isLatest = () => this.#saving.get(id) === start;
    try {
      const { node, pubsub: service } = this.#config;
      const outcome = await this.#persist(
        id,
        () => client.pubsub.publish(node, toPayload(record), { id, service, timeout: PATIENCE }),
        () => {
          if (!isLatest()) return ""; // saved once more since, here
          const shown = this.#cards.get(id)?.record;
          if (!shown) return isUpdate && `Order ${id} was deleted meanwhile.`;
          if (shown.savedAt?.getTime() === Date.parse(record.savedAt)) return `Order ${id} is saved: the board has it.`;
          return shown.savedAt > new Date(record.savedAt) && `Order ${id} was changed by somebody else meanwhile: that is what you see.`;
        },
      );
      if (outcome !== "") this.#problem(outcome ?? `Order ${id} is saved: the server confirmed it after ${duration(performance.now() - start)}.`, false);
      return true;
    } catch (error) {
      const isKnown = !isLost(error) && error.code !== "timeout";
      this.#problem(isKnown ? `Order ${id} was not saved: ${refusal(error)}` : `Whether order ${id} was saved is not known: no answer has come. Saving again does no harm.`);
      return false;
    } finally {
      // The event may come a little after the result.
      setTimeout(() => isLatest() && this.#saving.delete(id), 2000);
    }
  }

  async #retract(id) {
    const client = this.#client;
    if (!this.#hasConnection()) return;
    try {
      const { node, pubsub: service } = this.#config;
      await this.#persist(
        id,
        () => client.pubsub.retract(node, id, { service, timeout: PATIENCE }),
        () => !this.#cards.has(id) && "gone",
      );
      this.#problem(`Order ${id} is deleted.`, false);
    } catch (error) {
      this.#problem(`Order ${id} was not deleted: ${refusal(error)}`);
    }
  }

  /**
   * Does something about an order until it is known to be done. What a lost session leaves open, the snapshot of the next
   * one may answer: `settled()` says how, or nothing. The same once more, with the same id, makes no second order.
   */
  async #persist(id, act, settled) {
    const client = this.#client;
    const wait = () => {
      this.#waiting.add(id);
      const ids = [...this.#waiting];
      this.#problem(`${ids.length > 1 ? "Orders" : "Order"} ${ids.join(", ")}: waiting for the server…`, false);
    };
    const slow = setTimeout(wait, client.status === "online" ? SLOW : 0);
    try {
      for (;;) {
        try {
          await act();
          return undefined;
        } catch (error) {
          if (!isLost(error) || !(await this.#nextSession(client))) throw error;
          const outcome = settled();
          if (typeof outcome === "string") return outcome;
        }
      }
    } finally {
      clearTimeout(slow);
      this.#waiting.delete(id);
    }
  }

  /** Resolves once the board shows what the next session found; to false when there will be none. */
  async #nextSession(client) {
    do {
      if (client.status === "reconnecting") await new Promise((resolve) => this.#interrupted.push(resolve));
      await this.#loaded;
    } while (client.status === "reconnecting");
    return client === this.#client;
  }

  #hasConnection() {
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
