import { type Content, contentOf, type Descriptor } from "./content.ts";
import { type Digest, parseDigest } from "./digest.ts";
import type { HistoryEntry, Image, ImageConfig, Layer, RunSettings } from "./image.ts";
import { type Family, MEDIA_TYPES } from "./media-types.ts";
import type { Platform } from "./platform.ts";

/** A layer on top of the base, and what its history entry says about it. */
export interface AddedLayer {
  readonly layer: Layer;
  /** For example `deps` or `app`. */
  readonly name: string;
  /** Digest of everything that decides the bytes: the same fingerprint gives the same layer. */
  readonly fingerprint?: Digest;
  /** The installation of dependencies that the layer is a part of. */
  readonly installation?: InstallationPart | undefined;
}

/** The part of an installation that a layer contains. With all parts it need not be repeated. */
export interface InstallationPart {
  readonly key: Digest;
  /** Starts at 1. */
  readonly part: number;
  readonly parts: number;
}

export interface ImageChanges {
  readonly layers: readonly AddedLayer[];
  /** Default: the base's. */
  readonly family?: Family | undefined;
  /** Replaces the base's and, as in a Dockerfile, clears its Cmd. */
  readonly entrypoint?: readonly string[] | undefined;
  readonly cmd?: readonly string[] | undefined;
  readonly workingDir?: string | undefined;
  /** Added to the base's; a variable of the same name is replaced. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** The time in the config and in every new history entry. */
  readonly created: Date;
}

/** Returns an image without layers, which `scratch` stands for. */
export function emptyImage(platform: Platform, family: Family): Image {
  return assemble(family, [], {
    ...platform,
    rootfs: { type: "layers", diff_ids: [] },
    config: {},
    history: [],
  });
}

/**
 * Returns the base with our changes. The same arguments give the same digest. The config keeps all
 * fields of the base that we do not know. Each layer gets a history entry, even if the base has
 * none (AWS's bases have `history: null`, aws-lambda-base-images#2, on which podman and buildah
 * fail).
 */
export function compose(base: Image, changes: ImageChanges): Image {
  const created = changes.created.toISOString().replace(".000Z", "Z");
  const added = changes.layers.map(({ layer }) => layer);
  const settings: ImageConfig = {
    ...base.settings,
    created,
    config: runSettings(base.settings.config ?? {}, changes),
    rootfs: {
      type: "layers",
      diff_ids: [...base.settings.rootfs.diff_ids, ...added.map(({ diffId }) => diffId)],
    },
    history: [...baseHistory(base), ...changes.layers.map((layer) => historyOf(layer, created))],
  };
  return assemble(changes.family ?? base.family, [...base.layers, ...added], settings);
}

/** Returns the image with its layers compressed in another way; their diffIDs must be the same. */
export function replaceLayers(image: Image, layers: readonly Layer[]): Image {
  return assemble(image.family, layers, image.settings);
}

/**
 * Returns the image with these layers, in the media types of its family. The config keeps its bytes
 * if the diffIDs do not change.
 */
export function rewriteImage(image: Image, layers: readonly Layer[]): Image {
  const diffIds = layers.map(({ diffId }) => diffId);
  const before = image.settings.rootfs.diff_ids;
  if (before.every((diffId, index) => diffId === diffIds[index]))
    return assemble(image.family, layers, image.settings, image.config);
  const rootfs = { ...image.settings.rootfs, diff_ids: diffIds };
  return assemble(image.family, layers, { ...image.settings, rootfs });
}

function runSettings(
  base: RunSettings,
  { entrypoint, cmd, workingDir, env, labels }: ImageChanges,
): RunSettings {
  const { Cmd: baseCmd, ...kept } = base;
  const command = cmd ?? (entrypoint ? undefined : baseCmd);
  const variables = Object.entries(env ?? {});
  return {
    ...kept,
    ...(variables.length > 0 && { Env: mergeEnv(base.Env ?? [], variables) }),
    ...(entrypoint && { Entrypoint: entrypoint }),
    ...(command && { Cmd: command }),
    ...(workingDir !== undefined && { WorkingDir: workingDir }),
    ...(labels && { Labels: { ...base.Labels, ...labels } }),
  };
}

/** Replaces variables in place, so that the order of the base stays. */
function mergeEnv(
  base: readonly string[],
  variables: readonly (readonly [name: string, value: string])[],
): readonly string[] {
  const merged = new Map(base.map((line) => [line.split("=", 1)[0] ?? "", line]));
  for (const [name, value] of variables) merged.set(name, `${name}=${value}`);
  return [...merged.values()];
}

function baseHistory({ layers, settings: { history = [] } }: Image): readonly HistoryEntry[] {
  const ofLayers = history.filter((entry) => entry.empty_layer !== true);
  return ofLayers.length === layers.length ? history : layers.map(() => ({ created_by: "base layer" }));
}

function historyOf({ name, fingerprint, installation }: AddedLayer, created: string): HistoryEntry {
  const facts = [
    ...(fingerprint ? [`fingerprint ${fingerprint}`] : []),
    ...(installation ? [`installation ${installation.key} ${installation.part}/${installation.parts}`] : []),
  ];
  return {
    created,
    created_by: `${CREATED_BY}${name}`,
    ...(facts.length > 0 && { comment: facts.join("; ") }),
  };
}

const CREATED_BY = "lambda-pack: ";

/** Reads what a history entry by {@link compose} says about its layer. */
export function readHistory({
  created_by = "",
  comment = "",
}: HistoryEntry): Partial<Omit<AddedLayer, "layer">> {
  const [, fingerprint] = /^fingerprint (sha256:[0-9a-f]{64})(?:; |$)/.exec(comment) ?? [];
  const [, key, part, parts] =
    /(?:^|; )installation (sha256:[0-9a-f]{64}) (\d{1,3})\/(\d{1,3})$/.exec(comment) ?? [];
  return {
    ...(created_by.startsWith(CREATED_BY) && { name: created_by.slice(CREATED_BY.length) }),
    ...(fingerprint !== undefined && { fingerprint: parseDigest(fingerprint) }),
    ...(key !== undefined && {
      installation: { key: parseDigest(key), part: Number(part), parts: Number(parts) },
    }),
  };
}

/** @param written the config, if its bytes exist already. */
function assemble(family: Family, layers: readonly Layer[], settings: ImageConfig, written?: Content): Image {
  const types = MEDIA_TYPES[family];
  const typed = layers.map((layer) => ({
    ...layer,
    descriptor: { ...layer.descriptor, mediaType: types.layer },
  }));
  const config = written
    ? { ...written, descriptor: { ...written.descriptor, mediaType: types.config } }
    : contentOf(types.config, jsonBytes(settings));
  const manifest = contentOf(
    types.manifest,
    jsonBytes({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: bare(config.descriptor),
      layers: typed.map(({ descriptor }) => bare(descriptor)),
    }),
  );
  return { family, manifest, config, layers: typed, settings };
}

function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
