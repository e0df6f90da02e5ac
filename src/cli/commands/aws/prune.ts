import { off } from "../../../commands/options/read.ts";
import { PRUNE_OPTIONS } from "../../../commands/prune-options.ts";
import { misuse } from "../../../errors.ts";
import { defineCommand } from "../../command.ts";

export const prune = defineCommand({
  positionals: [{ option: "repository", name: "repository", required: true, repeatable: false }],
  options: { ...PRUNE_OPTIONS, dryRun: off("only list what would be deleted: the default", { short: "n" }) },
  stopped: "the same command again does the rest",
  examples: [
    { line: "lambda-pack prune team/app --keep 5", purpose: "list what would be deleted" },
    { line: "lambda-pack prune team/app --keep 5 --yes", purpose: "delete it" },
  ],
  async run({ repository = "", dryRun, ...options }, { load, context }) {
    if (options.yes && dryRun)
      throw misuse("--yes and --dry-run exclude each other", "leave out one of them");
    const api = await load();
    const result = await api.prune({ repository, ...options, ...context });
    return { text: () => result.pruned.map(({ reference }) => `${reference}\n`).join(""), json: result };
  },
});
