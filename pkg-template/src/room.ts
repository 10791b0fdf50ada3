/// <reference lib="esnext.disposable" preserve="true" />
// `Room`: a visit to a room, and its events.

import { disposeBy } from "./dispose.js";
import { XmppError, problem } from "./errors.js";
import { Listeners, type Registration } from "./events.js";
import type { Hub, MessageFields, RoomSink } from "./hub.js";
import { locating } from "./located.js";
import { Reader } from "./reader.js";
import type { Stanza } from "./stanza.js";
import { type Waiting, quietly } from "./waiting.js";
import { mustBeText } from "./xml.js";

export type Role = "moderator" | "participant" | "visitor" | "none";
export type Affiliation = "owner" | "admin" | "member" | "outcast" | "none";

export interface Occupant {
  nick: string;
  role: Role;
  affiliation: Affiliation;
  /** The real JID, if the room discloses it. */
  jid: string | undefined;
  /** `away`, `chat`, `dnd`, `xa`; `undefined` for plain availability. */
  show: string | undefined;
  statusText: string | undefined;
  /** Whether this is your own occupant. */
  self: boolean;
}

export interface RoomMessage {
  /** The sender's nick; `undefined`: the room itself. */
  nick: string | undefined;
  body: string;
  id: string | undefined;
  /** When the message was sent, for history, as the room stamped it; `undefined` also if the stamp is not readable. */
  time: Date | undefined;
  receivedAt: Date;
  /** Whether the message is history: sent before you joined. */
  delayed: boolean;
  /** Whether you sent the message. */
  own: boolean;
  /** Whether the message is private. */
  private: boolean;
  stanza: Stanza;
}

export interface RoomEvents {
  message: RoomMessage;
  /** `nick`: the sender of the change; `undefined`: the room, or there is no subject yet. */
  subject: { subject: string; nick: string | undefined };
  /** An occupant joined. */
  join: Occupant;
  /**
   * An occupant left: `reason` is `left`, `kicked`, `banned`, `removed`, `shutdown` or `error`; `disconnected` if the
   * absence was found when the room was joined again after a lost session.
   */
  leave: { occupant: Occupant; reason: string; text: string | undefined };
  /** Role, affiliation or availability changed. */
  occupant: Occupant;
  nick: { from: string; to: string; self: boolean };
  /**
   * The session was lost, or the room had dropped you (XEP-0410), and the room was joined again: the messages sent
   * meanwhile have arrived, as far as the room kept them.
   */
  rejoin: undefined;
  /**
   * You are out of the room without calling `leave()`. `reason` as above, `destroyed`, `disconnected`, or `refused`
   * when joining again (`text`: the condition, or `insecure` if the room's password must not be sent in the new
   * session). `error` also if the room does not answer, or drops you again and again.
   */
  out: { reason: string; text: string | undefined; alternative: string | undefined };
  /**
   * The room refused a stanza that you sent. Code `undelivered`: the room had dropped you before it received the
   * message in `stanza`. `timeout`: the room does not answer pings. `too-large`: the room has more occupants than are
   * listed.
   */
  error: XmppError;
}

/** The default timeout of a change of nick, or a leave, in milliseconds. */
const ANSWER_TIMEOUT = 30_000;

/** One visit, shared by the page's object and the hub. @internal */
export class Visit implements RoomSink {
  readonly hub: Hub;
  readonly id: number;
  /** The room's bare JID. */
  readonly jid: string;
  readonly listeners = new Listeners<RoomEvents>(
    ["message", "subject", "join", "leave", "occupant", "nick", "out", "error"],
    ["rejoin"],
  );
  /** The own nick at the end of the visit; before, the requested one. */
  #nick: string;

  constructor(hub: Hub, id: number, jid: string, nick: string) {
    this.hub = hub;
    this.id = id;
    this.jid = jid;
    this.#nick = nick;
  }

  get nick(): string {
    return this.hub.read((core) => core.roomNick(this.id)) ?? this.#nick;
  }

  #emit<K extends keyof RoomEvents>(kind: K, event: RoomEvents[K]): void {
    if (this.listeners.emit(kind, event)) return;
    this.hub.complain(
      new XmppError(
        "too-large",
        "A room has kept more than 1,000 events of a kind that nobody listens to: the oldest are dropped. Add a listener.",
      ),
    );
  }

  message(message: MessageFields): void {
    this.#emit("message", { ...message, receivedAt: new Date() });
  }

  subject(subject: string, nick: string | undefined): void {
    this.#emit("subject", { subject, nick });
  }

  join(occupant: Occupant): void {
    this.#emit("join", occupant);
  }

  change(occupant: Occupant): void {
    this.#emit("occupant", occupant);
  }

  part(occupant: Occupant, reason: string, text: string | undefined): void {
    this.#emit("leave", { occupant, reason, text });
  }

  rename(from: string, to: string, own: boolean): void {
    this.#emit("nick", { from, to, self: own });
  }

  rejoin(): void {
    this.#emit("rejoin", undefined);
  }

  fail(error: XmppError): void {
    this.#emit("error", error);
  }

  out(reason: string, text: string | undefined, alternative: string | undefined): void {
    this.#emit("out", { reason, text, alternative });
  }

  close(nick: string): void {
    this.#nick = nick;
  }
}

