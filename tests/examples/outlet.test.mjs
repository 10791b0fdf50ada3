// examples/python: the queue of both examples, without a server.

import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { at, pythonEnvironment } from "../../scripts/lib/project.mjs";

test("the queue: in order, each until its reply, coalesced by key, flushed at the end", () => {
  execFileSync(path.join(pythonEnvironment("django"), "bin/python"), ["-m", "unittest", "-q", "test_outlet"], {
    cwd: at("examples/python"),
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
    timeout: 60_000,
  });
});
