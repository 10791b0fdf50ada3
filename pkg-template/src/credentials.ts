// The secrets of a login: values, or the results of the page's functions, requested anew for each login.

import type { Core } from "./core.js";
import { badArgument } from "./errors.js";
import type { Login, Secret } from "./options.js";
import { isXmlText } from "./xml.js";

/** A login with a secret. */
type WithSecret = Extract<Login, { secret: Secret }>;

/** Passes the credentials of a login to the module. @internal */
export class Credentials {
  readonly #login: Login | undefined;
  readonly #withCore: (give: (core: Core) => void) => void;
  /** Counts logins: the result of a function that was called for an earlier login is ignored. */
  #attempt = 0;
  #problem: unknown;

  constructor(login: Login | undefined, withCore: (give: (core: Core) => void) => void) {
    this.#login = login;
    this.#withCore = withCore;
  }

  /** Ignores the results of pending functions. */
  forget(): void {
    this.#attempt += 1;
  }

  /** The reason why there were no credentials; returned once. */
  takeProblem(): unknown {
    const problem = this.#problem;
    this.#problem = undefined;
    return problem;
  }

  /** A login begins. Pending functions of an earlier login are ignored. */
  give(): void {
    this.forget();
    const login = this.#login;
    if (!login) return this.#withCore((core) => core.logInWithNothing());
    switch (login.kind) {
      case "anonymous":
        return this.#withCore((core) => core.logInAnonymously());
      case "external":
        return this.#withCore((core) => core.logInExternally(login.account));
      default:
        if (typeof login.secret === "string") this.#provide(login, login.secret);
        else void this.#ask(login, login.secret);
    }
  }

  #provide(login: WithSecret, secret: string): void {
    if (login.kind === "password") this.#withCore((core) => core.logInWithPassword(login.username, secret));
    else this.#withCore((core) => core.logInWithToken(login.account, secret));
  }

  async #ask(login: WithSecret, secret: () => string | PromiseLike<string>): Promise<void> {
    const attempt = this.#attempt;
    let given: unknown;
    let problem: unknown;
    try {
      // The page's function may never settle; the deadline of connecting covers this.
      given = await secret();
      if (given !== undefined && given !== null) mustBeSecret(given);
    } catch (thrown) {
      problem = thrown;
    }
    if (this.#attempt !== attempt) return;
    if (typeof given === "string" && problem === undefined) return this.#provide(login, given);
    // Logs in without credentials on purpose: `#problem` holds the reason.
    this.#problem = problem;
    this.#withCore((core) => core.logInWithNothing());
  }
}

function mustBeSecret(secret: unknown): void {
  const invalidSecret = (should: string): Error => badArgument(`What \`password\` or \`token\` gives ${should}.`);
  if (typeof secret !== "string") throw invalidSecret("is a string");
  if (!isXmlText(secret)) {
    throw invalidSecret("holds a character that XML cannot carry (a control character, half of a surrogate pair, U+FFFE or U+FFFF): remove it");
  }
}
