import { LambdaPackError } from "../errors.ts";
import { resolveBase } from "../lambda/base-name.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { isTag, parseReference, type Reference } from "../oci/reference.ts";
import type { Environment } from "./plan.ts";

/** Where an image comes from or goes to, as the command line writes it. */
export type Endpoint =
  | { readonly kind: "registry"; readonly reference: Reference }
  | { readonly kind: "oci"; readonly path: string; readonly tag?: string; readonly digest?: Digest }
  | { readonly kind: "oci-archive"; readonly path: string }
  | { readonly kind: "docker-archive"; readonly path: string };

const TRANSPORT = /^(oci|oci-archive|docker-archive):(.*)$/s;

/**
 * `oci:DIR[:tag][@digest]`, `oci-archive:FILE`, `docker-archive:FILE` or a registry reference.
 * @throws REFERENCE_INVALID.
 */
export function parseEndpoint(text: string): Endpoint {
  const [, transport, path = ""] = TRANSPORT.exec(text) ?? [];
  if (transport === undefined) return { kind: "registry", reference: parseReference(text) };
  if (path === "") throw missingPath(text);
  if (transport === "oci") return { kind: "oci", ...splitLayout(path) };
  return { kind: transport === "oci-archive" ? "oci-archive" : "docker-archive", path };
}

/**
 * As {@link parseEndpoint}, and with the short names of AWS's bases: `python:3.12`.
 * @throws REFERENCE_INVALID.
 */
export function parseSource(text: string, environment: Environment): Endpoint {
  const endpoint = isLocal(text) ? text : resolveBase(text, environment).reference;
  return parseEndpoint(endpoint);
}

/** Whether it names a folder or a file, not a registry. */
export function isLocal(text: string): boolean {
  return TRANSPORT.test(text);
}

/** The tag or digest that a source is asked for. */
export function selectorOf(endpoint: Endpoint): string | undefined {
  if (endpoint.kind === "registry") return endpoint.reference.digest ?? endpoint.reference.tag;
  return endpoint.kind === "oci" ? (endpoint.digest ?? endpoint.tag) : undefined;
}

/** The tag that is part of a destination. */
export function tagOf(endpoint: Endpoint): string | undefined {
  if (endpoint.kind === "registry") return endpoint.reference.tag;
  return endpoint.kind === "oci" ? endpoint.tag : undefined;
}

function splitLayout(text: string): {
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
} {
  const at = text.lastIndexOf("@");
  const digest = text.slice(at + 1);
  if (at > 0 && isDigest(digest)) return { ...splitTag(text.slice(0, at)), digest };
  return splitTag(text);
}

/** What follows the colon of `C:\\out` is no tag. */
function splitTag(text: string): { readonly path: string; readonly tag?: string } {
  const colon = text.lastIndexOf(":");
  const tag = text.slice(colon + 1);
  if (colon < 1 || !isTag(tag)) return { path: text };
  return { path: text.slice(0, colon), tag };
}

function missingPath(text: string): LambdaPackError {
  return new LambdaPackError("REFERENCE_INVALID", `${JSON.stringify(text)} names no file or folder`, {
    hint: text.startsWith("oci:") ? "write oci:DIR or oci:DIR:tag" : `write ${text}image.tar`,
  });
}
