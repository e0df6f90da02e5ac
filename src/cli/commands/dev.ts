import { DEV_OPTIONS } from "../../commands/dev/options.ts";
import { LambdaPackError } from "../../errors.ts";
import { defineCommand } from "../command.ts";

export const dev = defineCommand({
  positionals: [{ option: "directory", name: "dir", required: false, repeatable: false }],
  options: DEV_OPTIONS,
  logs: true,
  examples: [
    { line: "lambda-pack dev app", says: "curl http://127.0.0.1:9000/ then calls it as a function URL" },
    { line: "lambda-pack dev", says: "serve the functions of lambda-pack.jsonc at /lambda-url/NAME" },
    { line: "lambda-pack dev app --inspect", says: "attach a debugger to port 9229" },
  ],
  async run(options, { load, context, print }) {
    const api = await load();
    const { url, stopped } = await api.dev({ ...options, ...context });
    await print?.(Buffer.from(`${url}\n`));
    await stopped;
    throw new LambdaPackError("ABORTED", "the server has stopped");
  },
});
