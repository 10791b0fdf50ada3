// The code that the documentation shows: fenced blocks of Markdown files, and the `@example`s of the package's declarations; and the
// modules that they become, for the compiler and for pages.

import fs from "node:fs";
import path from "node:path";
import ts from "typescript";

/** The fenced blocks of a Markdown text: `{ heading, line, language, text }`; `heading` is the title of the section that a block is in. */
export function fencedBlocks(markdown) {
  const blocks = [];
  let heading = "";
  let open;
  markdown.split("\n").forEach((line, index) => {
    const fence = /^(\s*)```(\w*)/.exec(line);
    if (open && fence) {
      blocks.push({ ...open, text: `${open.lines.join("\n")}\n` });
      open = undefined;
    } else if (open) open.lines.push(line.slice(open.indent));
    else if (fence) open = { heading, line: index + 1, language: fence[2], indent: fence[1].length, lines: [] };
    else heading = /^#+ +(.*?) *$/.exec(line)?.[1] ?? heading;
  });
  if (open) throw new Error(`the block that begins in line ${open.line} does not end`);
  return blocks;
}

/** The links and pictures of a Markdown text, outside of its code: `{ line, target }`. */
export function links(markdown) {
  let inside = false;
  return markdown.split("\n").flatMap((line, index) => {
    if (/^\s*```/.test(line)) inside = !inside;
    if (inside) return [];
    const text = line.replace(/`[^`]*`/g, "");
    return [...text.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => ({ line: index + 1, target }));
  });
}

/** The anchor that renderers of Markdown make of a heading. */
export const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

/** The anchors of a Markdown text. */
export function anchors(markdown) {
  let inside = false;
  return markdown.split("\n").flatMap((line) => {
    if (/^\s*```/.test(line)) inside = !inside;
    const heading = inside ? undefined : /^#+ +(.*?) *$/.exec(line)?.[1];
    return heading === undefined ? [] : [anchorOf(heading)];
  });
}

/** The declaration files that `file` leads to, itself among them. */
function reached(file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  const text = fs.readFileSync(file, "utf8");
  for (const [, name] of text.matchAll(/\bfrom "\.\/([^"]+)\.js"/g)) reached(path.join(path.dirname(file), `${name}.d.ts`), found);
  return found;
}

const isHidden = (node) => ts.getCombinedModifierFlags(node) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected);
const commentOf = (node) => node.jsDoc?.at(-1);
/** What runs: it needs an example. What only holds a value needs a comment alone. */
const isCallable = (node) =>
  ts.isMethodDeclaration(node) || ts.isMethodSignature(node) || ts.isGetAccessor(node) || ts.isConstructorDeclaration(node);

/**
 * What an entry exports, by its declarations: `{ name, comment, needsExample, examples }` for each exported name and for each public member
 * of classes and interfaces. `comment` says whether there is a documentation comment.
 */
export function publicMembers(entry) {
  const all = [];
  const add = (name, node, documented, needsExample) => {
    const doc = commentOf(documented);
    const tags = (doc?.tags ?? []).filter((tag) => tag.tagName.text === "example");
    const examples = tags.map((tag) => (typeof tag.comment === "string" ? tag.comment : ts.getTextOfJSDocComment(tag.comment)) ?? "");
    all.push({ name, comment: Boolean(doc && ts.getTextOfJSDocComment(doc.comment)?.trim()), needsExample, examples });
  };
  for (const file of reached(entry)) {
    const source = ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
    for (const statement of source.statements) {
      if (!(ts.getCombinedModifierFlags(statement) & ts.ModifierFlags.Export)) continue;
      const declared = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement];
      for (const node of declared) {
        const name = node.name?.getText();
        if (name === undefined) continue;
        // An interface beside a class of its name adds members to it.
        const isAdded = ts.isInterfaceDeclaration(node) && all.some((other) => other.name === name);
        if (!isAdded) add(name, node, statement, true);
        for (const member of node.members ?? []) {
          // A constructor that is private says that there is none.
          if (isHidden(member) || (member.name && ts.isPrivateIdentifier(member.name))) continue;
          const of = ts.isConstructorDeclaration(member) ? "constructor" : member.name?.getText();
          if (of !== undefined) add(`${name}.${of}`, member, member, isCallable(member));
        }
      }
    }
  }
  return all;
}

const uses = (text, name) => new RegExp(`(?<![.\\w"'])${name}\\b`).test(text);

/** The entries whose names samples and examples use, with their declarations. What needs the second is imported from there. */
const ENTRIES = { epode: "index.d.ts", "epode/stream": "stream.d.ts" };

/** The names that each entry of the package in `folder` exports: `{ ENTRY: [NAME, …] }`. */
export function exportedNames(folder) {
  const namesOf = (file) => publicMembers(path.join(folder, file)).map(({ name }) => name).filter((name) => !name.includes("."));
  const main = namesOf(ENTRIES.epode);
  // A declaration that an entry leads to need not be one of its exports.
  const text = fs.readFileSync(path.join(folder, "public-stream.d.ts"), "utf8");
  const stream = [...text.matchAll(/\{([^}]*)\}/g)].flatMap(([, names]) => names.split(",").map((name) => name.replace(/\btype\b/, "").trim()));
  return { epode: main, "epode/stream": stream.filter(Boolean) };
}

/** Imports of what a text uses, by the names of `exported` (see `exportedNames`). */
export function importOf(text, exported) {
  const used = (entry) => exported[entry].filter((name) => uses(text, name));
  const isByHand = used("epode/stream").some((name) => !exported.epode.includes(name));
  const stream = isByHand ? used("epode/stream") : [];
  const main = used("epode").filter((name) => !stream.includes(name));
  return `import { ${main.join(", ")} } from "epode"; import { ${stream.join(", ")} } from "epode/stream";`;
}

/** What examples may use without making it. */
const GIVEN = { client: "Client", feed: "Feed", room: "Room", stanza: "Stanza", stream: "Stream", sasl: "SaslClient", retries: "RetryTimer" };

/** An example as a module: with imports of what it uses of `exported`, and with what examples are given. */
export function moduleOf(text, exported) {
  const makes = (name) => new RegExp(`\\b(?:const|let)\\s+${name}\\b`).test(text);
  const given = Object.entries(GIVEN)
    .filter(([name]) => uses(text, name) && !makes(name))
    .map(([name, type]) => `declare const ${name}: ${type};`)
    .join(" ");
  return `${importOf(`${text} ${given}`, exported)} ${given}\n${text}\nexport {};\n`;
}
