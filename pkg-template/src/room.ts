/// <reference lib="esnext.disposable" preserve="true" />
// `Room`: a visit to a room, and its events.

import { disposeBy } from "./dispose.js";
import { XmppError, problem } from "./errors.js";
import { Listeners, type Registration } from "./events.js";
import type { Hub, MessageFields, RoomSink } from "./hub.js";
import { located, locating } from "./located.js";
import { Reader } from "./reader.js";
import type { Stanza } from "./stanza.js";
import { type Waiting, quietly } from "./waiting.js";
import { mustBeText } from "./xml.js";

/**
 * What an occupant may do in the room during this visit (XEP-0045 §5.1).
 * @example
 * const role: Role | undefined = room.occupants.get(room.nick)?.role;
 */
export type Role = "moderator" | "participant" | "visitor" | "none";
/**
 * The lasting relation of an account to the room (XEP-0045 §5.2).
 * @example
 * const affiliation: Affiliation | undefined = room.occupants.get("juliet")?.affiliation;
 */
export type Affiliation = "owner" | "admin" | "member" | "outcast" | "none";

/**
 * An occupant of a room.
 * @example
 * room.on("join", (occupant: Occupant) => console.log(`${occupant.nick} came, as ${occupant.role}`));
 */
export interface Occupant {
  /** The name in the room. */
  nick: string;
  /** What the occupant may do during this visit. */
  role: Role;
  /** The lasting relation of the occupant's account to the room. */
  affiliation: Affiliation;
  /** The real JID, if the room discloses it. */
  jid: string | undefined;
  /** The availability (`away`, `chat`, `dnd`, `xa`, RFC 6121 §4.7.2.1); `undefined` when simply available. */
  show: string | undefined;
  /** The text that belongs to `show`, as the occupant wrote it. */
  statusText: string | undefined;
  /** Whether the occupant is this client. */
  self: boolean;
}

/**
 * A message in a room.
 * @example
 * room.on("message", (message: RoomMessage) => {
 *   if (!message.delayed && !message.own) console.log(`${message.nick ?? "the room"}: ${message.body}`);
 * });
 */
export interface RoomMessage {
  /** The nick of the sender; `undefined` when the room itself sent it. */
  nick: string | undefined;
  /** The text, as the sender wrote it: text, never HTML. */
  body: string;
  /** The `id` that the sender gave the message. */
  id: string | undefined;
  /** For history: when it was said, as the room stamped it (XEP-0203). `undefined` without a readable stamp. */
  time: Date | undefined;
  /** When it arrived here. */
  receivedAt: Date;
  /** Whether it is history: said before this client joined. */
  delayed: boolean;
  /** Whether this client sent it. */
  own: boolean;
  /** Whether it was sent to this client alone (XEP-0045 §7.5). */
  private: boolean;
  /** The whole stanza, for extensions that epode does not read. */
  stanza: Stanza;
}

/**
 * The events of a room, by name: what a listener of {@link Room.on} is called with. Up to 1,000 events of each kind (except `rejoin`) are
 * kept for the first listener of that kind.
 * @example
 * room.on("out", ({ reason, text }) => console.log(`out of the room: ${reason}`, text));
 */
