// The entry for Node: reads the module from the directory of this file.

// @ts-expect-error Node's own types are no dependency of this package.
import { readFile } from "node:fs/promises";
import { mainModule } from "./main-module.js";
import type { ModuleSource } from "./module.js";

const read = readFile as (url: URL) => Promise<ModuleSource>;

mainModule.findBy(() => read(new URL("./epode_bg.wasm", import.meta.url)));

/** For the entry with the module inside, which replaces the source. @internal */
export { mainModule } from "./main-module.js";
export * from "./public.js";
