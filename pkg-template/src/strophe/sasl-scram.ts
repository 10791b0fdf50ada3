// SCRAM (RFC 5802, RFC 7677) in the form of strophe.js's mechanisms. The module computes the messages, so that SCRAM also works on pages
// without HTTPS, where browsers have no `crypto.subtle`.

import { SaslClient } from "../sasl-client.js";
import type { Password } from "./connection-options.js";
import type { Connection } from "./connection.js";
import log from "./log.js";
import { SASLMechanism, type SaslStep } from "./sasl.js";

/** A server that requests fewer iterations is refused (RFC 7677 §4). */
const LEAST_ITERATIONS = 4096;

/** SCRAM with one hash. */
export class Scram extends SASLMechanism {
  #client: SaslClient | undefined;

  override test(connection: Connection): boolean {
    return connection.authcid !== null && SaslClient.knows(this.mechname);
  }

  /** The first message. `nonce` is for tests; otherwise it is random. */
  override clientChallenge(connection: Connection, nonce?: string): string {
    const { authcid, pass } = connection;
    const isText = typeof pass === "string" || (pass as unknown) instanceof String;
    const secret = isText ? { password: String(pass) } : { keys: pass as Password };
    this.#client = new SaslClient(this.mechname, { username: authcid ?? "", ...secret, ...(nonce && { nonce }) });
    const first = this.#client.start() ?? "";
    const bare = first.replace(/^[^,]*,[^,]*,/, "");
    connection._sasl_data.cnonce = /(?:^|,)r=(.*)$/.exec(bare)?.[1];
    connection._sasl_data["client-first-message-bare"] = bare;
    return first;
  }

  override async onChallenge(connection: Connection, challenge = ""): Promise<SaslStep> {
    const client = this.#client;
    const iterations = Number(/(?:^|,)i=(\d+)/.exec(challenge)?.[1]);
    try {
      if (!client) throw new Error("the challenge came before the first message");
      if (!(iterations >= LEAST_ITERATIONS)) throw new Error(`the server asks for fewer than ${LEAST_ITERATIONS} iterations`);
      const final = await client.respond(challenge);
      connection._sasl_data["server-signature"] = client.serverSignature;
      connection._sasl_data.keys = client.keys;
      return final;
    } catch (error) {
      log.warn(`The login by ${this.mechname} failed: ${(error as Error).message}`);
      connection._sasl_data = {};
      return connection._sasl_failure_cb(null) as false;
    }
  }

  /** Whether the data of `<success/>` proves that the server knows the password. Valid for one call. */
  isServerProven(additional: string | undefined): boolean {
    return this.#client?.verify(additional) ?? false;
  }
}

/** SCRAM with SHA-1. */
export class SASLSHA1 extends Scram {
  constructor(mechname = "SCRAM-SHA-1", isClientFirst = true, priority = 60) {
    super(mechname, isClientFirst, priority);
  }
}

/** SCRAM with SHA-256. */
export class SASLSHA256 extends Scram {
  constructor(mechname = "SCRAM-SHA-256", isClientFirst = true, priority = 70) {
    super(mechname, isClientFirst, priority);
  }
}

/** SCRAM with SHA-384. */
export class SASLSHA384 extends Scram {
  constructor(mechname = "SCRAM-SHA-384", isClientFirst = true, priority = 71) {
    super(mechname, isClientFirst, priority);
  }
}

/** SCRAM with SHA-512. */
export class SASLSHA512 extends Scram {
  constructor(mechname = "SCRAM-SHA-512", isClientFirst = true, priority = 72) {
    super(mechname, isClientFirst, priority);
  }
}
