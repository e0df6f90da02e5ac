import type { AwsApi } from "../aws/api.ts";
import { ensureLifecycle, type LifecycleHow } from "../aws/ecr/lifecycle.ts";
import { checkUriRegion, parseRepositoryName, parseRepositoryUri } from "../aws/ecr/names.ts";
import {
  ensureRepository,
  findRepository,
  type RepositoryFacts,
  readPolicy,
  writePolicy,
} from "../aws/ecr/repositories.ts";
import { leastPolicy } from "../aws/policy/iam.ts";
import { changesBetween, type StatementChange, withoutReaders, withReaders } from "../aws/policy/policy.ts";
import { environmentRegion } from "../aws/regions.ts";
import { LambdaPackError, misuse } from "../errors.ts";
import { withAws } from "./aws.ts";
import {
  CREATE_REPOSITORY_OPTIONS,
  type CreateRepositoryOptions,
  IAM_POLICY_OPTIONS,
  type IamPolicyOptions,
  REPOSITORY_POLICY_OPTIONS,
  type RepositoryPolicyOptions,
} from "./aws-options.ts";
import { noEffectWarning } from "./options/no-effect.ts";
import { readOptions, type Values } from "./options/read.ts";

export interface CreateRepositoryResult {
  /** `123456789012.dkr.ecr.eu-west-1.amazonaws.com/app`. */
  readonly repository: string;
  readonly arn: string;
  /** false: the repository existed, and keeps its settings. */
  readonly created: boolean;
  /** `kept`: the repository has another lifecycle policy, which was not changed. */
  readonly lifecycle?: LifecycleHow;
}

export interface RepositoryPolicyResult {
  readonly repository: string;
  /** The whole policy after the change, or as it would be; undefined: none. */
  readonly policy?: object;
  readonly changes: readonly StatementChange[];
  readonly applied: boolean;
}

/**
 * Creates the ECR repository if it does not exist. An existing one keeps its settings, and gets a
 * lifecycle policy only if it has none.
 * @throws USAGE, AWS_REFUSED, DENIED, CREDENTIALS_INVALID, REGISTRY_UNREACHABLE, REGISTRY_ANSWER
 */
export async function createRepository(options: CreateRepositoryOptions): Promise<CreateRepositoryResult> {
  const values = readOptions("repo create", CREATE_REPOSITORY_OPTIONS, options);
  const { mutableTags, movableTag, resourceTag, scan, encryption, expireUntagged } = values;
  if (mutableTags && movableTag.length > 0)
    throw misuse(
      "--movable-tag has no effect where all tags can move",
      "leave out --mutable-tags or --movable-tag",
    );
  return withAws(options, async (api) => {
    const name = await parseRepositoryName(options.repository, api.environment, options.region);
    const { facts, created } = await ensureRepository(api, name, {
      immutableTags: !mutableTags,
      movableTags: movableTag,
      resourceTags: resourceTag,
      scanOnPush: scan,
      ...(encryption !== undefined && { encryption }),
    });
    api.emit({ type: "repository-ready", uri: facts.uri, created });
    if (!created) for (const name of keptSettings(values, facts)) api.emit(noEffectWarning(name, KEPT));
    if (expireUntagged === undefined) return { repository: facts.uri, arn: facts.arn, created };
    const lifecycle = await ensureLifecycle(api, facts, expireUntagged);
    emitLifecycle(api, facts, lifecycle);
    return { repository: facts.uri, arn: facts.arn, created, lifecycle };
  });
}

const KEPT = "the repository exists already, and keeps its settings";

/** Lists the given settings that an existing repository does not have, and which it does not get. */
function keptSettings(
  { mutableTags, movableTag, resourceTag, scan, encryption }: Values<typeof CREATE_REPOSITORY_OPTIONS>,
  facts: RepositoryFacts,
): readonly string[] {
  const hasKey = encryption === "KMS" ? facts.encryption !== "AES256" : facts.encryption === encryption;
  const isKept = {
    mutableTags: mutableTags && facts.immutableTags,
    movableTag: movableTag.some((pattern) => !facts.movableTags.includes(pattern)),
    resourceTag: Object.keys(resourceTag).length > 0,
    "no-scan": !scan && facts.scanOnPush,
    encryption: encryption !== undefined && !hasKey,
  };
  return Object.entries(isKept).flatMap(([name, kept]) => (kept ? [name] : []));
}

