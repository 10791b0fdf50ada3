// The secrets of a login: values, or what the page's functions give, asked anew for each login.

import type { Core } from "./core.js";
import { badArgument } from "./errors.js";
import type { Login, Secret } from "./options.js";
import { isXmlText } from "./xml.js";

/** A login with a secret. */
type WithSecret = Extract<Login, { secret: Secret }>;

/** Gives the module what a login needs. @internal */
export class Credentials {
  readonly #login: Login | undefined;
  readonly #tell: (give: (core: Core) => void) => void;
  /** Counts logins: a function that was called for an older one is ignored. */
  #attempt = 0;
  #problem: unknown;

  constructor(login: Login | undefined, tell: (give: (core: Core) => void) => void) {
    this.#login = login;
    this.#tell = tell;
  }

  /** What a function that is still at it gives, is for nobody. */
  forget(): void {
    this.#attempt += 1;
  }

  /** Why there were none, once. */
  takeProblem(): unknown {
    const problem = this.#problem;
    this.#problem = undefined;
    return problem;
  }

  /** A login begins. What was asked for one before it is no answer to it. */
  give(): void {
    this.forget();
    const login = this.#login;
    if (!login) return this.#tell((core) => core.logInWithNothing());
    switch (login.kind) {
      case "anonymous":
        return this.#tell((core) => core.logInAnonymously());
      case "external":
        return this.#tell((core) => core.logInExternally(login.account));
      default:
        if (typeof login.secret === "string") this.#provide(login, login.secret);
        else void this.#ask(login, login.secret);
    }
  }

  #provide(login: WithSecret, secret: string): void {
    if (login.kind === "password") this.#tell((core) => core.logInWithPassword(login.username, secret));
    else this.#tell((core) => core.logInWithToken(login.account, secret));
  }

  async #ask(login: WithSecret, secret: () => string | PromiseLike<string>): Promise<void> {
    const attempt = this.#attempt;
    let given: unknown;
    let problem: unknown;
    try {
      // The page may never answer; the connection gives up by itself.
      given = await secret();
      if (given !== undefined && given !== null) mustBeSecret(given);
    } catch (thrown) {
      problem = thrown;
    }
    if (this.#attempt !== attempt) return;
    if (typeof given === "string" && problem === undefined) return this.#provide(login, given);
    // Nothing, on purpose: there is no more to be said about it.
    this.#problem = problem;
    this.#tell((core) => core.logInWithNothing());
  }
}

function mustBeSecret(secret: unknown): void {
  const told = (should: string): Error => badArgument(`What \`password\` or \`token\` gives ${should}.`);
  if (typeof secret !== "string") throw told("is a string");
  if (!isXmlText(secret)) {
    throw told("holds a character that XML cannot carry (a control character, half of a surrogate pair, U+FFFE or U+FFFF): remove it");
  }
}
