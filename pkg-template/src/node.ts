// The entry for Node: reads the module from the directory of this file.

// @ts-expect-error Node's own types are no dependency of this package.
import { readFile } from "node:fs/promises";
import { defaultSource } from "./loading.js";
import type { ModuleSource } from "./module.js";

const read = readFile as (url: URL) => Promise<ModuleSource>;

defaultSource(() => read(new URL("./epode_bg.wasm", import.meta.url)));

/** For the entries with the module inside, which replace the source. @internal */
export { defaultSource as _defaultSource, defaultSourceNow } from "./loading.js";
export * from "./public.js";