function emitLifecycle(api: AwsApi, { uri: repository }: RepositoryFacts, how: LifecycleHow): void {
  if (how !== "kept") {
    const what = `the lifecycle policy ${how === "added" ? "was added" : "is there already"}`;
    api.emit({ type: "repository-note", repository, what });
  } else
    api.emit({
      type: "warning",
      message: `${repository} has another lifecycle policy, which stays`,
      hint: "see that it expires nothing that a function uses",
    });
}

/**
 * Returns the repository policy that Lambda needs, and with `apply` writes it. Other statements
 * stay, and existing ones are not added again. Emits a `policy-change` event for each change before
 * the policy is written.
 * @throws REPOSITORY_NOT_FOUND, and what {@link createRepository} throws
 */
export async function repositoryPolicy(options: RepositoryPolicyOptions): Promise<RepositoryPolicyResult> {
  const values = readOptions("repo policy", REPOSITORY_POLICY_OPTIONS, options);
  const { account: accounts, apply, remove } = values;
  return withAws(options, async (api) => {
    const facts = await repositoryOf(api, values);
    const { region, accountId } = facts;
    const readers = { region, accountId, accounts };
    const before = await readPolicy(api, facts);
    const after = remove ? before && withoutReaders(before, readers) : withReaders(before, readers);
    const changes = changesBetween(before, after);
    for (const { change, statement } of changes)
      api.emit({
        type: "policy-change",
        repository: facts.uri,
        change,
        sid: statement.Sid ?? "",
        statement: JSON.stringify(statement),
      });
    const applied = apply && changes.length > 0;
    if (applied) await writePolicy(api, facts, after);
    api.emit({ type: "repository-note", repository: facts.uri, what: policyNote(changes.length, applied) });
    return { repository: facts.uri, changes, applied, ...(after && { policy: after }) };
  });
}

function policyNote(changes: number, applied: boolean): string {
  if (changes === 0) return "the policy needs no change; nothing was written";
  return applied ? "the policy was written" : "nothing was written; --apply writes it";
}

/** Returns the least IAM policy for a task, without a request to AWS. @throws USAGE */
export function iamPolicy(options: IamPolicyOptions): object {
  const values = readOptions("repo iam", IAM_POLICY_OPTIONS, options);
  const { repository, region, for: job, function: functions = [], role, environment = process.env } = values;
  const uri = parseRepositoryUri(repository, environment);
  if (uri) checkUriRegion(repository, uri, region);
  for (const name of ["function", "role"] as const)
    if (job !== "deploy" && values[name] !== undefined)
      throw misuse(
        `--${name} has no effect on a policy for ${job}`,
        `leave out --${name}, or give --for deploy`,
      );
  return leastPolicy(job, {
    repository: uri?.name ?? repository,
    region: uri?.region ?? region ?? environmentRegion(environment),
    accountId: uri?.accountId ?? /^arn:[^:]*:iam::(\d{12}):/.exec(role ?? "")?.[1],
    functions,
    role,
  });
}

/** Finds the repository. @throws REPOSITORY_NOT_FOUND */
export async function repositoryOf(
  api: AwsApi,
  { repository, region }: { readonly repository: string; readonly region?: string | undefined },
): Promise<RepositoryFacts> {
  const name = await parseRepositoryName(repository, api.environment, region);
  const facts = await findRepository(api, name);
  if (facts) return facts;
  throw new LambdaPackError("REPOSITORY_NOT_FOUND", `there is no repository ${name.name} in ${name.region}`, {
    hint: `create it with lambda-pack repo create ${repository}, or correct the name or the region`,
  });
}
