// XML as elements to look at: indented, its parts in colours. It need not be well-formed: what is masked or cut short is
// shown as it is.

import { el } from "./dom.js";

const LIMIT = 20_000;
const PART = /<(?:"[^"]*"|'[^']*'|[^"'>])*>|[^<]+|</g;
const ATTRIBUTE = /(\s+)([^\s=]+)(\s*=\s*)("[^"]*"|'[^']*')/g;

const part = (kind, text) => el("span", { class: `x-${kind}` }, text);

/** `["<iq …>", "text", "</iq>"]` with what each is. */
function read(xml) {
  const parts = [];
  for (const [text] of xml.slice(0, LIMIT).matchAll(PART)) {
    if (!text.startsWith("<")) {
      if (text.trim()) parts.push({ kind: "text", text });
    } else if (text.startsWith("</")) parts.push({ kind: "close", text });
    else parts.push({ kind: text.endsWith("/>") ? "empty" : "open", text });
  }
  return parts;
}

function tag(text) {
  const [, opening, name, rest, closing] = /^(<\/?)([^\s/>]*)([^]*?)(\/?>?)$/.exec(text);
  const nodes = [part("mark", opening), part("name", name)];
  let end = 0;
  for (const match of rest.matchAll(ATTRIBUTE)) {
    const [whole, , attribute, equals, value] = match;
    nodes.push(rest.slice(end, match.index), " ", part("attribute", attribute), part("mark", equals), part("value", value));
    end = match.index + whole.length;
  }
  nodes.push(rest.slice(end), part("mark", closing));
  return nodes;
}

/** A `<pre>` of it. */
export function pretty(xml) {
  const pre = el("pre", { class: "xml" });
  const parts = read(xml);
  let depth = 0;
  for (let i = 0; i < parts.length; i += 1) {
    const { kind, text } = parts[i];
    if (kind === "close") depth = Math.max(0, depth - 1);
    const line = el("span", { class: "line" });
    // By the script, so that a style-src without 'unsafe-inline' allows it.
    line.style.setProperty("--depth", String(Math.min(depth, 12)));
    if (kind === "text") line.append(part("text", text));
    else line.append(...tag(text));
    if (kind === "open") {
      // <body>text</body> stays on one line.
      if (parts[i + 1]?.kind === "text" && parts[i + 2]?.kind === "close") {
        line.append(part("text", parts[i + 1].text), ...tag(parts[i + 2].text));
        i += 2;
      } else if (parts[i + 1]?.kind === "close") {
        line.append(...tag(parts[i + 1].text));
        i += 1;
      } else depth += 1;
    }
    pre.append(line);
  }
  if (xml.length > LIMIT) pre.append(el("span", { class: "line x-more" }, `… ${(xml.length - LIMIT).toLocaleString()} more characters`));
  return pre;
}

/** `{ name, type, ns }`: what it is, in a few words, from its first tags. */
export function summarise(xml) {
  const [first, second] = read(xml.slice(0, 2000)).filter(({ kind }) => kind === "open" || kind === "empty");
  const attribute = (text, name) => new RegExp(`\\s${name}\\s*=\\s*["']([^"']*)["']`).exec(text ?? "")?.[1];
  const nameOf = (text) => /^<([^\s/>]+)/.exec(text ?? "")?.[1] ?? "";
  return {
    name: nameOf(first?.text),
    type: attribute(first?.text, "type") ?? attribute(first?.text, "mechanism"),
    child: nameOf(second?.text),
  };
}
