// What `npm run size` says of the module's parts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { partOf, partsOfWasm } from "../../scripts/lib/wasm-parts.mjs";

const text = (name) => [name.length, ...Buffer.from(name)];
const section = (id, ...body) => [id, body.length, ...body];

test("code is counted by the modules of our crates", () => {
  const module = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // One type: no parameters, no results.
    ...section(1, 1, 0x60, 0, 0),
    // Imported: a function, a memory with a maximum, a global, a table.
    ...section(2, 4, ...text("m"), ...text("f"), 0, 0, ...text("m"), ...text("n"), 2, 1, 1, 2, ...text("m"), ...text("g"), 3, 0x7f, 0, ...text("m"), ...text("t"), 1, 0x70, 0, 1),
    ...section(3, 3, 0, 0, 0),
    // Bodies of 2, 3 and 2 bytes.
    ...section(10, 3, 2, 0, 0x0b, 3, 0, 0x01, 0x0b, 2, 0, 0x0b),
    ...section(11, 0),
  ]);
  assert.ok(WebAssembly.validate(module));
  const map = "0:imported\n1:epode_proto\\5b0123456789abcdef\\5d::xep::muc::join\n2:epode_proto[0123456789abcdef]::xep::muc::Room::leave\n";
  assert.deepEqual(partsOfWasm(module, map), { "epode_proto::xep::muc": 5, "(without a name)": 2, "(data)": 1 });
});

test("a generic library function counts for the crate that instantiated it", () => {
  for (const [name, part] of [
    ["<alloc::vec::Vec<epode_proto::xml::element::Element> as Drop>::drop", "epode_proto::xml::element"],
    ["epode::js::core::Core::new", "epode::js::core"],
    ["epode_proto::jid::Jid::parse", "epode_proto::jid"],
    ["alloc::raw_vec::finish_grow", "alloc"],
    ["", "(without a name)"],
  ]) {
    assert.equal(partOf(name), part, name);
  }
});
