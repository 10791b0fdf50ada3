// What became of one direction's messages, from what the sender was told and what the receiver heard.

/** What says that it did not arrive. */
const NOT_SENT = new Set(["undelivered", "not-connected"]);

/** How long after its frame was spoilt a message may be reported, in milliseconds: connections stall. */
const TOLD_WITHIN = 30_000;
/** Clocks are read in two processes. */
const SKEW = 20;

/**
 * Who of those that did not arrive was reported. `spoilt`: what the network passed on to the receiver as something that is no XML,
 * `{ id, at }`; `unreadable`: when the receiver was told of such a thing. Each report stands for one message at most.
 */
function reported(lost, spoilt, unreadable) {
  const reports = [...unreadable];
  const told = new Set();
  for (const { id, at } of spoilt) {
    const number = Number(id.slice(1));
    if (!id.startsWith("m") || !lost.includes(number) || told.has(number)) continue;
    const report = reports.findIndex((time) => time >= at - SKEW && time < at + TOLD_WITHIN);
    if (report < 0) continue;
    reports.splice(report, 1);
    told.add(number);
  }
  return told;
}

/**
 * `sender` and `receiver`: reports of endpoints. `excused(number)`: may a message that the server took be gone, because the
 * server was killed when it had it? Given when the server was killed at all. `spoilt`: see `reported()`.
 */
export function tally(sender, receiver, excused, spoilt = []) {
  // What was for a lost session is kept by ejabberd and handed out beside what comes for the new one.
  const late = new Set(excused ? receiver.late : []);
  const times = new Map();
  let disordered = 0;
  let last = -1;
  let twice = 0;
  for (const number of receiver.heard) {
    const before = times.get(number) ?? 0;
    times.set(number, before + 1);
    if (before > 0) {
      twice += 1;
    } else {
      if (number < last && !late.has(number)) disordered += 1;
      last = Math.max(last, number);
    }
  }
  const returned = new Set(sender.returned);
  const result = { said: sender.said, heard: times.size, lost: [], twice, disordered, unknown: 0, undelivered: 0, returned: returned.size, reported: 0, gone: 0, wrong: [] };
  for (let number = 0; number < sender.said; number += 1) {
    const fate = sender.fates[number];
    const arrived = times.has(number);
    if (fate === undefined) result.wrong.push(`${number} was not settled`);
    else if (fate === "unknown") result.unknown += 1;
    else if (NOT_SENT.has(fate)) result.undelivered += 1;
    else if (fate !== "delivered") result.wrong.push(`${number} was settled as ${fate}`);
    if (NOT_SENT.has(fate) && arrived) result.wrong.push(`${number} was called ${fate} and arrived`);
    if (arrived || fate === "unknown" || NOT_SENT.has(fate) || returned.has(number)) continue;
    if (excused?.(number)) result.gone += 1;
    else result.lost.push(number);
  }
  const told = reported(result.lost, spoilt, receiver.unreadable);
  result.reported = told.size;
  result.lost = result.lost.filter((number) => !told.has(number));
  for (const number of times.keys()) if (!(number < sender.said)) result.wrong.push(`${number} was heard and never said`);
  return result;
}

/** What is wrong with it, as sentences. */
export function complaints({ wrong, lost, twice, disordered }) {
  const found = wrong.slice(0, 5);
  if (lost.length > 0) found.push(`${lost.length} lost: ${lost.slice(0, 20).join(", ")}`);
  if (twice > 0) found.push(`${twice} twice`);
  if (disordered > 0) found.push(`${disordered} out of order`);
  return found;
}
