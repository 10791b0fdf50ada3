// Stream management (XEP-0198 1.6.1) of a `Connection`: counting, acknowledgements, resumption, with the interface of strophe.js 5.0.0.
// It uses texts and views, so that it works without a document.

import { NS } from "./constants.js";
import log from "./log.js";
import { MemoryStorageBackend, type SMStorageBackend } from "./storage.js";
import { xmlescape } from "./utils.js";

/** The parts of an element that stream management reads. */
export interface StanzaView {
  name: string;
  attrs: Record<string, string>;
  serialized: string;
}

/** A stanza that the server has not acknowledged. */
export interface QueuedStanza {
  name: string;
  stanza: string;
  /** In milliseconds since 1970. */
  queuedAt: number;
}

/** The stored state of a session. */
export interface SMState {
  enableSent: boolean;
  enabled: boolean;
  id: string | null;
  boundJid: string | null;
  max: number | null;
  location: string | null;
  resumeSupported: boolean;
  resumed: boolean;
  hIn: number;
  hOutAcked: number;
  unacked: QueuedStanza[];
  sinceLastAck: number;
}

/** The options of stream management. */
export interface StreamManagementOptions {
  /** The number of sent stanzas after which an acknowledgement is requested. */
  maxUnacked?: number;
  /** Whether to request a session that can be resumed. */
  requestResume?: boolean;
  /** The requested time for which the server keeps the session, in seconds. */
  max?: number;
  storage?: SMStorageBackend;
}

/** The interface that a connection uses. */
export interface StreamManagementController {
  serverSupported: boolean;
  readonly state: SMState;
  readonly enabled: boolean;
  readonly resumed: boolean;
  readonly boundJid: string | null;
  readonly resumePending: boolean;
  initialize(jid: string): void;
  hasResumableState(): boolean;
  reset(): void;
  sendResume(): void;
  sendEnable(boundJid: string): void;
  isTracking(): boolean;
  trackOutbound(view: StanzaView): void;
  onInbound(view: StanzaView): void;
  onInboundStanza(name: string): void;
  onGracefulClose(): void;
  onEnabled(): void;
  onResumed(): void;
  onFailed(view?: StanzaView, resumeFailed?: boolean): void;
}

/** Counters are unsigned 32-bit integers (XEP-0198 §4). */
const WRAP = 2 ** 32;

/** The state of a connection without stream management. */
export const fresh = (): SMState => ({
  boundJid: null,
  enableSent: false,
  enabled: false,
  hIn: 0,
  hOutAcked: 0,
  id: null,
  location: null,
  max: null,
  resumeSupported: false,
  resumed: false,
  sinceLastAck: 0,
  unacked: [],
});

function counterOf(text: unknown): number | null {
  const value = typeof text === "string" ? Number.parseInt(text, 10) : NaN;
  return value >= 0 ? value % WRAP : null;
}

/** Whether elements with this name are counted. */
export const isCountableStanza = (name: string): boolean => name === "iq" || name === "presence" || name === "message";

