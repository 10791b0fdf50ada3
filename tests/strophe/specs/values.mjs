// The functions of `Strophe.*`, value by value.

const parse = (lib, xml) => lib.Strophe.toElement(xml);

const JIDS = ["a@b", "a@b/c", "b", "b/c", "b/c/d@e", "a@b@c/d", "@b", "a@", "", "a@b/", "/r", "ä@ö.example/ü 1"];
const TEXTS = ["", "plain", "<a href=\"x\">'&amp;'</a>", "&lt;&gt;&apos;&quot;&amp;", "tab\tline\nend", "ä€", "&&", "a &amp; b &unknown;"];
const NODES = ["", "a b", " a ", "d'artagnan", "a\"b&c/d:e<f>g@h\\i", "\\5c", "\\20x", "x\\40y\\2", "ä", "\\\\", "\\5c20", null, undefined, 5, { a: 1 }];

/** Arguments for each function whose values are compared. */
const CALLS = {
  getNodeFromJid: JIDS.map((jid) => [jid]),
  getDomainFromJid: [...JIDS, null, undefined].map((jid) => [jid]),
  getResourceFromJid: [...JIDS, null, undefined].map((jid) => [jid]),
  getBareJidFromJid: [...JIDS, null, undefined].map((jid) => [jid]),
  escapeNode: NODES.map((node) => [node]),
  unescapeNode: NODES.map((node) => [node]),
  xmlescape: TEXTS.map((text) => [text]),
  xmlunescape: TEXTS.map((text) => [text]),
  utf16to8: ["", "abc", "ä", "€", "\u0000", "ÿĀ", "߿ࠀ"].map((text) => [text]),
  stringToArrayBuf: ["", "abc", "ä€😀"].map((text) => [text]),
  base64ToArrayBuf: ["", "YWJj", "/+8=", "YQ=="].map((text) => [text]),
  validTag: ["a", "A", "script", "body", "", "div", "img", "constructor"].map((tag) => [tag]),
  validAttribute: [["a", "href"], ["a", "style"], ["img", "src"], ["img", "onerror"], ["br", "style"], ["x", "href"], ["toString", "name"]],
  validCSS: ["color", "position", "background-color", "", "COLOR"].map((style) => [style]),
  xmlElement: [
    ["a"], ["", {}], ["a", { b: "c", d: 1, e: null, f: undefined, g: 0, h: "" }], ["a", [["b", "c"], ["d", null], [null, "e"], "f"]], ["a", "text"], ["a", 5],
    ["a", "", "text"], ["a", { b: "c" }, "text"], ["a", { b: "c" }, 7], ["a", null, "text"], ["a", "one", "two"], ["a", {}, ""], ["a", { xmlns: "urn:x" }], ["a", 0],
  ],
  xmlTextNode: ["", "x", "<&>"].map((text) => [text]),
  isTagEqual: [],
};

const calls = Object.entries(CALLS).flatMap(([name, argumentLists]) =>
  argumentLists.map((values) => ({
    member: `Strophe.${name}`,
    name: JSON.stringify(values, (_, value) => (value === undefined ? "(undefined)" : value)),
    run: ({ lib }) => lib.Strophe[name](...values),
  })),
);

const spec = (member, name, run) => ({ member: `Strophe.${member}`, name, run: ({ lib, ...rest }) => run(lib, lib.Strophe, rest) });

const ODD_XML = "<m xmlns='jabber:client' xml:lang='en' xmlns:p='urn:p' p:a='1'>one<p:b>two</p:b><!-- no --><![CDATA[three]]> &amp; four</m>";
const SPACED = "<message xmlns='jabber:client'>\n  <body> kept </body>\n  <x xmlns='urn:x'> <y/> text <z> </z> </x>\n</message>";

