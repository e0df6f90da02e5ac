import manifest from "../../../package.json" with { type: "json" };
import { defineCommand } from "../command.ts";

export const version = defineCommand({
  positionals: [],
  options: {},
  examples: [],
  run: async () => ({ text: () => `${manifest.version}\n`, json: { version: manifest.version } }),
});