/** Removes the stanza's own `from`: in a new session it would be the address of another session. */
export function stripFrom(serialized: string): string {
  const end = serialized.indexOf(">");
  if (end < 0) return serialized;
  return serialized.slice(0, end).replace(/\sfrom=(["'])[\s\S]*?\1/, "") + serialized.slice(end);
}

/** Adds the time when the message was first sent (XEP-0203), unless it is present. */
export function stampDelay(serialized: string, name: string, queuedAt: number): string {
  if (serialized.includes(NS.DELAY)) return serialized;
  const delay = `<delay xmlns="${NS.DELAY}" stamp="${new Date(queuedAt).toISOString()}"/>`;
  if (serialized.endsWith("/>")) return `${serialized.slice(0, -2)}>${delay}</${name}>`;
  const end = serialized.lastIndexOf(`</${name}`);
  return end < 0 ? serialized : serialized.slice(0, end) + delay + serialized.slice(end);
}

/** Stream management of one connection. */
export class StreamManagement implements StreamManagementController {
  serverSupported = false;
  readonly #send: (data: string) => void;
  readonly #options: StreamManagementOptions;
  readonly #storage: SMStorageBackend;
  #key: string | null = null;
  #state = fresh();
  #resumePending = false;
  /** The unacknowledged stanzas of a session that could not be resumed. */
  #left: QueuedStanza[] = [];

  constructor(send: (data: string) => void, options: StreamManagementOptions = {}) {
    this.#send = send;
    this.#options = { maxUnacked: 5, requestResume: true, ...options };
    this.#storage = this.#options.storage || new MemoryStorageBackend();
  }

  get state(): SMState {
    return this.#state;
  }

  get enabled(): boolean {
    return this.#state.enabled;
  }

  get resumed(): boolean {
    return this.#state.resumed;
  }

  get boundJid(): string | null {
    return this.#state.boundJid;
  }

  get resumePending(): boolean {
    return this.#resumePending;
  }

  /** Loads the stored state of the account's last session. */
  initialize(jid: string): void {
    this.#key = `strophe-sm:${(jid.split("/")[0] as string).toLowerCase()}`;
    const kept = this.#storage.load(this.#key);
    if (kept) this.#state = { ...fresh(), ...kept };
  }

  hasResumableState(): boolean {
    return Boolean(this.#state.id && this.#state.resumeSupported);
  }

  /** Discards the session; its state in the storage remains. */
  reset(): void {
    this.#forget();
    this.serverSupported = false;
  }

  /** The stream was interrupted: the session is resumed in the next one, or what it has left is sent again there. */
  suspend(): void {
    this.serverSupported = false;
    this.#resumePending = false;
    if (this.hasResumableState()) return;
    this.#left.push(...this.#state.unacked);
    this.#state = fresh();
    this.clearPersistedState();
  }

  #forget(): void {
    this.#state = fresh();
    this.#resumePending = false;
    this.#left = [];
  }

  clearPersistedState(): void {
    if (this.#key) this.#storage.clear(this.#key);
  }

  /** Requests stream management for a session that was just bound. */
  sendEnable(boundJid: string): void {
    if (this.#state.enableSent) {
      log.warn("Stream management was already asked for in this session.");
      return;
    }
    this.#state = Object.assign(this.#state, fresh(), { enableSent: true, boundJid });
    const { requestResume, max } = this.#options;
    this.#send(`<enable xmlns="${NS.SM}"${requestResume ? ' resume="true"' : ""}${max ? ` max="${max}"` : ""}/>`);
    this.#persist();
  }

  /** Requests the resumption of the stored session. */
  sendResume(): void {
    const { id, hIn } = this.#state;
    if (!id || !this.hasResumableState()) {
      log.warn("There is no session that could be resumed.");
      return;
    }
    this.#resumePending = true;
    this.#send(`<resume xmlns="${NS.SM}" h="${hIn}" previd="${xmlescape(id)}"/>`);
  }

  /** Whether sent stanzas are counted and stored. */
  isTracking(): boolean {
    return this.#state.enableSent;
  }

  /** Handles a stanza that is about to be sent. */
  trackOutbound({ name, serialized }: StanzaView): void {
    const state = this.#state;
    if (!state.enableSent || !isCountableStanza(name)) return;
    state.unacked.push({ name, stanza: serialized, queuedAt: Date.now() });
    state.sinceLastAck += 1;
    const most = this.#options.maxUnacked ?? 0;
    if (most > 0 && state.sinceLastAck % most === 0) this.requestAck();
    this.#persist();
  }

  /** Handles a received element. */
  onInbound(view: StanzaView): void {
    if (view.name === "r") {
      if (this.#state.enabled) this.sendAck();
    } else if (view.name === "a") this.#handleAck(view);
    else if (view.name === "enabled") this.#handleEnabled(view);
    else if (view.name === "resumed") this.#handleResumed(view);
    else if (view.name === "failed") this.#handleFailed(view);
    else this.onInboundStanza(view.name);
  }

  requestAck(): void {
    this.#send(`<r xmlns="${NS.SM}"/>`);
  }

  sendAck(): void {
    this.#send(`<a xmlns="${NS.SM}" h="${this.#state.hIn}"/>`);
  }

  /** Counts a received stanza with this name. */
  onInboundStanza(name: string): void {
    if (!this.#state.enabled || !isCountableStanza(name)) return;
    this.#state.hIn = (this.#state.hIn + 1) % WRAP;
    this.#persist();
  }

  /** Handles that the page closes the session: it must not be resumed. */
  onGracefulClose(): void {
    if (this.#state.enabled) this.sendAck();
    this.clearPersistedState();
    this.#forget();
  }

  /** The page may replace this method. */
  onEnabled(): void {}

  /** The page may replace this method. */
  onResumed(): void {}

  /** The page may replace this method. */
  onFailed(_view?: StanzaView, _resumeFailed?: boolean): void {}

  #confirm(h: number): void {
    const state = this.#state;
    let count = (h - state.hOutAcked + WRAP) % WRAP;
    if (count > state.unacked.length) {
      log.error(`The server acknowledged ${count} stanzas (h=${h}); ${state.unacked.length} were waiting.`);
      count = state.unacked.length;
    }
    state.unacked = state.unacked.slice(count);
    state.hOutAcked = h;
  }

  #handleAck({ attrs }: StanzaView): void {
    if (!this.#state.enableSent && !this.#state.enabled) return;
    const h = counterOf(attrs.h);
    if (h === null) {
      log.error("The server sent <a/> without a valid h.");
      return;
    }
    this.#confirm(h);
    this.#state.sinceLastAck = 0;
    this.#persist();
  }

  #handleEnabled({ attrs }: StanzaView): void {
    const state = this.#state;
    if (!state.enableSent) {
      log.warn("The server sent <enabled/>, which was not asked for.");
      return;
    }
    state.enabled = true;
    state.id = attrs.id || null;
    state.max = counterOf(attrs.max);
    state.location = attrs.location || null;
    state.resumeSupported = attrs.resume === "true" || attrs.resume === "1";
    this.#resendLeft();
    this.#persist();
    this.onEnabled();
  }

  #handleResumed({ attrs }: StanzaView): void {
    const state = this.#state;
    if (!state.id) {
      log.warn("The server sent <resumed/>, which was not asked for.");
      return;
    }
    this.#resumePending = false;
    state.enableSent = true;
    state.enabled = true;
    state.resumed = true;
    const h = counterOf(attrs.h);
    if (h === null) log.error("The server sent <resumed/> without a valid h.");
    else this.#confirm(h);
    state.sinceLastAck = 0;
    for (const { stanza } of state.unacked) this.#send(stripFrom(stanza));
    if (state.unacked.length) this.requestAck();
    this.#persist();
    this.onResumed();
  }

  #handleFailed(view: StanzaView): void {
    if (!this.#state.enableSent && !this.#state.id) return;
    const resumeFailed = this.#resumePending;
    this.#resumePending = false;
    const h = counterOf(view.attrs.h);
    if (h !== null) this.#confirm(h);
    if (resumeFailed) this.#left.push(...this.#state.unacked);
    this.#state = fresh();
    this.clearPersistedState();
    this.onFailed(view, resumeFailed);
  }

  /** Sends the unacknowledged stanzas of the lost session in the new one. */
  #resendLeft(): void {
    const left = this.#left;
    if (!left.length) return;
    this.#left = [];
    for (const entry of left) {
      const bare = stripFrom(entry.stanza);
      const stanza = entry.name === "message" ? stampDelay(bare, entry.name, entry.queuedAt) : bare;
      this.#send(stanza);
      this.#state.unacked.push({ ...entry, stanza });
      this.#state.sinceLastAck += 1;
    }
    this.requestAck();
  }

  #persist(): void {
    if (this.#key) this.#storage.save(this.#key, this.#state);
  }
}
