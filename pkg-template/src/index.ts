// The entry for pages and workers: fetches the module from the directory of this file.

import { mainModule } from "./main-module.js";

mainModule.findBy(() => new URL("./epode_bg.wasm", import.meta.url));

/** For the entry with the module inside, which replaces the source. @internal */
export { mainModule } from "./main-module.js";
export * from "./public.js";
