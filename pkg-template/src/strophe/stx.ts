// `stx`: a stanza written as XML in a template, where values are escaped.

import { Builder } from "./builder.js";
import { stripWhitespace, toElement, xmlescape } from "./utils.js";

/** XML that a template inserts without escaping. */
export class UnsafeXML extends String {}

/** A value of a template: text is escaped; a stanza, a builder and unsafe XML are not; an array is joined; `null` is empty. */
export type StanzaValue = string | number | boolean | Builder | UnsafeXML | null | undefined | StanzaValue[];

/** A stanza from a template. It is parsed when its DOM is first needed. */
export class Stanza extends Builder {
  readonly #strings: readonly string[];
  readonly #values: readonly StanzaValue[];
  #xml: string | undefined;

  constructor(strings: readonly string[], values: readonly StanzaValue[]) {
    super("stanza");
    this.#strings = strings;
    this.#values = values;
  }

  /** XML that a template does not escape. Never create it from text of another person. */
  static unsafeXML(xml: string): UnsafeXML {
    return new UnsafeXML(xml);
  }

  /**
   * Parses XML into an element, without white space between elements. Throws for XML that is not well-formed. A stanza outside of
   * `jabber:client` and `jabber:server` is logged as an error, with `throwErrorIfInvalidNS` thrown.
   */
  static toElement(xml: string, throwErrorIfInvalidNS?: boolean): Element {
    return stripWhitespace(toElement(xml, throwErrorIfInvalidNS));
  }

  override buildTree(): Element {
    return Stanza.toElement(this.toString(), true);
  }

  /** The XML of the template. */
  override toString(): string {
    return (this.#xml ??= this.#strings.reduce((xml, piece, index) => xml + piece + xmlOf(this.#values[index]), "").trim());
  }
}

function xmlOf(value: StanzaValue): string {
  if (value == null) return "";
  if (Array.isArray(value)) return value.map(xmlOf).join("");
  return value instanceof UnsafeXML || value instanceof Builder ? value.toString() : xmlescape(String(value));
}

/**
 * A template tag that creates a stanza.
 *
 * @example
 * connection.send(stx`<message to="${to}" type="chat" xmlns="jabber:client"><body>${text}</body></message>`);
 */
export function stx(strings: TemplateStringsArray, ...values: StanzaValue[]): Stanza {
  return new Stanza(strings, values);
}
