// `strophe.global.js`: a classic script, which sets the globals that strophe.js sets.

import "./strophe.js";
