// The log: what goes to which function of the console, and what a page can replace.

const LEVELS = ["debug", "info", "warn", "error", "fatal"];

/** What the console got during `act`. */
function logged(act) {
  const lines = [];
  const kept = {};
  for (const name of ["debug", "info", "warn", "error", "log"]) {
    kept[name] = console[name];
    console[name] = (line) => lines.push([name, line]);
  }
  try {
    act();
  } finally {
    Object.assign(console, kept);
  }
  return lines;
}

function withLevel({ Strophe }, level, act) {
  Strophe.setLogLevel(level);
  try {
    return logged(act);
  } finally {
    Strophe.setLogLevel(4);
  }
}

const spec = (member, name, run) => ({ member: `Strophe.${member}`, name, run: ({ lib }) => run(lib) });

export const specs = [
  ...[0, 1, 2, 3, 4].map((level) =>
    spec("setLogLevel", `level ${level}`, (lib) => withLevel(lib, level, () => LEVELS.forEach((name) => lib.Strophe[name](name)))),
  ),
  spec("setLogLevel", "no such level", (lib) => lib.Strophe.setLogLevel(9)),
  spec("log", "each level", (lib) => withLevel(lib, 0, () => [0, 1, 2, 3, 4, 5].forEach((level) => lib.Strophe.log(level, `at ${level}`)))),
  spec("log", "replaced by the page", (lib) => {
    const { log } = lib.Strophe;
    const lines = [];
    lib.Strophe.log = (level, line) => lines.push([level, line]);
    LEVELS.forEach((name) => lib.Strophe[name](name));
    lib.Strophe.log = log;
    return lines;
  }),
  spec("handleError", "an error", (lib) => {
    const error = new Error("boom");
    error.stack = "the stack";
    return withLevel(lib, 0, () => lib.Strophe.handleError(error));
  }),
];
