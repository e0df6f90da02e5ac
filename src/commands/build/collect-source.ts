import type { Base } from "../../base/base.ts";
import type { StageSettings } from "../../dockerfile/stage.ts";
import type { Collection } from "../../layer/collect.ts";
import type { Session } from "../../session/session.ts";
import { collectFiles, targetOf } from "./collect.ts";
import type { CommandPlan } from "./command.ts";
import type { ImagePlan } from "./compose.ts";
import { collectParts, type Parts, refuseCollisions } from "./composition/parts.ts";
import { addRuntimeClient } from "./composition/runtime-client.ts";
import { startOf } from "./composition/start.ts";
import { collectDockerfile } from "./dockerfile/collect.ts";
import type { BuildPlan } from "./plan.ts";

/** The files of the image, and how it starts according to the options and the Dockerfile. */
export interface CollectedSource {
  readonly files: Collection;
  /** The files that composition options add. */
  readonly parts: Parts;
  readonly image: ImagePlan;
  readonly command: CommandPlan;
}

/**
 * Collects the files of the source directory, or those that the Dockerfile produces, and the parts.
 * @throws {@link LambdaPackError}
 */
export async function collectSource(plan: BuildPlan, base: Base, session: Session): Promise<CollectedSource> {
  const { source, composition } = plan;
  const app = await collectApp(plan, base, session);
  const taskRoot = targetOf(source, base.image);
  const context = { base, lock: plan.base.lock, taskRoot, output: source.output, session };
  const client = composition.runtimeClient ? await addRuntimeClient(app.files, context) : undefined;
  const collected = await collectParts(composition, context);
  const parts = client ? { ...collected, below: [...collected.below, client.part] } : collected;
  refuseCollisions(parts, app.files);
  return { ...app, ...startOf(composition, app, { base, client, taskRoot }), parts };
}

async function collectApp(
  plan: BuildPlan,
  base: Base,
  session: Session,
): Promise<Omit<CollectedSource, "parts">> {
  const { source, dockerfile, image, command } = plan;
  if (!dockerfile) return { files: await collectFiles(source, base.image, session), image, command };
  const context = { base, output: source.output, lock: plan.base.lock, session };
  const { files, settings } = await collectDockerfile(dockerfile, context);
  return { files, image: withSettings(image, settings), command: withCommand(command, settings, base) };
}

/** Merges the settings; an option wins over an instruction. */
function withSettings(image: ImagePlan, settings: StageSettings): ImagePlan {
  return {
    ...image,
    entrypoint: image.entrypoint ?? settings.entrypoint,
    workingDir: image.workingDir ?? settings.workingDirectory,
    env: { ...settings.env, ...image.env },
    labels: { ...settings.labels, ...image.labels },
  };
}

/**
 * Takes the command from the Dockerfile, so that no handler is searched for. A base without a
 * command stays without one.
 */
function withCommand(command: CommandPlan, settings: StageSettings, base: Base): CommandPlan {
  const handler = command.handler === undefined ? undefined : [command.handler];
  const inherited = base.image.settings.config?.Cmd ?? [];
  const cmd = command.cmd ?? handler ?? settings.cmd ?? (settings.entrypoint ? [] : inherited);
  return { ...command, cmd, handler: undefined };
}
