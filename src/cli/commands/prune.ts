import type { Command, Flags } from "../command.ts";
import { list, readFlags, toggle, value } from "../flags.ts";
import { text, whole, wrong } from "../values.ts";
import { REGION_FLAG } from "./aws-common.ts";

interface PruneFlags {
  readonly region: string | undefined;
  readonly keep: number | undefined;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly ignoreAccount: readonly string[];
}

const FLAGS: Flags<PruneFlags> = {
  region: REGION_FLAG,
  keep: value(whole(0, 100_000), {
    placeholder: "N",
    summary: "so many of the newest images stay, beside those that are used",
    defaultText: "10",
  }),
  yes: toggle("delete them; without it nothing is deleted"),
  dryRun: toggle("delete nothing, and say what would be: the default"),
  ignoreAccount: list(text, {
    placeholder: "ID",
    summary: "an account that the policy lets in, and whose functions use nothing that would go",
  }),
};

export const prune: Command = {
  name: "prune",
  summary: "delete images of an ECR repository that no function, version or alias of the region uses",
  positionals: [
    {
      name: "repository",
      summary: "a name, as team/app, or the whole URI",
      required: true,
      repeatable: false,
    },
  ],
  flags: FLAGS,
  examples: [
    { line: "lambda-pack prune team/app --keep 5", says: "what would be deleted" },
    { line: "lambda-pack prune team/app --keep 5 --yes", says: "delete it" },
  ],
  read: (words, environment) => {
    const { region, keep, yes, dryRun, ignoreAccount } = readFlags(FLAGS, words, environment);
    if (yes && dryRun) throw wrong("--yes and --dry-run exclude each other");
    const options = {
      repository: words.positionals[0] ?? "",
      yes,
      ignoreAccounts: ignoreAccount,
      ...(region !== undefined && { region }),
      ...(keep !== undefined && { keep }),
    };
    return async (api, context) => {
      const result = await api.prune({ ...options, ...context });
      return { text: () => result.pruned.map(({ reference }) => `${reference}\n`).join(""), json: result };
    };
  },
};
