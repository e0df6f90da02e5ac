import type { Base } from "../../base/base.ts";
import type { StageSettings } from "../../dockerfile/stage-state.ts";
import type { Collection } from "../../layer/collect.ts";
import type { Session } from "../../session/session.ts";
import { collectFiles } from "./collect.ts";
import type { CommandPlan } from "./command.ts";
import type { ImagePlan } from "./compose.ts";
import { collectDockerfile } from "./dockerfile/collect.ts";
import type { BuildPlan } from "./plan.ts";

/** The files of the image, and how it starts as far as options and a Dockerfile say it. */
interface CollectedSource {
  readonly files: Collection;
  readonly image: ImagePlan;
  readonly command: CommandPlan;
}

/**
 * Finds the files of the source directory, or does what the Dockerfile says.
 * @throws {@link LambdaPackError}.
 */
export async function collectSource(plan: BuildPlan, base: Base, session: Session): Promise<CollectedSource> {
  const { source, dockerfile, image, command } = plan;
  if (!dockerfile) return { files: await collectFiles(source, base.image, session), image, command };
  const context = { base, output: source.output, lock: plan.base.lock, session };
  const { files, settings } = await collectDockerfile(dockerfile, context);
  return { files, image: withSettings(image, settings), command: withCommand(command, settings, base) };
}

/** An option wins over an instruction. */
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
 * A Dockerfile says what starts: no handler is looked for, and a base without a command stays
 * without one.
 */
function withCommand(command: CommandPlan, settings: StageSettings, base: Base): CommandPlan {
  const handler = command.handler === undefined ? undefined : [command.handler];
  const inherited = base.image.settings.config?.Cmd ?? [];
  const cmd = command.cmd ?? handler ?? settings.cmd ?? (settings.entrypoint ? [] : inherited);
  return { ...command, cmd, handler: undefined };
}
