import type { Base } from "../../../base/base.ts";
import { LambdaPackError } from "../../../errors.ts";
import { starterOf } from "../../../lambda/handler/language.ts";
import type { CommandPlan } from "../command.ts";
import type { ImagePlan } from "../compose.ts";
import type { CompositionPlan } from "./plan.ts";

interface Start {
  readonly image: ImagePlan;
  readonly command: CommandPlan;
}

/**
 * With the web adapter the image starts a web server and no handler: over one of AWS's bases, whose own entry point takes
 * a handler, the words of CMD become ENTRYPOINT.
 * @throws USAGE where neither the options nor the base say what the server is.
 */
export function startOf({ webAdapter }: CompositionPlan, { image, command }: Start, base: Base): Start {
  if (!webAdapter) return { image, command };
  if (command.handler !== undefined)
    throw new LambdaPackError(
      "USAGE",
      "--handler has no effect with --web-adapter: the function is a server",
      {
        hint: "leave out one of the two",
      },
    );
  const { Entrypoint: ofBase = [], Cmd: baseCmd = [] } = base.image.settings.config ?? {};
  const { entrypoint } = image;
  if (entrypoint) return { image, command: { ...command, cmd: command.cmd ?? [] } };
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
