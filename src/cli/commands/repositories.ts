import {
  CREATE_REPOSITORY_OPTIONS,
  IAM_POLICY_OPTIONS,
  PRUNE_OPTIONS,
  REPOSITORY_POLICY_OPTIONS,
} from "../../commands/aws-options.ts";
import { dashed, type OptionTable, off, optional, required } from "../../commands/options/read.ts";
import { text } from "../../commands/options/types.ts";
import { misuse } from "../../errors.ts";
import { quote } from "../arguments/flags.ts";
import { type Answer, type Call, defineCommand, type Given } from "../command.ts";

const TABLES: Readonly<Record<string, OptionTable>> = {
  create: CREATE_REPOSITORY_OPTIONS,
  policy: REPOSITORY_POLICY_OPTIONS,
  iam: IAM_POLICY_OPTIONS,
};

const OPTIONS = {
  task: required(text, "create a repository, print or write its policy, or print an IAM policy"),
  ...CREATE_REPOSITORY_OPTIONS,
  ...REPOSITORY_POLICY_OPTIONS,
  ...IAM_POLICY_OPTIONS,
  // Only `repo iam` requires it.
  for: optional(IAM_POLICY_OPTIONS.for.type, IAM_POLICY_OPTIONS.for.summary, {
    placeholder: "push|deploy|create",
    group: "repo iam",
  }),
};

export const repo = defineCommand({
  positionals: [
    { option: "task", name: "create|policy|iam", required: true, repeatable: false },
    { option: "repository", name: "repository", required: true, repeatable: false },
  ],
  options: OPTIONS,
  stopped: "the same command again does the rest",
  examples: [
    {
      line: "lambda-pack repo create team/app --expire-untagged 14",
      purpose: "immutable tags, scanned on push; untagged images are deleted after two weeks",
    },
    {
      line: "lambda-pack repo policy team/app --account 210987654321 --apply",
      purpose: "let functions of another account load the images",
    },
    {
      line: "lambda-pack repo iam team/app --for deploy --function app",
      purpose: "print the smallest policy with which a deploy works",
    },
  ],
  async run(given, call) {
    const { task = "", ...options } = given;
    const table = Object.hasOwn(TABLES, task) ? TABLES[task] : undefined;
    if (!table)
      throw misuse(`unknown repo command ${quote(task)}`, "write create, policy or iam, then the repository");
    const stray = Object.keys(options).find((name) => !Object.hasOwn(table, name));
    if (stray !== undefined)
      throw misuse(
        `repo ${task} has no flag --${dashed(stray)}`,
        "lambda-pack repo --help lists the flags of each",
      );
    return runTask(task, options, call);
  },
});

async function runTask(
  task: string,
  options: Given<typeof OPTIONS>,
  { load, context }: Call,
): Promise<Answer> {
  const { repository = "", for: purpose, ...others } = options;
  const place = { ...others, ...context, repository };
  if (task === "iam") {
    if (!purpose) throw misuse("--for is missing", "add --for push, --for deploy or --for create");
    const api = await load();
    return policyAnswer(await api.iamPolicy({ ...place, for: purpose }));
  }
  const api = await load();
  if (task === "create") {
    const created = await api.createRepository(place);
    return { text: () => `${created.repository}\n`, json: created };
  }
  const result = await api.repositoryPolicy(place);
  return { ...policyAnswer(result.policy), json: result };
}

/** Returns the policy as the answer; the text of an empty policy is empty. */
function policyAnswer(policy: object | undefined): Answer {
  return {
    text: () => (policy === undefined ? "" : `${JSON.stringify(policy, undefined, 2)}\n`),
    json: policy ?? null,
  };
}

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
