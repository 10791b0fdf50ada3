// A WebAssembly module of the package: fetched, compiled, instantiated. Every failure is an `XmppError` with advice.

import { type XmppErrorDetails, type ErrorCode, XmppError, badArgument } from "./errors.js";

/**
 * Where the module is (an address, a request, a response), or the module itself (its bytes, or compiled).
 * @example
 * const source: ModuleSource = new URL("/assets/epode_bg.wasm", location.href);
 * await init(source);
 */
export type ModuleSource = string | URL | Request | Response | BufferSource | WebAssembly.Module;

/** A module of the package: its file, the entry that loads it, and what wasm-bindgen made for it. @internal */
export interface WasmModule {
  file: string;
  entry: string;
  load(from: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  loadNow(from: { module: WebAssembly.Module }): unknown;
  /** Once it is loaded. */
  normalizeJid(text: string): string;
}

/** The smallest module: only the header. A platform that refuses it refuses every module. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/**
 * The advice for each kind of failure, in one place.
 *
 *  `module-unavailable`: the file was not found, or is not the module. Calling again fetches it again.
 *  `module-blocked`: this platform, or the page's policy, refuses WebAssembly. Calling again does not help.
 *
 * Advice for bundlers (which option keeps or copies the file) belongs in `FILE`: it is part of every message about a
 * missing or wrong file, because a bundler that moved the script is the usual cause of both.
 */
const FILE =
  "Copy FILE from the package to the folder of the script that loads it, or say where it is: await init(\"/assets/FILE\"). Or import from \"ENTRY/inline\", which has the module in the script: bundlers such as rollup and esbuild do not carry the file along. With Vite's development server also: optimizeDeps: { exclude: [\"epode\"] }.";
const ADVICE = {
  missing: ["module-unavailable", FILE],
  foreign: ["module-unavailable", `${FILE} The server must answer with the file itself, as application/wasm, not with a page for unknown addresses.`],
  unreachable: [
    "module-unavailable",
    "Check the network, the address, and that the page may fetch it: the content security policy's connect-src, CORS headers on another origin. Another call tries again.",
  ],
  damaged: ["module-unavailable", "It is cut short, damaged, or needs a newer browser. Deploy it again, unchanged, and clear the caches in between."],
  stale: ["module-unavailable", "Deploy FILE and the scripts of the package together, and clear the caches in between."],
  forbidden: ["module-blocked", "Add 'wasm-unsafe-eval' to script-src in the page's Content-Security-Policy."],
  large: ["module-blocked", "Use a browser of 2023 or later (Chromium 114), or load the module with await init() from \"ENTRY\"."],
  unsupported: ["module-blocked", "Use a browser that has WebAssembly, or allow it in this one's settings (lockdown modes turn it off)."],
} as const satisfies Record<string, readonly [ErrorCode, string]>;

/** Makes the errors of a module: `FILE` and `ENTRY` of the advice are its own. */
type MakeError = (kind: keyof typeof ADVICE, what: string, details?: XmppErrorDetails) => XmppError;

const errorsOf = (of: WasmModule): MakeError => (kind, what, details) => {
  const [code, text] = ADVICE[kind];
  const advice = text.replaceAll("FILE", of.file).replaceAll("ENTRY", of.entry);
  return new XmppError(code, `epode's WebAssembly module could not be loaded: ${what}. ${advice}`, details);
};

/** The class of an object, even if the object comes from another realm (a frame, Node's vm). */
const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** Whether this page may compile modules: its policy or a browser's setting may forbid it. */
function mayCompile(): boolean {
  try {
    return Boolean(new WebAssembly.Module(EMPTY_MODULE));
  } catch {
    return false;
  }
}

function isModule(bytes: BufferSource): boolean {
  const view = ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes);
  return EMPTY_MODULE.subarray(0, 4).every((byte, index) => view[index] === byte);
}

/** Why compiling failed. `bytes`: the compiled bytes, if known; `type`: their Content-Type. */
function diagnose(moduleError: MakeError, cause: unknown, place: string, bytes?: BufferSource, type?: string): XmppError {
  if (bytes && !isModule(bytes)) {
    const what = /html/i.test(type ?? "") ? "an HTML page" : bytes.byteLength === 0 ? "an empty file" : "something else";
    return moduleError("foreign", `${place} is ${what}, not the module`, { cause });
  }
  // An interrupted stream is a network error, which is a TypeError; a truncated file is a CompileError.
  if (cause instanceof TypeError) return moduleError("unreachable", `${place} could not be read to its end`, { cause });
  return moduleError("damaged", `${place} cannot be compiled`, { cause });
}

async function compileBytes(moduleError: MakeError, bytes: BufferSource, place: string, type?: string): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw diagnose(moduleError, error, place, bytes, type);
  }
}

