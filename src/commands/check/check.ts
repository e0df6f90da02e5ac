import { statSync } from "node:fs";
import { LambdaPackError } from "../../errors.ts";
import { resolveBase } from "../../lambda/base-name.ts";
import { factsOfImage } from "../../lint/collect-facts.ts";
import { refuseUnknown } from "../../lint/judgement.ts";
import { type Content, readAll } from "../../oci/content.ts";
import { type IndexEntry, parseDocument, parseImageConfig } from "../../oci/documents.ts";
import type { ImageConfig, Manifest } from "../../oci/image.ts";
import { platformOf } from "../../oci/platform.ts";
import { chooseChild } from "../../oci/resolve.ts";
import type { Named } from "../../oci/store.ts";
import { parseEndpoint, selectorOf } from "../../session/image-location.ts";
import { Session } from "../../session/session.ts";
import { aboutImage } from "../../session/unfit.ts";
import { asPushed, indexOfArchive } from "./as-pushed.ts";
import { baseNow } from "./base-now.ts";
import { checkFolder } from "./check-directory.ts";
import type { CheckOptions, CheckResult } from "./options.ts";
import { resultOf } from "./result.ts";

/**
 * Every rule of Lambda's that an image breaks, or that the image of a folder would break, all at once. Nothing is unpacked, run or sent.
 * @throws {@link LambdaPackError} where there is nothing to check: no such image, no such file, a rule in `allow` that does not exist.
 */
export async function check(options: CheckOptions): Promise<CheckResult> {
  refuseUnknown(options.allow ?? []);
  return Session.run(options, (session) =>
    isFolder(options.source) ? checkFolder(options, session) : checkImage(options, session),
  );
}

function isFolder(source: string): boolean {
  return statSync(source, { throwIfNoEntry: false })?.isDirectory() === true;
}

async function checkImage(options: CheckOptions, session: Session): Promise<CheckResult> {
  refuseFile(options.source);
  const isLocal = /^(?:oci|oci-archive|docker-archive):/.test(options.source);
  const endpoint = parseEndpoint(
    isLocal ? options.source : resolveBase(options.source, session.environment).reference,
  );
  const named = await session.source(endpoint).find(selectorOf(endpoint), session.signal);
  const opened = await open(named, options, session.signal).catch((error: unknown) => {
    throw aboutImage(error, options.source);
  });
  const layers = opened.manifest.layers.map((descriptor) => named.open(descriptor));
  // What is on this machine is read in a moment; what is not costs its download, and the base's part is AWS's own.
  const ownFrom = isLocal ? 0 : layers.length - ownLayers(opened.settings);
  const known = {
    ...opened,
    ...(!named.written && { manifest: asPushed(opened.manifest) }),
    ...(endpoint.kind === "docker-archive" && { index: await indexOfArchive(endpoint.path, session) }),
    ...(asksBase(options, isLocal) && {
      baseNow: await baseNow(opened.settings, session, {
        explicitly: options.askBase === true,
        registry: endpoint.kind === "registry" ? endpoint.reference.registry : undefined,
      }),
    }),
  };
  const facts = await factsOfImage(known, layers, ownFrom, options, session.signal);
  return resultOf(options, facts, opened.content.descriptor.digest);
}

/** @throws USAGE for a file whose form is not said. */
function refuseFile(source: string): void {
  if (statSync(source, { throwIfNoEntry: false })?.isFile() !== true) return;
  throw new LambdaPackError("USAGE", `${source} is a file, and of which form is not said`, {
    hint: `write oci-archive:${source} or docker-archive:${source}`,
  });
}

/** Where a registry is asked for the image, it may be asked for its base as well; base-now.ts says which one. */
function asksBase({ askBase, allow, offline }: CheckOptions, isLocal: boolean): boolean {
  return (askBase ?? !isLocal) && offline !== true && !allow?.includes("base-behind");
}

interface Opened {
  readonly index: readonly IndexEntry[] | undefined;
  readonly content: Content;
  readonly manifest: Manifest;
  readonly settings: ImageConfig;
  readonly brokenConfig: string | undefined;
}

/** The image that the name stands for; of an index, which Lambda refuses, the one that was probably meant. @throws PLATFORM_NOT_FOUND, IMAGE_INVALID. */
async function open(
  { top, open: openContent }: Named,
  { architecture }: CheckOptions,
  signal: AbortSignal,
): Promise<Opened> {
  const platform = architecture && platformOf(architecture);
  let content = top;
  let index: readonly IndexEntry[] | undefined;
  for (let depth = 0; depth < MAX_NESTING; depth++) {
    const document = parseDocument(await readAll(content, signal), content.descriptor.mediaType);
    if (document.kind === "manifest") {
      const config = await readConfig(openContent(document.manifest.config), signal);
      return { index, content, manifest: document.manifest, ...config };
    }
    index ??= document.entries;
    content = openContent(chooseChild(document.entries, platform));
  }
  throw new LambdaPackError("IMAGE_INVALID", `the index nests more than ${MAX_NESTING} indexes`);
}

/** As many as are followed where an image is pulled. */
const MAX_NESTING = 4;

async function readConfig(config: Content, signal: AbortSignal) {
  const bytes = await readAll(config, signal);
  try {
    return { settings: parseImageConfig(bytes), brokenConfig: undefined };
  } catch (error) {
    if (!(error instanceof LambdaPackError)) throw error;
    return { settings: NO_SETTINGS, brokenConfig: error.message };
  }
}

const NO_SETTINGS: ImageConfig = { architecture: "", os: "", rootfs: { type: "layers", diff_ids: [] } };

/** Layers that lambda-pack itself put on the base; all of them where another tool made the image. */
function ownLayers({ history = [], rootfs }: ImageConfig): number {
  const own = history.filter(({ created_by: by }) => by?.startsWith("lambda-pack: ")).length;
  return own === 0 ? rootfs.diff_ids.length : own;
}
