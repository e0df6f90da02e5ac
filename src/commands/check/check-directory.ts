import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type Base, type BaseSource, pullBase } from "../../base/base.ts";
import { hasCode } from "../../errors.ts";
import { parseTarget } from "../../layer/source-root.ts";
import { type Group, split } from "../../layer/split.ts";
import { factsOfBuild } from "../../lint/collect-facts.ts";
import { parseReference } from "../../oci/reference.ts";
import { type AllDuplicates, MIN_DUPLICATE_BYTES } from "../../rootfs/contents.ts";
import type { Session } from "../../session/session.ts";
import type { Entry } from "../../tar/entry.ts";
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

type File = Extract<Entry, { readonly kind: "file" }>;

const MAX_LISTED = 100;

/** Finds duplicates among the files to pack. Reads only files with the size of another one. */
async function duplicatesOnDisk(groups: readonly Group[], signal: AbortSignal): Promise<AllDuplicates> {
  const files: File[] = [];
  for (const { entries } of groups) for (const entry of entries) if (isLarge(entry)) files.push(entry);
  const duplicates: File[][] = [];
  for (const same of grouped(files, ({ size }) => size)) {
    const digests = new Map<File, string>();
    for (const file of same) digests.set(file, await digestOf(file, signal));
    duplicates.push(...grouped(same, (file) => digests.get(file)));
  }
  const list = duplicates
    .map((same) => ({ size: same[0]?.size ?? 0, copies: same.length, paths: same.map(({ path }) => path) }))
    .sort((a, b) => b.size * (b.copies - 1) - a.size * (a.copies - 1));
  const total = {
    files: list.reduce((sum, { copies }) => sum + copies - 1, 0),
    bytes: list.reduce((sum, { size, copies }) => sum + size * (copies - 1), 0),
  };
  return { total, list: list.slice(0, MAX_LISTED) };
}

function isLarge(entry: Entry): entry is File {
  return entry.kind === "file" && entry.size >= MIN_DUPLICATE_BYTES;
}

/** Groups the files by key, without groups of one. */
function grouped(files: readonly File[], keyOf: (file: File) => unknown): readonly File[][] {
  const groups = new Map<unknown, File[]>();
  for (const file of files) groups.set(keyOf(file), [...(groups.get(keyOf(file)) ?? []), file]);
  return [...groups.values()].filter(({ length }) => length > 1);
}

async function digestOf({ source, size, offset: start = 0 }: File, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const bytes = createReadStream(source, { start, end: start + size - 1, signal });
  for await (const chunk of bytes) hash.update(chunk as Uint8Array); // Node declares any
  return hash.digest("hex");
}
