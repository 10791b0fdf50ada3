// What pages of 2010 to 2015 do with a connection and with what they get from it: jQuery on stanzas, XHTML-IM, several connections, logs.

import { shown } from "../show.mjs";
import { Client, JID, PASSWORD, connected, turn, until } from "./client.mjs";

const ROOM = `<message xmlns='jabber:client' from='room@b/nick' type='groupchat' id='g1'><body>hi &lt;b&gt;</body>
  <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' role='moderator' jid='a@b/c'><reason>why</reason></item><item affiliation='none'/><status code='110'/></x>
  <html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p style='color: red; position: fixed' onclick='x()'>see <a href='http://x/'>this</a><br/><em>now</em></p></body></html>
  <delay xmlns='urn:xmpp:delay' stamp='2013-01-01T00:00:00Z'/></message>`;

const QUIET = "<message xmlns='jabber:client'/>";

/** One received stanza, and what a page reads of it. */
const read = (name, look, more = {}) =>
  connected("pages", name, async (client, connection, lib) => {
    let got;
    connection.addHandler((stanza) => ((got = stanza), true), null, "message", "groupchat");
    await client.said(QUIET);
    await client.service.push(client.address, ROOM);
    await until(() => got, "the message");
    return look(got, lib, connection, client);
  }, { where: "page", ...more });

let jQuery;
/** jQuery as a script tag loads it. */
async function loaded() {
  jQuery ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/jquery/jquery.min.js";
    script.onload = () => resolve(globalThis.jQuery.noConflict(true));
    script.onerror = reject;
    document.head.append(script);
  });
  return jQuery;
}

const withJquery = [
  read("jQuery: finding", async (stanza) => {
    const $ = await loaded();
    const all = ["body", "x", "item", "item[affiliation='owner']", "x > item", "x item reason", "[code='110']", "status[code]", "item:first", "item:last", "delay", "html body", "html > body > p", "a[href]", "*", "message"];
    return all.map((one) => [one, $(stanza).find(one).length, $(stanza).find(one).first().text()]);
  }),
  read("jQuery: reading", async (stanza) => {
    const $ = await loaded();
    const $stanza = $(stanza);
    const item = $stanza.find("item").first();
    return [
      $stanza.attr("from"), $stanza.attr("none"), $stanza.attr("xmlns"), $stanza.find("x").attr("xmlns"), $stanza.is("message"), $stanza.is("[type='groupchat']"), $stanza.children().map((_, one) => one.nodeName).get(),
      $stanza.children("body").text(), $stanza.prop("tagName"), $stanza.prop("nodeName"), item.next().attr("affiliation"), item.siblings().length, item.parent().prop("nodeName"), item.closest("message").attr("id"),
      $stanza.contents().length, $stanza.text().length, $stanza.find("item").filter("[jid]").length, $stanza.has("delay").length, $stanza.index(), item.parents().map((_, one) => one.nodeName).get(), $stanza.parent().length,
    ];
  }),
  read("jQuery: changing and moving", async (stanza) => {
    const $ = await loaded();
    const copy = $(stanza).clone();
    copy.attr("seen", "1").find("reason").text("<none>");
    copy.find("delay").remove();
    const shownAs = $("<div>").append($(stanza).find("html > body").contents().clone());
    return [copy[0].getAttribute("seen"), copy.find("reason").text(), copy.find("delay").length, $(stanza).find("delay").length, shownAs.html(), shownAs.find("a").text(), $("<p>").text($(stanza).find("body").first().text()).html()];
  }),
  read("jQuery: parsing what was serialised", async (stanza, { Strophe }) => {
    const $ = await loaded();
    const parsed = $($.parseXML(Strophe.serialize(stanza)));
    return [parsed.find("message").attr("id"), parsed.find("item").length, parsed.find("body").length, parsed.children()[0].namespaceURI];
  }),
  read("jQuery: a stanza from a page's own XML", async (stanza, { $msg, $build, Strophe }) => {
    const $ = await loaded();
    const built = $msg({ to: "a@b" }).cnode($(stanza).find("delay")[0]).up().c("body").t("x");
    $(built.tree()).attr("id", "own");
    return [built.toString(), Strophe.serialize($build("a").cnode($("<b class='c'>d</b>")[0]).tree())];
  }),
];

