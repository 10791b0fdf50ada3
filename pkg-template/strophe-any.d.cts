// For programs that `require("epode/strophe")` and are compiled by TypeScript before 5.3, where CommonJS cannot name the types of an ES module.

declare const strophe: Record<string, any>;
export = strophe;
