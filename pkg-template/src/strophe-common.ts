// The entry `epode/strophe` for `require()`: in Node, and in pages whose bundler reads CommonJS.

import { useXmldom } from "./strophe/node-dom.js";

declare const require: (name: string) => never;

// Not in a page's bundle, which has a DOM: there the package need not be installed.
const need = require;
if (typeof document === "undefined") useXmldom(() => need("@xmldom/xmldom"));

export * from "./strophe.js";
