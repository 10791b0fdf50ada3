// The entry `epode/stream` for Node: reads its module from the directory of this file.

// @ts-expect-error Node's own types are no dependency of this package.
import { readFile } from "node:fs/promises";
import type { ModuleSource } from "./module.js";
import { streamModule } from "./stream-module.js";

const read = readFile as (url: URL) => Promise<ModuleSource>;

streamModule.findBy(() => read(new URL("./epode_stream_bg.wasm", import.meta.url)));

/** For the entries with the module inside. @internal */
export { streamModule } from "./stream-module.js";
export * from "./public-stream.js";
