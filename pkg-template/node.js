// The entry for Node: the module is read from beside this file.
import { readFile } from "node:fs/promises";
import { defaultSource } from "./surface.js";

defaultSource(() => readFile(new URL("./epode_bg.wasm", import.meta.url)));

// For the entry with the module inside, which replaces the source.
export { defaultSource as _defaultSource } from "./surface.js";
export { atom, json } from "./payloads.js";
export { Client, Feed, Room, Stanza, attach, connect, discover, init, register, xml } from "./surface.js";
