import { DEV_OPTIONS } from "../../commands/dev/options.ts";
import { withDefault } from "../../commands/options/read.ts";
import { listOf, text } from "../../commands/options/types.ts";
import { LambdaPackError } from "../../errors.ts";
import type { DevOptions } from "../../index.ts";
import { configWithoutEffect, type Selection, selectionOf } from "../arguments/function-options.ts";
import { defineCommand } from "../command.ts";

const { directory: _directory, functions: _functions, ...OPTIONS } = DEV_OPTIONS;

export const dev = defineCommand({
  positionals: [{ option: "names", name: "dir|name", required: false, repeatable: true }],
  options: {
    names: withDefault(
      listOf(text),
      [],
      "the directory with the function, or functions of lambda-pack.jsonc",
    ),
    ...OPTIONS,
  },
  logs: true,
  stopped: "the server and its functions",
  examples: [
    { line: "lambda-pack dev app", purpose: "curl http://127.0.0.1:9000/ then calls it as a function URL" },
    { line: "lambda-pack dev", purpose: "serve the functions of lambda-pack.jsonc at /lambda-url/NAME" },
    { line: "lambda-pack dev api --bundle", purpose: "bundle its TypeScript again at each change" },
    { line: "lambda-pack dev app --inspect", purpose: "attach a debugger to port 9229" },
  ],
  async run({ names = [], config, ...options }, { load, context, announce }) {
    const served =
      names.length === 0
        ? { ...(config !== undefined && { config }) }
        : servedBy(selectionOf({ names, config }, options.base !== undefined, context.environment), config);
    const api = await load();
    const { url, functionNames, stopped } = await api.dev({ ...options, ...served, ...context });
    await announce(url, { url, functions: functionNames });
    await stopped;
    throw new LambdaPackError("ABORTED", "the server has stopped");
  },
});

function servedBy(
  selection: Selection,
  config: string | undefined,
): Pick<DevOptions, "directory" | "config" | "functions"> {
  if (selection.kind === "one" && config !== undefined) throw configWithoutEffect(selection.source);
  if (selection.kind === "functions") return { config: selection.config, functions: selection.functions };
  return selection.source === undefined ? {} : { directory: selection.source };
}
