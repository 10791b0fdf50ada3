// Makes the released module smaller in ways that Rust's stable compiler does not offer, and that change nothing a page can
// see. Binaryen's wasm-opt runs in between; `npm run build` puts the steps together.
//
// 1. What a panic says. A panic is a bug of ours, and in a page nobody hears what it says: it ends in the trap
//    `unreachable`, whose stack tells where it came from. So every function that only words a panic becomes that trap at once,
//    and the formatting behind it goes. That nothing else formats is checked: text is made with push_str here.
// 2. Where a panic happened. Each place that may panic carries its file, line and column; nobody reads them any more.
//    They also are the only paths of the building machine in the module.
// 3. The order of functions. What compresses the module looks back 32 KB: functions that are alike are put side by side.
// 4. Names between the module and its glue: one or two letters instead of forty.

const CRATE = String.raw`(?:\[\w+\])?::`;

/** Functions that word a panic and never return. */
const PANICS = new RegExp(
  [
    String.raw`^core${CRATE}(?:panicking::|option::(?:unwrap|expect)_failed|result::unwrap_failed|cell::(?:lazy::)?panic_)`,
    String.raw`^core${CRATE}(?:slice::index::slice_index_fail|slice::copy_from_slice_impl::len_mismatch_fail|str::slice_error_fail)`,
    String.raw`^alloc${CRATE}(?:raw_vec::(?:handle_error|capacity_overflow)|alloc::handle_alloc_error)`,
    String.raw`^<alloc${CRATE}(?:vec::Vec|collections::).*::assert_failed$`,
    String.raw`^<hashbrown${CRATE}raw::Fallibility>::`,
    String.raw`^std${CRATE}(?:thread::local::panic_|panicking::|sys::backtrace::)`,
    String.raw`^<std${CRATE}panicking::`,
    String.raw`^__rustc${CRATE}(?:rust_panic|__rust_start_panic)`,
  ].join("|"),
);

/** The formatting that only those need. */
const FORMATS = new RegExp(
  [
    String.raw`^<?core${CRATE}(?:fmt::|unicode::(?:printable|unicode_data::grapheme_extend)|str::count::|char::methods::escape|char::EscapeDebug)`,
    String.raw`^<char>::escape_`,
    String.raw`^<.* as core${CRATE}fmt::(?:Debug|Display|Write)>::`,
  ].join("|"),
);

/** Function names in binaryen's text have their odd characters written as \xx. */
const plain = (name) => name.replace(/\\([0-9a-f]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));

