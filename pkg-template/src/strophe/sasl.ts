// `SASLMechanism`, the base class of mechanisms that pages define, and the mechanisms that send the password, a token or no secret.

import type { Connection } from "./connection.js";
import { utf16to8 } from "./utils.js";

/** The result of a step: the message to send, one character for each byte. An empty string or `false` sends no message. */
export type SaslStep = string | false;

/** A SASL mechanism (RFC 4422). */
export class SASLMechanism {
  mechname: string;
  /** Whether the client sends the first message, with `<auth/>`. */
  isClientFirst: boolean;
  /** The mechanism with the highest priority among those that the server offers is used. */
  priority: number;
  _connection: Connection | null = null;

  constructor(name: string, isClientFirst: boolean, priority: number) {
    this.mechname = name;
    this.isClientFirst = isClientFirst;
    this.priority = priority;
  }

  /** Whether the mechanism can be used with the connection's credentials. */
  test(_connection: Connection): boolean {
    return true;
  }

  /** Called before `<auth/>` is sent. */
  onStart(connection: Connection): void {
    this._connection = connection;
  }

  /** Returns the response to a challenge. */
  onChallenge(_connection: Connection, _challenge?: string): SaslStep | Promise<SaslStep> {
    throw new Error("A SASL mechanism has to implement onChallenge().");
  }

  /** Returns the first message, if the client sends it. */
  clientChallenge(connection: Connection): SaslStep | Promise<SaslStep> {
    if (!this.isClientFirst) throw new Error("clientChallenge() is for mechanisms that are isClientFirst.");
    return this.onChallenge(connection);
  }

  /** Called when the server has refused the login. */
  onFailure(): void {
    this._connection = null;
  }

  /** Called when the server has accepted the login. */
  onSuccess(): void {
    this._connection = null;
  }
}

/** RFC 4505. */
export class SASLAnonymous extends SASLMechanism {
  constructor(mechname = "ANONYMOUS", isClientFirst = false, priority = 20) {
    super(mechname, isClientFirst, priority);
  }

  override test(connection: Connection): boolean {
    return connection.authcid === null;
  }
}

/** RFC 4422, appendix A: the transport has authenticated the client. */
export class SASLExternal extends SASLMechanism {
  constructor(mechname = "EXTERNAL", isClientFirst = true, priority = 10) {
    super(mechname, isClientFirst, priority);
  }

  override onChallenge({ authcid, authzid }: Connection): SaslStep {
    return authcid === authzid ? "" : (authzid ?? "");
  }
}

/** RFC 4616. */
export class SASLPlain extends SASLMechanism {
  constructor(mechname = "PLAIN", isClientFirst = true, priority = 50) {
    super(mechname, isClientFirst, priority);
  }

  override test(connection: Connection): boolean {
    return connection.authcid !== null;
  }

  override onChallenge({ authcid, authzid, domain, pass }: Connection): SaslStep {
    if (!domain) throw new Error("SASL PLAIN needs the domain of the connection.");
    const other = authzid === `${authcid}@${domain}` ? "" : authzid;
    return utf16to8(`${other}\0${authcid}\0${String(pass)}`);
  }
}

/** RFC 7628. */
export class SASLOAuthBearer extends SASLMechanism {
  constructor(mechname = "OAUTHBEARER", isClientFirst = true, priority = 40) {
    super(mechname, isClientFirst, priority);
  }

  override test(connection: Connection): boolean {
    return connection.pass !== null;
  }

  override onChallenge({ authcid, authzid, pass }: Connection): SaslStep {
    return utf16to8(`n,${authcid === null ? "" : `a=${authzid}`},\x01auth=Bearer ${String(pass)}\x01\x01`);
  }
}

/** Google Talk's variant of PLAIN, with a token. */
export class SASLXOAuth2 extends SASLMechanism {
  constructor(mechname = "X-OAUTH2", isClientFirst = true, priority = 30) {
    super(mechname, isClientFirst, priority);
  }

  override test(connection: Connection): boolean {
    return connection.pass !== null;
  }

  override onChallenge({ authcid, authzid, pass }: Connection): SaslStep {
    return utf16to8(`\0${authcid === null ? "" : authzid}\0${String(pass)}`);
  }
}
