// Writes an element as the shortest equivalent XML, as the module's own writer does (proto/src/xml/writer.rs). Elements
// have no prefixes; each attribute in a namespace gets one.

import type { Packed } from "./stanza.js";

/**
 * The length from which a namespace is declared once, at the root: otherwise the written XML could be hundreds of times
 * as long as the received XML.
 */
const LONG_NS = 64;
const XML_NS = 1;
/** The default namespace around a root that has a prefix: a number that no namespace has. */
const OUTER = -1;
const XBOSH = "urn:xmpp:xbosh";

const REFERENCES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&apos;",
  '"': "&quot;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

const escapeText = (text: string): string => text.replace(/[&<>\r]/g, (one) => REFERENCES[one] as string);
const escapeValue = (text: string): string => text.replace(/[&<>'"\t\n\r]/g, (one) => REFERENCES[one] as string);

/** A prefix: a word and a number in letters. */
function prefixOf(word: string, number: number): string {
  let prefix = word;
  for (let rest = number; ; rest = Math.floor(rest / 26)) {
    prefix += String.fromCharCode(97 + (rest % 26));
    if (rest < 26) return prefix;
  }
}

/** The element at `root` as XML, for a place where the default namespace is `outerNs`. @internal */
export function writeXml(packed: Packed, root: number, outerNs: string): string {
  const long = longNamespaces(packed, root);
  const names: { name: string; end: number; ns: number }[] = [];
  let out = "";
  const end = packed.after(root);
  for (let at = root; at < end; ) {
    if (packed.isText(at)) {
      out += escapeText(packed.slice(packed.at(at + 1), packed.at(at + 2)));
      at += 3;
    } else {
      const ns = packed.at(at + 2);
      const last = names.at(-1);
      const isOuter = last ? ns === last.ns : packed.isNs(ns, outerNs);
      const prefix = ns === XML_NS ? "xml" : long.get(ns);
      const local = packed.slice(packed.at(at + 3), packed.at(at + 4));
      const name = prefix === undefined ? local : `${prefix}:${local}`;
      out += `<${name}`;
      if (prefix === undefined && !isOuter) out += ` xmlns='${escapeValue(packed.ns(ns))}'`;
      if (at === root) for (const [id, one] of long) out += ` xmlns:${one}='${escapeValue(packed.ns(id))}'`;
      out += attributes(packed, at, long);
      const after = packed.after(at);
      at = packed.inside(at);
      if (after === at) {
        out += "/>";
      } else {
        out += ">";
        names.push({ name, end: after, ns: prefix === undefined ? ns : (last?.ns ?? OUTER) });
      }
    }
    for (let last = names.at(-1); last?.end === at; last = names.at(-1)) {
      out += `</${last.name}>`;
      names.pop();
    }
  }
  return out;
}

function attributes(packed: Packed, element: number, long: Map<number, string>): string {
  let out = "";
  const prefixes = new Map<number, string>([[XML_NS, "xml"]]);
  let number = 0;
  packed.eachAttribute(element, (ns, name, value) => {
    let prefix = ns === 0 ? "" : (long.get(ns) ?? prefixes.get(ns));
    if (prefix === undefined) {
      const uri = packed.ns(ns);
      // COMPAT(ejabberd): it finds the attribute `xmpp:restart` only by its prefix.
      prefix = uri === XBOSH ? "xmpp" : prefixOf("ns", number);
      prefixes.set(ns, prefix);
      out += ` xmlns:${prefix}='${escapeValue(uri)}'`;
    }
    out += ` ${prefix && `${prefix}:`}${name}='${escapeValue(value)}'`;
    number += 1;
  });
  return out;
}

/** The long namespaces in the element, with their prefixes. */
function longNamespaces(packed: Packed, root: number): Map<number, string> {
  const long = new Map<number, string>();
  const note = (ns: number): void => {
    if (ns > XML_NS && !long.has(ns) && packed.ns(ns).length > LONG_NS) long.set(ns, prefixOf("long", long.size));
  };
  const end = packed.after(root);
  for (let at = root; at < end; at = packed.isText(at) ? at + 3 : packed.inside(at)) {
    if (packed.isText(at)) continue;
    note(packed.at(at + 2));
    packed.eachAttribute(at, note);
  }
  return long;
}
