// The shared part of one client: the module's core, the promises by id, and the receivers of the module's events. It is
// the module's `Sink`. While the connection is not offline, the module keeps the hub alive, and the hub keeps the
// page's client and all registered objects alive.

import { Core, type OccupantFields, type Sink, type Via } from "./core.js";
import type { ClientEvents, Status } from "./client-events.js";
import { Credentials } from "./credentials.js";
import { type ProblemKind, type StanzaErrorFields, type XmppError, aborted, closeReason, problem, stanzaError } from "./errors.js";
import { Listeners, callBack } from "./events.js";
import { guarded, mustBeWhole } from "./fault.js";
import type { ItemFields } from "./item.js";
import type { Prepared } from "./options.js";
import { Packed, type PackedText, type Stanza, stanzaOf, viewOf } from "./stanza.js";
import { Deferred, type Waiting } from "./waiting.js";

/** The default timeout of a reply, in milliseconds. */
const REPLY_TIMEOUT = 30_000;

/** The receiver of a feed's events. @internal */
export interface FeedSink {
  agree(state: string, jid: string | undefined, subid: string | undefined): void;
  refuse(error: XmppError): void;
  item(id: string | undefined, payload: Stanza | undefined, publisher: string | undefined, time: number, via: Via): void;
  retract(id: string, via: Via): void;
  purge(): void;
  gap(after: string | undefined, before: string | undefined): void;
  live(): void;
  subscription(state: string, jid: string | undefined, subid: string | undefined): void;
  configure(): void;
  delete(redirect: string | undefined): void;
  /** The feed ended at `position`. */
  finish(position: string | undefined): void;
}

/** A message in a room, as the module reports it. @internal */
export interface MessageFields {
  nick: string | undefined;
  body: string;
  id: string | undefined;
  time: Date | undefined;
  delayed: boolean;
  own: boolean;
  private: boolean;
  stanza: Stanza;
}

/** The receiver of the events of a visit to a room. @internal */
export interface RoomSink {
  message(message: MessageFields): void;
  subject(subject: string, nick: string | undefined): void;
  join(occupant: OccupantFields): void;
  change(occupant: OccupantFields): void;
  part(occupant: OccupantFields, reason: string, text: string | undefined): void;
  rename(from: string, to: string, own: boolean): void;
  rejoin(): void;
  fail(error: XmppError): void;
  out(reason: string, text: string | undefined, alternative: string | undefined): void;
  /** The visit ended: no event follows. */
  close(nick: string): void;
}

/** An account's change of a node, as the module reports it. @internal */
export interface PersonalFields {
  type: "item" | "retract" | "purge" | "delete" | "configuration";
  from: string;
  node: string;
  id: string | undefined;
  redirect: string | undefined;
  item: ItemFields | undefined;
}

/** A request to approve a subscription. @internal */
export interface ApprovalFields {
  service: string;
  node: string;
  jid: string;
  subid: string | undefined;
  id: string | undefined;
}

/** The receiver of a watch's events. @internal */
export interface WatchSink {
  personal?(event: PersonalFields): void;
  approval?(asked: ApprovalFields): void;
}

/** A BOSH session that a web server made, validated. @internal */
export interface Given {
  jid: string;
  sid: string;
  rid: number;
}

/** @internal */
export class Hub implements Sink {
  /** The page's client; the hub keeps it alive. */
  readonly owner: object | undefined;
  readonly listeners: Listeners<ClientEvents>;
  readonly handlers = new Map<number, (stanza: Stanza) => unknown>();
  readonly feeds = new Map<number, FeedSink>();
  readonly rooms = new Map<number, RoomSink>();
  readonly watches = new Map<number, WatchSink>();
  phase: Status = "offline";
  isFreed = false;
  readonly #core: Core;
  readonly #prepared: Prepared;
  readonly #credentials: Credentials;
  readonly #sends = new Map<number, Deferred<void>>();
  readonly #requests = new Map<number, Deferred<Stanza>>();
  readonly #commands = new Map<number, Deferred<void>>();
  /** The promises that wait for the end of an interruption. */
  readonly #awaiting = new Set<Deferred<void>>();
  #closing: Deferred<void>[] = [];
  #connecting: Deferred<void> | undefined;
  /** Whether the last requested connection has begun: only then a reported end is its end. */
  #hasBegun = false;

