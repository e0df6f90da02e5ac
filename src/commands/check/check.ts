import { LambdaPackError } from "../../errors.ts";
import { factsOfImage } from "../../lint/collect-facts.ts";
import { type Content, readAll } from "../../oci/content.ts";
import { type IndexEntry, parseDocument, parseImageConfig } from "../../oci/documents.ts";
import type { ImageConfig, Manifest } from "../../oci/image.ts";
import type { Platform } from "../../oci/platform.ts";
import { chooseChild } from "../../oci/resolve.ts";
import type { Named } from "../../oci/store.ts";
import { selectorOf } from "../../session/image-location.ts";
import { withImageName } from "../../session/pull.ts";
import { Session } from "../../session/session.ts";
import { asPushed, indexOfArchive } from "./as-pushed.ts";
import { baseNow } from "./base-now.ts";
import { checkDirectory } from "./check-directory.ts";
import {
  type CheckOptions,
  type CheckPlan,
  type CheckResult,
  type ImageToCheck,
  parseCheckOptions,
} from "./options.ts";
import { resultOf } from "./result.ts";

/**
 * Finds every rule of Lambda's that an image breaks, or that the image of a directory would break.
 * Nothing is unpacked, run or sent.
 * @throws {@link LambdaPackError} where there is nothing to check: no such image, no such file, a
 * rule in `allow` that does not exist.
 */
export async function check(options: CheckOptions): Promise<CheckResult> {
  const plan = parseCheckOptions(options);
  const { target } = plan;
  return Session.run(plan.session, (session) =>
    target.kind === "directory"
      ? checkDirectory(plan, target.build, session)
      : checkImage(plan, target, session),
  );
}

async function checkImage(
  plan: CheckPlan,
  { location, platform }: ImageToCheck,
  session: Session,
): Promise<CheckResult> {
  const isLocal = location.kind !== "registry";
  const named = await session.source(location).find(selectorOf(location), session.signal);
  const opened = await open(named, platform, session.signal).catch((error: unknown) => {
    throw withImageName(error, plan.source);
  });
  const layers = opened.manifest.layers.map((descriptor) => named.open(descriptor));
  // What is on this machine is read in a moment; what is not costs its download, and the base's part is AWS's own.
  const ownFrom = isLocal ? 0 : layers.length - ownLayers(opened.settings);
  const known = {
    ...opened,
    ...(!named.written && { manifest: asPushed(opened.manifest) }),
    ...(location.kind === "docker-archive" && { index: await indexOfArchive(location.path, session) }),
    ...(asksBase(plan, isLocal) && {
      baseNow: await baseNow(opened.settings, session, {
        explicitly: plan.askBase === true,
        registry: location.kind === "registry" ? location.reference.registry : undefined,
      }),
    }),
  };
  const facts = await factsOfImage(known, layers, ownFrom, plan.lint, session.signal);
  return resultOf(plan, facts, opened.content.descriptor.digest);
}

/** Where a registry is asked for the image, it may be asked for its base as well; base-now.ts says which one. */
function asksBase({ askBase, lint, session }: CheckPlan, isLocal: boolean): boolean {
  return (askBase ?? !isLocal) && !session.offline && !lint.allow.includes("base-behind");
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
  platform: Platform | undefined,
  signal: AbortSignal,
): Promise<Opened> {
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
