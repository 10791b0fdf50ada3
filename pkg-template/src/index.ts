// The entry for pages and workers: fetches the module from the directory of this file.

import { defaultSource } from "./loading.js";

defaultSource(() => new URL("./epode_bg.wasm", import.meta.url));

/** For the entries with the module inside, which replace the source. @internal */
export { defaultSource as _defaultSource, defaultSourceNow } from "./loading.js";
export * from "./public.js";
