import type { Base } from "../../../base/base.ts";
import { type LambdaPackError, misuse } from "../../../errors.ts";
import { starterOf } from "../../../lambda/handler/language.ts";
import type { CommandPlan } from "../command.ts";
import type { ImagePlan } from "../compose.ts";
import type { CompositionPlan } from "./plan.ts";
import type { RuntimeClient } from "./runtime-client.ts";

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
export function startOf({ webAdapter }: CompositionPlan, start: Start, context: StartContext): Start {
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
