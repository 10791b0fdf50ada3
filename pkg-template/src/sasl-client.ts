// `SaslClient`: one SASL exchange (RFC 4422), for a login by hand over a `Stream`. The module computes it.

import type { Sink } from "./core.js";
import { type ProblemKind, XmppError, badArgument, closeReason, problem } from "./errors.js";
import { guarded, mustBeWhole } from "./fault.js";
import { Reader } from "./reader.js";
import { SaslCore } from "./stream-core.js";
import { streamModule } from "./stream-module.js";

/**
 * What SCRAM derives from a password (RFC 5802 §3), with what it was derived with. As good as the password for a login to this account,
 * as long as the server keeps the salt.
 * @example
 * const keys: ScramKeys | undefined = sasl.keys;
 */
export interface ScramKeys {
  /** The hash: `"SHA-1"`, `"SHA-256"`, `"SHA-384"`, `"SHA-512"`. */
  name: string;
  /** The iteration count. */
  iter: number;
  /** The salt, in Base64. */
  salt: string;
  /** ClientKey, in Base64. */
  ck: string;
  /** ServerKey, in Base64. */
  sk: string;
}

/**
 * What a mechanism logs in with. What it does not use is ignored.
 * @example
 * const credentials: SaslCredentials = { username: "romeo", password: "pencil" };
 */
export interface SaslCredentials {
  /** The account's name on the server, usually what stands before the `@`. */
  username?: string;
  /** For SCRAM and PLAIN. */
  password?: string;
  /** For OAUTHBEARER. */
  token?: string;
  /** The identity to act as, a bare JID, where it is not the account's own. */
  authzid?: string;
  /** SCRAM: the keys of an earlier login, in place of the password. Of no use when the server has another salt by now. */
  keys?: ScramKeys;
  /** SCRAM's nonce, for tests. Default: a random one. */
  nonce?: string;
}

/** Makes the module's errors. */
const ERRORS: Pick<Sink, "problem" | "closeReason"> = {
  problem: (kind, first, second) => problem(kind as ProblemKind, first, second),
  closeReason: (code, sentence, detail, condition, text) =>
    closeReason({ code, sentence, detail, condition, text, httpStatus: undefined, service: undefined }),
};

/** Text of one character a byte, as `atob` and `btoa` have it. */
function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/**
 * One exchange with SCRAM-SHA-512, -384, -256, -1, PLAIN, OAUTHBEARER, ANONYMOUS or EXTERNAL. Messages are texts of one character a byte, as
 * `btoa` takes and `atob` gives them. `await init()` first.
 * @example
 * const sasl = new SaslClient("SCRAM-SHA-256", { username: "romeo", password: "pencil" });
 * stream.send(xml`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="SCRAM-SHA-256">${btoa(sasl.start() ?? "")}</auth>`);
 */
export class SaslClient {
  /** The name of the mechanism. */
  readonly mechanism: string;
  readonly #core: SaslCore;

  /**
   * Throws `no-mechanism` for one that the module does not have: see `SaslClient.knows()`.
   * @example
   * const sasl = new SaslClient("PLAIN", { username: "romeo", password: "pencil" });
   */
  constructor(mechanism: string, credentials: SaslCredentials) {
    if (!SaslClient.knows(mechanism)) throw new XmppError("no-mechanism", `There is no SASL mechanism '${mechanism}' here.`);
    this.mechanism = mechanism;
    const read = new Reader(credentials);
    const fields = {
      username: stringOf(read, "username"),
      secret: secretOf(read, mechanism),
      authzid: stringOf(read, "authzid"),
      nonce: stringOf(read, "nonce"),
      ...keysOf(read),
    };
    read.done();
    const flat = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
    this.#core = guarded(() => new SaslCore(ERRORS as Sink, mechanism, flat));
  }

  /**
   * Whether the module has a mechanism of that name.
   * @example
   * const offered = stanza.children("mechanism").map((one) => one.text());
   * const usable = offered.filter((name) => SaslClient.knows(name));
   */
  static knows(mechanism: string): boolean {
    streamModule.mustBeLoaded();
    mustBeWhole();
    return guarded(() => SaslCore.knows(String(mechanism)));
  }

  /**
   * The initial response; `undefined` where the mechanism has none. An empty one is sent as `=` (RFC 6120 §6.4.2).
   * @example
   * const initial = btoa(sasl.start() ?? "");
   */
  start(): string | undefined {
    const initial = guarded(() => this.#core.initial());
    return initial && textOf(initial);
  }

  /**
   * The answer to a challenge: a promise where the platform derives SCRAM's keys. Throws, or rejects, when the server's message is wrong.
   * @example
   * const answer = btoa(await sasl.respond(atob(stanza.text())));
   */
  respond(challenge: string): string | Promise<string> {
    const answer = guarded(() => this.#core.respond(bytesOf(challenge)));
    if (answer) return textOf(answer);
    return (guarded(() => this.#core.derive()) as Promise<Uint8Array>).then(textOf);
  }

  /**
   * Whether the login succeeded: what came with `<success/>` proves, with SCRAM, that the server knows the password. Ask once.
   * @example
   * if (!sasl.verify(atob(stanza.text()))) stream.abort();
   */
  verify(additional: string | undefined): boolean {
    return guarded(() => this.#core.verify(additional === undefined ? undefined : bytesOf(additional)));
  }

  /**
   * SCRAM: the signature that the server has to show, in Base64, from the answer to its challenge until `verify()`.
   * @example
   * console.log(sasl.serverSignature);
   */
  get serverSignature(): string | undefined {
    return guarded(() => this.#core.serverSignature());
  }

  /**
   * SCRAM's keys, once the challenge is answered; right once `verify` was true.
   * @example
   * const again = new SaslClient("SCRAM-SHA-1", { username: "romeo", keys: sasl.keys });
   */
  get keys(): ScramKeys | undefined {
    return guarded(() => this.#core.keys()) as ScramKeys | undefined;
  }
}

/** A text for the module, not for XML. */
function stringOf(read: Reader, name: string): string | undefined {
  const value = read.given(name);
  if (value !== undefined && typeof value !== "string") throw badArgument(`'${name}' is a string.`);
  return value;
}

function secretOf(read: Reader, mechanism: string): string | undefined {
  const [password, token] = [stringOf(read, "password"), stringOf(read, "token")];
  return mechanism === "OAUTHBEARER" ? token : password;
}

/** The parts of the keys, as the module calls them, in its order. */
function keysOf(read: Reader): Record<string, string> {
  const keys = read.given("keys") as ScramKeys | undefined;
  if (!keys) return {};
  const { name, iter, salt, ck, sk } = keys;
  const parts = { hash: name, iterations: iter, salt, clientKey: ck, serverKey: sk };
  return Object.fromEntries(Object.entries(parts).map(([part, value]) => [part, String(value)]));
}
