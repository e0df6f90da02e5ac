import type { Answer, Command, Context, Flags, Words } from "../command.ts";
import { list, readFlags, toggle, value } from "../flags.ts";
import type { Api } from "../io.ts";
import { choice, text, whole, wrong } from "../values.ts";
import { REGION_FLAG } from "./aws-common.ts";

type Job = "push" | "deploy" | "create";

interface RepoFlags {
  readonly region: string | undefined;
  readonly mutableTags: boolean;
  readonly noScan: boolean;
  readonly encryption: string | undefined;
  readonly expireUntagged: number | undefined;
  readonly account: readonly string[];
  readonly apply: boolean;
  readonly remove: boolean;
  readonly for: Job | undefined;
  readonly function: readonly string[];
  readonly role: string | undefined;
}

const FLAGS: Flags<RepoFlags> = {
  region: REGION_FLAG,
  mutableTags: toggle("create: let tags move; else a tag, once pushed, names the same image for ever"),
  noScan: toggle("create: do not scan images when they are pushed"),
  encryption: value(text, {
    placeholder: "AES256|KMS|ARN",
    summary: "create: how images are encrypted, for ever: KMS is AWS's own key, an ARN is yours",
    defaultText: "AES256",
  }),
  expireUntagged: value(whole(1, 36_500), {
    placeholder: "DAYS",
    summary:
      "create: a lifecycle rule for images without a tag; what deploy gave to a function never expires",
  }),
  account: list(text, {
    placeholder: "ID",
    summary: "policy: another account whose functions may load the images",
  }),
  apply: toggle("policy: write it; else it is only shown"),
  remove: toggle("policy: take away what lambda-pack adds, with --account only theirs"),
  for: value(choice<Job>({ push: "push", deploy: "deploy", create: "create" }), {
    placeholder: "push|deploy|create",
    summary: "iam: the job that the policy is for",
  }),
  function: list(text, { placeholder: "NAME", summary: "iam: a function that is deployed; default all" }),
  role: value(text, {
    placeholder: "ARN",
    summary: "iam: the execution role that is given to it; default any",
  }),
};

const JOBS = ["create", "policy", "iam"] as const;

export const repo: Command = {
  name: "repo",
  summary: "create an ECR repository, let Lambda pull from it, show the IAM policies that are needed",
  positionals: [
    { name: "create|policy|iam", summary: "what is to be done", required: true, repeatable: false },
    {
      name: "repository",
      summary: "a name, as team/app, or the whole URI",
      required: true,
      repeatable: false,
    },
  ],
  flags: FLAGS,
  examples: [
    {
      line: "lambda-pack repo create team/app --expire-untagged 14",
      says: "immutable tags, scanned on push; untagged images go after two weeks",
    },
    {
      line: "lambda-pack repo policy team/app --account 210987654321 --apply",
      says: "functions of another account may load its images, too",
    },
    {
      line: "lambda-pack repo iam team/app --for deploy --function app",
      says: "the least policy for a deploy",
    },
  ],
  read: (words, environment) => {
    const [job = "", repository = ""] = words.positionals;
    const flags = readFlags(FLAGS, words, environment);
    checkJob(job, words, flags);
    return (api, context) => work(job, repository, flags, api, context);
  },
};

/** Flags beside --region, by the job that they are for. */
const FLAGS_OF: Readonly<Record<(typeof JOBS)[number], readonly (keyof RepoFlags)[]>> = {
  create: ["mutableTags", "noScan", "encryption", "expireUntagged"],
  policy: ["account", "apply", "remove"],
  iam: ["for", "function", "role"],
};

function checkJob(job: string, { flags: given }: Words, flags: RepoFlags): void {
  const known = JOBS.find((one) => one === job);
  if (!known) throw wrong(`repo does not know ${JSON.stringify(job)}`, `repo ${JOBS.join("|")} <repository>`);
  const others = JOBS.filter((one) => one !== known).flatMap((one) => FLAGS_OF[one]);
  const stray = others.find((flag) => given.has(flag));
  if (stray !== undefined)
    throw wrong(`repo ${job} has no flag for ${stray}`, "lambda-pack repo --help says which is whose");
  if (known === "iam" && !flags.for)
    throw wrong("--for is missing", "repo iam <repository> --for push|deploy|create");
}

async function work(
  job: string,
  repository: string,
  flags: RepoFlags,
  api: Api,
  context: Context,
): Promise<Answer> {
  const place = { ...context, repository, ...(flags.region !== undefined && { region: flags.region }) };
  if (job === "create") return created(await api.createRepository({ ...place, ...creation(flags) }));
  if (job === "iam") return document(await api.iamPolicy({ ...place, ...identity(flags) }));
  const { account: accounts, apply, remove } = flags;
  const result = await api.repositoryPolicy({ ...place, accounts, apply, remove });
  return { ...document(result.policy), json: result };
}

function creation({ mutableTags, noScan, encryption, expireUntagged }: RepoFlags) {
  return {
    mutableTags,
    scanOnPush: !noScan,
    ...(encryption !== undefined && { encryption }),
    ...(expireUntagged !== undefined && { untaggedDays: expireUntagged }),
  };
}

function identity({ for: job = "deploy", function: functions, role }: RepoFlags) {
  return { for: job, functions, ...(role !== undefined && { role }) };
}

function created(result: { readonly repository: string }): Answer {
  return { text: () => `${result.repository}\n`, json: result };
}

/** A policy; one that is empty has no text. */
function document(policy: object | undefined): Answer {
  return {
    text: () => (policy === undefined ? "" : `${JSON.stringify(policy, undefined, 2)}\n`),
    json: policy ?? null,
  };
}
