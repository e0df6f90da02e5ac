import { existsSync } from "node:fs";
import { join } from "node:path";
import { hasCode, LambdaPackError } from "../../errors.ts";
import { factsOfImage } from "../../lint/collect-facts.ts";
import { type Content, readAll } from "../../oci/content.ts";
import { parseImageConfig } from "../../oci/documents.ts";
import type { ImageConfig } from "../../oci/image.ts";
import type { Platform } from "../../oci/platform.ts";
import { findManifest } from "../../oci/resolve.ts";
import { type ImageLocation, selectorOf } from "../../session/image-location.ts";
import { withImageName } from "../../session/pull.ts";
import { Session } from "../../session/session.ts";
import { warnOfIdleOn } from "../options/idle.ts";
import { asPushed, indexOfArchive } from "./as-pushed.ts";
import { baseNow } from "./base-now.ts";
import { checkDirectory } from "./check-directory.ts";
import { CHECK_OPTIONS, type CheckOptions } from "./option-table.ts";
import { type CheckPlan, type CheckResult, type ImageToCheck, parseCheckOptions } from "./options.ts";
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
  warnOfIdleOn([location], CHECK_OPTIONS, plan.given, session.emit);
  const isLocal = location.kind !== "registry";
  const { signal } = session;
  const found = await findImage(location, platform, session).catch((error: unknown) => {
    if (isFaultOfImage(error) || isDamaged(location, error)) return error.message;
    throw withImageName(error, plan.source);
  });
  if (typeof found === "string") {
    const broken = { settings: NO_SETTINGS, brokenImage: found, brokenConfig: found };
    return resultOf(plan, await factsOfImage(broken, [], 0, plan.lint, signal));
  }
  const { named } = found;
  const opened = { ...found, ...(await readConfig(named.open(found.manifest.config), signal)) };
  const layers = opened.manifest.layers.map((descriptor) => damageAsFinding(named.open(descriptor)));
  // Reading a file is quick; a registry's layers have to be downloaded, and the base's are AWS's
  // own.
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
  const facts = await factsOfImage(known, layers, ownFrom, plan.lint, signal);
  return resultOf(plan, facts, opened.content.descriptor.digest);
}

async function findImage(location: ImageLocation, platform: Platform | undefined, session: Session) {
  const named = await session.source(location).find(selectorOf(location), session.signal);
  return { named, ...(await findManifest(named.top, named.open, platform, session.signal)) };
}

/**
 * An image in a registry is asked for over the network anyway; base-now.ts decides which registry
 * is.
 */
function asksBase({ askBase, lint, session }: CheckPlan, isLocal: boolean): boolean {
  return (askBase ?? !isLocal) && !session.offline && !lint.allow.includes("base-behind");
}

/** A config that is missing, damaged or cannot be read is a finding, not an error. */
async function readConfig(config: Content, signal: AbortSignal) {
  try {
    const bytes = await readAll(config, signal);
    return { settings: parseImageConfig(bytes), brokenConfig: undefined };
  } catch (error) {
    if (!isFaultOfImage(error)) throw error;
    return { settings: NO_SETTINGS, brokenConfig: error.message };
  }
}

/**
 * Bytes that are missing or not those of the descriptor make a layer invalid, which is a finding.
 */
function damageAsFinding(layer: Content): Content {
  return {
    ...layer,
    async *read(from, signal) {
      try {
        yield* layer.read(from, signal);
      } catch (error) {
        if (!hasCode(error, "CONTENT_MISMATCH") || !(error instanceof LambdaPackError)) throw error;
        throw new LambdaPackError("IMAGE_INVALID", error.message, { hint: error.hint, cause: error });
      }
    },
  };
}

/** Not what a registry, its login or the network has refused. */
function isFaultOfImage(error: unknown): error is LambdaPackError {
  return (
    error instanceof LambdaPackError &&
    hasCode(error, "IMAGE_INVALID", "IMAGE_UNSUPPORTED", "CONTENT_MISMATCH")
  );
}

/** A layout or archive that is there and damaged, not a directory of another kind. */
function isDamaged(location: ImageLocation, error: unknown): error is LambdaPackError {
  if (!(error instanceof LambdaPackError) || !hasCode(error, "LAYOUT_INVALID")) return false;
  return location.kind !== "oci" || existsSync(join(location.path, "oci-layout"));
}

const NO_SETTINGS: ImageConfig = { architecture: "", os: "", rootfs: { type: "layers", diff_ids: [] } };

/**
 * The number of layers that lambda-pack put on the base; all layers of an image of another tool.
 */
function ownLayers({ history = [], rootfs }: ImageConfig): number {
  const own = history.filter(({ created_by: by }) => by?.startsWith("lambda-pack: ")).length;
  return own === 0 ? rootfs.diff_ids.length : own;
}
