import { LambdaPackError } from "../errors.ts";
import { type Digest, isDigest } from "./digest.ts";

/** A registry reference, in Docker's normal form (distribution/reference). */
export interface Reference {
  /** Host and port; `docker.io` if the reference has none. */
  readonly registry: string;
  /** With `library/` where Docker adds it. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const MAX_REPOSITORY = 255;

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/**
 * Parses `[host[:port]/]path[:tag][@sha256:…]`.
 * @throws REFERENCE_INVALID, which names the wrong part and, for common mistakes, the right form.
 */
export function parseReference(text: string): Reference {
  const { rest, digest } = cutDigest(text);
  const { name, tag } = cutTag(rest, text);
  const { registry, repository } = splitName(name, text);
  if (registry !== "docker.io" && !REGISTRY.test(registry))
    throw invalid(text, `the host ${quote(registry)} is not valid`);
  if (!REPOSITORY.test(repository)) throw badRepository(text, repository);
  if (repository.length > MAX_REPOSITORY) {
    throw invalid(text, `the repository is longer than ${MAX_REPOSITORY} characters`);
  }
  return { registry, repository, ...(tag !== undefined && { tag }), ...(digest && { digest }) };
}

function cutDigest(text: string): { readonly rest: string; readonly digest?: Digest } {
  const at = text.indexOf("@");
  if (at < 0) return { rest: text };
  const digest = text.slice(at + 1);
  if (isDigest(digest)) return { rest: text.slice(0, at), digest };
  const given = quote(digest.slice(0, 80));
  throw invalid(text, `after the @ there should be sha256:<64 hex digits>, not ${given}`);
}

function cutTag(rest: string, text: string): { readonly name: string; readonly tag?: string } {
  const colon = rest.lastIndexOf(":");
  if (colon < 0 || rest.indexOf("/", colon) >= 0) return { name: rest };
  const tag = rest.slice(colon + 1);
  if (!isTag(tag))
    throw invalid(
      text,
      `${quote(tag)} is not a tag: up to 128 of A-Z a-z 0-9 _ . -, not starting with . or -`,
    );
  return { name: rest.slice(0, colon), tag };
}

/**
 * Splits a name. The first part is a host if it cannot be a path on Docker Hub: it has a dot, a
 * port or a capital letter, or is localhost.
 */
function splitName(name: string, text: string): { readonly registry: string; readonly repository: string } {
  if (/^[0-9a-f]{64}$/.test(name)) throw invalid(text, "64 hex digits are an image id, not a name");
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  if (first !== "localhost" && !/[.:A-Z]/.test(first)) return onDockerHub(name);
  const repository = name.slice(slash + 1);
  return first === "docker.io" || first === "index.docker.io"
    ? onDockerHub(repository)
    : { registry: first, repository };
}

function onDockerHub(path: string): { readonly registry: string; readonly repository: string } {
  return { registry: "docker.io", repository: path === "" || path.includes("/") ? path : `library/${path}` };
}

function badRepository(text: string, repository: string): LambdaPackError {
  if (/^[a-z]+:\/\//.test(text))
    return invalid(text, `it is written without ${quote(text.slice(0, text.indexOf("//") + 2))}`);
  if (repository !== repository.toLowerCase()) return invalid(text, "a repository name is lower case");
  return invalid(text, `${quote(repository)} is not a repository name`);
}

function invalid(text: string, what: string): LambdaPackError {
  return new LambdaPackError(
    "REFERENCE_INVALID",
    `${quote(text.slice(0, 300))} is not an image reference: ${what}`,
    {
      hint: "write host/name:tag, for example 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1",
    },
  );
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** Formats the reference as a user would write it, always with the host. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${digest ? `@${digest}` : ""}`;
}