const withDom = [
  read("selectors and XPath", (stanza) => {
    const path = (text) => stanza.ownerDocument.evaluate(text, stanza, (prefix) => ({ c: "jabber:client", m: "http://jabber.org/protocol/muc#user" })[prefix], 7, null).snapshotLength;
    return [
      ["body", "x item", "message > x", "[affiliation]", ":scope > body", "item:first-child"].map((one) => stanza.querySelectorAll(one).length),
      ["c:body", ".//m:item", "//m:status", "//c:message", "*", "ancestor::*"].map(path),
      [stanza.matches("message"), stanza.closest("message") === stanza, stanza.firstElementChild.nodeName, stanza.childElementCount, stanza.lastElementChild.nextSibling],
    ];
  }),
  read("Strophe's functions", (stanza, { Strophe }) => {
    const names = [];
    Strophe.forEachChild(stanza, null, (child) => names.push(child.nodeName));
    Strophe.forEachChild(stanza.getElementsByTagName("x")[0], "item", (child) => names.push(child.getAttribute("affiliation")));
    const [body, html] = stanza.getElementsByTagName("body");
    return [names, Strophe.getText(body), Strophe.getText(stanza), Strophe.serialize(stanza), new Strophe.Builder("a").cnode(stanza).toString(), Strophe.serialize(Strophe.copyElement(stanza)), html && Strophe.createHtml(html).outerHTML];
  }),
  read("XHTML-IM put into the page", (stanza, { Strophe, $msg }) => {
    const [html] = Array.from(stanza.getElementsByTagName("html"));
    const place = document.createElement("div");
    for (const child of Array.from(html.firstChild.childNodes)) place.appendChild(document.importNode(child, true));
    const clean = document.createElement("div");
    clean.appendChild(Strophe.createHtml(html));
    const sent = $msg({ to: "a" }).c("html", { xmlns: Strophe.NS.XHTML_IM }).c("body", { xmlns: Strophe.NS.XHTML }).h("<p style='color:red;top:0'>a <b>b</b><i>c</i></p>");
    return [place.innerHTML, place.querySelector("a") instanceof HTMLAnchorElement, clean.innerHTML, sent.toString()];
  }),
  read("the stanza is sent back", async (stanza, { Strophe }, connection, client) => {
    stanza.setAttribute("to", stanza.getAttribute("from"));
    stanza.removeAttribute("from");
    while (stanza.childNodes.length > 1) stanza.removeChild(stanza.lastChild);
    connection.send(stanza);
    connection.send(Strophe.copyElement(stanza));
    await client.said(QUIET);
    return [stanza.outerHTML, stanza.parentNode !== null];
  }, { wire: true }),
];

const ALL = ["bosh", "ws"];
const CONNECTED = (status, { Status }) => status === Status.CONNECTED;