  constructor(prepared: Prepared, listeners: Listeners<ClientEvents>, owner?: object) {
    mustBeWhole();
    this.owner = owner;
    this.listeners = listeners;
    this.#prepared = prepared;
    this.#credentials = new Credentials(prepared.login, (give) => {
      if (!this.isFreed) this.call(give);
    });
    this.#core = guarded(() => new Core(this, prepared.settings));
  }

  /** Calls the module. */
  call<T>(act: (core: Core) => T): T {
    if (this.isFreed) throw problem("freed");
    return guarded(() => act(this.#core));
  }

  /** Reads a value of the module; a freed client has none. */
  read<T>(act: (core: Core) => T | undefined): T | undefined {
    return this.isFreed ? undefined : guarded(() => act(this.#core));
  }

  /** Reports an error that no promise reports. */
  complain(error: XmppError): void {
    this.listeners.emit("error", error);
  }

  // ── connecting ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Starts connecting, or continues a session that a web server made, within the call. */
  begin(signal: AbortSignal | undefined, given?: Given): Promise<void> {
    if (this.isFreed) throw problem("freed");
    if (signal?.aborted) throw aborted(signal);
    if (!given && this.phase === "reconnecting") {
      const online = this.#await();
      this.call((core) => core.wake());
      return online.until(signal, () => this.#awaiting.delete(online));
    }
    this.#recall();
    if (this.#connecting || !this.call((core) => core.isOffline)) throw problem("busy");
    this.#hasBegun = false;
    const connecting = new Deferred<void>();
    if (given) {
      const isAlone = this.#prepared.login === undefined;
      if (!this.call((core) => core.attach(given.jid, given.sid, given.rid, isAlone))) throw problem("bad-session");
    } else {
      this.call((core) => core.connect());
    }
    this.#connecting = connecting;
    return connecting.until(signal, () => {
      this.#connecting = undefined;
      if (!this.isFreed) this.call((core) => core.abort());
    });
  }

  /** The memory that the page has stored. A storage error is treated as an empty store. */
  #recall(): void {
    let kept: unknown;
    try {
      kept = this.#prepared.memory?.get();
    } catch {
      return;
    }
    if (typeof kept === "string") this.call((core) => core.remember(kept));
  }

  #finishConnecting(error?: XmppError): void {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    if (error) connecting?.reject(error);
    else connecting?.resolve();
  }

  /** A promise for the end of an interruption. */
  #await(): Deferred<void> {
    const online = new Deferred<void>();
    this.#awaiting.add(online);
    return online;
  }

  /** During an interruption: waits until it ends, with or without a session. */
  async ready(): Promise<void> {
    if (this.phase === "reconnecting") await this.#await().promise.catch(() => {});
  }

  /** Disconnects synchronously: a page that is being left may not run any further. */
  disconnect(): Promise<void> {
    if (!this.call((core) => core.disconnect())) {
      // At most a lookup of an earlier page's session is in progress.
      this.#finishConnecting(problem("closed-early"));
      return Promise.resolve();
    }
    const closed = new Deferred<void>();
    this.#closing.push(closed);
    return closed.promise;
  }

  /** Ends everything at once: no promise, callback or timer of this client follows. */
  shut(): void {
    if (this.isFreed) return;
    const positions = [...this.feeds.keys()].map((feed) => this.read((core) => core.feedPosition(feed)));
    this.isFreed = true;
    const gone = problem("freed");
    const feeds = [...this.feeds.values()];
    const rooms = [...this.rooms.values()];
    for (const all of [this.feeds, this.rooms, this.watches, this.handlers]) all.clear();
    feeds.forEach((feed, index) => feed.finish(positions[index]));
    for (const command of this.#commands.values()) command.reject(gone);
    for (const room of rooms) room.out("disconnected", undefined, undefined);
    this.#finishConnecting(gone);
    this.#endInterruption();
    for (const closed of this.#closing.splice(0)) closed.resolve();
    for (const send of this.#sends.values()) send.reject(problem("unknown"));
    for (const request of this.#requests.values()) request.reject(problem("no-connection-left"));
    for (const all of [this.#commands, this.#sends, this.#requests]) all.clear();
    this.phase = "offline";
    this.listeners.clear();
    this.#core.shut();
    try {
      this.#core.free();
    } catch {
      // The core is in use further up the stack: the garbage collector frees it.
    }
  }

  /** Resolves the waiting promises: with `null` if there is a connection, with the error if there is none. */
  #endInterruption(error: XmppError | null = problem("not-connected")): void {
    const awaiting = [...this.#awaiting];
    this.#awaiting.clear();
    for (const one of awaiting) {
      if (error) {
        one.promise.catch(() => {});
        one.reject(error);
      } else one.resolve();
    }
  }

  // ── sending ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends a stanza. */
  send(xml: string): Promise<void> {
    const id = this.call((core) => core.send(xml));
    const sent = new Deferred<void>();
    this.#sends.set(id, sent);
    return sent.promise;
  }

  /** Sends a request at once. */
  request(xml: string, { timeout = REPLY_TIMEOUT, signal }: Waiting = {}): Promise<Stanza> {
    if (signal?.aborted) throw aborted(signal);
    return this.awaitReply(
      this.call((core) => core.request(xml, timeout)),
      signal,
    );
  }

  /** The reply to a sent request. */
  awaitReply(request: number, signal: AbortSignal | undefined): Promise<Stanza> {
    const reply = new Deferred<Stanza>();
    this.#requests.set(request, reply);
    return reply.until(signal, () => {
      if (this.#requests.delete(request)) this.read((core) => core.forget(request));
    });
  }

  /** The result of a room's command. */
  awaitCommand(command: number, signal?: AbortSignal): Promise<void> {
    const outcome = new Deferred<void>();
    this.#commands.set(command, outcome);
    return outcome.until(signal, () => {
      if (this.#commands.delete(command)) this.read((core) => core.abandon(command));
    });
  }

  // ── errors of the module ───────────────────────────────────────────────────────────────────────────────────────────

  problem(kind: string, first: string | undefined, second: string | undefined, text: PackedText | undefined, words: Uint32Array): XmppError {
    return problem(kind as ProblemKind, first, second, viewIf(text, words));
  }

  stanzaError(
    condition: string,
    type: string,
    reason: string | undefined,
    application: string | undefined,
    applicationNs: string | undefined,
    text: PackedText | undefined,
    words: Uint32Array,
  ): XmppError {
    const fields = { condition, type: type as StanzaErrorFields["type"], text: reason, application, applicationNs };
    return stanzaError(fields, viewIf(text, words));
  }

  closeReason(
    code: string,
    sentence: string,
    detail: string | undefined,
    condition: string | undefined,
    text: string | undefined,
    httpStatus: number | undefined,
    service: string | undefined,
  ): XmppError {
    const fields = { code, sentence, detail, condition, text, httpStatus, service };
    return closeReason(fields, this.#credentials.takeProblem());
  }

  // ── the connection ─────────────────────────────────────────────────────────────────────────────────────────────────

  status(status: "connecting" | "authenticating" | "binding" | "disconnecting"): void {
    if (status === "connecting") this.#hasBegun = true;
    this.phase = status;
    this.listeners.emit("status", { status });
  }

  online(resumed: boolean): void {
    this.phase = "online";
    this.#finishConnecting();
    this.#endInterruption(null);
    this.listeners.emit("status", { status: "online", resumed });
  }

  interrupted(error: XmppError, attempt: number, pause: number): void {
    // The pending password function belongs to an attempt that has ended: ignore its result.
    this.#credentials.forget();
    this.phase = "reconnecting";
    this.listeners.emit("status", { status: "reconnecting", error, attempt, retryAt: new Date(Date.now() + pause) });
  }

  offline(error: XmppError | undefined): void {
    this.phase = "offline";
    this.#credentials.forget();
    // The end of an attempt that was given up may be reported after another one was started.
    if (this.#hasBegun) {
      this.#hasBegun = false;
      this.#finishConnecting(error ?? problem("closed-early"));
    }
    this.#endInterruption();
    for (const closed of this.#closing.splice(0)) closed.resolve();
    this.listeners.emit("status", error ? { status: "offline", error } : { status: "offline" });
  }

  credentialsWanted(): void {
    this.#credentials.give();
  }

  learned(memory: string): void {
    try {
      this.#prepared.memory?.set(memory);
    } catch {
      // A full or forbidden storage costs only round trips at the next login.
    }
  }

  registered(): void {
    this.#finishConnecting();
  }

  replacement(name: string): unknown {
    return this.#prepared.replacements.get(name);
  }

  // ── stanzas ────────────────────────────────────────────────────────────────────────────────────────────────────────

  stanza(text: PackedText, words: Uint32Array, handler: number, others: Uint32Array | undefined): void {
    const packed = new Packed(text, words);
    // Copied first: a callback may grow the module's memory, which detaches all views of it.
    const rest = others && [...others];
    this.#give(packed, handler);
    if (rest) for (const id of rest) this.#give(packed, id);
  }

  /** Each handler gets a separate view of the same text: if one frees its view, the next can still read. */
  #give(packed: Packed, id: number): void {
    const handler = this.handlers.get(id);
    if (handler) callBack(handler, viewOf(packed));
  }

  reply(request: number, text: PackedText, words: Uint32Array): void {
    take(this.#requests, request)?.resolve(stanzaOf(text, words));
  }

  refused(request: number, error: XmppError): void {
    take(this.#requests, request)?.reject(error);
  }

  settled(send: number, error: XmppError | undefined): void {
    settle(take(this.#sends, send), error);
  }

  undelivered(xml: string, error: XmppError): void {
    this.listeners.emit("undelivered", { xml, error });
  }

  notice(error: XmppError): void {
    this.complain(error);
  }

  sent(xml: string): void {
    this.listeners.emit("sent", xml);
  }

  received(xml: string): void {
    this.listeners.emit("received", xml);
  }

  // ── feeds ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  feedAgreed(feed: number, state: string, jid: string | undefined, subid: string | undefined): void {
    this.feeds.get(feed)?.agree(state, jid, subid);
  }

  feedRefused(feed: number, error: XmppError): void {
    this.feeds.get(feed)?.refuse(error);
  }

  feedItem(
    feed: number,
    id: string | undefined,
    text: PackedText | undefined,
    words: Uint32Array,
    publisher: string | undefined,
    time: number,
    via: Via,
  ): void {
    this.feeds.get(feed)?.item(id, viewIf(text, words), publisher, time, via);
  }

  feedRetracted(feed: number, id: string, via: Via): void {
    this.feeds.get(feed)?.retract(id, via);
  }

  feedPurged(feed: number): void {
    this.feeds.get(feed)?.purge();
  }

  feedGap(feed: number, after: string | undefined, before: string | undefined): void {
    this.feeds.get(feed)?.gap(after, before);
  }

  feedLive(feed: number): void {
    this.feeds.get(feed)?.live();
  }

  feedSubscription(feed: number, state: string, jid: string | undefined, subid: string | undefined): void {
    this.feeds.get(feed)?.subscription(state, jid, subid);
  }

  feedConfigured(feed: number): void {
    this.feeds.get(feed)?.configure();
  }

  feedDeleted(feed: number, redirect: string | undefined): void {
    this.feeds.get(feed)?.delete(redirect);
  }

  feedEnded(feed: number, position: string | undefined): void {
    take(this.feeds, feed)?.finish(position);
  }

  // ── rooms ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  roomMessage(
    room: number,
    nick: string | undefined,
    body: string | undefined,
    id: string | undefined,
    time: number,
    delayed: boolean,
    own: boolean,
    isPrivate: boolean,
    text: PackedText,
    words: Uint32Array,
  ): void {
    this.rooms.get(room)?.message({
      nick,
      body: body ?? "",
      id,
      time: Number.isNaN(time) ? undefined : new Date(time),
      delayed,
      own,
      private: isPrivate,
      stanza: stanzaOf(text, words),
    });
  }

  roomSubject(room: number, subject: string, nick: string | undefined): void {
    this.rooms.get(room)?.subject(subject, nick);
  }

  occupant(
    nick: string,
    role: OccupantFields["role"],
    affiliation: OccupantFields["affiliation"],
    jid: string | undefined,
    show: string | undefined,
    statusText: string | undefined,
    self: boolean,
  ): OccupantFields {
    return { nick, role, affiliation, jid, show, statusText, self };
  }

  roomJoined(room: number, occupant: OccupantFields): void {
    this.rooms.get(room)?.join(occupant);
  }

  roomChanged(room: number, occupant: OccupantFields): void {
    this.rooms.get(room)?.change(occupant);
  }

  roomLeft(room: number, occupant: OccupantFields, reason: string, text: string | undefined): void {
    this.rooms.get(room)?.part(occupant, reason, text);
  }

  roomNick(room: number, from: string, to: string, own: boolean): void {
    this.rooms.get(room)?.rename(from, to, own);
  }

  roomRejoined(room: number): void {
    this.rooms.get(room)?.rejoin();
  }

  roomError(room: number, error: XmppError): void {
    this.rooms.get(room)?.fail(error);
  }

  roomOut(room: number, reason: string, text: string | undefined, alternative: string | undefined): void {
    // A room may answer the unavailable presence before the server closes the stream.
    const isOurs = this.phase === "disconnecting" && reason !== "refused";
    if (isOurs) this.rooms.get(room)?.out("disconnected", undefined, undefined);
    else this.rooms.get(room)?.out(reason, text, alternative);
  }

  roomClosed(room: number, nick: string): void {
    take(this.rooms, room)?.close(nick);
  }

  roomCommand(command: number, error: XmppError | undefined): void {
    settle(take(this.#commands, command), error);
  }

  // ── events without a subscription ──────────────────────────────────────────────────────────────────────────────────

  personalItem(
    watches: Uint32Array,
    account: string,
    node: string,
    id: string | undefined,
    text: PackedText | undefined,
    words: Uint32Array,
    publisher: string | undefined,
    time: number,
  ): void {
    const item: ItemFields = { id, node, payload: viewIf(text, words), publisher, time, via: "live" };
    this.#personal(watches, { type: "item", from: account, node, id, redirect: undefined, item });
  }

  personalChange(
    watches: Uint32Array,
    kind: string,
    account: string,
    node: string,
    id: string | undefined,
    redirect: string | undefined,
  ): void {
    this.#personal(watches, { type: kind as PersonalFields["type"], from: account, node, id, redirect, item: undefined });
  }

  #personal(watches: Uint32Array, event: PersonalFields): void {
    for (const watch of [...watches]) this.watches.get(watch)?.personal?.(event);
  }

  approvalAsked(
    watches: Uint32Array,
    service: string,
    node: string,
    jid: string,
    subid: string | undefined,
    id: string | undefined,
  ): void {
    for (const watch of [...watches]) this.watches.get(watch)?.approval?.({ service, node, jid, subid, id });
  }
}

const viewIf = (text: PackedText | undefined, words: Uint32Array): Stanza | undefined => (text === undefined ? undefined : stanzaOf(text, words));

function take<T>(all: Map<number, T>, id: number): T | undefined {
  const one = all.get(id);
  all.delete(id);
  return one;
}

function settle(promise: Deferred<void> | undefined, error: XmppError | undefined): void {
  if (error) promise?.reject(error);
  else promise?.resolve();
}
