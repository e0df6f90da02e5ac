import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import type { Base } from "../../base/base.ts";
import type { Collection } from "../../layer/collect.ts";
import type { Group } from "../../layer/split.ts";
import type { Told } from "../../lint/gate.ts";
import { type Digest, digestOf } from "../../oci/digest.ts";
import type { BuildOptions } from "../../session/options.ts";
import type { Session } from "../../session/session.ts";
import { knownLayers, type MadeLayer } from "./layers.ts";
import type { Making } from "./making.ts";

/** What an image is made of, and how. */
export interface Work {
  readonly options: BuildOptions;
  readonly base: Base;
  readonly collected: Collection;
  readonly making: Making;
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
 * undefined where the state of the files proves nothing (src/layer/fingerprint.ts), nothing is kept, or this program is not known.
 */
export function inputsOf({ options, base, collected, making }: Work): Digest | undefined {
  const { session, created, level, seenAt } = making;
  if (session.cache.directory === undefined) return undefined;
  const startedAt = performance.now();
  const files = collected.files.state?.(seenAt);
  session.spend("fingerprint", startedAt);
  const version = program();
  if (files === undefined || version === undefined) return undefined;
  const { digest } = base.image.manifest.descriptor;
  const from = [digest, base.name, base.reference];
  return digestOf(JSON.stringify([version, deflater(), level, created, files, from, wishes(options)]));
}

/** Whether an option decides over what the image is, and not over where it goes, from where it comes or who is told. */
const DECIDES: Readonly<Record<keyof BuildOptions, boolean>> = {
  ...{
    directory: true,
    exclude: true,
    ignoreFile: true,
    target: true,
    layers: true,
    level: true,
    format: true,
  },
  ...{ base: true, architecture: true, handler: true, entrypoint: true, cmd: true, workdir: true, env: true },
  ...{ labels: true, snapstart: true, allowSecrets: true, check: true, allow: true, deep: true },
  // What the lock says shows in the base's digest, what the environment says in the base and the time.
  ...{ lock: false, lockFile: false, locked: false, updateBase: false, environment: false },
  ...{ to: false, tags: false, createRepo: false, dryRun: false, reuseFrom: false, jobs: false },
  ...{ cache: false, cacheDirectory: false, offline: false, insecureRegistries: false },
  ...{ onEvent: false, signal: false },
};

function wishes(options: BuildOptions): readonly unknown[] {
  const names = Object.entries(DECIDES).flatMap(([name, decides]) => (decides ? name : []));
  const given: Readonly<Record<string, unknown>> = { ...options };
  return names.map((name) => given[name] ?? null);
}

/**
 * Another version may split, check and pack otherwise. As package.json says it, two folders up from the source as from what is built;
 * undefined in a bundle of somebody else's.
 */
function program(): string | undefined {
  try {
    const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
    return text.includes('"name": "lambda-pack"') ? text : undefined;
  } catch {
    return undefined;
  }
}

/** What compresses, by its name and that of the processor, which some of it depends on: to see what it does (src/layer/encode/encoder.ts) takes 3 ms. */
function deflater(): readonly unknown[] {
  return [process.versions.zlib, process.arch, cpus()[0]?.model];
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
