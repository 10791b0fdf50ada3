// The connection of the page: one client at a time, its state in the header, and what went wrong below it.

import { Client, register } from "/epode/index.js";
import { byId, clock, el, fill } from "./dom.js";

const STATE_TEXTS = {
  offline: "Offline",
  connecting: "Connecting",
  authenticating: "Logging in",
  binding: "Logging in",
  reconnecting: "Reconnecting",
  disconnecting: "Disconnecting",
  interrupted: "No answer",
};

/** What an error means here; its own text says what to do. */
const TITLES = {
  unreachable: "The server cannot be reached",
  "http-error": "The server does not answer as it should",
  "not-bosh": "What answers is not an XMPP server",
  timeout: "The server does not answer",
  terminated: "The server has ended the session",
  "stream-error": "The server has ended the session",
  "auth-failed": "The login was refused",
  "no-mechanism": "The server offers no login that fits",
  "registration-failed": "The account was not created",
};

export class Link {
  #config;
  #login = { anonymous: true };
  #client;
  #parts = [];
  #online = false;
  #observer;

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
    this.#watchRequests();
  }

  /**
   * A part of the page that lives on the connection. All optional: `made(client)` before it connects, `online(client)`,
   * `offline()`.
   */
  add(part) {
    this.#parts.push(part);
    if (this.#client) part.made?.(this.#client);
  }

  get client() {
    return this.#online ? this.#client : undefined;
  }

  /** The address on our own origin: BOSH, or WebSocket where the server has nothing else. */
  get #service() {
    const { href } = new URL(this.#config.service, location.href);
    return this.#config.service === this.#config.websocket ? href.replace(/^http/, "ws") : href;
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
    const service = this.#service;
    const who = login.anonymous ? { anonymous: true, domain: anonymousDomain } : { jid: `${login.username}@${domain}`, password: login.password };
    const client = new Client(service, { ...who, about: { name: "epode order board" } });
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
    if (!this.#online) return;
    this.#online = false;
    for (const part of this.#parts) part.offline?.();
  }

  #show({ status, error }) {
    const state = byId("state");
    const trouble = byId("trouble");
    // The button that was pressed to reconnect is about to go.
    if (trouble.contains(document.activeElement)) byId("toggle").focus();
    state.dataset.status = status;
    const who = el("span", { class: "who-am-i" }, ` as ${this.#login.anonymous ? "a guest" : this.#login.username}`);
    fill(byId("state-text"), ...(status === "online" ? ["Online", who] : [STATE_TEXTS[status] ?? status]));
    state.title = this.#client?.jid ?? "";
    document.body.dataset.status = status;
    byId("toggle").textContent = status === "offline" ? "Connect" : "Disconnect";
    byId("sign-in").textContent = this.#login.anonymous ? "Sign in" : "Sign out";

    if (status === "online") {
      trouble.replaceChildren();
      if (this.#online) return;
      this.#online = true;
      for (const part of this.#parts) part.online?.(this.#client);
    } else if (status === "interrupted") {
      const what = error.httpStatus ? `What stands before it says HTTP ${error.httpStatus}.` : "";
      trouble.replaceChildren(
        el("p", { class: "message" }, el("strong", {}, "The server does not answer."), ` ${what} What was sent is sent again until it does, or the session is lost.`),
      );
    } else if (status === "offline") {
      const wasOnline = this.#online;
      this.#wentOffline();
      if (error) this.#tell(error, wasOnline);
      else if (wasOnline) this.#tell(undefined, true);
    } else {
      trouble.replaceChildren();
    }
  }

  #tell(error, wasOnline) {
    const again = el("button", { onclick: () => this.connect() }, wasOnline ? "Reconnect" : "Try again");
    const title = error ? (wasOnline ? "The connection is lost" : (TITLES[error.code] ?? "Not connected")) : "You are disconnected";
    const seen = wasOnline ? ` What you see is what was here at ${clock(new Date())}.` : "";
    fill(
      byId("trouble"),
      el(
        "div",
        { class: error ? "message" : "message calm" },
        el("p", {}, el("strong", {}, `${title}.`), ` ${error?.message ?? ""}${seen}`),
        error && el("p", { class: "code" }, [error.code, error.condition, error.httpStatus].filter(Boolean).join(" · ")),
      ),
      again,
    );
  }

  /**
   * While the server may come back in time for the session, epode repeats its requests and stays online. That they fail
   * is known to the browser: two in a row, and the page says it.
   */
  #watchRequests() {
    const href = this.#service;
    let failed = 0;
    this.#observer = new PerformanceObserver((list) => {
      for (const { name, responseStatus } of list.getEntries()) {
        if (name !== href || responseStatus === undefined) continue;
        const wasFailing = failed > 1;
        failed = responseStatus === 200 ? 0 : failed + 1;
        if (!this.#online) continue;
        if (failed === 2) this.#show({ status: "interrupted", error: { httpStatus: responseStatus } });
        if (failed === 0 && wasFailing) this.#show({ status: "online" });
      }
    });
    this.#observer.observe({ type: "resource" });
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
      if (create) await register(this.#service, { domain, username, password });
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