export interface RoomEvents {
  /** A message arrived, of the history too. */
  message: RoomMessage;
  /** The subject was set. `nick`: the occupant who set it; `undefined`: the room, or an occupant who is unknown. */
  subject: { subject: string; nick: string | undefined };
  /** An occupant came. */
  join: Occupant;
  /**
   * An occupant went. `reason`: `left`, `kicked`, `banned`, `removed` (no longer a member), `shutdown` or `error`; `disconnected` when the
   * occupant was gone after this client had lost its session and joined again. `text`: what the room says about it.
   */
  leave: { occupant: Occupant; reason: string; text: string | undefined };
  /** Role, affiliation or availability of an occupant changed. */
  occupant: Occupant;
  /** An occupant changed the nick. `self`: this client did. */
  nick: { from: string; to: string; self: boolean };
  /**
   * The session was lost, or the room had lost this client (XEP-0410), and the client is in the room again. What was said meanwhile has
   * arrived, as far as the room kept it.
   */
  rejoin: undefined;
  /**
   * The visit is over without a call of `leave()`. `reason`: as for `leave`; `destroyed` (`alternative`: another room's address);
   * `disconnected`; `refused` when joining again was refused (`text`: the condition, or `insecure` where the room's password must not be
   * sent in the new session); `error` also where the room does not answer, or loses the client repeatedly.
   */
  out: { reason: string; text: string | undefined; alternative: string | undefined };
  /**
   * The room refused a stanza. Code `undelivered`: the room had lost this client before it saw the message in `stanza`. `timeout`: the
   * room does not answer pings. `too-large`: the room has more occupants than are listed (20,000).
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

/**
 * A room that this client has joined.
 * @example
 * const room = await client.muc.join("lobby@conference.example.org", "romeo");
 * room.on("message", ({ nick, body }) => console.log(`${nick}: ${body}`));
 * await room.send("Good evening");
 */
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
    const room = this.#live?.jid;
    const object = nick === undefined || room === undefined ? room : `${room}/${nick}`;
    return locating(operation, { room, object }, () => act(this.#visit));
  }

  static {
    makeRoom = (visit) => new Room(visit);
  }

  /**
   * The room's bare JID.
   * @example
   * console.log(room.jid); // "lobby@conference.example.org"
   */
  get jid(): string {
    return this.#visit.jid;
  }

  /**
   * This client's nick, as the room has it.
   * @example
   * console.log(`you are ${room.nick}`);
   */
  get nick(): string {
    return this.#visit.nick;
  }

  /**
   * The subject; `undefined` where there is none.
   * @example
   * document.title = room.subject ?? room.jid;
   */
  get subject(): string | undefined {
    const { hub, id } = this.#visit;
    return hub.read((core) => core.roomSubject(id));
  }

  /**
   * Whether this client is in the room now. False while the connection is broken, and after the event `out`.
   * @example
   * if (room.joined) await room.send("Still here");
   */
  get joined(): boolean {
    const { hub, id } = this.#visit;
    return hub.read((core) => core.isJoined(id)) ?? false;
  }

  /**
   * The occupants by nick, this client among them: a snapshot, at most 20,000.
   * @example
   * for (const { nick, show } of room.occupants.values()) console.log(nick, show ?? "available");
   */
  get occupants(): Map<string, Occupant> {
    const { hub, id } = this.#visit;
    const all = (hub.read((core) => core.occupants(id)) ?? []) as Occupant[];
    return new Map(all.map((occupant) => [occupant.nick, occupant]));
  }

  /**
   * Registers a listener of one kind of event. Throws `bad-argument` when there is no event of that name.
   * @example
   * room.on("leave", ({ occupant, reason }) => console.log(`${occupant.nick}: ${reason}`));
   */
  on<K extends keyof RoomEvents>(type: K, listener: (event: RoomEvents[K]) => void): Registration {
    return this.#visit.listeners.on(type, listener);
  }

  /**
   * Sends a message to all occupants. Resolves when the server has taken it; rejects with `undelivered` or `unknown`, with `not-connected`
   * when the client is not in the room any more. Need not be awaited. What the room refuses arrives as the event `error`.
   * @example
   * await room.send("Good evening");
   */
  send(body: string): Promise<void> {
    return quietly(
      this.#command("send", undefined, ({ hub, id }) => {
        mustBeText("send", 1, body);
        return hub.awaitCommand(hub.call((core) => core.sendToRoom(id, body)));
      }),
    );
  }

  /**
   * Sends a message to one occupant (XEP-0045 §7.5). Resolves and rejects as {@link Room.send} does.
   * @example
   * await room.sendPrivate("juliet", "A word in private");
   */
  sendPrivate(nick: string, body: string): Promise<void> {
    return quietly(
      this.#command("sendPrivate", typeof nick === "string" ? nick : undefined, ({ hub, id }) => {
        mustBeText("sendPrivate", 1, nick);
        mustBeText("sendPrivate", 2, body);
        return hub.awaitCommand(hub.call((core) => core.sendPrivate(id, nick, body)));
      }),
    );
  }

  /**
   * Sets the subject (XEP-0045 §8.1). Resolves and rejects as {@link Room.send} does.
   * @example
   * await room.setSubject("The tomb, tonight");
   */
  setSubject(subject: string): Promise<void> {
    return quietly(
      this.#command("setSubject", undefined, ({ hub, id }) => {
        mustBeText("setSubject", 1, subject);
        return hub.awaitCommand(hub.call((core) => core.setSubject(id, subject)));
      }),
    );
  }

  /**
   * Changes this client's nick (XEP-0045 §7.6). Resolves when the room has confirmed it; `timeout` is in milliseconds, default 30,000.
   * Rejects with `stanza-error` (`conflict`: the nick is taken), `bad-jid`, `timeout` or `aborted`.
   * @example
   * await room.setNick("montague");
   */
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

  /**
   * Leaves the room (XEP-0045 §7.14), with a `status` text for the others. Resolves when the room has confirmed it; `timeout` is in
   * milliseconds, default 30,000. Resolves at once when the visit is over already.
   * @example
   * await room.leave({ status: "Good night" });
   */
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

  /**
   * Releases this object: later calls are `freed` errors. The visit continues until the room is left.
   * @example
   * await room.leave();
   * room.free();
   */
  free(): void {
    this.#live = undefined;
  }
}

// Declared beside the class: some platforms lack the symbol.
export interface Room {
  /**
   * Leaves the room, for `using`.
   * @example
   * const room = await client.muc.join("lobby@conference.example.org", "romeo");
   * room[Symbol.dispose]();
   */
  [Symbol.dispose](): void;
}

disposeBy(Room.prototype, function (this: Room) {
  void quietly(this.leave());
});

/** Creates the page's object. @internal */
export const roomOf = (visit: Visit): Room => makeRoom(visit);
