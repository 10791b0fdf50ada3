// The connection of the page: one client at a time, its state and its way in in the header, and what went wrong below it.
//
// A connection that breaks is made again by the client itself. The page keeps what it shows, says so, and counts down to
// the next attempt; what is saved or said meanwhile waits in the client.

import { Client, register } from "/epode/index.js";
import { byId, clock, el, fill } from "./dom.js";

const STATE_TEXTS = {
  offline: "Offline",
  connecting: "Connecting",
  authenticating: "Logging in",
  binding: "Logging in",
  reconnecting: "Reconnecting",
  disconnecting: "Disconnecting",
};

/** What an error means here; its own text says what to do. */
const TITLES = {
  unreachable: "The server cannot be reached",
  "http-error": "The server does not answer as it should",
  "not-bosh": "What answers is not an XMPP server",
  "not-websocket": "What answers is not an XMPP server",
  timeout: "The server does not answer",
  terminated: "The server has ended the session",
  "stream-error": "The server has ended the session",
  "auth-failed": "The login was refused",
  "no-mechanism": "The server offers no login that fits",
  "registration-failed": "The account was not created",
};

const WAYS = { ws: "WebSocket", bosh: "BOSH" };

/** An interruption that is over sooner is not worth a word: `ms`. */
const GRACE = 600;
/** For how long it is said that all is well again: `ms`. */
const CALM = 8000;

export class Link {
  #config;
  #login = { anonymous: true };
  #client;
  #parts = [];
  /** There is a session, or will be one again. */
  #lasting = false;
  /** What is told of a broken connection: elements that change with each attempt. */
  #broken;
  #ticking;
  /** The timer of what is shown for a while, or soon. */
  #timer;

