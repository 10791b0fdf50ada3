// Builder, $build, $iq, $msg, $pres, Stanza, stx, toStanza.

const spec = (member, name, run) => ({ member, name, run: ({ lib }) => run(lib) });
const text = (builder) => builder.toString();

export const specs = [
  ...["$iq", "$msg", "$pres"].flatMap((name) => [
    spec(name, "without attributes", (lib) => [text(lib[name]()), lib[name]()]),
    spec(name, "with attributes", (lib) => text(lib[name]({ to: "a@b", id: "1", "xml:lang": "en" }))),
    spec(name, "another namespace", (lib) => text(lib[name]({ xmlns: "jabber:server" }))),
  ]),
  spec("$build", "any element", (lib) => [text(lib.$build("a")), text(lib.$build("a", { b: "c" })), text(lib.$build("message"))]),
  spec("$build", "an attribute that is null", (lib) => text(lib.$build("a", { b: null, c: undefined, d: 0, e: "" }))),
  spec("Builder.c", "nesting", (lib) => text(lib.$iq({ type: "set" }).c("query", { xmlns: "urn:q" }).c("item", { id: "1" }).c("x"))),
  spec("Builder.c", "text", (lib) => text(lib.$msg().c("body", null, "hi").c("subject", {}, "s").c("a", { b: "c" }, ""))),
  spec("Builder.c", "a number as text", (lib) => text(lib.$msg().c("priority", {}, 5).c("y"))),
  spec("Builder.c", "text in place of attributes", (lib) => text(lib.$msg().c("body", "hi").c("x"))),
  spec("Builder.up", "siblings", (lib) => text(lib.$msg().c("a").up().c("b").c("c").up().up().c("d"))),
  spec("Builder.up", "beyond the root", (lib) => lib.$msg().up().up().c("x")),
  spec("Builder.root", "back", (lib) => text(lib.$msg().c("a").c("b").root().c("d"))),
  spec("Builder.t", "escaped", (lib) => text(lib.$msg().c("body").t("<&>'\"").t(" more"))),
  spec("Builder.attrs", "set, changed, removed", (lib) => text(lib.$msg({ to: "a", from: "b" }).attrs({ to: "c", from: null, id: 5, x: undefined }))),
  spec("Builder.cnode", "of an element", (lib) => text(lib.$msg().cnode(lib.$build("x", { xmlns: "urn:x" }).c("y").tree()).c("z"))),
  spec("Builder.cnode", "of a builder", (lib) => text(lib.$iq().cnode(lib.$build("x").t("1")).up().cnode(lib.$build("y")))),
  spec("Builder.cnode", "of what was parsed", (lib) => text(lib.$iq().cnode(lib.Strophe.toElement("<x xmlns='urn:x' a='b'><y/>t</x>")))),
  spec("Builder.cnode", "a copy", (lib) => {
    const inner = lib.$build("x");
    const outer = lib.$msg().cnode(inner.tree());
    inner.c("late");
    return text(outer);
  }),
  spec("Builder.h", "filtered", (lib) => text(lib.$msg().c("html").c("body").h("<p style='color: red; position: fixed'>a<b>c</b><script>x</script></p>"))),
  spec("Builder.h", "where it is", (lib) => text(lib.$msg().c("body").h("<em>a</em>").t("b"))),
  spec("Builder.node", "current and root", (lib) => {
    const builder = lib.$msg().c("a").c("b");
    return [builder.node.nodeName, builder.nodeTree.nodeName, builder.tree() === builder.nodeTree, builder.node.parentNode.nodeName];
  }),
  spec("Builder.node", "moved by hand", (lib) => {
    const builder = lib.$msg().c("a").up().c("b");
    builder.node = builder.nodeTree.firstChild;
    return text(builder.c("in-a"));
  }),
  spec("Builder.node", "walked as DOM", (lib) => {
    const builder = lib.$iq().c("q").c("a").up().c("b");
    return Array.from(builder.node.parentNode.childNodes, (one) => one.nodeName);
  }),
  spec("Builder.prototype", "extended", (lib) => {
    lib.Strophe.Builder.prototype.parity = function () {
      return this.c("extended");
    };
    const made = text(lib.$msg().parity().c("x"));
    delete lib.Strophe.Builder.prototype.parity;
    return made;
  }),
  spec("Builder.buildTree", "a new root", (lib) => [lib.$msg({ to: "a" }).buildTree(), lib.$build("a").buildTree()]),
  spec("Builder.fromString", "a stanza", (lib) => {
    const builder = lib.Strophe.Builder.fromString("<message xmlns='jabber:client' to='a'><body>x</body></message>");
    return [text(builder), text(builder.c("y"))];
  }),
  spec("Builder.fromString", "a wrong namespace", (lib) => lib.Strophe.Builder.fromString("<message/>")),
  spec("Builder.serialize", "static", (lib) => [lib.Strophe.Builder.serialize(lib.$iq({ b: "1", a: "2" })), lib.Strophe.Builder.serialize(null)]),
  spec("Builder", "instance of", (lib) => [lib.$iq() instanceof lib.Strophe.Builder, lib.stx`<a/>` instanceof lib.Builder, lib.Builder === lib.Strophe.Builder]),
  spec("Builder", "the attributes given are changed", (lib) => {
    const attrs = { to: "a" };
    lib.$msg(attrs).toString();
    return attrs;
  }),
  spec("Builder", "an invalid name", (lib) => lib.$build("a b").tree()),

  spec("stx", "values are escaped", (lib) => text(lib.stx`<message to="${"a\"<b"}" xmlns="jabber:client"><body>${"<&>"}</body></message>`)),
  spec("stx", "as DOM, without white space", (lib) => lib.stx`
    <message xmlns="jabber:client">
      <body> kept </body>
      <x xmlns="urn:x"> <y/> </x>
    </message>`),
  spec("stx", "trimmed text", (lib) => text(lib.stx`  <a/>
  `)),
  spec("stx", "nested", (lib) => text(lib.stx`<a>${lib.stx`<b>${"<"}</b>`}${lib.$build("c", { d: "e" })}</a>`)),
  spec("stx", "arrays", (lib) => text(lib.stx`<a>${[lib.stx`<b/>`, "<", lib.$build("c")]}</a>`)),
  spec("stx", "null, undefined, numbers, booleans", (lib) => text(lib.stx`<a b="${null}" c="${undefined}" d="${0}" e="${false}"/>`)),
  spec("stx", "unsafeXML", (lib) => [text(lib.stx`<a>${lib.Stanza.unsafeXML("<b>&amp;</b>")}</a>`), text(lib.stx`<a>${[lib.Stanza.unsafeXML("<b/>")]}</a>`)]),
  spec("stx", "an array in an array", (lib) => text(lib.stx`<a>${[[lib.stx`<b/>`], null]}</a>`)),
  spec("stx", "a stanza without namespace", (lib) => lib.stx`<message/>`.tree()),
  spec("stx", "not well-formed", (lib) => lib.stx`<a>`.tree()),
  spec("stx", "built on", (lib) => {
    const stanza = lib.stx`<message xmlns="jabber:client"/>`;
    stanza.c("body").t("x");
    return [stanza.tree(), text(stanza)];
  }),
  spec("Stanza", "kinds", (lib) => [lib.stx`<a/>` instanceof lib.Stanza, lib.Stanza === lib.Strophe.Stanza, typeof lib.Stanza.unsafeXML, lib.Stanza.toElement === lib.toStanza]),
  spec("Stanza.toElement", "white space", (lib) => lib.Stanza.toElement("<iq xmlns='jabber:client'> <a> </a> <b/> </iq>")),
  spec("toStanza", "a stanza", (lib) => lib.toStanza("<presence xmlns='jabber:client'><show>away</show></presence>")),
  spec("toStanza", "strict", (lib) => lib.toStanza("<presence/>", true)),
  spec("toStanza", "not well-formed", (lib) => lib.toStanza("<presence")),
];
