// Elements for Strophe's handlers, made of what the module has packed: the same as a parser makes of the XML.

import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import * as xmldom from "@xmldom/xmldom";
import { importSources } from "../../scripts/lib/typescript.mjs";
import { pack } from "./strophe/packing.mjs";

const table = JSON.parse(fs.readFileSync(new URL("packed.json", import.meta.url), "utf8"));

const { elementOf, stanzaOf, useXmldom, xmlGenerator, xmlHtmlNode } = await importSources("strophe/dom", "strophe/node-dom", "stanza");

/** Names, namespaces, attributes and texts; declarations of prefixes are the writer's choice. */
function content(node) {
  if (node.nodeType === 3 || node.nodeType === 4) return node.nodeValue;
  const attributes = Array.from(node.attributes)
    .filter(({ namespaceURI }) => namespaceURI !== "http://www.w3.org/2000/xmlns/")
    .map(({ namespaceURI, localName, name, value }) => `${namespaceURI ?? ""} ${localName ?? name}=${value}`)
    .sort();
  const pieces = [];
  for (const child of Array.from(node.childNodes)) {
    const piece = content(child);
    if (typeof piece === "string" && typeof pieces.at(-1) === "string") pieces.push(pieces.pop() + piece);
    else if (piece !== "") pieces.push(piece);
  }
  return [node.namespaceURI ?? "", node.localName, attributes, pieces];
}

// First: what the sources have found is kept.
test("without a DOM the first use is a named error", () => {
  useXmldom(() => {
    throw new Error("Cannot find module '@xmldom/xmldom'");
  });
  assert.throws(() => xmlGenerator(), { name: "DomMissingError", message: /npm install @xmldom\/xmldom/ });
});

test("an element is equal to a parsed one", () => {
  useXmldom(() => xmldom);
  let compared = 0;
  for (const { xml, text, words } of table) {
    // The table also holds documents with an XML declaration or entities that only some parsers read.
    const parsed = new xmldom.DOMParser({ onError: () => {} }).parseFromString(xml, "text/xml");
    assert.deepEqual(content(elementOf(stanzaOf(text, Uint32Array.from(words)))), content(parsed.documentElement), xml);
    compared += 1;
  }
  assert.ok(compared >= 5);
});

test("xmlns is an attribute where the namespace changes, prefixes are those of streams alone", () => {
  useXmldom(() => xmldom);
  const { text, words } = table.find(({ xml }) => xml.includes("xml:lang"));
  const element = elementOf(stanzaOf(text, Uint32Array.from(words)));
  assert.equal(element.getAttribute("xml:lang"), "en");
  assert.deepEqual(Array.from(element.childNodes, (node) => [node.nodeName, node.getAttribute?.("xmlns")]), [
    ["#text", undefined],
    ["b", "urn:p"],
    ["#text", undefined],
    ["b", "urn:q"],
  ]);
});

test("xmldom's elements have the members of a browser's elements", () => {
  useXmldom(() => xmldom);
  const { documentElement } = xmlHtmlNode("<a>x<b/><c><d/></c></a>");
  assert.deepEqual(Array.from(documentElement.children, ({ nodeName }) => nodeName), ["b", "c"]);
  assert.equal(documentElement.firstElementChild.nodeName, "b");
  assert.equal(documentElement.lastElementChild.firstChild.parentElement.nodeName, "c");
  documentElement.innerHTML = "<e>&amp;</e>";
  assert.equal(documentElement.innerHTML, "<e>&amp;</e>");
  assert.equal(xmlHtmlNode("<a>").documentElement.nodeName, "parsererror");
});

test("elements of one kind have their own attributes, whatever the page does to the others", () => {
  useXmldom(() => xmldom);
  const make = (xml) => elementOf(stanzaOf(...pack(xml)));
  const write = (element) => new xmldom.XMLSerializer().serializeToString(element);
  const message = (id, to, more = "") => `<message xmlns="jabber:client" id="${id}" to="${to}"${more}><body>${id}</body></message>`;
  const first = make(message("1", "a"));
  const text = write(first);
  first.setAttribute("id", "changed");
  first.removeAttribute("to");
  first.setAttribute("more", "x");
  first.firstChild.setAttribute("own", "y");
  assert.equal(write(make(message("1", "a"))), text);
  assert.equal(write(make(message("2", "b"))), message("2", "b"));
  assert.equal(write(make(message("3", "b", ' type="chat"'))), message("3", "b", ' type="chat"'));
  assert.equal(write(make('<message xmlns="jabber:client" to="b" id="4"><body xmlns="urn:x"/></message>')), '<message xmlns="jabber:client" to="b" id="4"><body xmlns="urn:x"/></message>');
  // More kinds than are kept, and values that are long.
  for (let count = 0; count < 600; count += 1) {
    const xml = `<m${count} xmlns="urn:k" a="${"long ".repeat(count % 100)}${count}"><c b="${count}"/></m${count}>`;
    assert.equal(write(make(xml)), xml);
  }
  assert.equal(write(make(message("5", "c"))), message("5", "c"));
});
