// Which parts of the crates the code of a compiled module comes from, by its functions' names.
// Specification: WebAssembly core 2.0, "Binary Format".

const CODE = 10;
const IMPORT = 2;
const DATA = 11;

class Cursor {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.bytes[this.at++];
  }

  /** A number in LEB128. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  skip(count) {
    this.at += count;
  }

  text() {
    const length = this.number();
    this.skip(length);
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }

  limits() {
    const flags = this.byte();
    this.number();
    if (flags & 1) this.number();
  }
}

/** How many functions an import section imports; they come first in the numbering. */
function countImported(cursor) {
  let functions = 0;
  for (let left = cursor.number(); left > 0; left -= 1) {
    cursor.text();
    cursor.text();
    const kind = cursor.byte();
    if (kind === 0) {
      functions += 1;
      cursor.number();
    } else if (kind === 1) {
      cursor.skip(1);
      cursor.limits();
    } else if (kind === 2) cursor.limits();
    else cursor.skip(2);
  }
  return functions;
}

/** The functions' names by their numbers, as wasm-opt's `--symbolmap` writes them: `NUMBER:NAME`, with `\\5b` for `[`. */
function readNames(map) {
  const lines = map.split("\n").map((line) => /^(\d+):(.*)$/.exec(line));
  const plain = (name) => name.replace(/\\([0-9a-f]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
  // Without the crates' hashes.
  return new Map(lines.filter(Boolean).map(([, index, name]) => [Number(index), plain(name).replace(/\[[0-9a-f]{16}\]/g, "")]));
}

/** The module of a function: of what is ours in its name, the first, which a generic function of a library was made for; or the library. */
export function partOf(name) {
  const ours = /\b(epode_proto|epode)::(\w+)(?:::([a-z_]\w*))?/.exec(name);
  if (ours) return [ours[1], ours[2], ours[3]].filter(Boolean).join("::");
  const path = /([a-z_]\w*)::(\w+)/.exec(name);
  return path ? path[1] : "(without a name)";
}

/** Bytes of code, by the `map` of names: by module of our crates, or by crate of others; `(data)` are texts and tables. */
export function partsOfWasm(bytes, map) {
  const cursor = new Cursor(bytes, 8);
  const sizes = [];
  const names = readNames(map);
  const parts = {};
  let imported = 0;
  while (cursor.at < bytes.length) {
    const section = cursor.byte();
    const length = cursor.number();
    const end = cursor.at + length;
    if (section === IMPORT) imported = countImported(cursor);
    else if (section === CODE) {
      for (let left = cursor.number(); left > 0; left -= 1) {
        const size = cursor.number();
        sizes.push(size);
        cursor.skip(size);
      }
    } else if (section === DATA) parts["(data)"] = length;
    cursor.at = end;
  }
  sizes.forEach((size, index) => {
    const part = partOf(names.get(imported + index) ?? "");
    parts[part] = (parts[part] ?? 0) + size;
  });
  return parts;
}
