// The functions of `Strophe.*`: XML as text and DOM, addresses, bytes.

import { ElementType } from "./constants.js";
import { xmlGenerator, xmlHtmlNode } from "./dom.js";
import log from "./log.js";

export { xmlGenerator, xmlHtmlNode } from "./dom.js";
export { createHtml, validAttribute, validCSS, validTag } from "./xhtml.js";

/** The namespace of the `parsererror` that a browser's parser returns for text that is not well-formed. */
const PARSER_ERROR_NS = "http://www.w3.org/1999/xhtml";

/**
 * Parses text into an element. Throws for text that is not well-formed. A stanza outside of `jabber:client` and `jabber:server` is logged as
 * an error, with `throwErrorIfInvalidNS` thrown.
 */
export function toElement(text: string, throwErrorIfInvalidNS?: boolean): Element {
  const parsed = xmlHtmlNode(text);
  const error = getParserError(parsed);
  if (error) throw new Error(`Parser Error: ${error}`);
  const element = getFirstElementChild(parsed) as Element;
  const { namespaceURI } = element;
  const isStanza = /^(message|iq|presence)$/i.test(element.nodeName);
  if (isStanza && namespaceURI !== "jabber:client" && namespaceURI !== "jabber:server") {
    const problem = `Invalid namespaceURI ${namespaceURI}`;
    if (throwErrorIfInvalidNS) throw new Error(problem);
    log.error(problem);
  }
  return element;
}

/** Logs an exception, with its stack if it has one. */
export function handleError(error: Error): void {
  if (error.stack !== undefined) log.fatal(error.stack);
  log.fatal(`error: ${error.message}`);
}

/** Encodes text in UTF-8: a string with one character for each byte. */
export function utf16to8(text: string): string {
  return binary(new TextEncoder().encode(text));
}

/** A string with one character for each byte. */
function binary(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += String.fromCharCode(byte);
  return out;
}

/** The bytes of `x`, each XOR that of `y`. */
export function xorArrayBuffers(x: ArrayBuffer, y: ArrayBuffer): ArrayBuffer {
  const other = new Uint8Array(y);
  return new Uint8Array(x).map((byte, index) => byte ^ (other[index] ?? 0)).buffer;
}

export function arrayBufToBase64(buffer: ArrayBuffer): string {
  return btoa(binary(new Uint8Array(buffer)));
}

export function base64ToArrayBuf(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (one) => one.charCodeAt(0)).buffer;
}

/** The bytes of the text in UTF-8. */
export function stringToArrayBuf(text: string): ArrayBuffer {
  return new TextEncoder().encode(text).buffer;
}

/** A cookie, with its attributes. */
export interface CookieValue {
  value: string;
  domain?: string;
  path?: string;
  expires?: string;
}

/** Cookies by name. */
export type Cookies = Record<string, string | CookieValue>;

/** Sets cookies in the page. Without a page it logs an error. */
export function addCookies(cookies?: Cookies): void {
  if (!cookies) return;
  if (typeof document === "undefined") {
    log.error("addCookies: there is no page to set cookies in");
    return;
  }
  for (const [name, cookie] of Object.entries(cookies)) {
    const { value, expires, domain, path } = typeof cookie === "object" ? cookie : ({ value: cookie } as CookieValue);
    const attributes = Object.entries({ expires, domain, path }).map(([key, one]) => (one ? `;${key}=${one}` : ""));
    // Deprecated functions, but servers expect their encoding in old cookies.
    document.cookie = `${name}=${escape(unescape(value))}${attributes.join("")}`;
  }
}

/** A text node. */
export function xmlTextNode(text: string): Text {
  return xmlGenerator().createTextNode(text);
}

/** Removes white space between elements, except within `<body/>`. Changes the element, and returns it. */
export function stripWhitespace(element: Element): Element {
  const nodes = Array.from(element.childNodes);
  if (nodes.length === 1 && nodes[0]?.nodeType === ElementType.TEXT) return element;
  for (const node of nodes) {
    if (node.nodeName.toLowerCase() === "body") continue;
    if (node.nodeType === ElementType.NORMAL) stripWhitespace(node as Element);
    else if (node.nodeType === ElementType.TEXT && !/\S/.test(node.nodeValue ?? "")) element.removeChild(node);
  }
  return element;
}

/** The parser's message about text that is not well-formed; `null` if the text is well-formed. */
export function getParserError(parsed: Document): string | null {
  const first = getFirstElementChild(parsed);
  const error = first?.nodeName === "parsererror" ? first : parsed.getElementsByTagNameNS(PARSER_ERROR_NS, "parsererror")[0];
  return error?.nodeName === "parsererror" ? error.textContent : null;
}

/** The first child element. */
export function getFirstElementChild(parent: Document | Element): Element | null {
  if (parent.firstElementChild) return parent.firstElementChild;
  for (let node = parent.firstChild; node; node = node.nextSibling) if (node.nodeType === ElementType.NORMAL) return node as Element;
  return null;
}

/** Attributes by name or as pairs, or text instead of attributes. */
export type XmlAttributes = [string, string | number | null][] | string[][] | Record<string, string | number | null | undefined> | string | number;

/**
 * Creates an element with attributes and text, both optional. Text may be given instead of attributes. Attributes that are `null` are left
 * out. The element is in no namespace: its `xmlns` is an ordinary attribute. Returns `null` if there is no name.
 */
