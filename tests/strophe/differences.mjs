// The differences that are on purpose: `what` and `reason` are a row of the table in docs/from-strophe.md, `member`, `name` and `where` say
// which comparisons. `isMore`: only those that strophe.js does not have at all. An entry that no comparison needs fails the suite.

export const DIFFERENCES = [
  {
    what: "Members beyond those of strophe.js",
    isMore: true,
    name: "there",
    reason: "a member that strophe.js 5.0.0 lacks: the facade's own, or one that older plugins look for",
  },
  {
    what: "`Component`, `ComponentParser` (Node)",
    member: /^(Strophe|exports)\.Component(Parser)?$/,
    where: "node",
    reason: "the transport of server components (XEP-0114) is TCP from Node: this package is for pages",
  },
  {
    what: "`connection._idleTimeout`",
    member: /\._idleTimeout$/,
    name: "there",
    reason: "no tick every 100 ms: one timer is armed when a timed handler waits",
  },
  {
    what: "Private members of `StreamManagement`, `MemoryStorageBackend.store`",
    member: /^new (StreamManagement|StreamManagementMirror|MemoryStorageBackend)\.(_\w+|store)$/,
    name: "there",
    reason: "private members of stream management; what Converse reads (`sm.state`, `hasResumed()`, …) is there",
  },
  {
    what: "`Strophe.utf16to8()` beyond the BMP",
    member: "Strophe.utf16to8",
    name: "beyond the BMP",
    reason: "a bug not copied: strophe.js encodes each half of a surrogate pair, which is not UTF-8, and no such password logs in",
  },
  {
    what: "`Strophe.xmlunescape()`",
    member: "Strophe.xmlunescape",
    name: "escaped twice",
    reason: "a security fix: strophe.js unescapes twice, so that escaped markup becomes markup",
  },
  {
    what: "`Strophe.copyElement()`",
    member: "Strophe.copyElement",
    name: "with CDATA and a comment",
    reason: "a bug not copied: strophe.js throws for CDATA sections and comments",
  },
  {
    what: "`Strophe.createHtml()`, `Builder.h()`",
    member: "Strophe.createHtml",
    name: "a comment, a style without value",
    reason: "a bug not copied: for a comment, or a style without a value, strophe.js drops the whole element",
  },
  {
    what: "`$msg(attrs)`, `$iq(attrs)`, `$pres(attrs)`",
    member: "Builder",
    name: "the attributes given are changed",
    reason: "a bug not copied: strophe.js writes `xmlns` into the caller's object",
  },
  {
    what: "`stx` with arrays in arrays, or `null` in an array",
    member: "stx",
    name: "an array in an array",
    reason: "a bug not copied: strophe.js throws for `null` in an array, and joins inner arrays by commas",
  },
  {
    what: "`SASLExternal` for an account without `authzid`",
    member: "Strophe.SASLExternal.onChallenge",
    name: "without authzid",
    reason: "a bug not copied: strophe.js sends the word `null` as the authorization identity",
  },
  {
    what: "The document of a received element",
    member: "Connection.addHandler",
    name: /^(the document of the element|others in the body that no handler is for)/,
    reason: "DOM is built only for elements that a handler matches: its parent, `<body/>` or `<wrapper/>`, holds those alone, and is in no document",
  },
  {
    what: "Prefixes in a received stanza",
    member: "Connection.addHandler",
    name: /^(prefixed names|its attributes as nodes)/,
    reason: "the module keeps namespaces, not prefixes: elements have `stream:`, `xml:` or none, attributes a prefix of the facade",
  },
  {
    what: "`Websocket._streamWrap()`",
    member: "Transport._streamWrap",
    reason: "a frame is parsed by the module, without the text `<wrapper>`: a replacement is not called",
  },
  {
    what: "The first BOSH request",
    member: "Connection.connect",
    name: /^the version of BOSH/,
    reason: "the module says BOSH 1.11 (XEP-0124) in the session request and asks for acknowledgements; strophe.js says 1.6",
  },
  {
    what: "An IQ without an `id`",
    member: "Connection.send",
    name: /^an IQ without an id/,
    reason: "ejabberd refuses requests without an id, which registration plugins send: the facade gives them one",
  },
  {
    what: "An element without a namespace",
    member: "Connection.send",
    name: /^an element without a namespace/,
    reason: "a bug not copied: strophe.js sends a stanza of `xmlElement()` without `xmlns`, and servers drop it or end the stream: here it is `jabber:client`",
  },
  {
    what: "`send()` after `disconnect()` in one turn",
    member: "Connection.disconnect",
    name: /^what is sent afterwards in the same turn/,
    reason: "strophe.js sends it behind the good-bye, to a session that has ended: here it is not sent",
  },
  {
    what: "`send(undefined)`",
    member: "Connection.send",
    name: /^what is none/,
    reason: "`undefined` is refused by the StropheError that everything else gets that is no element",
  },
  {
    what: "`iqFallbackHandler`",
    member: "Connection.iqFallbackHandler",
    name: /^a request that no handler is for/,
    reason: "a bug not copied: strophe.js sends the refusal without `to`, to its own server instead of the sender",
  },
  {
    what: "A proxy that answers with HTML",
    member: "Connection.connect",
    name: /^HTML at once/,
    reason: "strophe.js waits for ever, or polls, when a proxy answers with HTML: here it is CONNFAIL, bad-format",
  },
  {
    what: "A BOSH answer that is no XML",
    member: "Connection.connect",
    name: /^broken XML/,
    reason: "a bug not copied: strophe.js ends such a session only after `disconnection_timeout`, telling DISCONNECTING again for each answer",
  },
  {
    what: "`send()` and `disconnect()` in one turn, over BOSH",
    member: "Connection.disconnect",
    name: /^(what was sent before still leaves|and the page is left in the same turn) \(bosh\)/,
    reason: "a bug not copied: what was sent in the turn of `disconnect()` never leaves strophe.js over BOSH",
  },
];
