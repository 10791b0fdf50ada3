// The entry for pages and workers: the module is fetched from beside this file.
import { defaultSource } from "./surface.js";

defaultSource(() => new URL("./epode_bg.wasm", import.meta.url));

// For the entry with the module inside, which replaces the source.
export { defaultSource as _defaultSource } from "./surface.js";
export { atom, json } from "./payloads.js";
export { Client, Feed, Room, Stanza, attach, connect, discover, init, register, xml } from "./surface.js";
