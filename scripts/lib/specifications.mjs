// The specifications that the sources say they implement, and those that doap.xml claims.
//
// A source names what it implements in its header: on a line that begins with `Specification:`, separated by commas, XEPs with
// their versions; or as the very first words (`RFC 6120 §8.3: stanza errors …`). What a header mentions elsewhere does not count.

import fs from "node:fs";
import path from "node:path";
import { at, filesUnder } from "./project.mjs";

const SOURCES = ["proto/src", "src", "pkg-template"];
const NAME = /^(?:XEP-\d{4}|RFC \d+)\b/;

/** The lines of the comment that a file begins with, without their marks. */
function header(text) {
  const lines = [];
  for (const line of text.split("\n")) {
    const comment = /^\/\/!?(.*)/.exec(line);
    if (!comment) break;
    lines.push(comment[1].trim());
  }
  return lines;
}

/** `[name, version]` of each specification that a file implements; the version may be undefined. */
export function declared(text) {
  const lines = header(text);
  const first = NAME.exec(lines[0] ?? "");
  const listed = lines
    .filter((line) => line.startsWith("Specification:"))
    .flatMap((line) => line.slice("Specification:".length).replace(/\.$/, "").split(","))
    .map((entry) => /^(XEP-\d{4}|RFC \d+)(?: (\d[\d.]*))?$/.exec(entry.trim()) ?? [undefined, entry.trim()])
    .map(([, name, version]) => [name, version]);
  return first ? [...listed, [first[0], undefined]] : listed;
}

/** What doap.xml claims: versions of XEPs by name, `undefined` for RFCs. */
export function claimed(doap) {
  const entries = [...doap.matchAll(/<implements\b[^>]*?(?:\/>|>.*?<\/implements>)/gs)].map(([entry]) => {
    const xep = /extensions\/xep-(\d{4})\.html/.exec(entry);
    const rfc = /info\/rfc(\d+)/.exec(entry);
    const version = /<xmpp:version>([^<]*)</.exec(entry)?.[1];
    return xep ? [`XEP-${xep[1]}`, version] : rfc ? [`RFC ${rfc[1]}`, undefined] : [entry, undefined];
  });
  return new Map(entries);
}

/** Where the sources and doap.xml differ, as sentences. */
export function differences(files, doap) {
  const claims = claimed(doap);
  const named = new Map();
  const problems = [];
  for (const [file, text] of files) {
    for (const [name, version] of declared(text)) {
      if (!NAME.test(name)) problems.push(`${file}: "${name}" is no specification: write XEP-0000 1.0 or RFC 0000`);
      else if (!claims.has(name)) problems.push(`${file}: ${name} is not in doap.xml`);
      else if (version !== undefined && claims.get(name) !== version) {
        problems.push(`${file}: ${name} ${version} is ${claims.get(name) ?? "without a version"} in doap.xml`);
      }
      named.set(name, version ?? named.get(name));
    }
  }
  for (const [name, version] of claims) {
    if (!named.has(name)) problems.push(`doap.xml: no source says that it implements ${name}`);
    else if (version !== undefined && named.get(name) === undefined) problems.push(`doap.xml: no source names the version of ${name}`);
  }
  return problems;
}

/** The same for this project. */
export function doapDifferences() {
  const names = SOURCES.flatMap((folder) => filesUnder(at(folder)).map((name) => path.join(folder, name)));
  const files = names.filter((name) => /\.(rs|js|ts)$/.test(name)).map((name) => [name, fs.readFileSync(at(name), "utf8")]);
  return differences(files, fs.readFileSync(at("doap.xml"), "utf8"));
}