  constructor(config) {
    this.#config = config;
    byId("toggle").addEventListener("click", () => (this.#isOffline ? this.connect() : this.disconnect()));
    byId("sign-in").addEventListener("click", () => (this.#login.anonymous ? this.#askAccount() : this.#signOut()));
    byId("account-cancel").addEventListener("click", () => byId("account").close());
    byId("account-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#signIn(event.submitter?.value === "register");
    });
    byId("account-domain").textContent = `@${config.domain}`;
    // A page that is left says good-bye; one that comes back from the browser's cache connects again.
    addEventListener("pagehide", () => this.disconnect());
    addEventListener("pageshow", (event) => event.persisted && this.connect());
  }

  /**
   * A part of the page that lives on the connection. All optional: `made(client)` before it connects, `online(client)`,
   * `back(resumed)` after an interruption, `offline()`. What `back` resolves to says what it meant for that part.
   */
  add(part) {
    this.#parts.push(part);
    if (this.#client) part.made?.(this.#client);
  }

  /** The ways in on our own origin, by name: those that the server has and, should it say so, the page's address wants. */
  get #ways() {
    const { service, websocket } = this.#config;
    const ways = {};
    if (websocket) ways.ws = new URL(websocket, location.href).href.replace(/^http/, "ws");
    if (service !== websocket) ways.bosh = new URL(service, location.href).href;
    const via = new URLSearchParams(location.search).get("via");
    return Object.hasOwn(ways, via) ? { [via]: ways[via] } : ways;
  }

  get #isOffline() {
    return !this.#client || this.#client.status === "offline";
  }

  /** Connects anew. The error, if any, is shown and given back. */
  async connect() {
    this.#drop();
    const client = this.#make(this.#login);
    try {
      await client.connect();
      return undefined;
    } catch (error) {
      // The status event of an attempt that failed has told already; what never got that far is told here.
      const told = byId("trouble").childElementCount > 0 || error.code === "disconnected";
      if (client === this.#client && !told) this.#show({ status: "offline", error });
      return error;
    }
  }

  async disconnect() {
    await this.#client?.disconnect();
  }

  #make(login) {
    const { domain, anonymousDomain } = this.#config;
    const who = login.anonymous ? { anonymous: true, domain: anonymousDomain } : { jid: `${login.username}@${domain}`, password: login.password };
    // The first that works is taken.
    const client = new Client(Object.values(this.#ways), { ...who, about: { name: "epode order board" } });
    this.#client = client;
    client.on("status", (change) => client === this.#client && this.#show(change));
    client.on("error", (error) => console.warn(error));
    for (const part of this.#parts) part.made?.(client);
    return client;
  }

  #drop() {
    const old = this.#client;
    this.#client = undefined;
    this.#wentOffline();
    old?.free();
  }

  #wentOffline() {
    if (!this.#lasting) return;
    this.#lasting = false;
    for (const part of this.#parts) part.offline?.();
  }

  // ── what is shown ─────────────────────────────────────────────────────────────────────────────────────────────────

  #show(change) {
    const { status, error } = change;
    document.body.dataset.status = status;
    this.#showState(status);
    byId("toggle").textContent = status === "offline" ? "Connect" : "Disconnect";
    byId("sign-in").textContent = this.#login.anonymous ? "Sign in" : "Sign out";

    if (status === "online" && this.#lasting) this.#cameBack(change.resumed);
    else if (status === "online") {
      this.#lasting = true;
      this.#say();
      for (const part of this.#parts) part.online?.(this.#client);
    } else if (status === "reconnecting") {
      this.#interrupted(change);
    } else if (status === "offline") {
      const wasOnline = this.#lasting;
      this.#wentOffline();
      this.#say();
      if (error || wasOnline) this.#tell(error, wasOnline);
    } else {
      this.#say();
    }
  }

  #showState(status) {
    const state = byId("state");
    state.dataset.status = status;
    state.title = this.#client?.jid ?? "";
    const who = el("span", { class: "who-am-i" }, ` as ${this.#login.anonymous ? "a guest" : this.#login.username}`);
    fill(byId("state-text"), ...(status === "online" ? ["Online", who] : [STATE_TEXTS[status] ?? status]));
    fill(byId("way"), status === "online" && this.#way());
  }

  /** How we came in; where there are two ways, a link to the other one. */
  #way() {
    const { ws, bosh } = this.#ways;
    const used = this.#client.service === ws ? "ws" : "bosh";
    const other = used === "ws" ? "bosh" : "ws";
    const { service, websocket } = this.#config;
    if (!websocket || service === websocket) return WAYS[used];
    const address = new URL(location.href);
    address.searchParams.set("via", other);
    const label = `${WAYS[used]}: connect by ${WAYS[other]} instead`;
    return el("a", { href: address.href, title: label, "aria-label": label }, WAYS[used]);
  }

  /** Shows this and nothing else below the header. */
  #say(...content) {
    clearTimeout(this.#timer);
    clearInterval(this.#ticking);
    this.#broken = undefined;
    const trouble = byId("trouble");
    // The button that was pressed is about to go.
    if (trouble.contains(document.activeElement)) byId("toggle").focus();
    fill(trouble, ...content);
  }

  #interrupted({ error, attempt, retryAt }) {
    if (!this.#broken) {
      this.#say();
      // Counted down before the eyes only: said every second it would be a nuisance.
      const countdown = el("span", { "aria-hidden": "true" });
      const cause = el("p", { class: "code" });
      this.#broken = { countdown, cause };
      const message = el(
        "div",
        { class: "message" },
        el("p", {}, el("strong", {}, "The connection is lost: "), countdown, el("span", { class: "hidden" }, "it is tried again by itself.")),
        el("p", {}, `What you see is what was here at ${clock(new Date())}. What you save or say meanwhile is sent when the server is back.`),
        cause,
      );
      // It is tried by itself; this is for the impatient. What comes of it, the status tells.
      const now = el("button", { onclick: () => this.#client?.connect().catch(() => {}) }, "Try now");
      this.#timer = setTimeout(() => this.#broken?.countdown === countdown && byId("trouble").append(message, now), GRACE);
    }
    const { countdown, cause } = this.#broken;
    const text = [TITLES[error?.code], error?.code, error?.httpStatus].filter(Boolean).join(" · ");
    if (cause.textContent !== text) cause.textContent = text;
    clearInterval(this.#ticking);
    const tick = () => {
      const left = Math.ceil((retryAt - Date.now()) / 1000);
      const which = attempt > 1 ? ` (attempt ${attempt})` : "";
      countdown.textContent = left > 0 ? `trying again in ${left} s${which}.` : `trying again${which}…`;
    };
    tick();
    this.#ticking = setInterval(tick, 200);
  }

  /** The connection is there again: what did it mean? */
  async #cameBack(resumed) {
    const wasSaid = byId("trouble").childElementCount > 0;
    const calm = (text) => {
      this.#say(el("div", { class: "message calm" }, el("p", {}, el("strong", {}, "The connection is back."), ` ${text}`)));
      this.#timer = setTimeout(() => this.#say(), CALM);
    };
    this.#say();
    const meant = Promise.all(this.#parts.map((part) => part.back?.(resumed)));
    if (resumed) {
      // What nobody noticed need not be told.
      if (wasSaid) calm("The session went on, and nothing was missed.");
      return;
    }
    calm("It is a new session: what happened meanwhile is asked for…");
    const { firstElementChild: said } = byId("trouble");
    const told = (await meant).filter(Boolean);
    // Unless something else is said by now.
    if (said.isConnected) calm(`It is a new session. ${told.join(" ")}`);
  }

  #tell(error, wasOnline) {
    const again = el("button", { onclick: () => this.connect() }, wasOnline ? "Reconnect" : "Try again");
    const title = error ? (wasOnline ? "The connection is lost" : (TITLES[error.code] ?? "Not connected")) : "You are disconnected";
    const seen = wasOnline ? ` What you see is what was here at ${clock(new Date())}.` : "";
    this.#say(
      el(
        "div",
        { class: error ? "message" : "message calm" },
        el("p", {}, el("strong", {}, `${title}.`), ` ${error?.message ?? ""}${seen}`),
        error && el("p", { class: "code" }, [error.code, error.condition, error.httpStatus].filter(Boolean).join(" · ")),
      ),
      again,
    );
  }

  // ── accounts ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #askAccount() {
    byId("account-problem").textContent = "";
    byId("account").showModal();
  }

  async #signIn(create) {
    const dialog = byId("account");
    const problem = byId("account-problem");
    const [username, password] = [byId("username").value.trim(), byId("password").value];
    const { domain } = this.#config;
    problem.textContent = create ? "Creating the account…" : "Signing in…";
    dialog.inert = true;
    try {
      if (create) await register(Object.values(this.#ways), { domain, username, password });
      const login = this.#login;
      this.#login = { username, password };
      const error = await this.connect();
      if (error) {
        this.#login = login;
        this.connect();
        throw error;
      }
      byId("password").value = "";
      dialog.close();
    } catch (error) {
      problem.textContent = error.condition === "conflict" ? `There is an account ${username} already. Sign in, or take another name.` : error.message;
    } finally {
      dialog.inert = false;
    }
  }

  async #signOut() {
    await this.disconnect();
    this.#login = { anonymous: true };
    await this.connect();
  }
}