/** Turns what words panics into traps. Needs the module's name section, and keeps it. */
export async function silencePanics(bytes) {
  const { default: binaryen } = await import("binaryen");
  binaryen.setDebugInfo(true);
  const module = binaryen.readBinary(bytes);
  try {
    refuseOtherFormatting(module.emitText());
    let silenced = 0;
    for (let index = 0; index < module.getNumFunctions(); index += 1) {
      const reference = module.getFunctionByIndex(index);
      const { name, module: importedFrom } = binaryen.getFunctionInfo(reference);
      const known = plain(name);
      if (importedFrom || !(PANICS.test(known) || FORMATS.test(known))) continue;
      binaryen.Function.setBody(reference, module.unreachable());
      silenced += 1;
    }
    // The names are those of a certain compiler: when they change, this must not go unnoticed.
    if (silenced < 20) throw new Error("scripts/lib/shrink.mjs does not recognise the compiler's panic functions any more");
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** Formatting that is called from anywhere but a panic would become a trap, too: an error of the build. */
function refuseOtherFormatting(text) {
  let inside = "";
  for (const line of text.split("\n")) {
    const name = (start) => plain(start.replace(/^"|"$/g, ""));
    const definition = /^ \(func \$("[^"]*"|\S+)/.exec(line);
    if (definition) inside = name(definition[1]);
    const call = /\(call \$("[^"]*"|[^\s)]+)/.exec(line);
    if (!call || !FORMATS.test(name(call[1]))) continue;
    if (!FORMATS.test(inside) && !PANICS.test(inside)) {
      throw new Error(`${inside} formats text, by ${name(call[1])}: write it with push_str, which is a tenth of the size`);
    }
  }
}

/** Reads a LEB128 number. */
function number(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return { value, at };
  }
}

/** The sections: id, where the section begins, where its content does, where it ends. */
function* sections(bytes) {
  for (let at = 8; at < bytes.length; ) {
    const size = number(bytes, at + 1);
    const end = size.at + size.value;
    yield { id: bytes[at], start: at, at: size.at, end };
    at = end;
  }
}

/** The data segments: where each is in memory, and in the file. */
function segments(bytes) {
  const found = [];
  for (const { id, at } of sections(bytes)) {
    if (id !== 11) continue;
    const count = number(bytes, at);
    for (let index = 0, here = count.at; index < count.value; index += 1) {
      // An active segment of memory 0 at a constant: flags 0, i32.const, the address, end.
      if (bytes[here] !== 0 || bytes[here + 1] !== 0x41) throw new Error("the module has a kind of data segment that shrink.mjs does not know");
      const address = number(bytes, here + 2);
      const length = number(bytes, address.at + 1);
      found.push({ address: address.value, file: length.at, length: length.value });
      here = length.at + length.value;
    }
  }
  return found;
}

/** Blanks the places that panics would name: records of a path's address and length, a line and a column, and the paths. */
export function forgetPlaces(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const all = segments(bytes);
  const inFile = (address, length) => {
    const home = all.find((one) => address >= one.address && address + length <= one.address + one.length);
    return home && home.file + (address - home.address);
  };
  const paths = new Map();
  let places = 0;
  for (const { address, file, length } of all) {
    for (let offset = (4 - (address % 4)) % 4; offset + 16 <= length; offset += 4) {
      const [pointer, size, line, column] = [0, 4, 8, 12].map((more) => view.getUint32(file + offset + more, true));
      if (size < 4 || size > 300 || line < 1 || line > 100_000 || column < 1 || column > 1_000) continue;
      const path = inFile(pointer, size);
      if (path === undefined || !/^[\w./-]+\.rs$/.test(Buffer.from(bytes.subarray(path, path + size)).toString("latin1"))) continue;
      bytes.fill(0, file + offset, file + offset + 16);
      paths.set(path, size);
      places += 1;
      offset += 12;
    }
  }
  for (const [path, size] of paths) bytes.fill(0, path, path + size);
  return places;
}

/** The bodies of the functions. */
function bodies(bytes) {
  const found = [];
  for (const { id, at } of sections(bytes)) {
    if (id !== 10) continue;
    const count = number(bytes, at);
    for (let index = 0, here = count.at; index < count.value; index += 1) {
      const size = number(bytes, here);
      here = size.at + size.value;
      found.push(bytes.subarray(size.at, here));
    }
  }
  return found;
}

/** How many functions are imported. */
function importedFunctions(bytes) {
  for (const { id, at } of sections(bytes)) {
    if (id !== 2) continue;
    const count = number(bytes, at);
    let here = count.at;
    for (let index = 0; index < count.value; index += 1) {
      for (const _ of ["module", "name"]) {
        const length = number(bytes, here);
        here = length.at + length.value;
      }
      if (bytes[here] !== 0) throw new Error("the module imports something else than functions, which shrink.mjs does not know");
      here = number(bytes, here + 1).at;
    }
    return count.value;
  }
  return 0;
}

/** An order in which each function is followed by the one that is most like it: that has most runs of four bytes in common. */
function chain(functions) {
  const runs = functions.map((body) => {
    const found = new Set();
    for (let at = 0; at + 4 <= body.length; at += 1) found.add(body.readUInt32LE(at));
    return found;
  });
  const holders = new Map();
  runs.forEach((found, index) => {
    for (const run of found) {
      if (!holders.has(run)) holders.set(run, []);
      holders.get(run).push(index);
    }
  });
  const left = new Set(functions.keys());
  const order = [];
  let next = 0;
  while (next !== undefined) {
    order.push(next);
    left.delete(next);
    const common = new Map();
    for (const run of runs[next]) {
      const others = holders.get(run);
      // What everybody has tells nothing.
      if (others.length > 400) continue;
      for (const other of others) if (left.has(other)) common.set(other, (common.get(other) ?? 0) + 1);
    }
    let best = 0;
    [next] = left;
    for (const [other, count] of common) {
      const likeness = count / (runs[other].size + 5);
      if (likeness > best) [best, next] = [likeness, other];
    }
  }
  return order;
}

/** Names the functions so that sorted by their names they stand beside those that are like them (--reorder-functions-by-name). */
export function nameByLikeness(bytes) {
  const imported = importedFunctions(bytes);
  const names = [];
  chain(bodies(bytes)).forEach((index, place) => {
    names[imported + index] = String(place).padStart(6, "0");
  });
  const entries = [];
  for (let index = imported; index < names.length; index += 1) entries.push(...encoded(index), ...sized(Buffer.from(names[index])));
  const map = sized([...encoded(names.length - imported), ...entries]);
  const section = [0, ...sized([...sized(Buffer.from("name")), 1, ...map])];
  const kept = [...sections(bytes)].filter(({ id, at }) => id !== 0 || Buffer.from(bytes.subarray(at + 1, at + 5)).toString() !== "name");
  return Buffer.concat([bytes.subarray(0, 8), ...kept.map(({ start, end }) => bytes.subarray(start, end)), Buffer.from(section)]);
}

/** A number as LEB128. */
function encoded(value) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}

const sized = (bytes) => [...encoded(bytes.length), ...bytes];

/** Gives the glue the names that wasm-opt's --minify-imports-and-exports-and-modules has printed. */
export function renameInGlue(glue, printed) {
  const { imports, exports } = JSON.parse(printed);
  const once = (text, pattern, by) => {
    let count = 0;
    const result = text.replace(pattern, (...found) => (count++, by(...found)));
    if (count !== 1) throw new Error(`${pattern} is ${count} times in the glue, instead of once`);
    return result;
  };
  let text = glue;
  for (const [, name, short] of imports) text = once(text, new RegExp(`^( +)${name}:`, "gm"), (_, indent) => `${indent}${short}:`);
  for (const module of new Set(imports.map(([name]) => name))) {
    text = once(text, new RegExp(`"${module.replace(/\W/g, "\\$&")}": (import\\d+)`, "g"), (_, object) => `a: ${object}`);
  }
  const short = new Map(exports);
  return text.replace(/\bwasm\.(\w+)/g, (whole, name) => (short.has(name) ? `wasm.${short.get(name)}` : whole));
}
