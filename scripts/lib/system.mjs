// System packages on a Debian-like system: installed only as root or through `sudo -n`, without any
// service of theirs being started.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { ask, onInterrupt, run, seconds } from "./run.mjs";

const POLICY = "/usr/sbin/policy-rc.d";
const MARK = "# Put here by epode's set-up while it installs packages; it removes it again.";
// invoke-rc.d asks this program before it starts a service; 101 is "no".
const FORBID = `#!/bin/sh\n${MARK}\nexit 101\n`;

/** How root's commands are started: [] as root, ["sudo", "-n"] where that works, undefined otherwise. */
async function rootPrefix() {
  if (process.getuid() === 0) return [];
  return (await ask("sudo", ["-n", "true"], { attached: true })) === undefined ? undefined : ["sudo", "-n"];
}

/** The command a person would type. */
export function installCommand(packages) {
  const sudo = process.getuid() === 0 ? "" : "sudo ";
  return `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${packages.join(" ")}`;
}

/**
 * Keeps packages from starting their services, and returns the function that undoes it. A policy that is
 * in place already is left as it is.
 */
function forbidServices(prefix, policy) {
  const root = (command, args, input) => {
    const [file, ...rest] = [...prefix, command, ...args];
    return spawnSync(file, rest, { input, encoding: "utf8" });
  };
  if (fs.existsSync(policy) && !fs.readFileSync(policy, "utf8").includes(MARK)) {
    if (spawnSync(policy, ["prosody", "start"]).status !== 101) {
      throw new Error(
        `${policy} exists and lets services start; it is not ours to change.\n` +
          "Install the packages yourself, and see to it that their services do not start.",
      );
    }
    console.log(`    ${policy} is in place already and keeps services from starting: left as it is`);
    return () => {};
  }
  // One of ours that a killed run left behind is taken over, and removed at the end.
  const written = root("sh", ["-c", 'umask 022 && cat > "$1" && chmod 755 "$1"', "sh", policy], FORBID);
  if (written.status !== 0) throw new Error(`${policy} could not be written: ${written.stderr}`);
  let removed = false;
  return () => {
    if (removed) return;
    removed = true;
    root("rm", ["-f", policy]);
  };
}

export async function installPackages(packages, { policy = POLICY, apt = "apt-get" } = {}) {
  const command = installCommand(packages);
  const prefix = await rootPrefix();
  if (prefix === undefined) {
    throw new Error(`These need root, and \`sudo -n\` is refused here. Please run:\n\n    ${command}\n\nand start again.`);
  }
  if ((await ask(apt, ["--version"])) === undefined) {
    throw new Error(`There is no ${apt} here. On a Debian-like system the command would be:\n\n    ${command}`);
  }
  const allow = forbidServices(prefix, policy);
  process.once("exit", allow);
  const forget = onInterrupt(allow);
  const started = Date.now();
  try {
    const root = (args, label, progress) =>
      run(prefix[0] ?? args[0], [...prefix, ...args].slice(1), {
        show: "progress",
        label,
        progress,
        patient: true, // dpkg must not be cut short
        attached: prefix.length > 0,
      });
    const env = ["env", "DEBIAN_FRONTEND=noninteractive"];
    // Without a network the lists that are there may do.
    await root([...env, apt, "update", "-q"], "package lists", (line) => line).catch(() => {});
    await root(
      [...env, apt, "install", "-q", "-y", "--no-install-recommends", ...packages],
      `installing ${packages.join(", ")}`,
      (line) => /^(?:Get:|Unpacking |Setting up ).*/.exec(line)?.[0],
    );
  } catch (error) {
    throw new Error(`${error.message}\n\nThe packages could not be installed. The command is:\n\n    ${command}`);
  } finally {
    allow();
    process.removeListener("exit", allow);
    forget();
  }
  console.log(`    installed in ${seconds(Date.now() - started)}; none of their services was started`);
}
