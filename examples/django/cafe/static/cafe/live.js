// What both pages have in common: one connection, its state in the header, and lists that show feeds. Text is only ever text.

import { Client } from "/epode/index.js";

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== undefined && child !== ""));
  return element;
}

export const settings = document.body.dataset;

/** So many items a list shows; nodes keep as many (`keep` in feeds/registration.py). */
const LIMIT = 200;

const STATES = { online: "Live", reconnecting: "Reconnecting", offline: "Offline" };

/** Connects as a guest, through this page's own origin: by WebSocket, or by BOSH where none gets through (or `?via=bosh`). */
export async function connect() {
  const ways = { ws: new URL("/ws", location.href).href.replace(/^http/, "ws"), bosh: "/http-bind" };
  const via = new URLSearchParams(location.search).get("via");
  const client = new Client(ways[via] ?? Object.values(ways), { domain: settings.domain, anonymous: true, presence: false });
  client.on("status", ({ status, error }) => {
    byId("state").dataset.status = status;
    byId("state").textContent = STATES[status] ?? "Connecting";
    byId("trouble").textContent = status === "offline" && error ? `Nothing new arrives any more. ${error.message}` : "";
  });
  addEventListener("pagehide", () => client.disconnect());
  // Come back to by the Back button, the page begins anew.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  await client.connect();
  return client;
}

/**
 * Shows a feed in a list, and keeps it so: what the node holds, then whatever is saved or deleted. `draw(item)` makes the
 * children of a list item; items stand by their primary keys, the newest first unless `ascending`.
 */
export async function show(client, node, list, draw, { ascending = false, changed = () => {} } = {}) {
  const elements = new Map();
  const comesAfter = (a, b) => (ascending ? Number(a) > Number(b) : Number(a) < Number(b));
  const put = (item) => {
    const known = elements.get(item.id);
    const element = known ?? el("li", { class: "card", "data-id": item.id });
    element.replaceChildren(...draw(item, element));
    elements.set(item.id, element);
    if (!known) list.insertBefore(element, [...list.children].find((other) => comesAfter(other.dataset.id, item.id)) ?? null);
    if (item.via !== "snapshot") {
      element.classList.remove("fresh");
      void element.offsetWidth; // so that it begins anew
      element.classList.add("fresh");
    }
    if (elements.size > LIMIT) remove((ascending ? list.firstElementChild : list.lastElementChild).dataset.id);
    changed(elements.size);
  };
  const remove = (id) => {
    elements.get(id)?.remove();
    elements.delete(id);
    changed(elements.size);
  };
  const feed = await client.pubsub.subscribe(node, put, { service: settings.pubsub, limit: LIMIT });
  feed.on("retract", ({ id }) => remove(id));
  feed.on("purge", () => [...elements.keys()].forEach(remove));
  // What the node held is here; or, after an interruption, what was missed: what is not among it now is gone.
  feed.on("live", () => {
    for (const id of elements.keys()) if (!feed.items.has(id)) remove(id);
    list.dataset.live = "true";
  });
  feed.on("end", () => {
    if (client.status === "online") byId("trouble").textContent = `The service has ended ${node}. Reload the page to see what is there.`;
  });
}

/** Saves something through the web site; resolves to its answer. What is shown comes back through the feed. */
export async function save(url, fields) {
  const body = fields instanceof HTMLFormElement ? new FormData(fields) : new URLSearchParams(fields);
  const token = document.querySelector('[name="csrfmiddlewaretoken"]').value;
  const response = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token } });
  const answer = await response.json().catch(() => ({ error: `The site answers ${response.status}.` }));
  if (!response.ok) throw new Error(answer.error ?? `The site answers ${response.status}.`);
  return answer;
}
