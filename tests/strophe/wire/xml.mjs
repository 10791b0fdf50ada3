// XML as the scripted service reads it, and in the form in which transcripts are compared.

import { DOMParser } from "@xmldom/xmldom";

const ELEMENT = 1;
const TEXT = 3;
const UUID = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

export function parse(text) {
  const onError = (level, message) => {
    if (level !== "warning") throw new Error(message);
  };
  return new DOMParser({ onError }).parseFromString(text, "text/xml").documentElement;
}

export const elements = (node) => Array.from(node.childNodes).filter(({ nodeType }) => nodeType === ELEMENT);

export const escaped = (text) => text.replace(/[&<>'"]/g, (one) => `&#${one.charCodeAt(0)};`);

/** Identifiers that are new at each run. */
export const masked = (text) => text.replace(UUID, "UUID");

/**
 * An element with its attributes in order, `{namespace}` where it is not that of the parent: prefixes and quotes are no differences.
 */
export function canonical(node, outer = "") {
  if (node.nodeType === TEXT) return masked(node.nodeValue);
  if (node.nodeType !== ELEMENT) return "";
  const ns = node.namespaceURI ?? "";
  const attributes = Array.from(node.attributes)
    .filter(({ name }) => name !== "xmlns" && !name.startsWith("xmlns:"))
    .map(({ name, localName, namespaceURI, value }) => ` ${namespaceURI && !name.startsWith("xml:") ? `{${namespaceURI}}${localName}` : name}="${masked(value)}"`)
    .sort()
    .join("");
  const inner = Array.from(node.childNodes, (child) => canonical(child, ns)).join("");
  return `<${node.localName}${ns === outer ? "" : ` {${ns}}`}${attributes}>${inner}</>`;
}

/** The attributes alone. */
export function attributesOf(node, without = []) {
  return Array.from(node.attributes)
    .filter(({ name }) => !name.startsWith("xmlns") && !without.includes(name))
    .map(({ name, value }) => `${name}="${masked(value)}"`)
    .sort()
    .join(" ");
}

/** An element as XML that can be put into any other. */
export function markup(node, outer = "") {
  if (node.nodeType === TEXT) return escaped(node.nodeValue);
  if (node.nodeType !== ELEMENT) return "";
  const ns = node.namespaceURI ?? "";
  const attributes = Array.from(node.attributes)
    .filter(({ name }) => !name.startsWith("xmlns"))
    .map(({ name, value }) => ` ${name}="${escaped(value)}"`)
    .join("");
  const inner = Array.from(node.childNodes, (child) => markup(child, ns)).join("");
  return `<${node.localName}${ns === outer ? "" : ` xmlns="${ns}"`}${attributes}>${inner}</${node.localName}>`;
}