let makeRoom: (visit: Visit) => Room;

/** A room that you have joined. */
export class Room {
  #live: Visit | undefined;

  private constructor(visit: Visit) {
    this.#live = visit;
  }

  get #visit(): Visit {
    const visit = this.#live;
    if (!visit) throw problem("object-freed");
    return visit;
  }

  /** The promise of a command; `nick`: the occupant named in its errors. */
  #command(operation: string, nick: string | undefined, act: (visit: Visit) => Promise<void>): Promise<void> {
    const jid = this.#live?.jid;
    return locating(operation, nick === undefined || jid === undefined ? jid : `${jid}/${nick}`, () => act(this.#visit));
  }

  static {
    makeRoom = (visit) => new Room(visit);
  }

  /** The room's bare JID. */
  get jid(): string {
    return this.#visit.jid;
  }

  /** The own nick in the room. */
  get nick(): string {
    return this.#visit.nick;
  }

  /** The subject, if there is one. */
  get subject(): string | undefined {
    const { hub, id } = this.#visit;
    return hub.read((core) => core.roomSubject(id));
  }

  /** Whether the room has admitted you. */
  get joined(): boolean {
    const { hub, id } = this.#visit;
    return hub.read((core) => core.isJoined(id)) ?? false;
  }

  /** The occupants by nick, including your own. A snapshot. */
  get occupants(): Map<string, Occupant> {
    const { hub, id } = this.#visit;
    const all = (hub.read((core) => core.occupants(id)) ?? []) as Occupant[];
    return new Map(all.map((occupant) => [occupant.nick, occupant]));
  }

  /**
   * Registers a listener.
   * @example
   * room.on("message", ({ nick, body }) => console.log(`${nick}: ${body}`));
   */
  on<K extends keyof RoomEvents>(type: K, listener: (event: RoomEvents[K]) => void): Registration {
    return this.#visit.listeners.on(type, listener);
  }

  /** Sends a message to all occupants; resolves when the server has received it. */
  send(body: string): Promise<void> {
    return quietly(
      this.#command("send", undefined, ({ hub, id }) => {
        mustBeText("send", 1, body);
        return hub.awaitCommand(hub.call((core) => core.sendToRoom(id, body)));
      }),
    );
  }

  /** Sends a message to one occupant. */
  sendPrivate(nick: string, body: string): Promise<void> {
    return quietly(
      this.#command("sendPrivate", typeof nick === "string" ? nick : undefined, ({ hub, id }) => {
        mustBeText("sendPrivate", 1, nick);
        mustBeText("sendPrivate", 2, body);
        return hub.awaitCommand(hub.call((core) => core.sendPrivate(id, nick, body)));
      }),
    );
  }

  /** Sets the subject; resolves when the server has received it. */
  setSubject(subject: string): Promise<void> {
    return quietly(
      this.#command("setSubject", undefined, ({ hub, id }) => {
        mustBeText("setSubject", 1, subject);
        return hub.awaitCommand(hub.call((core) => core.setSubject(id, subject)));
      }),
    );
  }

  /** Changes the nick; resolves when the room has confirmed it. */
  setNick(nick: string, options?: Waiting): Promise<void> {
    return this.#command("setNick", typeof nick === "string" ? nick : undefined, async ({ hub, id }) => {
      mustBeText("setNick", 1, nick);
      const read = new Reader(options);
      const timeout = read.millis("timeout") ?? ANSWER_TIMEOUT;
      const signal = read.signal();
      read.done();
      const command = hub.call((core) => core.setNick(id, nick, timeout));
      if (command !== undefined) await hub.awaitCommand(command, signal);
    });
  }

  /** Leaves the room; resolves when the room has confirmed it. */
  leave(options?: Waiting & { status?: string }): Promise<void> {
    return this.#command("leave", undefined, async ({ hub, id }) => {
      const read = new Reader(options);
      const status = read.text("status");
      const timeout = read.millis("timeout") ?? ANSWER_TIMEOUT;
      const signal = read.signal();
      read.done();
      const command = hub.read((core) => core.leave(id, status, timeout));
      if (command !== undefined) await hub.awaitCommand(command, signal);
    });
  }

  /** Frees the object: later calls throw errors with code `freed`. The visit continues until you leave the room. */
  free(): void {
    this.#live = undefined;
  }
}

// Declared beside the class: some platforms lack the symbol.
export interface Room {
  /** Leaves the room. */
  [Symbol.dispose](): void;
}

disposeBy(Room.prototype, function (this: Room) {
  void quietly(this.leave());
});

/** Creates the page's object. @internal */
export const roomOf = (visit: Visit): Room => makeRoom(visit);