const uses = [
  {
    member: "pages",
    name: "several connections",
    over: ALL,
    async run(world) {
      const clients = [1, 2, 3].map(() => new Client(world));
      for (const [index, client] of clients.entries()) client.connect(`user${index}@parity.example/r${index}`);
      for (const client of clients) await client.reached("CONNECTED");
      for (const client of clients) client.connection.addHandler(client.note("got"), null, "message", "chat");
      await clients[1].said("<message xmlns='jabber:client' type='chat'/>");
      await clients[0].end();
      await clients[2].said("<message xmlns='jabber:client' type='chat'/>");
      for (const client of clients.slice(1)) await client.end();
      return clients.map(({ seen, connection }) => [seen, connection.jid]);
    },
  },
  {
    member: "pages",
    name: "a login in a login's callback",
    over: ALL,
    async run(world) {
      // Pages that come back by themselves: connect() in the callback of DISCONNECTED.
      const client = new Client(world);
      const { connection } = client;
      let again = 0;
      connection.connect(JID, PASSWORD, (status, condition) => {
        client.status(status, condition);
        if (status === world.lib.Strophe.Status.DISCONNECTED && (again += 1) < 3) {
          connection.reset();
          connection.connect(JID, PASSWORD, connection.connect_callback);
        } else if (CONNECTED(status, world.lib.Strophe)) connection.disconnect(`round ${again}`);
      });
      await until(() => again === 3, "the rounds");
      await turn();
      return [client.seen, connection.connected, connection.authenticated];
    },
  },
  {
    member: "pages",
    name: "options of old pages",
    over: ["bosh"],
    async run(world) {
      const client = new Client(world, "showing-headers", { sync: false, withCredentials: false, customHeaders: { "X-Page": "2013" }, mechanisms: [world.lib.Strophe.SASLPlain], protocol: "" });
      await client.online(JID, PASSWORD, 30, 2, undefined, "authzid");
      await client.end("Goodbye");
      return [client.seen, await client.wire(), Object.keys(client.connection.mechanisms), client.connection._proto.wait > 0];
    },
  },
  {
    member: "pages",
    name: "synchronous requests",
    over: ["bosh"],
    where: "page",
    async run(world) {
      const client = await new Client(world, "only-plain", { sync: true }).online();
      client.connection.addHandler(client.note("got"), null, "message", "chat");
      client.connection.send(world.lib.$pres());
      await client.end();
      return client.seen;
    },
  },
  {
    member: "pages",
    name: "a class of the page's own",
    over: ALL,
    async run(world) {
      const { Strophe, $msg } = world.lib;
      class Mine extends Strophe.Connection {
        sent = [];
        send(stanza) {
          this.sent.push((stanza.tree?.() ?? stanza).nodeName);
          super.send(stanza);
        }
        _changeConnectStatus(...values) {
          this.sent.push(Object.keys(Strophe.Status).find((name) => Strophe.Status[name] === values[0]));
          super._changeConnectStatus(...values);
        }
        _dataRecv(...values) {
          super._dataRecv(...values);
        }
      }
      const client = new Client(world, "only-plain");
      client.connection = new Mine(client.address);
      await client.online();
      client.connection.addHandler(client.note("got"), null, "message", "chat");
      client.connection.send($msg({ id: "1" }));
      await client.said("<message xmlns='jabber:client' type='chat'/>");
      await client.end();
      return [client.connection.sent, client.seen];
    },
  },
  {
    member: "pages",
    name: "a plugin that wraps the connection",
    over: ALL,
    async run(world) {
      const { Strophe } = world.lib;
      const name = `parity${Math.random().toString(36).slice(2)}`;
      const seen = [];
      Strophe.addConnectionPlugin(name, {
        init(connection) {
          this.connection = connection;
          const { connect, disconnect, send } = connection;
          connection.connect = (...values) => (seen.push("connect"), connect.apply(connection, values));
          connection.disconnect = (...values) => (seen.push("disconnect"), disconnect.apply(connection, values));
          connection.send = (...values) => (seen.push("send"), send.apply(connection, values));
        },
        statusChanged(status, condition) {
          seen.push([status, condition ?? null, this.connection.connected]);
        },
      });
      const client = await new Client(world, "only-plain").online();
      await client.end("reason");
      delete Strophe.Connection.prototype[name];
      return seen.filter((one) => one !== "send");
    },
    alone: true,
  },
  {
    member: "pages",
    name: "a log of all that passes",
    over: ALL,
    async run(world) {
      const client = new Client(world, "only-plain");
      const lines = [];
      const { connection } = client;
      connection.rawInput = (data) => lines.push(`RECV ${/<(success|message|iq)\b/.exec(data)?.[1] ?? ""}`);
      connection.rawOutput = (data) => lines.push(`SENT ${/<(auth|message|presence|iq)\b/.exec(data)?.[1] ?? ""}`);
      // strophe.js gives the event of a socket for the last frame.
      connection.xmlInput = (element) => lines.push(`xml ${typeof (element.nodeName ?? "")}`);
      await client.online();
      connection.send(world.lib.$pres().tree());
      await client.said("<message xmlns='jabber:client' type='chat'/>");
      await client.end();
      return [...new Set(lines.filter((line) => !line.endsWith(" ")))].sort();
    },
  },
  connected("pages", "handlers as of 2010", async (client, connection, { Strophe, $iq, $pres }) => {
    // A namespace alone, a `null` for everything, the id of a request, `this` and what it returns.
    const seen = [];
    connection.addHandler(function (iq) {
      seen.push([this === undefined || typeof this, iq.getAttribute("type")]);
    }, Strophe.NS.ROSTER, "iq", "set");
    const id = connection.getUniqueId("roster");
    connection.addHandler((iq) => void seen.push(["by id", iq.getAttribute("type")]), null, "iq", null, id, null);
    connection.send($iq({ type: "get", id }).c("query", { xmlns: "urn:parity:echo" }).tree());
    connection.send($pres({ type: "subscribe", to: "a@b" }).tree());
    await until(() => seen.length, "the answer");
    await client.said("<iq xmlns='jabber:client' type='set' id='p1'><query xmlns='jabber:iq:roster'><item jid='x@y'/></query></iq>");
    const timed = connection.addTimedHandler(50, () => (seen.push("tick"), false));
    await until(() => seen.includes("tick"), "the tick");
    return [seen, connection.timedHandlers.includes(timed)];
  }, { wire: true }),
  {
    member: "pages",
    name: "Strophe's objects as they are printed",
    run: ({ lib: { Strophe, $msg } }) => {
      const handler = new Strophe.Handler(() => true, "urn:x", "message");
      return shown([String($msg({ to: "a" }).c("body").t("<x>")), `${$msg().c("a").up().c("b", { c: "d" }, "e")}`, String(handler).startsWith("{Handler:"), JSON.stringify({ s: Strophe.Status.CONNECTED }), Strophe.VERSION]);
    },
  },
];

export const specs = [...withJquery, ...withDom, ...uses];
