/// <reference lib="esnext.disposable" preserve="true" />
// `Room`: a visit to a room, and what happens in it.

import { disposeBy } from "./dispose.js";
import { XmppError, problem } from "./errors.js";
import { Listeners, type Registration } from "./events.js";
import type { Hub, MessageFields, RoomSink } from "./hub.js";
import { located, locating } from "./located.js";
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
  /** The real JID, where the room shows it. */
  jid: string | undefined;
  /** `away`, `chat`, `dnd`, `xa`; `undefined` when simply available. */
  show: string | undefined;
  statusText: string | undefined;
  /** Is it us? */
  self: boolean;
}

export interface RoomMessage {
  /** The nick of who said it; `undefined`: the room itself. */
  nick: string | undefined;
  body: string;
  id: string | undefined;
  /** When it was said, for history, as the room stamped it; `undefined` also where its stamp is not readable. */
  time: Date | undefined;
  receivedAt: Date;
  /** It is history: said before we came. */
  delayed: boolean;
  /** We said it. */
  own: boolean;
  /** Said to us alone. */
  private: boolean;
  stanza: Stanza;
}

export interface RoomEvents {
  message: RoomMessage;
  /** `nick`: who changed it; `undefined`: the room, or nobody yet. */
  subject: { subject: string; nick: string | undefined };
  /** Somebody came. */
  join: Occupant;
  /**
   * Somebody went: `reason` is `left`, `kicked`, `banned`, `removed`, `shutdown` or `error`; `disconnected` when that was found
   * out on coming back after a lost session.
   */
  leave: { occupant: Occupant; reason: string; text: string | undefined };
  /** Role, affiliation or availability changed. */
  occupant: Occupant;
  nick: { from: string; to: string; self: boolean };
  /**
   * The session was lost, or the room had lost us (XEP-0410), and we are in again: what was said meanwhile, as far as the room kept
   * it, has arrived.
   */
  rejoin: undefined;
  /**
   * We are out, not by our own `leave()`. `reason` as above, `destroyed`, `disconnected`, or `refused` on coming back (`text`: the
   * condition, or `insecure` where the room's password must not be sent in the new session). `error` also where the room does not
   * answer, or loses us again and again.
   */
  out: { reason: string; text: string | undefined; alternative: string | undefined };
  /**
   * The room refused something we sent. Code `undelivered`: the room had lost us before it saw the message in `stanza`. `timeout`:
   * the room does not answer pings. `too-large`: it has more occupants than are listed.
   */
  error: XmppError;
}

/** How long a room may take to answer a change of nick, or a leave, in milliseconds. */
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
  /** Our nick when the visit was over; before, the one that was asked for. */
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
    this.#emit("error", located(error, undefined, { room: this.jid }) as XmppError);
  }

  out(reason: string, text: string | undefined, alternative: string | undefined): void {
    this.#emit("out", { reason, text, alternative });
  }

  close(nick: string): void {
    this.#nick = nick;
  }
}

let makeRoom: (visit: Visit) => Room;

/** A room we are in. */
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

  /** What a command promises; `nick`: the occupant that its errors are about. */
  #command(operation: string, nick: string | undefined, act: (visit: Visit) => Promise<void>): Promise<void> {
    const room = this.#live?.jid;
    const object = nick === undefined || room === undefined ? room : `${room}/${nick}`;
    return locating(operation, { room, object }, () => act(this.#visit));
  }

  static {
    makeRoom = (visit) => new Room(visit);
  }

  /** The room's bare JID. */
  get jid(): string {
    return this.#visit.jid;
  }

  /** Our nick, as the room has it. */
  get nick(): string {
    return this.#visit.nick;
  }

  /** The subject, where there is one. */
  get subject(): string | undefined {
    const { hub, id } = this.#visit;
    return hub.read((core) => core.roomSubject(id));
  }

  /** Whether we are in. */
  get joined(): boolean {
    const { hub, id } = this.#visit;
    return hub.read((core) => core.isJoined(id)) ?? false;
  }

  /** Who is in, by nick, ourselves among them. A snapshot. */
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

  /** Says something to all; resolves when the server has taken it. */
  send(body: string): Promise<void> {
    return quietly(
      this.#command("send", undefined, ({ hub, id }) => {
        mustBeText("send", 1, body);
        return hub.awaitCommand(hub.call((core) => core.sendToRoom(id, body)));
      }),
    );
  }

  /** Says something to one occupant. */
  sendPrivate(nick: string, body: string): Promise<void> {
    return quietly(
      this.#command("sendPrivate", typeof nick === "string" ? nick : undefined, ({ hub, id }) => {
        mustBeText("sendPrivate", 1, nick);
        mustBeText("sendPrivate", 2, body);
        return hub.awaitCommand(hub.call((core) => core.sendPrivate(id, nick, body)));
      }),
    );
  }

  /** Sets the subject; resolves when the server has taken it. */
  setSubject(subject: string): Promise<void> {
    return quietly(
      this.#command("setSubject", undefined, ({ hub, id }) => {
        mustBeText("setSubject", 1, subject);
        return hub.awaitCommand(hub.call((core) => core.setSubject(id, subject)));
      }),
    );
  }

  /** Resolves when the room has confirmed it. */
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

  /** Resolves when the room has let us go. */
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

  /** Lets go of it: later calls are `freed` errors. The visit goes on until the room is left. */
  free(): void {
    this.#live = undefined;
  }
}

// Declared beside the class: not every platform has the symbol.
export interface Room {
  /** Leaves the room. */
  [Symbol.dispose](): void;
}

disposeBy(Room.prototype, function (this: Room) {
  void quietly(this.leave());
});

/** The page's object. @internal */
export const roomOf = (visit: Visit): Room => makeRoom(visit);