const elements = [
  spec("toElement", "a stanza", (lib, Strophe) => Strophe.toElement("<message xmlns='jabber:client'><body>hi</body></message>")),
  spec("toElement", "of a server", (lib, Strophe) => Strophe.toElement("<presence xmlns='jabber:server'/>", true)),
  spec("toElement", "no stanza, no namespace", (lib, Strophe) => Strophe.toElement("<x/>", true)),
  spec("toElement", "a stanza without a namespace", (lib, Strophe) => Strophe.toElement("<iq/>")),
  spec("toElement", "a stanza without a namespace, strict", (lib, Strophe) => Strophe.toElement("<iq/>", true)),
  spec("toElement", "not well-formed", (lib, Strophe) => Strophe.toElement("<a><b></a>")),
  spec("toElement", "odd", (lib, Strophe) => Strophe.toElement(ODD_XML)),
  spec("xmlHtmlNode", "an element", (lib, Strophe) => Strophe.xmlHtmlNode("<a b='c'>d</a>").documentElement),
  spec("getParserError", "none", (lib, Strophe) => Strophe.getParserError(Strophe.xmlHtmlNode("<a/>"))),
  spec("getParserError", "some", (lib, Strophe) => typeof Strophe.getParserError(Strophe.xmlHtmlNode("<a"))),
  spec("getFirstElementChild", "of a document", (lib, Strophe) => Strophe.getFirstElementChild(Strophe.xmlHtmlNode("<!-- c --><a/>"))),
  spec("getFirstElementChild", "none", (lib, Strophe) => Strophe.getFirstElementChild(Strophe.toElement("<a>text</a>"))),
  spec("stripWhitespace", "of a stanza", (lib, Strophe) => Strophe.stripWhitespace(Strophe.toElement(SPACED))),
  spec("stripWhitespace", "text alone", (lib, Strophe) => Strophe.stripWhitespace(Strophe.toElement("<a> </a>"))),
  spec("xmlGenerator", "one document", (lib, Strophe) => [Strophe.xmlGenerator() === Strophe.xmlGenerator(), Strophe.xmlGenerator().documentElement.nodeName]),
  spec("copyElement", "of what was parsed", (lib, Strophe) => Strophe.copyElement(Strophe.toElement("<a xmlns='urn:a' b='c'>d<e f='g'/></a>"))),
  spec("copyElement", "of text", (lib, Strophe) => Strophe.copyElement(Strophe.xmlTextNode("x"))),
  spec("forEachChild", "all", (lib, Strophe) => {
    const found = [];
    Strophe.forEachChild(parse(lib, "<a>x<b/>y<c/><b/></a>"), null, (child) => found.push(child.nodeName));
    return found;
  }),
  spec("forEachChild", "of a name", (lib, Strophe) => {
    const found = [];
    Strophe.forEachChild(parse(lib, "<a>x<b/>y<c/><b d='1'/></a>"), "b", (child) => found.push(child.getAttribute("d")));
    return found;
  }),
  spec("forEachChild", "removed meanwhile", (lib, Strophe) => {
    const parent = parse(lib, "<a><b/><c/><d/></a>");
    const found = [];
    Strophe.forEachChild(parent, "", (child) => {
      found.push(child.nodeName);
      parent.removeChild(child);
    });
    return found;
  }),
  spec("isTagEqual", "name and prefix", (lib, Strophe) => {
    const features = parse(lib, "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>");
    return [Strophe.isTagEqual(features, "stream:features"), Strophe.isTagEqual(features, "features"), Strophe.isTagEqual(parse(lib, "<A/>"), "a")];
  }),
  spec("getNamespace", "built, parsed and inherited", (lib, Strophe) => {
    const parsed = parse(lib, "<a xmlns='urn:a'><b/><c xmlns='urn:c'/></a>");
    return [Strophe.getNamespace(lib.$iq().tree()), Strophe.getNamespace(lib.$build("x").tree()), ...[parsed, ...parsed.childNodes].map((one) => Strophe.getNamespace(one))];
  }),
  spec("getText", "escaped", (lib, Strophe) => Strophe.getText(parse(lib, "<a>1 &lt; 2<b>no</b> &amp; 3</a>"))),
  spec("getText", "of nothing", (lib, Strophe) => [Strophe.getText(null), Strophe.getText(undefined), Strophe.getText(parse(lib, "<a/>")), Strophe.getText(Strophe.xmlTextNode("'x'"))]),
  spec("createHtml", "filtered", (lib, Strophe) => {
    const html = parse(lib, "<body><p style='color: red; position: absolute' class='x'>a<script>b</script><a href='http://x/' onclick='y()'>c</a><div>d<em>e</em></div></p><img src='i' alt='j' onerror='k'/></body>");
    return Strophe.createHtml(html);
  }),
  spec("createHtml", "text and fragment", (lib, Strophe) => {
    const fragment = Strophe.xmlGenerator().createDocumentFragment();
    fragment.appendChild(Strophe.xmlTextNode("t"));
    fragment.appendChild(Strophe.xmlElement("strong"));
    return [Strophe.createHtml(Strophe.xmlTextNode("x")), Strophe.createHtml(fragment), Strophe.createHtml(parse(lib, "<div>x<b>y</b></div>"))];
  }),
  spec("XHTML", "lists", (lib, Strophe) => [Strophe.XHTML.tags, Strophe.XHTML.attributes, Strophe.XHTML.css, Strophe.XHTML.validTag("a"), Strophe.XHTML.validAttribute("a", "href"), Strophe.XHTML.validCSS("color")]),
  spec("serialize", "order, references, CDATA", (lib, Strophe) => Strophe.serialize(parse(lib, "<a z='1' b='&lt;&apos;&quot;' xmlns='urn:a'>x&amp;y<![CDATA[<z>]]><b/></a>"))),
  spec("serialize", "of a builder, of nothing", (lib, Strophe) => [Strophe.serialize(lib.$msg({ to: "a" }).c("body").t("x")), Strophe.serialize(null), Strophe.serialize(undefined)]),
  spec("xorArrayBuffers", "bytes", (lib, Strophe) => Strophe.xorArrayBuffers(Uint8Array.of(1, 2, 255).buffer, Uint8Array.of(3, 2, 15).buffer)),
  spec("arrayBufToBase64", "bytes", (lib, Strophe) => Strophe.arrayBufToBase64(Uint8Array.of(0, 250, 255).buffer)),
  spec("addNamespace", "a new one", (lib, Strophe) => {
    Strophe.addNamespace("PARITY", "urn:parity");
    const added = Strophe.NS.PARITY;
    delete Strophe.NS.PARITY;
    return added;
  }),
  spec("TIMEOUT", "read and set", (lib, Strophe) => {
    const before = [Strophe.TIMEOUT, Strophe.SECONDARY_TIMEOUT];
    [Strophe.TIMEOUT, Strophe.SECONDARY_TIMEOUT] = [2, 0.5];
    const after = [Strophe.TIMEOUT, Strophe.SECONDARY_TIMEOUT, Strophe.Bosh.getTimeoutMultplier()];
    [Strophe.TIMEOUT, Strophe.SECONDARY_TIMEOUT] = before;
    return [before, after];
  }),
  { ...spec("addCookies", "in a page", (lib, Strophe) => {
    Strophe.addCookies({ parityA: "1 ä", parityB: { value: "x;y", path: "/" } });
    const set = document.cookie.split("; ").filter((one) => one.startsWith("parity")).sort();
    return set;
  }), where: "page" },
  // Once right, once not copied: see differences.mjs.
  spec("utf16to8", "beyond the BMP", (lib, Strophe) => Array.from(Strophe.utf16to8("😀"), (one) => one.charCodeAt(0))),
  spec("xmlunescape", "escaped twice", (lib, Strophe) => Strophe.xmlunescape("&amp;lt;b&amp;gt;")),
  spec("copyElement", "with CDATA and a comment", (lib, Strophe) => Strophe.copyElement(parse(lib, "<a><!-- c --><![CDATA[d]]></a>"))),
  spec("createHtml", "a comment, a style without value", (lib, Strophe) => Strophe.createHtml(parse(lib, "<body><p style='color'>a<!-- b --></p></body>"))),
];

export const specs = [...calls, ...elements];
