// Every page: replies to the paste that is read, and, signed in, to all pastes of one's own. Two feeds, one connection. Text is
// only ever text.

import { Client } from "/epode/index.js";

/**
 * What the site publishes of a reply (pastebin/push.py, `as_read`).
 * @typedef {{ reply_id: number, paste_id: number, title: string, author: string, text: string }} Reply
 */

const settings = document.body.dataset;
const byId = (id) => document.getElementById(id);
const STATES = { online: "Live", reconnecting: "Reconnecting", offline: "Offline" };
/** For how long news stay: `ms`. */
const SHOWN = 8000;

function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Which replies are told already: to one's own paste, read at the moment, they come on both feeds. */
const told = new Set();

/** @param {Reply} reply */
function flash(reply) {
  if (told.has(reply.reply_id) || reply.author === settings.name) return;
  told.add(reply.reply_id);
  const link = el("a", { href: `/pastes/${reply.paste_id}#reply-${reply.reply_id}` }, reply.title);
  const news = el("p", { class: "flash", "data-reply": reply.reply_id }, el("strong", {}, reply.author), " has replied to ", link);
  byId("flashes").append(news);
  setTimeout(() => news.remove(), SHOWN);
}

/** @param {Reply} reply */
function add(reply) {
  const known = byId(`reply-${reply.reply_id}`);
  if (known) {
    known.querySelectorAll("p")[1].textContent = reply.text;
    return;
  }
  const element = el("li", { class: "card fresh", id: `reply-${reply.reply_id}` }, el("p", {}, el("strong", {}, reply.author)), el("p", {}, reply.text));
  const later = [...byId("replies").children].find((other) => Number(other.id.slice("reply-".length)) > reply.reply_id);
  byId("replies").insertBefore(element, later ?? null);
}

/** The password of the user's own XMPP account: asked for at each login, for the site may have given it another one. */
async function password() {
  const response = await fetch("/me/xmpp", { cache: "no-store" });
  if (!response.ok) throw new Error("You are signed out.");
  return (await response.json()).password;
}

/**
 * Subscribes. A node that the site could not make yet, since the XMPP server was away, is waited for; so is one that a server
 * which broke down has forgotten: the site makes it anew with the next reply. `options` makes the options each time.
 */
async function follow(client, node, onItem, options, begin = () => {}) {
  for (;;) {
    try {
      const feed = await client.pubsub.subscribe(node, onItem, { service: settings.pubsub, ...options() });
      begin(feed);
      feed.on("end", () => client.status === "online" && follow(client, node, onItem, options, begin).catch(notLive));
      feed.on("live", () => (document.body.dataset.feeds = `${document.body.dataset.feeds ?? ""} ${node}`.trim()));
      return;
    } catch (error) {
      // Without a connection it is not over: there will be another.
      if (error.condition !== "item-not-found" && client.status !== "reconnecting") throw error;
      await new Promise((resolve) => setTimeout(resolve, 3000));
    }
  }
}

/** Replies to the paste that is read. The site has put those on the page that it knew of. */
function followPaste(client, paste) {
  const show = ({ value, via }) => {
    add(value);
    if (via !== "snapshot") flash(value);
  };
  const begin = (feed) => feed.on("retract", ({ id }) => byId(`reply-${id}`)?.remove());
  return follow(client, `paste-replies:${paste}`, show, () => ({}), begin);
}

/** Replies to all that the user has pasted: from the first visit on each is news once, also what came while nobody was here. */
function followUser(client, user) {
  const node = `user-replies:${user}`;
  const place = `position of ${node}`;
  const options = () => ({ limit: 100, snapshot: false, since: localStorage.getItem(place) ?? undefined });
  const begin = (feed) => {
    const keep = () => feed.position && localStorage.setItem(place, feed.position);
    feed.on("item", keep);
    feed.on("live", keep);
  };
  return follow(client, node, ({ value }) => flash(value), options, begin);
}

function notLive(error) {
  byId("state").dataset.status = "offline";
  byId("state").textContent = `Not live: ${error.message}`;
}

async function start() {
  const { user, paste } = settings;
  if (!user && !paste) return;
  // The site's own origin has neither BOSH nor WebSocket: the XMPP server is another one, and allows us by CORS.
  const login = user ? { jid: settings.jid, password } : { domain: settings.domain, anonymous: true };
  const client = new Client([settings.websocket, settings.bosh], { ...login, presence: false });
  client.on("status", ({ status, error }) => {
    byId("state").dataset.status = status;
    byId("state").textContent = STATES[status] ?? "Connecting";
    byId("state").title = error?.message ?? "";
  });
  addEventListener("pagehide", () => client.disconnect());
  // Come back to by the Back button, the page begins anew.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  await client.connect();

  await Promise.all([paste && followPaste(client, paste), user && followUser(client, user)]);
}

start().catch(notLive);
