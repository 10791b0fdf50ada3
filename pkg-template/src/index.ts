// The entry for pages and workers: the module is fetched from beside this file.

import { defaultSource } from "./loading.js";

defaultSource(() => new URL("./epode_bg.wasm", import.meta.url));

/** For the entry with the module inside, which replaces the source. @internal */
export { defaultSource as _defaultSource } from "./loading.js";
export * from "./public.js";
