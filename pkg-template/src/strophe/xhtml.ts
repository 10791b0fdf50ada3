// Converts HTML to XHTML-IM, the part of XHTML that a message may carry.
//
// Specification: XEP-0071 1.5.4.

import { ElementType } from "./constants.js";
import { xmlGenerator } from "./dom.js";

const STYLE = ["style"];

/** The allowed elements, their attributes, and the allowed style properties. Pages may change the lists. */
export const lists: { tags: string[]; attributes: Record<string, string[]>; css: string[] } = {
  tags: ["a", "blockquote", "br", "cite", "em", "img", "li", "ol", "p", "span", "strong", "ul", "body"],
  attributes: {
    a: ["href"],
    blockquote: [...STYLE],
    br: [],
    cite: [...STYLE],
    em: [],
    img: ["src", "alt", "style", "height", "width"],
    li: [...STYLE],
    ol: [...STYLE],
    p: [...STYLE],
    span: [...STYLE],
    strong: [],
    ul: [...STYLE],
    body: [],
  },
  // prettier-ignore
  css: [
    "background-color", "color", "font-family", "font-size", "font-style", "font-weight", "margin-left", "margin-right", "text-align",
    "text-decoration",
  ],
};

/** Whether XHTML-IM has the element. */
export function validTag(tag: string): boolean {
  return lists.tags.includes(tag);
}

/** Whether XHTML-IM allows the attribute on the element. */
export function validAttribute(tag: string, attribute: string): boolean {
  return Object.hasOwn(lists.attributes, tag) && (lists.attributes[tag] ?? []).includes(attribute);
}

/** Whether XHTML-IM recommends the style property. */
export function validCSS(style: string): boolean {
  return lists.css.includes(style);
}

/** The allowed style properties. */
function validStyle(style: string): string {
  const passed: string[] = [];
  for (const declaration of style.split(";")) {
    const [property = "", value] = declaration.split(":");
    const name = property.trim().toLowerCase();
    if (value !== undefined && validCSS(name)) passed.push(`${name}: ${value.trim()}`);
  }
  return passed.join("; ");
}

function copyChildren(from: Node, to: Node): Node {
  for (const child of Array.from(from.childNodes)) {
    const copy = createHtml(child);
    if (copy) to.appendChild(copy);
  }
  return to;
}

/**
 * HTML as XML, without the elements, attributes and styles that XHTML-IM lacks. The content of a removed element stays.
 * `undefined` for a node that is neither an element, a fragment nor text.
 */
export function createHtml(node: Node): Node | undefined {
  const document = xmlGenerator();
  if (node.nodeType === ElementType.TEXT) return document.createTextNode(node.nodeValue ?? "");
  if (node.nodeType === ElementType.FRAGMENT) return copyChildren(node, document.createDocumentFragment());
  if (node.nodeType !== ElementType.NORMAL) return undefined;
  const tag = node.nodeName.toLowerCase();
  if (!validTag(tag)) return copyChildren(node, document.createDocumentFragment());
  const element = document.createElement(tag);
  for (const name of lists.attributes[tag] ?? []) {
    const value = (node as Element).getAttribute(name);
    const passed = name === "style" ? validStyle(value ?? "") : value;
    if (passed) element.setAttribute(name, passed);
  }
  return copyChildren(node, element);
}
