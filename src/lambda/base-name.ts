import { LambdaPackError } from "../errors.ts";
import { namesRegistry, requireRegistry } from "../oci/explicit-registry.ts";
import { formatReference, parseReference, type Reference } from "../oci/reference.ts";
import { BASES, type BaseFacts, findBase, isLanguage, type Language, shortName } from "./bases.ts";
import { distance, nearest, oneOf } from "./nearest.ts";

/** Where AWS publishes its base images. */
export const AWS_BASES = "public.ecr.aws/lambda";

/** The base image that a name stands for. */
export interface BaseName {
  /** The reference to pull: with its registry for AWS's bases, otherwise as the user wrote it. */
  readonly reference: string;
  /** The full reference under which it is published, whatever LAMBDA_PACK_BASE_REGISTRY is. */
  readonly published: string;
  /** Whether it is in public.ecr.aws/lambda or in the registry that replaces it. */
  readonly aws: boolean;
  /** Set if the table has this base; AWS may have newer bases than the table. */
  readonly base?: BaseFacts;
}

/**
 * Resolves the name of a base. `python:3.12` and its full name mean AWS's base, in
 * LAMBDA_PACK_BASE_REGISTRY if that is set; any other image reference is kept.
 * @throws REFERENCE_INVALID for an invalid reference, for `python:3.21`, and for an invalid
 * LAMBDA_PACK_BASE_REGISTRY, which the message names.
 */
export function resolveBase(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): BaseName {
  const home = baseRegistry(environment["LAMBDA_PACK_BASE_REGISTRY"]);
  const short = /^([a-z]+)(?::([^/@]*))?(@[^/]*:.*)?$/.exec(name);
  const [, repository = "", tag, digest = ""] = short ?? [];
  if (isLanguage(repository)) return fromTable(repository, tag, digest, home);
  requireBase(name);
  const reference = parseReference(name);
  const own = [AWS_BASES, home].find((prefix) => isUnder(reference, prefix));
  if (own === AWS_BASES) checkLanguage(reference);
  if (own) return fromAws(formatReference(reference).slice(own.length), reference, home);
  return {
    reference: name,
    published: formatReference(reference),
    aws: false,
  };
}

/** @throws REFERENCE_INVALID for a name without a registry that is not one of AWS's bases. */
function requireBase(name: string): void {
  const close = looksLike(name.replace(AWS_PREFIX, ""));
  if (namesRegistry(name) || close.length === 0) {
    requireRegistry(name);
    return;
  }
  throw new LambdaPackError(
    "REFERENCE_INVALID",
    `${JSON.stringify(name.slice(0, 300))} is not one of AWS's base images: did you mean ${oneOf(close)}?`,
    {
      hint: `write ${close[0]}; an image of Docker Hub is written docker.io/${name.includes("/") ? "" : "library/"}${name}`,
    },
  );
}

function fromTable(repository: Language, tag: string | undefined, digest: string, home: string): BaseName {
  const base = tag === undefined ? undefined : findBase(repository, tag);
  if (!base) throw notInTable(repository, tag);
  const path = `/${repository}:${tag}${digest}`;
  parseReference(home + path);
  return { reference: home + path, published: AWS_BASES + path, aws: true, base };
}

function fromAws(path: string, { repository, tag = "latest" }: Reference, home: string): BaseName {
  const base = findBase(repository.slice(repository.lastIndexOf("/") + 1), tag);
  return { reference: home + path, published: AWS_BASES + path, aws: true, ...(base && { base }) };
}

/** @throws REFERENCE_INVALID for a misspelt language: AWS adds tags far more often than languages. */
function checkLanguage({ repository, tag = "latest" }: Reference): void {
  const word = repository.slice(repository.lastIndexOf("/") + 1);
  const meant = BASES.find((base) => distance(word, base.repository) <= 2)?.repository;
  if (meant === undefined || isLanguage(word)) return;
  throw new LambdaPackError(
    "REFERENCE_INVALID",
    `AWS has no base images in ${AWS_BASES}/${word}: did you mean ${meant}?`,
    { hint: `write ${meant}:${tag}` },
  );
}

function isUnder({ registry, repository }: Reference, prefix: string): boolean {
  const full = `${registry}/${repository}`;
  return full.startsWith(`${prefix}/`) && !full.slice(prefix.length + 1).includes("/");
}

function notInTable(repository: Language, tag: string | undefined): LambdaPackError {
  const asked = tag === undefined ? repository : `${repository}:${tag}`;
  const names = BASES.filter((base) => base.repository === repository).map(shortName);
  const close = tag === undefined ? [] : nearest(asked, names);
  const there = close.length > 0 ? close : names.slice(0, 3);
  const image = tag === undefined ? `${repository}:TAG` : asked;
  return new LambdaPackError(
    "REFERENCE_INVALID",
    tag === undefined
      ? `the base ${asked} needs a version: ${oneOf(there)}`
      : `${asked} is not one of AWS's base images; similar are ${there.join(", ")}`,
    {
      hint: `any other image is written with its registry: docker.io/library/${image}, or ${AWS_BASES}/${image} for a base newer than this version of lambda-pack`,
    },
  );
}

/** What AWS's bases have before their language on Docker Hub and in ECR Public. */
const AWS_PREFIX = /^(?:lambda\/|amazon\/aws-lambda-)/;

/**
 * Returns the bases that a name without a registry may mean: `pyhton:3.12`, `node:20`,
 * `python3.12`, or the runtime identifier `provided.al2023`.
 */
function looksLike(name: string): readonly string[] {
  const runtime = BASES.find((base) => base.runtime === name.toLowerCase());
  if (runtime) return [shortName(runtime)];
  const [, word = "", tag = ""] = /^([a-z]+)[:@.-]?([\d.]*)[^/]*$/.exec(name.toLowerCase()) ?? [];
  const repository = OTHER_NAMES[word] ?? word;
  if (repository.length < 3) return [];
  const like = BASES.filter((base) => distance(repository, base.repository) <= 2);
  const exact = like.filter((base) => shortName(base) === `${base.repository}:${tag}`).map(shortName);
  if (exact.length > 0) return exact.slice(0, 1);
  const newest = like.filter((base) => base.tag.startsWith(`${tag}.`)).map(shortName);
  return newest.length > 0 ? newest.slice(0, 3) : nearest(`${repository}:${tag}`, like.map(shortName));
}

const OTHER_NAMES: Readonly<Record<string, string>> = {
  node: "nodejs",
  golang: "go",
  jdk: "java",
  py: "python",
};

/** Returns the registry of AWS's bases. An empty value means unset. @throws REFERENCE_INVALID. */
function baseRegistry(value: string | undefined): string {
  if (!value) return AWS_BASES;
  const home = value.replace(/\/+$/, "");
  try {
    const { registry } = parseReference(`${home}/python:3.12`);
    if (home === registry || home.startsWith(`${registry}/`)) return home;
  } catch (cause) {
    throw badRegistry(value, cause);
  }
  throw badRegistry(value);
}

function badRegistry(value: string, cause?: unknown): LambdaPackError {
  return new LambdaPackError(
    "REFERENCE_INVALID",
    `LAMBDA_PACK_BASE_REGISTRY is ${JSON.stringify(value.slice(0, 300))}, which is not a registry host with or without a path`,
    {
      hint: "give the registry that replaces public.ecr.aws/lambda, for example 123456789012.dkr.ecr.eu-west-1.amazonaws.com/ecr-public/lambda",
      cause,
    },
  );
}
