// Reads an options object field by field. An invalid value throws an error that names the valid ones; an unknown option
// throws an error that names it.

import { badArgument } from "./errors.js";
import { normalJid } from "./jid.js";
import { isXmlText } from "./xml.js";

const UNSENDABLE =
  "holds a character that XML cannot carry (a control character, half of a surrogate pair, U+FFFE or U+FFFF): remove it";
/** The largest delay of timers. */
const LONGEST = 0x7fff_ffff;

/** The plain values that are converted to text, for example in forms. @internal */
export type Scalar = string | number | boolean;

/** Reads one options object. @internal */
export class Reader {
  readonly #object: Record<string, unknown>;
  /** The names of the options read so far. */
  readonly #known = new Set<string>();

  /** `undefined`, and any value that is not an object, has no options. */
  constructor(object: unknown) {
    this.#object = (typeof object === "object" && object !== null) || typeof object === "function" ? (object as Record<string, unknown>) : {};
  }

  /** Throws an error for the option of that name; `should` is the valid value. */
  refuse(name: string, should: string): never {
    throw badArgument(`The option '${name}' ${should}.`);
  }

  /** Marks the option of that name as read elsewhere. */
  knows(...names: string[]): this {
    for (const name of names) this.#known.add(name);
    return this;
  }

  /** Throws if there is an option that was not read. */
  done(): void {
    for (const [name, value] of Object.entries(this.#object)) {
      if (value !== undefined && !this.#known.has(name)) {
        throw badArgument(`There is no option '${name}' here. There are: ${[...this.#known].sort().join(", ")}.`);
      }
    }
  }

  /** An optional value; `undefined` for `null`, too. */
  given(name: string): unknown {
    this.#known.add(name);
    return this.#object[name] ?? undefined;
  }

  /** A value of the option of that name as text that can be sent. */
  sendable(name: string, value: unknown): string {
    if (typeof value !== "string") this.refuse(name, "is a string");
    if (!isXmlText(value)) this.refuse(name, UNSENDABLE);
    return value;
  }

  text(name: string): string | undefined {
    const value = this.given(name);
    return value === undefined ? undefined : this.sendable(name, value);
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.given(name) ?? otherwise;
    if (typeof value !== "boolean") this.refuse(name, "is true or false");
    return value;
  }

  /** A number within bounds, which `should` describes; a fraction is cut off. */
  number(name: string, least: number, most: number, should: string): number | undefined {
    const value = this.given(name);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !(value >= least && value <= most)) this.refuse(name, should);
    return Math.trunc(value);
  }

  /** A duration in milliseconds. */
  millis(name: string, least = 1): number | undefined {
    return this.number(name, least, LONGEST, `is a number of milliseconds, ${least} or more`);
  }

  signal(): AbortSignal | undefined {
    const value = this.given("signal");
    if (value !== undefined && !(value instanceof AbortSignal)) this.refuse("signal", "is an AbortSignal");
    return value;
  }

  jid(name: string): string | undefined {
    const value = this.given(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string") this.refuse(name, "is a string");
    return normalJid(value);
  }

  /** A function or a class. */
  callable<T extends (...args: never[]) => unknown>(name: string, should: string): T | undefined {
    const value = this.given(name);
    if (value !== undefined && typeof value !== "function") this.refuse(name, should);
    return value as T | undefined;
  }

  /** Several texts; empty if left out. */
  list(name: string): string[] {
    const value = this.given(name);
    if (value === undefined) return [];
    if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) this.refuse(name, "is an array of strings");
    return value.map((one) => this.sendable(name, one));
  }

  /** Texts by name. */
  record(name: string): [string, string][] {
    const value = this.given(name);
    return Object.entries((value ?? {}) as object).map(([key, text]) => {
      if (typeof text !== "string") this.refuse(name, "is an object whose values are strings");
      return [this.sendable(name, key), this.sendable(name, text)];
    });
  }
}
