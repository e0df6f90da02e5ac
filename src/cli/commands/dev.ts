import { LambdaPackError } from "../../errors.ts";
import type { Command, Flags } from "../command.ts";
import { readFlags, toggle, value } from "../flags.ts";
import { whole } from "../values.ts";
import { LOCAL_FLAGS, type LocalFlags, localOptions } from "./local-flags.ts";

interface DevFlags extends LocalFlags {
  readonly port: number | undefined;
  readonly inspect: boolean;
  readonly debugpy: boolean;
  readonly debugPort: number | undefined;
}

const FLAGS: Flags<DevFlags> = {
  port: value(whole(0, 65_535), {
    placeholder: "N",
    summary: "port of 127.0.0.1 to listen on; 0 is any free one",
    defaultText: "9000",
  }),
  inspect: toggle("let Node's inspector listen; nothing is stopped for being late"),
  debugpy: toggle("let Python's debugpy listen; nothing is stopped for being late"),
  debugPort: value(whole(0, 65_535), {
    placeholder: "N",
    summary: "port of the debugger",
    defaultText: "9229 for Node, 5678 for Python",
  }),
  ...LOCAL_FLAGS,
};

export const dev: Command = {
  name: "dev",
  summary: "serve a function on this machine, and start it again when its files change",
  positionals: [
    { name: "directory", summary: "the directory with the function", required: true, repeatable: false },
  ],
  flags: FLAGS,
  logs: true,
  examples: [
    { line: "lambda-pack dev app", says: "curl http://127.0.0.1:9000/ then calls it as a function URL" },
    { line: "lambda-pack dev app --inspect", says: "and a debugger may be attached to port 9229" },
  ],
  read: (words, environment) => {
    const { port, inspect, debugpy, debugPort, ...flags } = readFlags(FLAGS, words, environment);
    const [directory = ""] = words.positionals;
    const options = {
      ...localOptions(flags),
      ...{ directory, inspect, debugpy },
      ...(port !== undefined && { port }),
      ...(debugPort !== undefined && { debugPort }),
    };
    return async (api, context, print) => {
      const { url, stopped } = await api.dev({ ...options, ...context });
      await print?.(Buffer.from(`${url}\n`));
      await stopped;
      throw new LambdaPackError("ABORTED", "the server has stopped");
    };
  },
};
