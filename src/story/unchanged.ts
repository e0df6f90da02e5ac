import { readFileSync } from "node:fs";
import type { Collection } from "../layer/collect.ts";
import { encoderOf } from "../layer/encode/encoder.ts";
import type { Group } from "../layer/split.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { Base } from "./base.ts";
import { knownLayers, type MadeLayer, type Making } from "./layers.ts";
import type { BuildOptions } from "./options.ts";
import type { Session } from "./session.ts";

/** What an image is made of, and how. */
export interface Work {
  readonly options: BuildOptions;
  readonly base: Base;
  readonly collected: Collection;
  readonly making: Making;
}

/** What the user should know of an image. */
export interface Told {
  readonly message: string;
  readonly hint: string;
}

/** What a build came to, beside what follows from its options and its base. */
export interface Outcome {
  readonly cmd: readonly string[] | undefined;
  readonly packed: readonly MadeLayer[];
  readonly warnings: readonly Told[];
}

/**
 * Names all that decides over an image: the state of its files, its base, the options, this program. While it stays the same nothing has to be split,
 * looked for secrets, packed or held to the rules again.
 * undefined where the state of the files proves nothing (src/layer/fingerprint.ts), or nothing is kept.
 */
export function inputsOf({ options, base, collected, making }: Work): Digest | undefined {
  const { session, created, level, seenAt } = making;
  if (session.cache.directory === undefined) return undefined;
  const startedAt = performance.now();
  const files = collected.state?.(seenAt);
  session.spend("fingerprint", startedAt);
  if (files === undefined) return undefined;
  const { digest } = base.image.manifest.descriptor;
  const from = [digest, base.name, base.reference];
  return digestOf(JSON.stringify([program(), encoderOf(level), created, files, from, wishes(options)]));
}

/** All options but those that say where an image goes and who is told: one that is new counts until it is known not to. */
function wishes(options: BuildOptions): unknown {
  const { to, tags, jobs, onEvent, signal, environment, dryRun, createRepo, reuseFrom, ...others } = options;
  return others;
}

/** Another version may split, check and pack otherwise. As package.json says it, two folders up from the source as from what is built. */
function program(): string {
  return readFileSync(new URL("../../package.json", import.meta.url), "utf8");
}

/** The outcome of the build that had these inputs, while the cache has all of its layers; `groups` as for {@link knownLayers}. */
export async function findUnchanged(
  inputs: Digest,
  groups: () => Promise<readonly Group[]>,
  making: Making,
): Promise<Outcome | undefined> {
  const known = await making.session.cache.findBuild(inputs);
  const packed = known && (await knownLayers(known.layers, groups, making));
  return packed && { ...known, packed };
}

export async function rememberUnchanged(
  inputs: Digest,
  { cmd, packed, warnings }: Outcome,
  { cache }: Session,
): Promise<void> {
  const descriptor = packed.at(-1)?.layer.descriptor;
  if (!descriptor) return;
  const { mediaType, digest, size } = descriptor;
  const layers = packed.map(({ name, fingerprint }) => ({ name, fingerprint }));
  await cache.rememberBuild(inputs, { descriptor: { mediaType, digest, size }, cmd, layers, warnings });
}
