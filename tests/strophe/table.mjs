// The results of two libraries as a table by member: same, differs on purpose (with the reason), differs.

import { DIFFERENCES } from "./differences.mjs";

const text = (value) => JSON.stringify(value) ?? "(none)";

/** Rows of one place: `{ member, name, is: "same" | "on purpose" | "differs", reason, reference, ours }`. */
export function compare(reference, ours, where) {
  const rows = [];
  for (const key of new Set([...Object.keys(reference), ...Object.keys(ours)])) {
    const [member, name] = key.split(" | ");
    // The list of all members is one row each.
    if (member === "members" || member === "globals") {
      const [theirs, mine] = [reference[key] ?? {}, ours[key] ?? {}];
      for (const one of new Set([...Object.keys(theirs), ...Object.keys(mine)])) rows.push(row(one, "there", theirs[one], mine[one], where));
    } else {
      rows.push(row(member, name, reference[key], ours[key], where));
    }
  }
  return rows;
}

function row(member, name, reference, ours, where) {
  const difference = DIFFERENCES.find((one) => fits(one, member, name, where) && (!one.isMore || reference === undefined));
  // A specification that did not come to its end shows nothing.
  const isBroken = reference?.thrown === "SpecError" && ours?.thrown === "SpecError";
  if (text(reference) === text(ours) && !isBroken) return { where, member, name, is: "same" };
  if (difference) difference.used = true;
  const is = difference && !isBroken ? "on purpose" : "differs";
  return { where, member, name, is, reason: difference?.reason, parts: isBroken ? [["", text(reference), text(ours)]] : parts(reference, ours) };
}

/** The places of two results that differ: `[place, strophe.js, epode]`. */
function parts(reference, ours, place = "") {
  const isTree = (value) => value !== null && typeof value === "object";
  if (!isTree(reference) || !isTree(ours) || Array.isArray(reference) !== Array.isArray(ours)) return [[place, text(reference), text(ours)]];
  const isRow = Array.isArray(reference) && reference.every((one) => !isTree(one)) && ours.every((one) => !isTree(one));
  if (isRow && reference.length !== ours.length) return [[place, text(reference), text(ours)]];
  const keys = new Set([...Object.keys(reference), ...Object.keys(ours)]);
  return [...keys].filter((key) => text(reference[key]) !== text(ours[key])).flatMap((key) => parts(reference[key], ours[key], `${place}/${key}`));
}

function fits({ member, name, where }, ...row) {
  const isLike = (pattern, value) => pattern === undefined || (pattern instanceof RegExp ? pattern.test(value) : pattern === value);
  return isLike(member, row[0]) && isLike(name, row[1]) && isLike(where, row[2]);
}

/** Deliberate differences that no specification shows: the list must not grow old. */
export const unused = () => DIFFERENCES.filter(({ used }) => !used);

const KINDS = ["same", "on purpose", "differs"];

export function totals(rows) {
  return Object.fromEntries(KINDS.map((kind) => [kind, rows.filter(({ is }) => is === kind).length]));
}

/** One line for each member, with how many of its specifications gave what; then what differs. */
export function print(rows, write = console.log) {
  const members = new Map();
  for (const row of rows) members.set(row.member, [...(members.get(row.member) ?? []), row]);
  const width = Math.min(60, Math.max(...[...members.keys()].map(({ length }) => length)));
  write(`${"member".padEnd(width)}  same  on purpose  differs`);
  for (const [member, of] of [...members].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const sum = totals(of);
    write(`${member.padEnd(width)}  ${String(sum.same).padStart(4)}  ${String(sum["on purpose"] || "").padStart(10)}  ${String(sum.differs || "").padStart(7)}`);
  }
  const reasons = new Map();
  for (const { is, reason, member } of rows) if (is === "on purpose") reasons.set(reason, new Set([...(reasons.get(reason) ?? []), member]));
  if (reasons.size > 0) write("\ndiffers on purpose");
  for (const [reason, names] of reasons) write(`  ${[...names].slice(0, 6).join(", ")}${names.size > 6 ? `, and ${names.size - 6} more` : ""}: ${reason}`);
  for (const { is, where, member, name, parts } of rows) {
    if (is !== "differs") continue;
    write(`\nDIFFERS (${where}) ${member}: ${name}`);
    for (const [place, reference, ours] of parts) write(`  ${place}\n    strophe.js ${reference}\n    epode      ${ours}`);
  }
  const sum = totals(rows);
  write(`\n${members.size} members, ${rows.length} comparisons: ${sum.same} same, ${sum["on purpose"]} differ on purpose, ${sum.differs} differ`);
}
