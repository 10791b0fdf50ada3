// The entry `epode/strophe` for pages: what strophe.js exports. The module is inside, and loaded when it is first needed, in that very turn.

import { inlinedModule } from "./inlined.js";
import { defaultSourceNow } from "./loading.js";

defaultSourceNow(inlinedModule);

export * from "./strophe/index.js";
