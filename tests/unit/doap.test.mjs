// doap.xml claims what the sources implement, no more and no less.

import assert from "node:assert/strict";
import { test } from "node:test";
import { declared, differences, doapDifferences } from "../../scripts/lib/specifications.mjs";

test("doap.xml and the headers of the sources agree", () => {
  assert.deepEqual(doapDifferences(), []);
});

test("only declarations in a header are read", () => {
  assert.deepEqual(declared("//! RFC 6120 §8.3: errors, unlike XEP-0086.\n//! XEP-0001 is mentioned.\n\n//! XEP-0002"), [["RFC 6120", undefined]]);
  assert.deepEqual(declared("// A queue (XEP-0198).\n//\n// Specification: XEP-0198 1.6.3, RFC 7395.\nconst x = 1;\n// Specification: XEP-0003 1."), [
    ["XEP-0198", "1.6.3"],
    ["RFC 7395", undefined],
  ]);
  assert.deepEqual(declared("const x = 1;"), []);
});

test("differences are found in both directions", () => {
  const doap = `<implements rdf:resource="https://www.rfc-editor.org/info/rfc6120"/>
    <implements><xmpp:SupportedXep><xmpp:xep rdf:resource="https://xmpp.org/extensions/xep-0004.html"/><xmpp:version>2.13.1</xmpp:version></xmpp:SupportedXep></implements>
    <implements><xmpp:SupportedXep><xmpp:xep rdf:resource="https://xmpp.org/extensions/xep-0030.html"/><xmpp:version>2.5.0</xmpp:version></xmpp:SupportedXep></implements>`;
  const files = [
    ["a.rs", "//! RFC 6120 §4: streams."],
    ["b.rs", "//! Forms.\n//!\n//! Specification: XEP-0004 2.13.1."],
    ["c.rs", "//! XEP-0030: Discovery."],
  ];
  assert.deepEqual(differences(files, doap), ["doap.xml: no source names the version of XEP-0030"]);
  files[2][1] = "//! Specification: XEP-0030 2.4.";
  assert.deepEqual(differences(files, doap), ["c.rs: XEP-0030 2.4 is 2.5.0 in doap.xml"]);
  files[2][1] = "//! Specification: XEP-0198 1.6.3, whatever.";
  assert.deepEqual(differences(files, doap), [
    "c.rs: XEP-0198 is not in doap.xml",
    'c.rs: "whatever" is no specification: write XEP-0000 1.0 or RFC 0000',
    "doap.xml: no source says that it implements XEP-0030",
  ]);
});
