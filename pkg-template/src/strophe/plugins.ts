// Connection plugins: objects that each new connection gets an heir of.

import log from "./log.js";

/** What a plugin may have. Everything else is between it and the page. */
export interface ConnectionPlugin {
  init(connection: object): void;
  statusChanged?(status: number, condition?: string | null): void;
}

const registered: Record<string, ConnectionPlugin> = {};

/** Registers a plugin for the connections made from now on. */
export function addPlugin(name: string, plugin: object): void {
  registered[name] = plugin as ConnectionPlugin;
}

/** Gives a new connection its plugins, in the order of registration. */
export function attachPlugins(connection: object): void {
  for (const [name, plugin] of Object.entries(registered)) {
    const own = Object.create(plugin) as ConnectionPlugin;
    (connection as Record<string, unknown>)[name] = own;
    own.init(connection);
  }
}

/** Tells the plugins of a connection about a status, before the page hears of it. */
export function tellPlugins(connection: object, status: number, condition?: string | null): void {
  for (const name of Object.keys(registered)) {
    const plugin = (connection as Record<string, ConnectionPlugin | undefined>)[name];
    if (!plugin?.statusChanged) continue;
    try {
      plugin.statusChanged(status, condition);
    } catch (error) {
      log.error(`The plugin ${name} threw at a change of status: ${String(error)}`);
    }
  }
}