export function xmlElement(name: string, attrs?: XmlAttributes | null, text?: string | number): Element | null {
  if (!name) return null;
  const element = xmlGenerator().createElement(name);
  const isText = (value: unknown): value is string | number => typeof value === "string" || typeof value === "number";
  if (text && isText(text)) {
    element.appendChild(xmlTextNode(String(text)));
  } else if (isText(attrs)) {
    element.appendChild(xmlTextNode(String(attrs)));
  }
  if (!attrs || isText(attrs)) return element;
  const pairs = Array.isArray(attrs) ? attrs.filter(Array.isArray) : Object.entries(attrs);
  for (const [key, value] of pairs) {
    if (key != null && key !== "" && value != null) element.setAttribute(key, String(value));
  }
  return element;
}

/** A copy whose elements are in no namespace. `undefined` for a node that is neither an element nor text. */
export function copyElement(node: Node): Element | Text | undefined {
  if (node.nodeType === ElementType.TEXT || node.nodeType === ElementType.CDATA) return xmlTextNode(node.nodeValue ?? "");
  if (node.nodeType !== ElementType.NORMAL) return undefined;
  const copy = xmlElement((node as Element).tagName) as Element;
  for (const { name, value } of Array.from((node as Element).attributes)) copy.setAttribute(name, value);
  for (const child of Array.from(node.childNodes)) {
    const inner = copyElement(child);
    if (inner) copy.appendChild(inner);
  }
  return copy;
}

const REFERENCES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;", '"': "&quot;" };
const CHARACTERS = new Map(Object.entries(REFERENCES).map(([character, reference]) => [reference, character]));

/** Replaces the five special characters of XML with references. */
export function xmlescape(text: string): string {
  return text.replace(/[&<>'"]/g, (one) => REFERENCES[one] as string);
}

/** Reverses `xmlescape()`. */
export function xmlunescape(text: string): string {
  return text.replace(/&(?:amp|lt|gt|apos|quot);/g, (one) => CHARACTERS.get(one) as string);
}

/** Calls `use` with each child element, or only with those named `name`. */
export function forEachChild(element: Element, name: string | null | undefined, use: (child: Element) => void): void {
  // Read `nextSibling` at each step: `use` may change the children.
  for (let index = 0; index < element.childNodes.length; index += 1) {
    const child = element.childNodes[index] as Element;
    if (child.nodeType === ElementType.NORMAL && (!name || isTagEqual(child, name))) use(child);
  }
}

/** Whether the element has this name, prefix included. */
export function isTagEqual(element: Element, name: string): boolean {
  return element.tagName === name;
}

/**
 * The namespace of an element. A built element has only the attribute `xmlns`, since its `namespaceURI` is empty; a received element may
 * have either.
 */
export function getNamespace(element: Element): string | null {
  return element.getAttribute("xmlns") || element.namespaceURI;
}

/** The text directly in an element, or of a text node, escaped as in XML. Text in child elements is left out. */
export function getText(node: Node | null | undefined): string | null {
  if (!node) return null;
  let text = node.nodeType === ElementType.TEXT && node.childNodes.length === 0 ? (node.nodeValue ?? "") : "";
  for (const child of Array.from(node.childNodes)) if (child.nodeType === ElementType.TEXT) text += child.nodeValue ?? "";
  return xmlescape(text);
}

const ESCAPES: Record<string, string> = {
  "\\": "\\5c",
  " ": "\\20",
  '"': "\\22",
  "&": "\\26",
  "'": "\\27",
  "/": "\\2f",
  ":": "\\3a",
  "<": "\\3c",
  ">": "\\3e",
  "@": "\\40",
};
const ESCAPED = new Map(Object.entries(ESCAPES).map(([character, escaped]) => [escaped, character]));

/** Escapes text for the local part of an address (XEP-0106), without the surrounding white space. Other values are returned unchanged. */
export function escapeNode(node: unknown): unknown {
  return typeof node === "string" ? node.trim().replace(/[\\ "&'/:<>@]/g, (one) => ESCAPES[one] as string) : node;
}

/** Reverses `escapeNode()`. */
export function unescapeNode(node: unknown): unknown {
  return typeof node === "string" ? node.replace(/\\(?:5c|2[0267f]|3[ace]|40)/g, (one) => ESCAPED.get(one) as string) : node;
}

/** The part before `@`; `null` if there is none. */
export function getNodeFromJid(jid: string): string | null {
  const at = jid.indexOf("@");
  return at < 0 ? null : jid.slice(0, at);
}

/** The domain. */
export function getDomainFromJid(jid: string): string | null {
  const bare = getBareJidFromJid(jid) as string;
  return bare.slice(bare.indexOf("@") + 1);
}

/** The part after the first `/`; `null` if there is none. */
export function getResourceFromJid(jid: string): string | null {
  if (!jid) return null;
  const slash = jid.indexOf("/");
  return slash < 0 ? null : jid.slice(slash + 1);
}

/** The address without its resource. */
export function getBareJidFromJid(jid: string): string | null {
  return jid ? (jid.split("/")[0] as string) : null;
}

/** The functions of strophe.js's `utils`. */
const utils = { utf16to8, xorArrayBuffers, arrayBufToBase64, base64ToArrayBuf, stringToArrayBuf, addCookies };

export default utils;
