// A reporter of node:test: a line of JSON for each test at the top of its file, `{ file, name, ms, failed }`, in the file that
// EPODE_TEST_RESULTS names. Written at once: a run that is made to end (--test-force-exit) does not wait for a reporter's output.

import fs from "node:fs";

export default async function* fileResults(events) {
  for await (const { type, data } of events) {
    if ((type !== "test:pass" && type !== "test:fail") || data.nesting !== 0) continue;
    // A file that could not be run to its end fails under its own name.
    const row = { file: data.file ?? data.name, name: data.name, ms: data.details.duration_ms, failed: type === "test:fail" };
    fs.appendFileSync(process.env.EPODE_TEST_RESULTS, `${JSON.stringify(row)}\n`);
  }
  yield "";
}
