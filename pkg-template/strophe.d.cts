// For programs that `require("epode/strophe")`.

declare const strophe: typeof import("./strophe.js", { with: { "resolution-mode": "import" } });
export = strophe;
