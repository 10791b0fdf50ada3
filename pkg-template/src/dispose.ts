// Support for `using` on platforms that have it.

/** An object that `using` disposes of. @internal */
export interface Disposable {
  [Symbol.dispose](): void;
}

/** Lets `using` call `dispose`. Platforms without `Symbol.dispose` have no `using` either. @internal */
export function disposeBy<T extends object>(object: T, dispose: (this: T) => void): void {
  if (Symbol.dispose) Object.defineProperty(object, Symbol.dispose, { value: dispose, writable: true, configurable: true });
}
