// The entry for pages and workers: fetches the module from the directory of this file.

import { defaultSource } from "./loading.js";

defaultSource(() => new URL("./epode_bg.wasm", import.meta.url));

/** Used by the entry that contains the module, to replace the source. @internal */
export { defaultSource as _defaultSource } from "./loading.js";
export * from "./public.js";
