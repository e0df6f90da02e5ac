import { isDeepStrictEqual } from "node:util";
import { LambdaPackError } from "../../errors.ts";
import { partitionOf } from "../regions.ts";
import {
  type Document,
  emptyDocument,
  grants,
  listOf,
  PULL_ACTIONS,
  type Statement,
} from "./policy-document.ts";

/** Statement IDs in the Lambda documentation, "Amazon ECR permissions". */
const SIDS = {
  own: "LambdaECRImageRetrievalPolicy",
  account: "CrossAccountPermission",
  crossAccount: "LambdaECRImageCrossAccountRetrievalPolicy",
} as const;

export const LAMBDA = "lambda.amazonaws.com";

/** The accounts whose functions may load images. */
export interface Readers {
  /** The region of the repository, in which the functions must be. */
  readonly region: string;
  /** The repository's own account. */
  readonly accountId: string;
  /** Other accounts. */
  readonly accounts: readonly string[];
}

const PULL = { Effect: "Allow", Action: PULL_ACTIONS } as const;

const OWN_ACCOUNT: Statement = {
  Sid: SIDS.own,
  Effect: "Allow",
  Principal: { Service: LAMBDA },
  Action: PULL_ACTIONS,
};

function crossAccount(region: string, accounts: readonly string[]): readonly Statement[] {
  const sorted = [...new Set(accounts)].sort();
  const functions = oneOrMore(sorted.map((account) => functionsOf(region, account)));
  const Condition = { StringLike: { "aws:sourceARN": functions } };
  return [
    { Sid: SIDS.account, ...PULL, Principal: { AWS: oneOrMore(sorted.map((one) => rootOf(region, one))) } },
    { Sid: SIDS.crossAccount, ...PULL, Principal: { Service: LAMBDA }, Condition },
  ];
}

/**
 * Adds the statements that Lambda needs and the document lacks. Returns the same document if none
 * is missing.
 */
export function withReaders(document: Document | undefined, readers: Readers): Document {
  const before = document ?? emptyDocument();
  const known = accountsIn(before);
  const accounts = [...new Set([...readers.accounts, ...(readers.accounts.length > 0 ? known : [])])];
  const shared = accounts.length === 0 ? [] : crossAccount(readers.region, accounts);
  const missing = [OWN_ACCOUNT, ...shared].filter((one) => !isCovered(one, before, readers));
  if (missing.length === 0) return before;
  const replaced = new Set(missing.map(({ Sid }) => Sid));
  const kept = before.Statement.filter(({ Sid }) => Sid === undefined || !replaced.has(Sid));
  return { ...before, Statement: [...kept, ...missing] };
}

/**
 * Removes the statements that lambda-pack adds, or only those for `readers.accounts`. Returns
 * undefined if no statement is left.
 */
export function withoutReaders(document: Document, { accounts, region }: Readers): Document | undefined {
  const isAll = accounts.length === 0;
  const removed: readonly string[] = isAll ? Object.values(SIDS) : [SIDS.account, SIDS.crossAccount];
  const others = document.Statement.filter(({ Sid = "" }) => !removed.includes(Sid));
  const remaining = isAll ? [] : accountsIn(document).filter((account) => !accounts.includes(account));
  const left = remaining.length === 0 ? others : [...others, ...crossAccount(region, remaining)];
  return left.length === 0 ? undefined : { ...document, Statement: left };
}

function isCovered(wanted: Statement, document: Document, { region, accountId, accounts }: Readers): boolean {
  if (wanted.Sid === SIDS.own) return grants(document, LAMBDA, functionsOf(region, accountId));
  if (wanted.Sid === SIDS.crossAccount) {
    // The statement for the own account may name no account, but does not count for other accounts.
    const others = { ...document, Statement: document.Statement.filter(({ Sid }) => Sid !== SIDS.own) };
    return accounts.every((account) => grants(others, LAMBDA, functionsOf(region, account)));
  }
  return accounts.every((account) => grants(document, rootOf(region, account), undefined));
}

function accountsIn(document: Document): readonly string[] {
  const ours = document.Statement.filter(({ Sid }) => Sid === SIDS.account || Sid === SIDS.crossAccount);
  return [...new Set(accountsNamed(ours.map(({ Principal, Condition }) => [Principal, Condition])))].sort();
}

export interface StatementChange {
  readonly change: "added" | "removed";
  readonly statement: Statement;
}

/** Lists the statements that are removed, then those that are added. */
export function changesBetween(
  before: Document | undefined,
  after: Document | undefined,
): readonly StatementChange[] {
  const [old, now] = [before?.Statement ?? [], after?.Statement ?? []];
  const only = (change: StatementChange["change"], here: readonly Statement[], there: readonly Statement[]) =>
    here
      .filter((one) => !there.some((other) => isDeepStrictEqual(other, one)))
      .map((statement) => ({ change, statement }));
  return [...only("removed", old, now), ...only("added", now, old)];
}

/** Stands for accounts that a policy allows without naming them. */
export const ANY_ACCOUNT = "*";

/**
 * Lists every account other than `own` that the policy names, in any statement, and
 * {@link ANY_ACCOUNT} where a statement allows accounts without naming them: an organization, or
 * all.
 */
export function foreignAccounts(document: Document | undefined, own: string): readonly string[] {
  const found = listOf(document?.Statement).flatMap((statement) => {
    const named = accountsNamed([statement.Principal, statement.Condition]);
    return allowsUnnamed(statement) && named.length === 0 ? [ANY_ACCOUNT] : named;
  });
  return [...new Set(found)].filter((account) => account !== own).sort();
}

function accountsNamed(part: unknown): readonly string[] {
  return [...JSON.stringify(part).matchAll(/\b(\d{12})\b/g)].map(([, account = ""]) => account);
}

function allowsUnnamed({ Effect, Principal, ...more }: Statement): boolean {
  if (Effect !== "Allow") return false;
  if ("NotPrincipal" in more) return true;
  const principals = typeof Principal === "string" ? Principal : Principal?.["AWS"];
  return listOf(principals).includes("*");
}

function rootOf(region: string, account: string): string {
  return `arn:${partitionOf(region).name}:iam::${checkAccount(account)}:root`;
}

function functionsOf(region: string, account: string): string {
  return `arn:${partitionOf(region).name}:lambda:${region}:${account}:function:*`;
}

/** Returns `text` if it is an account. @throws USAGE. */
function checkAccount(text: string): string {
  if (/^\d{12}$/.test(text)) return text;
  throw new LambdaPackError(
    "USAGE",
    `${JSON.stringify(text.slice(0, 40))} is not the ID of an AWS account, which has twelve digits`,
  );
}

function oneOrMore(values: readonly string[]): string | readonly string[] {
  return values.length === 1 ? (values[0] ?? "") : values;
}
