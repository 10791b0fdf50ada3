// What there is: the exports, the members of `Strophe`, of its classes, and of their instances. Read off the library itself, so that a
// member that one of them lacks is a row of the table.

/** What is compared of a member: what kind of thing it is, and the value of a constant. */
const kindOf = (value) => (value !== null && ["string", "number", "boolean"].includes(typeof value) ? `${typeof value} ${value}` : value === null ? "null" : typeof value);

/** Own and inherited names, without those that every object and function has. */
function namesOf(object) {
  const names = new Set();
  for (let one = object; one && one !== Object.prototype && one !== Function.prototype && one !== String.prototype && one !== Array.prototype; one = Object.getPrototypeOf(one)) {
    for (const name of Object.getOwnPropertyNames(one)) names.add(name);
  }
  for (const name of ["length", "name", "prototype", "arguments", "caller", "constructor"]) names.delete(name);
  return [...names].sort();
}

const isClass = (value) => typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));

/** Chosen at random, or counted. */
const ANY = /\.(rid|id|lastCalled|date)$|#xhr$/;

function list(path, object, rows, depth = 0) {
  for (const name of namesOf(object)) {
    const member = `${path}.${name}`;
    let value;
    try {
      value = object[name];
    } catch {
      value = undefined;
    }
    rows[member] = ANY.test(member) ? typeof value : kindOf(value);
    const isTable = value && typeof value === "object" && typeof value.nodeType !== "number" && depth < 2 && !/Document|Array/.test(Object.prototype.toString.call(value));
    if (isTable && path.startsWith("Strophe")) list(member, value, rows, depth + 1);
    if (isClass(value) && path === "Strophe") list(member, value, rows, depth + 1);
  }
}

/** One object with all rows: the table has a line for each. */
function members(lib) {
  const { Strophe } = lib;
  const rows = {};
  for (const name of Object.keys(lib).sort()) rows[`exports.${name}`] = kindOf(lib[name]);
  list("Strophe", Strophe, rows);
  for (const [name, make] of Object.entries({
    Connection: () => new Strophe.Connection("http://127.0.0.1:1/"),
    "Connection(ws, stream management)": () => new Strophe.Connection("ws://127.0.0.1:1/", { enableStreamManagement: true }),
    Bosh: () => new Strophe.Connection("http://127.0.0.1:1/")._proto,
    Websocket: () => new Strophe.Connection("ws://127.0.0.1:1/")._proto,
    Handler: () => new Strophe.Handler(() => true, "urn:x", "iq", "get", "1", "a@b"),
    TimedHandler: () => new Strophe.TimedHandler(100, () => true),
    Builder: () => new Strophe.Builder("message", { to: "a@b" }),
    Stanza: () => lib.stx`<message xmlns="jabber:client"/>`,
    StreamManagement: () => new Strophe.StreamManagement(() => {}, {}),
    StreamManagementMirror: () => new lib.StreamManagementMirror(),
    MemoryStorageBackend: () => new Strophe.MemoryStorageBackend(),
    SessionStorageBackend: () => new Strophe.SessionStorageBackend(),
    ...Object.fromEntries(
      ["SASLAnonymous", "SASLExternal", "SASLOAuthBearer", "SASLPlain", "SASLSHA1", "SASLSHA256", "SASLSHA384", "SASLSHA512", "SASLXOAuth2"].map((one) => [one, () => new Strophe[one]()]),
    ),
  })) {
    const path = `new ${name}`;
    try {
      list(path, make(), rows);
    } catch (error) {
      rows[path] = `throws ${error.name}`;
    }
  }
  return rows;
}

const GLOBALS = ["$build", "$iq", "$msg", "$pres", "Strophe", "stx", "toStanza"];

export const specs = [
  { member: "members", name: "all", run: ({ lib }) => members(lib) },
  { member: "globals", name: "set by importing", run: () => Object.fromEntries(GLOBALS.map((name) => [name, typeof globalThis[name]])) },
];
