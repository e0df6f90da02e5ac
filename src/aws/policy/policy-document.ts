import { LambdaPackError } from "../../errors.ts";

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

/** Parses a policy. @throws REGISTRY_ANSWER where it or one of its statements is not valid. */
export function parsePolicy(text: string, repository: string): Document {
  const value = parsed(text) as Partial<Document> | null | undefined;
  // IAM accepts a single statement instead of a list.
  const statements: readonly unknown[] = isObject(value) ? listOf<unknown>(value.Statement) : [];
  if (!isObject(value) || value.Statement === undefined || !statements.every(isObject))
    throw new LambdaPackError("REGISTRY_ANSWER", `the policy of ${repository} is not a policy document`, {
      hint: `nothing was changed; aws ecr get-repository-policy --repository-name ${repository} shows it`,
    });
  return { ...value, Version: value.Version ?? "2008-10-17", Statement: listOf(value.Statement) };
}

function isObject<T>(value: T): value is T & object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the document as indented JSON. */
export function formatPolicy(document: Document): string {
  return JSON.stringify(document, undefined, 2);
}

export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as T];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