async function compileResponse(moduleError: MakeError, response: Response): Promise<WebAssembly.Module> {
  const place = response.url || "the given response";
  const { ok, status } = response;
  if (!ok) {
    // An unread body keeps its connection open; a browser has six for each origin.
    response.body?.cancel().catch(() => {});
    throw moduleError("missing", `${place} answered with HTTP status ${status}`, { httpStatus: status });
  }
  const type = response.headers.get("Content-Type")?.trim() ?? "";
  // Compile while the file arrives: browsers do this for this type only, and cache the result.
  if (type.toLowerCase() === "application/wasm" && typeof WebAssembly.compileStreaming === "function") {
    try {
      return await WebAssembly.compileStreaming(response);
    } catch (error) {
      throw diagnose(moduleError, error, place);
    }
  }
  let bytes: ArrayBuffer;
  try {
    bytes = await response.arrayBuffer();
  } catch (cause) {
    throw moduleError("unreachable", `${place} could not be read to its end`, { cause });
  }
  const module = await compileBytes(moduleError, bytes, place, type);
  console.warn(`epode: ${place} came as ${type || "no type at all"}. It loads faster as application/wasm.`);
  return module;
}

async function compile(moduleError: MakeError, from: ModuleSource): Promise<WebAssembly.Module> {
  const kind = kindOf(from);
  if (kind === "WebAssembly.Module") return from as WebAssembly.Module;
  if (kind === "ArrayBuffer" || ArrayBuffer.isView(from)) return compileBytes(moduleError, from as BufferSource, "the given bytes");
  if (kind === "Response") return compileResponse(moduleError, from as Response);
  if (typeof from !== "string" && kind !== "URL" && kind !== "Request") {
    throw badArgument("init() takes the module's address, a Request, a Response, its bytes, or a WebAssembly.Module.");
  }
  let response: Response;
  try {
    response = await fetch(from as string | URL | Request);
  } catch (cause) {
    throw moduleError("unreachable", `${kind === "Request" ? (from as Request).url : String(from)} could not be fetched`, { cause });
  }
  return compileResponse(moduleError, response);
}

/** Throws where this platform, or the page's policy, refuses WebAssembly. */
function mustHaveWebAssembly(moduleError: MakeError): void {
  if (kindOf(globalThis.WebAssembly) !== "WebAssembly") throw moduleError("unsupported", "this platform has no WebAssembly");
  if (!mayCompile()) throw moduleError("forbidden", "the page's content security policy forbids WebAssembly");
}

/** The module could not be started. */
function startError(moduleError: MakeError, cause: unknown): XmppError {
  // What the module imports, and what these scripts give it, differ.
  if (cause instanceof WebAssembly.LinkError || cause instanceof TypeError) return moduleError("stale", "it belongs to another version of epode", { cause });
  return moduleError("damaged", "it could not be started", { cause });
}

/** Loads a module in this very turn, from its bytes or as it was compiled. @internal */
export function loadModuleNow(of: WasmModule, find: () => BufferSource | WebAssembly.Module): void {
  const moduleError = errorsOf(of);
  mustHaveWebAssembly(moduleError);
  const from = find();
  let module: WebAssembly.Module;
  try {
    module = kindOf(from) === "WebAssembly.Module" ? (from as WebAssembly.Module) : new WebAssembly.Module(from as BufferSource);
  } catch (cause) {
    // COMPAT(Chromium < 114): it compiles no more than 4 KB at once in a page's thread; later ones 8 MB.
    if (cause instanceof RangeError) throw moduleError("large", "this browser compiles no module of its size at once", { cause });
    throw diagnose(moduleError, cause, "the given bytes", from as BufferSource);
  }
  try {
    of.loadNow({ module });
  } catch (cause) {
    throw startError(moduleError, cause);
  }
}

/** Loads a module from where `find` says: an address, a request or response, bytes, or a compiled module. @internal */
export async function loadModule(of: WasmModule, find: () => ModuleSource | Promise<ModuleSource>): Promise<void> {
  const moduleError = errorsOf(of);
  // Before anything is fetched: COMPAT(Chromium): a response whose compilation the policy forbids is never read to its end, and
  // keeps its connection.
  mustHaveWebAssembly(moduleError);
  let from: ModuleSource;
  try {
    from = await find();
  } catch (cause) {
    // The file is missing beside this script, or this script has no address to resolve a relative one against.
    throw moduleError("missing", (cause as Error | undefined)?.message ?? "it was not found", { cause });
  }
  const module = await compile(moduleError, from);
  try {
    // At once: `initSync()` in the meantime would start a second one.
    of.loadNow({ module });
  } catch (cause) {
    // COMPAT(Chromium < 114): not in a page's thread.
    if (!(cause instanceof RangeError)) throw startError(moduleError, cause);
    await of.load({ module_or_path: module }).catch((error: unknown) => {
      throw startError(moduleError, error);
    });
  }
}
