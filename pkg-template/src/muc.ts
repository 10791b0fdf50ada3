// `Muc`: joining rooms.

import { aborted, badArgument } from "./errors.js";
import type { Hub } from "./hub.js";
import { bareOf, normalJid } from "./jid.js";
import { locating } from "./located.js";
import { Reader } from "./reader.js";
import { type Room, Visit, roomOf } from "./room.js";
import type { Waiting } from "./waiting.js";
import { mustBeText } from "./xml.js";

/** The default timeout of a join, in milliseconds. */
const JOIN_TIMEOUT = 30_000;

let makeMuc: (hub: Hub) => Muc;

/**
 * Rooms (XEP-0045) over one client's connection: {@link Client.muc}.
 * @example
 * const room = await client.muc.join("lobby@conference.example.org", "romeo");
 */
export class Muc {
  readonly #hub: Hub;

  private constructor(hub: Hub) {
    this.#hub = hub;
  }

  static {
    makeMuc = (hub) => new Muc(hub);
  }

  /**
   * Joins a room, and creates it as an instant room when there is none (XEP-0045 §10.1.2). Resolves when the client is in the room: its own
   * presence, the other occupants, the history and the subject have arrived. They are kept for the first listener of each kind.
   *
   * `timeout` is in milliseconds, default 30,000. `history` limits what the room sends of its past: `maxstanzas` messages, `maxchars`
   * characters, the last `seconds` seconds, or what was said `since` a time (XEP-0045 §7.2.15).
   *
   * Rejects with `stanza-error` and the room's condition (`conflict`: the nick is taken; `registration-required`: members only;
   * `not-authorized`: a password is needed); with `insecure` when a password would be sent over a connection that is not encrypted (see
   * `allowPlainText`); with `timeout` or `aborted`, after which the room is left and can be joined again at once.
   * @example
   * const room = await client.muc.join("lobby@conference.example.org", "romeo", { history: { maxstanzas: 20 } });
   */
  join(
    room: string,
    nick: string,
    options?: Waiting & {
      password?: string;
      history?: { maxstanzas?: number; maxchars?: number; seconds?: number; since?: Date };
    },
  ): Promise<Room> {
    const hub = this.#hub;
    return locating("join", { room: typeof room === "string" ? room : undefined }, async () => {
      mustBeText("join", 1, room);
      mustBeText("join", 2, nick);
      const address = normalJid(room);
      const read = new Reader(options);
      const { maxStanzas, maxChars, seconds, since } = historyOf(read);
      const password = read.text("password");
      const timeout = read.millis("timeout") ?? JOIN_TIMEOUT;
      const signal = read.signal();
      read.done();
      await hub.ready();
      if (signal?.aborted) throw aborted(signal);
      const ids = hub.call((core) => core.join(address, nick, password, maxStanzas, maxChars, seconds, since, timeout));
      const [id, command] = ids as unknown as [number, number];
      const visit = new Visit(hub, id, bareOf(address), nick);
      hub.rooms.set(id, visit);
      await hub.awaitCommand(command, signal);
      return roomOf(visit);
    });
  }
}

/** The requested amount of history. */
function historyOf(read: Reader): {
  maxStanzas: number | undefined;
  maxChars: number | undefined;
  seconds: number | undefined;
  since: number | undefined;
} {
  const history = new Reader(read.given("history"));
  const count = (name: string): number | undefined => history.number(name, 0, 0xffff_ffff, "is a number, 0 or more");
  const given = history.given("since");
  const since = given instanceof Date ? given.getTime() : Number.NaN;
  if (given !== undefined && Number.isNaN(since)) throw badArgument("'history.since' is a valid Date.");
  const bounds = {
    maxStanzas: count("maxstanzas"),
    maxChars: count("maxchars"),
    seconds: count("seconds"),
    since: given === undefined ? undefined : since,
  };
  history.done();
  return bounds;
}

/** Creates the page's object. @internal */
export const mucOf = (hub: Hub): Muc => makeMuc(hub);
