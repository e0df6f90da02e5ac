import type { Base } from "../../../base/base.ts";
import { LambdaPackError } from "../../../errors.ts";
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
  /** undefined: none is added. */
  readonly client: RuntimeClient | undefined;
  /** The absolute path in the image where the application is. */
  readonly taskRoot: string;
}

/**
 * Says how the image starts: with a runtime interface client ENTRYPOINT is that and CMD the
 * handler; with the web adapter it starts a web server and no handler.
 * @throws USAGE where neither the options nor the base say what the server is.
 */
export function startOf({ webAdapter }: CompositionPlan, start: Start, context: StartContext): Start {
  if (context.client) return startOfClient(start, context.client, context);
  return webAdapter ? startOfServer(start, context.base) : start;
}

/** The client looks for the handler where it is started. */
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
 * Over one of AWS's bases, whose own entry point takes a handler, the words of CMD become
 * ENTRYPOINT.
 */
function startOfServer({ image, command }: Start, base: Base): Start {
  if (command.handler !== undefined)
    throw new LambdaPackError(
      "USAGE",
      "--handler has no effect with --web-adapter: the function is a server",
      {
        hint: "leave out one of the two",
      },
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
  return new LambdaPackError("USAGE", "--web-adapter: nothing says which program is the web server", {
    hint: `add --cmd for its words, for example --cmd '["node", "server.js"]'`,
  });
}
