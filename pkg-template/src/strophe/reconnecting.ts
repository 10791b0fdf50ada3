// The option `reconnect`: after an interruption the connection logs in again with what `connect()` was given, and resumes the session
// by stream management where it can. The module decides when (`RetryTimer`). The page's handlers stay, and what it sends meanwhile is
// sent afterwards. strophe.js 5.0.0 has the status RECONNECTING, and never gives it.

import type { RetryPauses } from "../retry-timer.js";
import { elementsIn } from "./arrival.js";
import type { Connection, Queued } from "./connection.js";
import type { Password } from "./connection-options.js";
import { ErrorCondition, NS, Status } from "./constants.js";
import type { Handler, TimedHandler } from "./handler.js";
import { Repeated } from "./repeated.js";
import { StreamManagement, isCountableStanza } from "./stream-management.js";
import { makeRetryTimer, type Transport } from "./transport.js";
import { getNodeFromJid } from "./utils.js";

/** What `connect()` was given. */
export interface LoginArguments {
  jid: string;
  pass: string | Password | null;
  authcid: string | undefined;
  wait: number | undefined;
  hold: number | undefined;
  route: string | undefined;
}

interface HeldStatus {
  status: number;
  condition: string | null | undefined;
  elem: Element | null | undefined;
}

/** Statuses that lead to the end of a connection. While it is going to be opened again, the page gets RECONNECTING in their place. */
const ENDING: readonly number[] = [Status.CONNFAIL, Status.CONNTIMEOUT, Status.ERROR, Status.DISCONNECTING];

/** Ends that another attempt cannot change, beside those of the server that the module knows. */
const FINAL = new RegExp(`^(bad-service|module-.*|${ErrorCondition.NO_AUTH_MECH}|${ErrorCondition.MISSING_JID_NODE})$`);

/** Requests of the login itself. */
const LOGIN_IDS: readonly (string | null)[] = ["_bind_auth_2", "_session_auth_2", "_auth_1", "_auth_2"];

/** As many stanzas are kept while there is no session. */
const MOST_KEPT = 10_000;

/** What is kept waits so long for the answer to `<enable/>`, in milliseconds. */
const PATIENCE = 5_000;

/** Opens a connection again. */
export class Reconnecting {
  readonly #connection: Connection;
  readonly #pauses: RetryPauses;
  #timer: ReturnType<typeof makeRetryTimer> | undefined;
  /** `off`: the connection ends as without the option. */
  #stage: "off" | "online" | "waiting" | "attempting" = "off";
  #login: (LoginArguments & { service: string }) | undefined;
  #isRedirected = false;
  #held: HeldStatus | undefined;
  /** What the page sent while there was no session. */
  #kept: Element[] = [];
  readonly #repeated: Repeated;
  /** How a request ends that cannot be answered any more. */
  readonly #endings = new WeakMap<Handler, () => void>();
  /** The requests that were unanswered when the session was lost. */
  #unanswered: Handler[] = [];

  constructor(connection: Connection, option: true | RetryPauses) {
    this.#connection = connection;
    this.#pauses = option === true ? {} : option;
    this.#repeated = new Repeated(connection);
  }

  /** Whether an attempt is under way. */
  get isAttempting(): boolean {
    return this.#stage === "attempting";
  }

  /** Whether there is a session that would be replaced. */
  get isOnline(): boolean {
    return this.#stage === "online";
  }

  /** The page connects. */
  begin(login: LoginArguments): void {
    this.stop();
    this.#login = { ...login, service: this.#connection.service };
  }

  /** The connection is not opened again. */
  stop(): void {
    this.#stage = "off";
    this.#login = undefined;
    this.#held = undefined;
    this.#kept = [];
    this.#unanswered = [];
    this.#timer?.stop();
  }

  /** A status is about to be told; `tell` tells it. */
  handleStatus(status: number, condition: string | null | undefined, elem: Element | null | undefined, tell: () => void): void {
    const mayGoOn = this.#stage === "online" || this.#stage === "attempting";
    if (mayGoOn && ENDING.includes(status) && !this.#connection.disconnecting) {
      this.#hold({ status, condition, elem });
    } else if (status === Status.AUTHFAIL && this.#stage === "attempting") {
      this.#handleRefusal(condition ?? (elem && elementsIn(elem)[0]?.nodeName), tell);
    } else if (status === Status.CONNECTED && this.#login) {
      this.#handleConnected(tell);
    } else {
      if (status === Status.REDIRECT) this.#isRedirected = true;
      tell();
    }
  }

  #hold(status: HeldStatus): void {
    this.#held ??= status;
    // strophe.js does not end the connection after each of these.
    setTimeout(() => this.#held === status && this.#connection._doDisconnect());
  }

  #handleRefusal(condition: string | null | undefined, tell: () => void): void {
    if (this.#timer?.refused(condition) !== undefined) {
      this.#interrupt(condition);
      return;
    }
    this.stop();
    tell();
    // The page has not asked for this login, and need not know that it has to end it.
    const connection = this.#connection;
    queueMicrotask(() => {
      if (this.#stage === "off" && !this.#login && connection.connected && !connection.disconnecting) connection.disconnect();
    });
  }

