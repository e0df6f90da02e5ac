import { existsSync, statSync } from "node:fs";
import { LambdaPackError, misuse } from "../errors.ts";
import { resolveBase } from "../lambda/base-name.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { requireRegistry, toPosixPath } from "../oci/explicit-registry.ts";
import { formatReference, isTag, parseReference, type Reference } from "../oci/reference.ts";
import type { Environment } from "./session.ts";

/** The location of an image, as written on the command line. */
export type ImageLocation =
  | { readonly kind: "registry"; readonly reference: Reference }
  | { readonly kind: "oci"; readonly path: string; readonly tag?: string; readonly digest?: Digest }
  | { readonly kind: "oci-archive"; readonly path: string }
  | { readonly kind: "docker-archive"; readonly path: string };

/** A destination and the tags that the image gets there. */
export interface Target {
  readonly location: ImageLocation;
  readonly tags: readonly string[];
}

/** A line break would end the line on stdout that names the image. */
const CONTROL = /\p{Cc}/u;
const TRANSPORT = /^(oci|oci-archive|docker-archive):(.*)$/s;

/**
 * Parses `oci:DIR[:tag][@digest]`, `oci-archive:FILE`, `docker-archive:FILE` or a registry
 * reference.
 * @throws REFERENCE_INVALID.
 */
export function parseImageLocation(
  text: string,
  platform: NodeJS.Platform = process.platform,
): ImageLocation {
  const [, transport, path = ""] = TRANSPORT.exec(text) ?? [];
  if (transport === undefined) {
    requireRegistry(text);
    return { kind: "registry", reference: parseReference(text) };
  }
  if (path === "") throw missingPath(text);
  if (CONTROL.test(path))
    throw new LambdaPackError("REFERENCE_INVALID", `${JSON.stringify(text)} has a control character`, {
      hint: `name a path without one: ${transport}:PATH`,
    });
  const slashed = toPosixPath(path, platform);
  if (slashed !== undefined && !existsSync(path))
    throw new LambdaPackError("REFERENCE_INVALID", `${JSON.stringify(text)} has a Windows path`, {
      hint: `write ${transport}:${slashed}`,
    });
  if (transport === "oci") return { kind: "oci", ...splitLayout(path) };
  return { kind: transport === "oci-archive" ? "oci-archive" : "docker-archive", path };
}

/**
 * Parses a location as {@link parseImageLocation}, or the short name of an AWS base: `python:3.12`.
 * @throws REFERENCE_INVALID.
 */
export function parseSource(text: string, environment: Environment): ImageLocation {
  return parseImageLocation(isLocal(text) ? text : resolveBase(text, environment).reference);
}

/** Returns whether `text` names a layout or an archive, not a registry. */
export function isLocal(text: string): boolean {
  return TRANSPORT.test(text);
}

/** Returns what is at the path `text`; undefined: nothing, or it names a layout or an archive. */
export function pathKind(text: string): "directory" | "file" | undefined {
  const found = isLocal(text) ? undefined : statSync(text, { throwIfNoEntry: false });
  return found && (found.isDirectory() ? "directory" : "file");
}

/** Formats the location as a user would write it, always with the registry's host. */
export function formatLocation(location: ImageLocation): string {
  if (location.kind === "registry") return formatReference(location.reference);
  const tag = tagOf(location);
  const digest = digestIn(location);
  return `${location.kind}:${location.path}${tag === undefined ? "" : `:${tag}`}${digest ? `@${digest}` : ""}`;
}

/** Formats a location without its tag and digest: `registry/repository`, `oci:DIR`. */
export function formatName(location: ImageLocation): string {
  if (location.kind !== "registry") return `${location.kind}:${location.path}`;
  const { registry, repository } = location.reference;
  return formatReference({ registry, repository });
}

/** Returns the tag or digest of a location; undefined: the location's default. */
export function selectorOf(location: ImageLocation): string | undefined {
  return digestIn(location) ?? tagOf(location);
}

/** Returns the tag that a location names. */
export function tagOf(location: ImageLocation): string | undefined {
  if (location.kind === "registry") return location.reference.tag;
  return location.kind === "oci" ? location.tag : undefined;
}

function digestIn(location: ImageLocation): Digest | undefined {
  if (location.kind === "registry") return location.reference.digest;
  return location.kind === "oci" ? location.digest : undefined;
}

/**
 * Parses destinations. `tags` are added to the tag of each; without any the tag is `latest`.
 * @throws USAGE for no destination, a digest as destination or an invalid tag; REFERENCE_INVALID.
 */
export function parseTargets(to: string | readonly string[], tags: readonly string[]): readonly Target[] {
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined)
    throw misuse(
      `${JSON.stringify(wrong)} is not a tag`,
      "name another destination with --to; a tag has letters, digits, . _ and -",
    );
  const targets = [to].flat().map((text) => parseTarget(text, tags));
  if (targets.length === 0) throw misuse("no destination is given");
  return targets;
}

/** @throws OFFLINE for a destination in a registry. */
export function refuseRegistries(targets: readonly Target[]): void {
  const remote = targets.find(({ location }) => location.kind === "registry");
  if (remote) throw unreachable(formatLocation(remote.location));
}

/** Returns the error for a repository that is needed although `--offline` forbids requests. */
export function unreachable(name: string): LambdaPackError {
  return new LambdaPackError("OFFLINE", `${name} cannot be reached with --offline`, {
    hint: "leave out --offline, or use oci:DIR",
  });
}

function parseTarget(text: string, more: readonly string[]): Target {
  const location = parseImageLocation(text);
  if (digestIn(location))
    throw misuse(
      `${text} is a digest, and a digest follows from the content`,
      "name the destination by a tag, or by none",
    );
  const own = tagOf(location);
  const tags = new Set([...(own === undefined ? [] : [own]), ...more]);
  return { location, tags: tags.size === 0 ? ["latest"] : [...tags] };
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

/** `C:\\out` has a colon and no tag. */
function splitTag(text: string): { readonly path: string; readonly tag?: string } {
  const colon = text.lastIndexOf(":");
  const tag = text.slice(colon + 1);
  if (colon < 1 || !isTag(tag)) return { path: text };
  return { path: text.slice(0, colon), tag };
}

function missingPath(text: string): LambdaPackError {
  return new LambdaPackError("REFERENCE_INVALID", `${JSON.stringify(text)} names no file or directory`, {
    hint: text.startsWith("oci:") ? "write oci:DIR or oci:DIR:tag" : `write ${text}image.tar`,
  });
}
