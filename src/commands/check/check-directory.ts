import { type Base, pullBase } from "../../base/base.ts";
import { hasCode, LambdaPackError } from "../../errors.ts";
import type { Collection } from "../../layer/collect.ts";
import { split } from "../../layer/split.ts";
import { factsOfBuild } from "../../lint/collect-facts.ts";
import { parseReference } from "../../oci/reference.ts";
import { isLocal } from "../../session/image-location.ts";
import type { BuildOptions } from "../../session/options.ts";
import type { Session } from "../../session/session.ts";
import { collectFiles, composeImage } from "../build/build.ts";
import { findCommand, type Started } from "../build/command.ts";
import { timeOf } from "../build/time.ts";
import { baseNow } from "./base-now.ts";
import type { CheckOptions, CheckResult } from "./options.ts";
import { resultOf } from "./result.ts";
import { twinsOnDisk } from "./twins-on-disk.ts";

/** What a build of the folder would be told, without packing it. @throws USAGE where no base is named. */
export async function checkFolder(options: CheckOptions, session: Session): Promise<CheckResult> {
  const building = buildOptions(options);
  const base = await pullBase(building, session);
  const collected = await collectFiles(building, [], base.image, session);
  const { cmd, files } = await command(building, base, collected);
  const image = composeImage(base, [], cmd, timeOf(session.environment), building);
  const groups = split(files, options.layers);
  const facts = await factsOfBuild(base, image, groups, options, session.signal);
  const twins = await twinsOnDisk(groups, session.signal);
  const registry = isLocal(building.base) ? undefined : parseReference(base.reference).registry;
  const question = { explicitly: true, registry };
  const now =
    options.askBase && !options.offline ? await baseNow(image.settings, session, question) : undefined;
  return resultOf(options, { ...facts, files: { ...facts.files, twins }, baseNow: now });
}

function buildOptions({ source, base, ...options }: CheckOptions): BuildOptions {
  if (base !== undefined) return { ...options, directory: source, base };
  throw new LambdaPackError("USAGE", `${source} is a folder, and --base is missing`, {
    hint: "say what the image will be built on, for example --base python:3.12",
  });
}

/** A handler that is not there becomes CMD all the same: its rule says so, beside what others say. */
async function command(options: BuildOptions, base: Base, files: Collection): Promise<Started> {
  try {
    return await findCommand(options, base, files);
  } catch (error) {
    if (options.handler === undefined || !hasCode(error, "HANDLER_NOT_FOUND")) throw error;
    return { cmd: [options.handler], files };
  }
}