  #handleConnected(tell: () => void): void {
    const isNewSession = this.#stage === "attempting" && !this.#connection.hasResumed();
    this.#stage = "online";
    this.#held = undefined;
    this.#timer ??= makeRetryTimer(() => this.#attempt(), this.#pauses);
    this.#timer.online();
    if (isNewSession) this.#endUnanswered();
    this.#unanswered = [];
    this.#repeated.during(tell);
    this.#releaseInTurn();
  }

  /** The connection is at its end. True: it is going to be opened again. */
  takes(condition: string | null | undefined): boolean {
    if (this.#stage === "waiting") return true;
    if (this.#stage === "off" || this.#connection.disconnecting) {
      this.stop();
      return false;
    }
    const held = this.#held;
    this.#held = undefined;
    const reason = held?.condition ?? condition;
    const pause = FINAL.test(reason ?? "") ? undefined : this.#timer?.lost(reason);
    if (pause !== undefined) {
      this.#interrupt(reason);
      return true;
    }
    this.stop();
    if (held) this.#connection._changeConnectStatus(held.status, held.condition, held.elem);
    return false;
  }

  #interrupt(condition: string | null | undefined): void {
    const connection = this.#connection;
    const unsent = connection._data;
    if (this.#stage === "online") this.#saveWhatWaits(unsent);
    this.#stage = "waiting";
    this.#held = undefined;
    connection._data = [];
    connection._proto._doDisconnect();
    connection.authenticated = false;
    connection.connected = false;
    connection.restored = false;
    connection._dropSysHandlers();
    connection._changeConnectStatus(Status.RECONNECTING, condition ?? null);
  }

  /** The session is lost, or has to be resumed: keeps what has not left, and notes which requests are unanswered. */
  #saveWhatWaits(unsent: Queued[]): void {
    const { sm, handlers, addHandlers } = this.#connection;
    // Stream management keeps what it has counted, and sends it again.
    const isCounted = sm?.isTracking() === true;
    if (!isCounted) {
      const stanzas = unsent.filter((one): one is Element => one instanceof Object && isCountableStanza(one.tagName));
      this.#kept.unshift(...stanzas);
    }
    const ids = new Set(this.#kept.map((elem) => elem.getAttribute("id")));
    const isSentAgain = ({ id }: Handler): boolean =>
      ids.has(id ?? "") || (isCounted && sm.state.unacked.some(({ stanza }) => stanza.includes(String(id))));
    this.#unanswered = [...handlers, ...addHandlers].filter((one) => this.#endings.has(one) && !isSentAgain(one));
  }

  #attempt(): void {
    // One that hangs, or that began before the network came back.
    if (this.#stage === "attempting") this.#interrupt(null);
    if (this.#stage !== "waiting" || !this.#login) return;
    this.#stage = "attempting";
    const connection = this.#connection;
    const { service, jid, ...login } = this.#login;
    if (this.#isRedirected) connection.service = service;
    this.#isRedirected = false;
    const { sm } = connection;
    if (sm instanceof StreamManagement) sm.suspend();
    else sm?.reset();
    // The resource that the server gave is asked for again. An anonymous account has another name each time.
    connection._prepareLogin({ ...login, jid: getNodeFromJid(jid) === null ? jid : connection.jid });
    connection._changeConnectStatus(Status.CONNECTING, null);
    // The page may have ended it.
    if (this.isAttempting) connection._proto._connect(login.wait, login.hold, login.route);
  }

  // ── what the page sends and waits for ─────────────────────────────────────────────────────────────────────────────

  /** Whether what is about to be sent has to wait for the session. */
  keeps(elem: Element): boolean {
    if (this.#stage === "off") return false;
    const isOfLogin = !isCountableStanza(elem.tagName) || LOGIN_IDS.includes(elem.getAttribute("id"));
    const waits = this.#stage === "online" ? this.#kept.length > 0 && !this.#repeated.isTelling : !isOfLogin;
    if (!waits) return false;
    if (this.#kept.length >= MOST_KEPT) throw new Error(`Strophe: ${MOST_KEPT} stanzas wait for the connection to be back. This one is not kept.`);
    this.#kept.push(elem);
    return true;
  }

  /** Sends what was kept: behind what the page sent in its callback, and behind what stream management has to send again. */
  #releaseInTurn(): void {
    if (!this.#kept.length) return;
    const connection = this.#connection;
    const { sm } = connection;
    if (!sm?.isTracking() || sm.enabled) {
      this.#release();
      return;
    }
    const due = (): boolean => {
      queueMicrotask(() => this.#release());
      return false;
    };
    for (const name of ["enabled", "failed"]) connection._addSysHandler(due, NS.SM, name);
    connection._addSysTimedHandler(PATIENCE, due);
  }

  #release(): void {
    if (this.#stage !== "online") return;
    const kept = this.#kept;
    this.#kept = [];
    for (const elem of kept) this.#connection._queueData(elem);
    (this.#connection._proto as Transport)._send();
  }

  /** A request was made; `end` ends it without an answer. */
  expect(handler: Handler, end: () => void): void {
    this.#endings.set(handler, end);
  }

  /** What was asked in a lost session is not answered any more. */
  #endUnanswered(): void {
    const { handlers, addHandlers } = this.#connection;
    for (const handler of this.#unanswered) {
      if (handlers.includes(handler) || addHandlers.includes(handler)) this.#endings.get(handler)?.();
    }
  }

  /** A handler was added. */
  note(added: Handler | TimedHandler): void {
    this.#repeated.note(added);
  }
}
