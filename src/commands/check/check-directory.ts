import { type Base, type BaseSource, pullBase } from "../../base/base.ts";
import { hasCode } from "../../errors.ts";
import { parseTarget } from "../../layer/source-root.ts";
import { split } from "../../layer/split.ts";
import { factsOfBuild } from "../../lint/collect-facts.ts";
import { parseReference } from "../../oci/reference.ts";
import type { Session } from "../../session/session.ts";
import { settleBase } from "../build/base/detected-base.ts";
import { bundleSource } from "../build/bundle/bundle.ts";
import { targetOf } from "../build/collect.ts";
import { type CollectedSource, collectSource } from "../build/collect-source.ts";
import { type ResolvedCommand, resolveCommand } from "../build/command.ts";
import { composeImage } from "../build/compose.ts";
import { arrangeGroups } from "../build/composition/parts.ts";
import { installFiles, planDependencies } from "../build/install.ts";
import { BUILD_OPTIONS } from "../build/options.ts";
import type { BuildPlan } from "../build/plan.ts";
import { foundIn, warnOfNoEffect } from "../options/no-effect.ts";
import { baseNow } from "./base-now.ts";
import { duplicatesOnDisk } from "./duplicates-on-disk.ts";
import { type CheckPlan, type CheckResult, resultOf } from "./plan.ts";

/** Checks the image that a build of the directory would produce, without packing it. */
export async function checkDirectory(
  plan: CheckPlan,
  planned: BuildPlan,
  session: Session,
): Promise<CheckResult> {
  const { plan: settled } = await settleBase(planned, session);
  const base = await pullBase(settled.base, session);
  const building = await bundleSource(settled, base, session);
  const { installation, source } = await planDependencies(building, base, session);
  const collected = await collectSource({ ...building, source }, base, session);
  const taskRoot = targetOf(source, base.image);
  const { cmd, files, parts } = await commandOf(collected, base, taskRoot);
  const image = composeImage(collected.image, base, cmd, []);
  const { rules } = building.layers;
  const { signal } = session;
  const place = parseTarget(taskRoot);
  const installed = installation && (await installFiles(installation, place, { session, rules, signal }));
  const groups = [...(installed?.groups ?? []), ...arrangeGroups(parts, split(files, rules))];
  const found = foundIn(files, rules, groups, { unneeded: [], installs: true });
  warnOfNoEffect(BUILD_OPTIONS, planned.given, { ...planned.run, found }, session.emit);
  const facts = await factsOfBuild(base, image, { groups }, plan.lint, signal);
  const duplicates = await duplicatesOnDisk(groups, signal);
  const question = { explicitly: true, registry: registryOf(building.base.source) };
  const asks = plan.askBase === true && !session.offline;
  const now = asks ? await baseNow(image.settings, session, question) : undefined;
  return resultOf(plan, { ...facts, files: { ...facts.files, duplicates }, baseNow: now }, session.emit);
}

/**
 * Resolves the command. A missing handler still becomes CMD, so that its rule can report it with
 * the other findings.
 */
async function commandOf(
  { command, files, parts }: CollectedSource,
  base: Base,
  taskRoot: string,
): Promise<ResolvedCommand> {
  try {
    return await resolveCommand(command, base, { files, parts, taskRoot });
  } catch (error) {
    if (command.handler === undefined || !hasCode(error, "HANDLER_NOT_FOUND")) throw error;
    return { cmd: [command.handler], files, parts };
  }
}

function registryOf(source: BaseSource): string | undefined {
  return source.kind === "registry" ? parseReference(source.name.reference).registry : undefined;
}
