// Builds the API reference from the package's declarations, by typedoc: into target/docs. A warning is an error.
//
//   npm run docs

import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { PKG, at, crateVersion } from "./lib/project.mjs";
import { main, run } from "./lib/run.mjs";
import { build } from "./build.mjs";
import { setup } from "./setup.mjs";

const OUT = at("target/docs");
/** The entries whose reference is built: all that have declarations of their own. */
const ENTRIES = ["index.d.ts", "stream.d.ts", "juggernaut.d.ts", "pubsub-client.d.ts"];

const OPTIONS = {
  name: `epode ${crateVersion()}`,
  readme: "none",
  out: OUT,
  cleanOutputDir: true,
  skipErrorChecking: false,
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
  // That all is documented, tests/docs/declarations.test.mjs checks: typedoc wants a comment for each property of a literal type, too.
  validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: false, unusedMergeModuleWith: true },
  // Declarations keep no line of the sources, and name no address of them.
  disableSources: true,
  hideGenerator: true,
  githubPages: false,
};

/** The package in `folder` to `target/docs`. */
export async function docs(folder = PKG) {
  const file = at("target/typedoc.json");
  const project = at("target/typedoc.tsconfig.json");
  const entryPoints = ENTRIES.map((name) => `${folder}/${name}`);
  const compilerOptions = { noEmit: true, strict: true, target: "es2022", module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom"], types: [] };
  fs.writeFileSync(project, JSON.stringify({ compilerOptions, files: entryPoints }));
  fs.writeFileSync(file, JSON.stringify({ ...OPTIONS, entryPoints, tsconfig: project }));
  await run(process.execPath, [at("node_modules/typedoc/bin/typedoc"), "--options", file], { timeout: 300_000 });
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await setup("build");
    await build();
    await docs();
  });
}
