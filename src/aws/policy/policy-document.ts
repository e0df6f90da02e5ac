import { LambdaPackError } from "../../errors.ts";
import { isObject, parseObject } from "../../oci/json.ts";

/**
 * One statement of a policy. Fields that this project does not know are kept as they are (IAM user
 * guide, "JSON policy elements").
 */
export interface Statement {
  readonly Sid?: string;
  readonly Effect?: string;
  readonly Principal?: string | Readonly<Record<string, string | readonly string[]>>;
  readonly Action?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
  readonly [unknown: string]: unknown;
}

export interface Document {
  readonly Version: string;
  readonly Statement: readonly Statement[];
  readonly [unknown: string]: unknown;
}

export function emptyDocument(): Document {
  return { Version: "2012-10-17", Statement: [] };
}

/** Parses a policy. @throws REGISTRY_ANSWER if it or one of its statements is not valid. */
export function parsePolicy(text: string, repository: string): Document {
  const value: Partial<Document> | undefined = parseObject(text);
  // IAM accepts a single statement instead of a list.
  const statements = listOf(value?.Statement);
  if (value?.Statement === undefined || !statements.every(isObject))
    throw new LambdaPackError("REGISTRY_ANSWER", `the policy of ${repository} is not a policy document`, {
      hint: `run aws ecr get-repository-policy --repository-name ${repository} to see it, and correct it; nothing was changed`,
    });
  return { ...value, Version: value.Version ?? "2008-10-17", Statement: statements };
}

/** Returns the document as indented JSON. */
export function formatPolicy(document: Document): string {
  return JSON.stringify(document, undefined, 2);
}

export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as T];
}

export const PULL_ACTIONS: readonly string[] = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/**
 * Returns whether the policy lets `principal` (a service, or an account's root) pull, and no
 * statement forbids it. `source`: the functions for which a service pulls, as an ARN with a star. A
 * statement with a condition on anything but the source's ARN or account does not count.
 */
export function grants(document: Document, principal: string, source: string | undefined): boolean {
  const concerning = document.Statement.filter((one) => namesPrincipal(one, principal));
  const has = (effect: string, action: string, applies: (statement: Statement) => boolean) =>
    concerning.some((one) => one.Effect === effect && coversAction(one, action) && applies(one));
  return PULL_ACTIONS.every(
    (action) =>
      has("Allow", action, (one) => isFulfilled(one, source)) &&
      !has("Deny", action, ({ Condition }) => Condition === undefined),
  );
}

function namesPrincipal({ Principal }: Statement, principal: string): boolean {
  if (Principal === undefined) return false;
  if (typeof Principal === "string") return Principal === "*";
  const all = Object.values(Principal).flatMap((value) => listOf(value));
  const account = /^arn:[^:]*:iam::(\d{12}):root$/.exec(principal)?.[1];
  return all.some((one) => one === principal || one === "*" || one === account);
}

/** IAM compares actions without case. */
function coversAction({ Action }: Statement, action: string): boolean {
  return listOf(Action).some((pattern) => matchesPattern(pattern.toLowerCase(), action.toLowerCase()));
}

/** Returns whether `source` meets the condition, whose keys are not case-sensitive. */
function isFulfilled({ Condition }: Statement, source: string | undefined): boolean {
  return Object.entries(Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) => {
      if (source === undefined || !/^(?:String|Arn)(?:Like|Equals)$/.test(operator)) return false;
      if (key.toLowerCase() === "aws:sourcearn")
        return listOf(values).some((value) => matchesPattern(value, source));
      return key.toLowerCase() === "aws:sourceaccount" && listOf(values).includes(source.split(":")[4] ?? "");
    }),
  );
}

/** Returns whether `pattern` covers `text`, which may itself end with a star. */
function matchesPattern(pattern: string, text: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${escaped}$`).test(text);
}
