// All specifications. One is `{ member, name, run }`: `run({ lib, … })` returns what both libraries have to return alike. `where`
// limits it to "node" or "page", `over` are the transports that it is run with; `alone`: nothing else runs meanwhile.

import { shown } from "../show.mjs";
import * as builders from "./builders.mjs";
import * as dom from "./dom.mjs";
import * as failures from "./failures.mjs";
import * as lives from "./lives.mjs";
import * as logging from "./logging.mjs";
import * as logins from "./logins.mjs";
import * as members from "./members.mjs";
import * as objects from "./objects.mjs";
import * as pages from "./pages.mjs";
import * as plugins from "./plugins.mjs";
import * as requests from "./requests.mjs";
import * as http from "./http.mjs";
import * as sessions from "./sessions.mjs";
import * as stanzas from "./stanzas.mjs";
import * as stubs from "./stubs.mjs";
import * as values from "./values.mjs";

const FILES = [members, values, builders, logging, objects, logins, failures, stanzas, dom, stubs, pages, lives, sessions, requests, http, plugins];

/** The limit for one specification: reached only by one that does not end. */
const LIMIT = 20_000;

/** How many run side by side. A page has six connections to a server, and a BOSH session needs two. */
const ATONCE = { node: 24, page: 2 };

export const specs = FILES.flatMap((file) => file.specs);

/** Runs what fits `where`, one of several parts, and returns what each specification returned, by member and name. */
export async function runSpecs(lib, { where, origin, only, part = 0, parts = 1 }) {
  const results = {};
  const fitting = specs.filter((spec) => (!spec.where || spec.where === where) && (!only || `${spec.member}: ${spec.name}`.includes(only)));
  const run = async (spec) => {
    for (const over of spec.over ?? [undefined]) {
      const key = `${spec.member} | ${spec.name}${over ? ` (${over})` : ""}`;
      try {
        results[key] = shown(await limited(spec.run({ lib, where, over, service: services(origin, over, key) })));
      } catch (error) {
        results[key] = { thrown: error?.name ?? String(error), ...(error?.name === "SpecError" && { message: error.message }) };
      }
    }
  };
  // Those with a transport mostly wait, so that they run side by side; some change what all share, one by one.
  const isAlone = ({ over, alone }) => !over || alone;
  if (part === 0) for (const spec of fitting.filter(isAlone)) await run(spec);
  const waiting = fitting.filter((spec) => !isAlone(spec)).filter((_, index) => index % parts === part);
  await Promise.all(Array.from({ length: ATONCE[where] }, async () => {
    for (let spec = waiting.shift(); spec; spec = waiting.shift()) await run(spec);
  }));
  return results;
}

class SpecError extends Error {
  name = "SpecError";
}

function limited(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new SpecError("it did not end")), LIMIT);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Where scripted services are: `service("plain")` is an address, `service.transcript(address)` what its clients sent. */
function services(origin, over, key) {
  const scheme = over === "ws" ? origin.replace(/^http/, "ws") : origin;
  let count = 0;
  const service = (script) => `${scheme}/${over}/${script}/${encodeURIComponent(key)}-${(count += 1)}-${Math.random().toString(36).slice(2)}`;
  service.transcript = async (address) => (await fetch(`${address.replace(/^ws/, "http").replace("/ws/", "/bosh/")}/transcript`)).json();
  /** The connection breaks. */
  service.drop = (address) => fetch(`${address.replace(/^ws/, "http").replace("/ws/", "/bosh/")}/drop`, { method: "POST" });
  /** What a server pushes into the session. */
  service.push = (address, xml) => fetch(`${address.replace(/^ws/, "http").replace("/ws/", "/bosh/")}/push`, { method: "POST", body: xml });
  return service;
}
