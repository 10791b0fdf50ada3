// The samples of README.md and docs/, each as a module in its setting.

import fs from "node:fs";
import path from "node:path";
import { PKG, at } from "../../scripts/lib/project.mjs";
import { exportedNames, fencedBlocks, importOf } from "../../scripts/lib/samples.mjs";
import { HELPERS, settingOf } from "./setting.mjs";

export const PACKAGE = path.resolve(process.env.EPODE_PACKAGE ?? PKG);

/** The files for readers of the package, relative to the repository. */
export const FILES = ["README.md", ...fs.readdirSync(at("docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];

export const textOf = (file) => fs.readFileSync(at(file), "utf8");

/** All blocks: `{ file, heading, index, line, language, text, setting }`. */
export const blocks = FILES.flatMap((file) => {
  const counts = new Map();
  return fencedBlocks(textOf(file)).map((block) => {
    const isScript = block.language === "js" || block.language === "ts";
    const index = (counts.get(block.heading) ?? 0) + Number(isScript);
    counts.set(block.heading, index);
    return { file, ...block, index, setting: settingOf(file, block.heading, index) };
  });
});

/** Those in JavaScript or TypeScript. */
export const scripts = blocks.filter(({ language }) => language === "js" || language === "ts");

let names;

const IMPORT = /^import .*;\n/gm;

/** The imports stay first: the sample's own, and those of what the rest uses. A sample that imports from the package is complete. */
export function sampleModule({ text, setting }) {
  names ??= exportedNames(PACKAGE);
  const own = (text.match(IMPORT) ?? []).join("");
  const rest = [HELPERS, setting.before ?? "", text.replace(IMPORT, ""), setting.after ?? ""].join("\n");
  const isComplete = /from "epode(?:\/stream)?";/.test(own);
  return `${own}${isComplete ? "" : importOf(rest, names)}\n${rest}\nexport {};\n`;
}
