// The xml`…` tag: creates one well-formed element from a template, whatever values are inserted; and the types that can
// be sent.

import { XmppError, badArgument, problem } from "./errors.js";
import { Stanza } from "./stanza.js";

/**
 * XML that the {@link xml} tag made: every value in it is escaped.
 * @example
 * const body: Xml = xml`<body>${"1 < 2"}</body>`;
 * await client.send(xml`<message to="juliet@example.org">${body}</message>`);
 */
export interface Xml {
  /**
   * The XML as text.
   * @example
   * console.log(xml`<body>${"1 < 2"}</body>`.toString()); // "<body>1 &lt; 2</body>"
   */
  toString(): string;
}

/**
 * What can be sent: `xml` text, a stanza that was received, or one element of XML in a string.
 * @example
 * const away: Sendable = "<presence><show>away</show></presence>";
 * await client.send(away);
 */
export type Sendable = Xml | Stanza | string;

/** Characters that XML 1.0 cannot carry (§2.2), including lone surrogates. */
const ILLEGAL = /[\0-\x08\x0b\x0c\x0e-\x1f\p{Cs}\ufffe\uffff]/u;

// White space is written as a reference where a parser would normalise it (XML 1.0 §2.11, §3.3.3).
const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\r": "&#13;",
  "\n": "&#10;",
  "\t": "&#9;",
};

/** Finished markup. Only the tag creates it, so that text never passes for markup. @internal */
export class Markup implements Xml {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

const isMarkup = (value: unknown): value is Markup | Stanza => value instanceof Markup || value instanceof Stanza;

/** Whether XML can carry every character of the text. @internal */
export const isXmlText = (text: string): boolean => !ILLEGAL.test(text);

/** Throws for lone surrogates: the module would receive another character in their place. @internal */
export function mustBeWellFormed(text: string): void {
  if (/\p{Cs}/u.test(text)) throw problem("illegal-character");
}

/** An argument that is a string; `index` counts from 1. @internal */
export function mustBeText(operation: string, index: number, value: unknown): asserts value is string {
  if (typeof value !== "string") {
    throw badArgument(`${operation}(): argument ${index} is a string. It was ${value === null ? "null" : typeof value}.`);
  }
  mustBeWellFormed(value);
}

/** A value that can be sent, as XML. @internal */
export function markupOf(value: unknown): string {
  if (typeof value !== "string" && !isMarkup(value)) {
    throw new XmppError("bad-stanza", "Not something that can be sent: use xml`…`, a stanza, or XML in a string.");
  }
  return value.toString();
}

function escape(value: unknown, special: RegExp): string {
  const text = String(value);
  if (ILLEGAL.test(text)) throw problem("illegal-character");
  return text.replace(special, (character) => ESCAPES[character] as string);
}

/** The position after the template's own text: in text (""), in a tag ("<"), or in an attribute's quotes. */
function advance(where: string, text: string): string {
  for (const character of text) {
    if (where === "") {
      if (character === "<") where = "<";
    } else if (where === "<") {
      if (character === ">") where = "";
      else if (character === '"' || character === "'") where = character;
    } else if (character === where) {
      where = "<";
    }
  }
  return where;
}

const isNothing = (value: unknown): boolean => value === undefined || value === null || value === false;

function content(value: unknown): string {
  if (isNothing(value)) return "";
  if (Array.isArray(value)) return value.map(content).join("");
  return isMarkup(value) ? value.toString() : escape(value, /[&<>"'\r]/g);
}

/**
 * A template tag that writes one XML element. Values are escaped; `xml` text and stanzas are inserted unchanged, the entries of arrays one
 * after another, and `undefined`, `null` and `false` not at all (an attribute with such a value is left out).
 *
 * Throws `bad-stanza` for a value at a place where none may be, and for characters that XML cannot carry.
 * @example
 * const [friend, text] = ["juliet@example.org", "1 < 2"];
 * await client.send(xml`<message to="${friend}" type="chat"><body>${text}</body></message>`);
 */
export function xml(strings: TemplateStringsArray, ...values: unknown[]): Xml {
  let out = "";
  let where = "";
  let skipsQuote = false;
  strings.forEach((string, index) => {
    const text = skipsQuote ? string.slice(1) : string;
    skipsQuote = false;
    where = advance(where, text);
    out += text;
    if (index >= values.length) return;
    const value = values[index];
    if (where === "") {
      out += content(value);
    } else if (where === "<") {
      throw new XmppError("bad-stanza", 'xml`…`: inside a tag, values go between the quotes of an attribute: to="${jid}".');
    } else if (isMarkup(value)) {
      throw new XmppError("bad-stanza", "xml`…`: an element cannot stand in an attribute.");
    } else {
      const whole = /\s[^\s=<>"']+\s*=\s*["']$/.exec(out);
      if (isNothing(value) && whole && strings[index + 1]?.startsWith(where)) {
        // An attribute without a value is left out.
        out = out.slice(0, whole.index);
        where = "<";
        skipsQuote = true;
      } else {
        out += isNothing(value) ? "" : escape(value, /[&<>"'\r\n\t]/g);
      }
    }
  });
  return new Markup(out);
}
