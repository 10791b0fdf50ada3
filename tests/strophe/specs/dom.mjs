// Where a received element is, and what is in it: pages walk from a stanza to its siblings, read prefixes, and serialise it.

import { connected, until } from "./client.mjs";

const MESSAGE = "<message xmlns='jabber:client' from='a@b/c' type='chat' id='m1'><body>hi</body></message>";

/** The element that a handler gets. The service sends the text as it is; over WebSocket it is one element. */
async function received(client, connection, xml) {
  let got;
  connection.addHandler((stanza) => ((got = stanza), true), null, "message", "chat");
  await client.said(MARK);
  await client.service.push(client.address, xml);
  await until(() => got, "the element");
  return got;
}

const MARK = "<message xmlns='jabber:client'/>";

const named = (node) => node && [node.nodeType, node.nodeName, node.namespaceURI ?? null];

export const specs = [
  connected("Connection.addHandler", "where the element is", async (client, connection) => {
    const got = await received(client, connection, MESSAGE);
    return {
      parent: named(got.parentNode),
      element: named(got.parentElement ?? null),
      previous: named(got.previousSibling),
      again: got.parentNode?.firstChild === got,
    };
  }),
  connected("Connection.addHandler", "the document of the element", async (client, connection) => {
    const got = await received(client, connection, MESSAGE);
    return [got.ownerDocument.documentElement?.nodeName, named(got.parentNode.parentNode), got.isConnected];
  }),
  connected("Connection.addHandler", "others in the body that no handler is for", async (client, connection) => {
    const all = [];
    connection.addHandler((stanza) => all.push(stanza), null, "message", "chat");
    await client.said(MESSAGE, "<presence xmlns='jabber:client'/>", MESSAGE);
    return named(all[0].nextSibling);
  }, { over: ["bosh"] }),
  connected("Connection.addHandler", "what is beside the element", async (client, connection) => {
    const all = [];
    connection.addHandler((stanza) => all.push(stanza), null, "message", "chat");
    await client.said(MESSAGE, MESSAGE);
    return [named(all[0].nextSibling), all[0].parentNode === all[1].parentNode, all[1].previousSibling === all[0]];
  }),
  connected("Connection.addHandler", "its attributes as nodes", async (client, connection) => {
    const got = await received(client, connection, "<message xmlns='jabber:client' type='chat' xml:lang='en' xmlns:p='urn:p' p:q='1'><body/></message>");
    return Array.from(got.attributes, ({ name, localName, prefix, namespaceURI, value }) => [name, localName ?? null, prefix ?? null, namespaceURI ?? null, value]).sort();
  }),
  connected("Connection.addHandler", "prefixed names", async (client, connection) => {
    const got = await received(client, connection, "<message xmlns='jabber:client' type='chat' xmlns:p='urn:p'><p:a><p:b/></p:a><c xmlns='urn:c'/></message>");
    return {
      children: Array.from(got.childNodes, ({ nodeName, tagName, localName, prefix, namespaceURI }) => [nodeName, tagName, localName, prefix ?? null, namespaceURI]),
      found: [got.getElementsByTagName("p:b").length, got.getElementsByTagNameNS("urn:p", "b").length],
    };
  }),
  connected("Connection.addHandler", "CDATA, comments and white space", async (client, connection) => {
    const got = await received(client, connection, "<message xmlns='jabber:client' type='chat'>\n <body><![CDATA[<&>]]> and</body>\t<x xmlns='urn:x'> </x></message>");
    return Array.from(got.childNodes, (node) => [node.nodeType, node.nodeName, node.textContent]);
  }),
  connected("Connection.addHandler", "as text", async (client, connection, { Strophe }) => {
    const got = await received(client, connection, "<message xmlns='jabber:client' type='chat' xml:lang='en'><body>a &lt; \"b\" 'c'</body><x xmlns='urn:x' y='&lt;\"&amp;'/><empty/></message>");
    return [got.outerHTML, new XMLSerializer().serializeToString(got), Strophe.serialize(got), got.innerHTML];
  }, { where: "page" }),
];
