import type { GetFunctionResponse } from "@aws-sdk/client-lambda";
import { LambdaPackError } from "../../errors.ts";
import { printable } from "../../registry/errors/redact.ts";
import type { FunctionFacts, FunctionSettings } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";

const NAMES = {
  env: "environment variables",
  image: "image settings (ENTRYPOINT, CMD, working directory)",
  tags: "tags",
  code: "image",
  role: "execution role",
  memory: "memory size",
  timeout: "timeout",
} as const;

/** A part of a function that Lambda's answer lacks. It is unknown, not empty. */
export interface UnreadablePart {
  readonly part: keyof typeof NAMES;
  /** Lambda's message, or what is missing. */
  readonly reason: string;
  /** Whether the caller lacks a permission. */
  readonly denied: boolean;
}

/**
 * Lists the parts of an answer that are errors (such as `Environment.Error`), or that are missing
 * although every function has them.
 */
export function unreadableParts({
  Configuration = {},
  Code,
  TagsError,
}: GetFunctionResponse): readonly UnreadablePart[] {
  const { Environment, ImageConfigResponse, Role, MemorySize, Timeout } = Configuration;
  return [
    ...failedPart("env", Environment?.Error),
    ...failedPart("image", ImageConfigResponse?.Error),
    ...failedPart("tags", TagsError),
    ...failedPart("code", Code?.Error),
    ...missingPart("role", Role),
    ...missingPart("memory", MemorySize),
    ...missingPart("timeout", Timeout),
  ];
}

function failedPart(
  part: UnreadablePart["part"],
  error: { ErrorCode?: string | undefined; Message?: string | undefined } | undefined,
): readonly UnreadablePart[] {
  if (!error) return [];
  const { ErrorCode = "", Message = "" } = error;
  const words = [ErrorCode, Message].filter((word) => word !== "").join(": ");
  const reason = words === "" ? "Lambda gives no reason" : printable(words);
  return [{ part, reason, denied: /AccessDenied/i.test(ErrorCode) }];
}

function missingPart(part: UnreadablePart["part"], value: unknown): readonly UnreadablePart[] {
  const reason = "the answer does not have it";
  return value === undefined ? [{ part, reason, denied: false }] : [];
}

/**
 * @throws DENIED or AWS_REFUSED if `wanted` adds to settings that cannot be read, because the
 * update would replace them all.
 */
export function checkAddable(
  place: FunctionPlace,
  facts: FunctionFacts,
  wanted: Partial<FunctionSettings>,
): void {
  const { env, entrypoint, cmd, workdir } = wanted;
  const isOverride = [entrypoint, cmd, workdir].some((value) => value !== undefined);
  const parts = facts.unreadable.filter(
    ({ part }) => (part === "env" && env) || (part === "image" && isOverride),
  );
  if (parts.length === 0) return;
  const flags = parts.map(({ part }) => (part === "env" ? "--env" : "--entrypoint, --cmd and --workdir"));
  throw unreadable(place, facts, parts, {
    consequence: "to change some of them would replace them all, so nothing was changed",
    instead: `or leave out ${flags.join(", ")}`,
  });
}

/** Lists the parts that are lost when a function is recreated with the settings `wanted`. */
export function lostParts(
  facts: FunctionFacts,
  wanted: Partial<FunctionSettings>,
): readonly UnreadablePart[] {
  return facts.unreadable.filter(({ part }) => {
    if (part === "code") return false;
    return part === "tags" || part === "env" || part === "image" || wanted[part] === undefined;
  });
}

/**
 * Checks, before a function is deleted, that it can be created again as it was.
 * @throws DENIED or AWS_REFUSED.
 */
export function checkRestorable(
  place: FunctionPlace,
  facts: FunctionFacts,
  wanted: Partial<FunctionSettings>,
): void {
  const parts = lostParts(facts, wanted);
  if (parts.length === 0) return;
  throw unreadable(place, facts, parts, {
    consequence:
      "the function accepts no new code, and it was not deleted, because it could not be created again as it was",
    instead: `or delete it (aws lambda delete-function --function-name ${place.name} --region ${place.region}) and deploy it with all of its settings`,
  });
}

/** Returns the names of the parts: `environment variables and tags`. */
export function namesOf(parts: readonly UnreadablePart[]): string {
  return parts.map(({ part }) => NAMES[part]).join(" and ");
}

function unreadable(
  place: FunctionPlace,
  facts: FunctionFacts,
  parts: readonly UnreadablePart[],
  { consequence, instead }: { readonly consequence: string; readonly instead: string },
): LambdaPackError {
  const reasons = parts.map(({ reason }) => reason).join("; ");
  return new LambdaPackError(
    parts.some(({ denied }) => denied) ? "DENIED" : "AWS_REFUSED",
    `Lambda does not show the ${namesOf(parts)} of ${formatPlace(place)} (${reasons}): ${consequence}`,
    { hint: [...parts.map((part) => fixOf(part, place, facts)), instead].join("; ") },
  );
}

function fixOf({ part }: UnreadablePart, place: FunctionPlace, { others }: FunctionFacts): string {
  if (part === "env")
    return `allow kms:Decrypt on ${others.KMSKeyArn ?? "the KMS key of the variables"} to the caller, and check that the key is enabled`;
  if (part === "tags") return `allow lambda:ListTags on ${formatPlace(place)} to the caller`;
  return `aws lambda get-function --function-name ${place.name} --region ${place.region} shows what is missing`;
}
