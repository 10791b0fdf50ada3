// Connection plugins: objects that are the prototypes of each new connection's plugins.

import log from "./log.js";

/** The members of a plugin that a connection calls. Other members are for the page. */
export interface ConnectionPlugin {
  init(connection: object): void;
  statusChanged?(status: number, condition?: string | null): void;
}

const registered: Record<string, ConnectionPlugin> = {};

/** Registers a plugin for connections that are created after this call. */
export function addPlugin(name: string, plugin: object): void {
  registered[name] = plugin as ConnectionPlugin;
}

/** Adds the plugins to a new connection, in the order of registration. */
export function attachPlugins(connection: object): void {
  for (const [name, plugin] of Object.entries(registered)) {
    const own = Object.create(plugin) as ConnectionPlugin;
    (connection as Record<string, unknown>)[name] = own;
    own.init(connection);
  }
}

/** Reports a status to the plugins of a connection, before the page gets it. */
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
