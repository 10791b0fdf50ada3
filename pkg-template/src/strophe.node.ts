// The entry `epode/strophe` for Node, where the DOM is that of `@xmldom/xmldom`.

// @ts-expect-error Node's own types are no dependency of this package.
import { createRequire } from "node:module";
import { useXmldom } from "./strophe/node-dom.js";

const require = (createRequire as (from: string) => (name: string) => never)(import.meta.url);

useXmldom(() => require("@xmldom/xmldom"));

export * from "./strophe.js";
