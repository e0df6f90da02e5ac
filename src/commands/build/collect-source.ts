import type { Base } from "../../base/base.ts";
import type { StageSettings } from "../../dockerfile/stage.ts";
import { type LambdaPackError, misuse } from "../../errors.ts";
import { starterOf } from "../../lambda/handler/language.ts";
import type { Collection } from "../../layer/collect.ts";
import type { Session } from "../../session/session.ts";
import { collectFiles, targetOf } from "./collect.ts";
import type { CommandPlan } from "./command.ts";
import type { ImagePlan } from "./compose.ts";
import { collectParts, type Parts, refuseCollisions } from "./composition/parts.ts";
import type { CompositionPlan } from "./composition/plan.ts";
import { addRuntimeClient, type RuntimeClient } from "./composition/runtime-client.ts";
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

interface Start {
  readonly image: ImagePlan;
  readonly command: CommandPlan;
}

interface StartContext {
  readonly base: Base;
  /** undefined: no client is added. */
  readonly client: RuntimeClient | undefined;
  /** The absolute path of the application in the image. */
  readonly taskRoot: string;
}

/**
 * Sets how the image starts: with a runtime interface client, that is ENTRYPOINT and the handler is
 * CMD; with the web adapter, a web server starts and there is no handler.
 * @throws USAGE if neither the options nor the base name the server
 */
function startOf({ webAdapter }: CompositionPlan, start: Start, context: StartContext): Start {
  if (context.client) return startOfClient(start, context.client, context);
  return webAdapter ? startOfServer(start, context.base) : start;
}

/** Sets the task root as working directory, in which the client looks for the handler. */
function startOfClient(
  { image, command }: Start,
  client: RuntimeClient,
  { base, taskRoot }: StartContext,
): Start {
  const { entrypoint } = client;
  const ofBase = base.image.settings.config?.WorkingDir;
  const workingDir = image.workingDir ?? (ofBase === taskRoot ? undefined : taskRoot);
  return { image: { ...image, entrypoint, workingDir }, command: { ...command, entrypoint } };
}

/**
 * Moves the words of CMD to ENTRYPOINT over one of AWS's bases, whose entry point would take them
 * for a handler.
 */
function startOfServer({ image, command }: Start, base: Base): Start {
  if (command.handler !== undefined)
    throw misuse(
      "--handler has no effect with --web-adapter: the function is a server",
      "leave out one of the two",
    );
  const { Entrypoint: ofBase = [], Cmd: baseCmd = [] } = base.image.settings.config ?? {};
  if (image.entrypoint) return { image, command: { ...command, cmd: command.cmd ?? [] } };
  const isAws = starterOf(ofBase) === "aws";
  const words = command.cmd ?? (isAws ? [] : baseCmd);
  if (words.length === 0 && (isAws || ofBase.length === 0)) throw noServer();
  if (!isAws) return { image, command: { ...command, cmd: words } };
  return { image: { ...image, entrypoint: words }, command: { ...command, entrypoint: words, cmd: [] } };
}

function noServer(): LambdaPackError {
  return misuse(
    "--web-adapter: nothing says which program is the web server",
    `add --cmd for its words, for example --cmd '["node", "server.js"]'`,
  );
}
