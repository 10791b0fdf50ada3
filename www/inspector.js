// What goes in and out, as it is on the wire (epode masks the secrets). Closed, it costs nothing: the listeners are
// registered only while it is open.

import { byId, el, exactClock, stickToEnd } from "./dom.js";
import { pretty, summarise } from "./pretty.js";

/** How many are kept. */
const LIMIT = 250;
/** Up to this length one is shown unfolded. */
const SHORT = 700;
const REMEMBER = "epode-demo-inspector";

export class Inspector {
  #client;
  #registrations = [];
  #entries = [];
  #paused = false;
  /** What came during a pause. */
  #waiting = [];
  #seen = 0;
  #end = stickToEnd(byId("trace"));

  constructor() {
    byId("inspect").addEventListener("click", () => this.toggle(!this.#isOpen));
    byId("close-inspector").addEventListener("click", () => this.toggle(false));
    byId("pause").addEventListener("click", () => this.#pause(!this.#paused));
    byId("clear").addEventListener("click", () => this.#clear());
    byId("filter").addEventListener("input", () => this.#redraw());
    byId("direction").addEventListener("change", () => this.#redraw());
    byId("inspector").addEventListener("keydown", (event) => {
      if (event.key === "Escape" && event.target !== byId("filter")) this.toggle(false);
    });
    if (remembered()) this.#show(true);
  }

  get #isOpen() {
    return !byId("inspector").hidden;
  }

  /** A client is about to connect: so the login is seen as well. */
  made(client) {
    this.#client = client;
    this.#registrations = [];
    if (this.#isOpen) this.#listen();
  }

  toggle(open) {
    this.#show(open);
    try {
      sessionStorage.setItem(REMEMBER, open ? "open" : "");
    } catch {
      // Without storage it is closed after a reload.
    }
    if (open) byId("filter").focus();
    else byId("inspect").focus();
  }

  #show(open) {
    byId("inspector").hidden = !open;
    byId("inspect").setAttribute("aria-expanded", String(open));
    document.body.classList.toggle("inspecting", open);
    if (open) this.#listen();
    else this.#unlisten();
    this.#end.stick(true);
  }

  #listen() {
    if (!this.#client || this.#registrations.length > 0) return;
    this.#registrations = [
      this.#client.on("sent", (xml) => this.#take("out", xml)),
      this.#client.on("received", (xml) => this.#take("in", xml)),
    ];
  }

  #unlisten() {
    for (const registration of this.#registrations.splice(0)) registration.remove();
  }

  #take(direction, xml) {
    const entry = { direction, xml, at: new Date() };
    if (this.#paused) {
      this.#waiting = [...this.#waiting.slice(-LIMIT + 1), entry];
      return this.#tally();
    }
    return this.#add(entry);
  }

  #add(entry) {
    this.#seen += 1;
    this.#entries.push(entry);
    if (this.#entries.length > LIMIT) this.#entries.shift().element?.remove();
    if (this.#passes(entry)) byId("trace").append(this.#draw(entry));
    this.#tally();
    this.#end.stick();
  }

  #passes({ direction, xml }) {
    const wanted = byId("direction").value;
    const text = byId("filter").value.trim().toLowerCase();
    return (!wanted || wanted === direction) && (!text || xml.toLowerCase().includes(text));
  }

  #draw(entry) {
    const { direction, xml, at } = entry;
    const { name, type, child } = summarise(xml);
    const details = el(
      "details",
      { class: `stanza ${direction}` },
      el(
        "summary",
        {},
        el("span", { class: "arrow", title: direction === "in" ? "received" : "sent" }, direction === "in" ? "in" : "out"),
        el("strong", {}, name),
        type && el("span", { class: "type" }, type),
        child && el("span", { class: "child" }, child),
        el("time", { datetime: at.toISOString() }, exactClock(at)),
      ),
    );
    // Printed when first looked at.
    const print = () => details.open && details.childElementCount === 1 && details.append(pretty(xml));
    details.addEventListener("toggle", print);
    details.open = xml.length <= SHORT;
    print();
    entry.element = details;
    return details;
  }

  #redraw() {
    const shown = this.#entries.filter((entry) => this.#passes(entry));
    for (const entry of this.#entries) entry.element = undefined;
    byId("trace").replaceChildren(...shown.map((entry) => this.#draw(entry)));
    this.#tally();
    this.#end.stick(true);
  }

  #pause(paused) {
    this.#paused = paused;
    byId("pause").textContent = paused ? "Resume" : "Pause";
    byId("pause").setAttribute("aria-pressed", String(paused));
    for (const entry of this.#waiting.splice(0)) this.#add(entry);
    this.#tally();
  }

  #clear() {
    this.#entries = [];
    this.#waiting = [];
    this.#seen = 0;
    byId("trace").replaceChildren();
    this.#tally();
  }

  #tally() {
    const dropped = this.#seen - this.#entries.length;
    const parts = [`${this.#entries.length}${dropped > 0 ? ` of ${this.#seen}` : ""}`];
    if (this.#paused) parts.push(`paused, ${this.#waiting.length} more`);
    byId("tally").textContent = parts.join(" · ");
  }
}

function remembered() {
  try {
    return sessionStorage.getItem(REMEMBER) === "open";
  } catch {
    return false;
  }
}
