// The boundary to the modules: their options (`Settings`) and their events (`Sink`). Their methods are those of `Core`,
// which wasm-bindgen declares (src/js/core.rs), and those of stream-core.ts.
//
// Elements cross packed, as a text (`undefined` for no element) and an array of words. Arrays are views of the module's memory:
// copy what you keep. Times are milliseconds since 1970, NaN for none. No method may throw.

import type { XmppError } from "./errors.js";
import type { PackedText } from "./stanza.js";

export { Core } from "./epode.js";

/** The options of a client: those of the page, read and validated. */
export interface Settings {
  /** The addresses, in the order in which they are tried. */
  services: string[];
  domain: string;
  /** The account of the login, a bare JID. */
  account: string | undefined;
  resource: string | undefined;
  anonymous: boolean;
  /** Names and values alternating, of the account to register; absent if the client logs in. */
  registration: string[] | undefined;
  allowPlainText: boolean;
  mechanisms: string[] | undefined;
  presence: boolean;
  lang: string | undefined;
  wait: number;
  hold: number;
  keys: boolean;
  /** Names and values alternating. */
  headers: string[];
  withCredentials: boolean;
  timeout: number;
  maxBytes: number;
  reconnect: boolean;
  least: number | undefined;
  most: number | undefined;
  streamManagement: boolean;
  silence: number;
  /** The name under which the session is stored over a reload. */
  keep: string | undefined;
  name: string | undefined;
  version: string | undefined;
  os: string | undefined;
  features: string[];
  answerTo: string | undefined;
}

/** What a stream by hand is made with. */
export interface StreamSettings
  extends Pick<Settings, "services" | "domain" | "lang" | "wait" | "hold" | "headers" | "withCredentials" | "timeout" | "maxBytes"> {
  /** Who is going to log in, for the stream's header. */
  from: string | undefined;
  route: string | undefined;
}

/** How an item of a feed came. */
export type Via = "snapshot" | "live" | "catch-up";

/** An occupant of a room, as the module describes it. */
export interface OccupantFields {
  nick: string;
  role: "moderator" | "participant" | "visitor" | "none";
  affiliation: "owner" | "admin" | "member" | "outcast" | "none";
  jid: string | undefined;
  show: string | undefined;
  statusText: string | undefined;
  self: boolean;
}

/** The events and errors of the module (src/js/sink.rs). */
export interface Sink {
  problem(kind: string, first: string | undefined, second: string | undefined, text: PackedText | undefined, words: Uint32Array): XmppError;
  stanzaError(
    condition: string,
    type: string,
    reason: string | undefined,
    application: string | undefined,
    applicationNs: string | undefined,
    text: PackedText | undefined,
    words: Uint32Array,
  ): XmppError;
  closeReason(
    code: string,
    sentence: string,
    detail: string | undefined,
    condition: string | undefined,
    text: string | undefined,
    httpStatus: number | undefined,
    service: string | undefined,
  ): XmppError;

  status(status: "connecting" | "authenticating" | "binding" | "disconnecting"): void;
  online(resumed: boolean): void;
  interrupted(error: XmppError, attempt: number, pause: number): void;
  offline(error: XmppError | undefined): void;
  credentialsWanted(): void;
  learned(memory: string): void;
  registered(): void;
  replacement(name: string): unknown;

  stanza(text: PackedText, words: Uint32Array, handler: number, others: Uint32Array | undefined): void;
  reply(request: number, text: PackedText, words: Uint32Array): void;
  refused(request: number, error: XmppError): void;
  settled(send: number, error: XmppError | undefined): void;
  undelivered(xml: string, error: XmppError): void;
  notice(error: XmppError): void;
  sent(xml: string): void;
  received(xml: string): void;

  feedAgreed(feed: number, state: string, jid: string | undefined, subid: string | undefined): void;
  feedRefused(feed: number, error: XmppError): void;
  feedItem(
    feed: number,
    id: string | undefined,
    text: PackedText | undefined,
    words: Uint32Array,
    publisher: string | undefined,
    time: number,
    via: Via,
  ): void;
  feedRetracted(feed: number, id: string, via: Via): void;
  feedPurged(feed: number): void;
  feedGap(feed: number, after: string | undefined, before: string | undefined): void;
  feedLive(feed: number): void;
  feedSubscription(feed: number, state: string, jid: string | undefined, subid: string | undefined): void;
  feedConfigured(feed: number): void;
  feedDeleted(feed: number, redirect: string | undefined): void;
  feedEnded(feed: number, position: string | undefined): void;

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
  ): void;
  roomSubject(room: number, subject: string, nick: string | undefined): void;
  occupant(
    nick: string,
    role: OccupantFields["role"],
    affiliation: OccupantFields["affiliation"],
    jid: string | undefined,
    show: string | undefined,
    statusText: string | undefined,
    self: boolean,
  ): OccupantFields;
  roomJoined(room: number, occupant: OccupantFields): void;
  roomChanged(room: number, occupant: OccupantFields): void;
  roomLeft(room: number, occupant: OccupantFields, reason: string, text: string | undefined): void;
  roomNick(room: number, from: string, to: string, own: boolean): void;
  roomRejoined(room: number): void;
  roomError(room: number, error: XmppError): void;
  roomOut(room: number, reason: string, text: string | undefined, alternative: string | undefined): void;
  roomClosed(room: number, nick: string): void;
  roomCommand(command: number, error: XmppError | undefined): void;

  personalItem(
    watches: Uint32Array,
    account: string,
    node: string,
    id: string | undefined,
    text: PackedText | undefined,
    words: Uint32Array,
    publisher: string | undefined,
    time: number,
  ): void;
  personalChange(
    watches: Uint32Array,
    kind: string,
    account: string,
    node: string,
    id: string | undefined,
    redirect: string | undefined,
  ): void;
  approvalAsked(
    watches: Uint32Array,
    service: string,
    node: string,
    jid: string,
    subid: string | undefined,
    id: string | undefined,
  ): void;
}

/** What the module tells of a stream by hand. */
export interface StreamSink extends Pick<Sink, "problem" | "closeReason" | "replacement"> {
  frame(text: PackedText, words: Uint32Array): void;
  sentText(text: string): void;
  unsent(text: PackedText, words: Uint32Array): void;
  closed(error: XmppError | undefined): void;
}
