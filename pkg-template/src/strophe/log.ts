// The log of `epode/strophe`: writes lines of at least a level to the console.
//
// The methods call each other through `this`, since they are copied into `Strophe`, where pages replace `Strophe.log`.

import { LogLevel, type Severity } from "./constants.js";

let least: Severity = LogLevel.DEBUG;

const log = {
  /** Sets the lowest level that is written. Default: all levels. Throws if the level is unknown. */
  setLogLevel(level: Severity): void {
    if (level < LogLevel.DEBUG || level > LogLevel.FATAL) throw new Error(`There is no log level ${level}: use one of Strophe.LogLevel.`);
    least = level;
  },

  /** Writes a line to the console. Received and sent data is not logged; see `rawInput` and `rawOutput` of a connection. */
  log(level: number, line: string): void {
    if (level < least) return;
    if (level >= LogLevel.ERROR) console.error(line);
    else if (level === LogLevel.WARN) console.warn(line);
    else if (level === LogLevel.INFO) console.info(line);
    else if (level === LogLevel.DEBUG) console.debug(line);
  },

  debug(line: string): void {
    this.log(LogLevel.DEBUG, line);
  },

  info(line: string): void {
    this.log(LogLevel.INFO, line);
  },

  warn(line: string): void {
    this.log(LogLevel.WARN, line);
  },

  error(line: string): void {
    this.log(LogLevel.ERROR, line);
  },

  fatal(line: string): void {
    this.log(LogLevel.FATAL, line);
  },
};

export default log;
