import { planCommands } from "./commands.ts";
import type { Instruction } from "./parse.ts";
import { refuse } from "./refuse.ts";
import { literalCommand, ShellError, splitCommands } from "./shell.ts";
import { lookupIn, note, type StageState, shorten, variableIn, workingDirectory } from "./stage-state.ts";

/** A mount is gone after RUN. A cache and uv itself make no difference to what is installed. */
const HARMLESS_MOUNT = /^type=(?:cache|tmpfs)(?:,|$)|^(?:type=bind,)?from=[^,]*\bastral-sh\/uv[:@,]/;

/** Plans RUN: each command is one that is known, or the line is refused. @throws DOCKERFILE_REFUSED */
export function runCommands(state: StageState, instruction: Instruction): void {
  const { flags, text, json } = instruction;
  const foreign = flags.find(({ name, value }) => name !== "mount" || !HARMLESS_MOUNT.test(value));
  if (foreign)
    throw refuse(
      instruction,
      `RUN --${foreign.name}=${foreign.value} needs a container`,
      foreign.name === "mount" ? "COPY the files that the command reads" : "leave it out",
    );
  const lookup = lookupIn(state, instruction);
  try {
    const commands = json ? [literalCommand(json)] : splitCommands(text, lookup);
    const { file, line } = instruction;
    const scope = {
      position: { file, line },
      directory: workingDirectory(state),
      variable: (name: string) => variableIn(state, name),
      settings: state.managers,
    };
    for (const outcome of planCommands(commands, scope)) {
      if ("step" in outcome) state.steps.push(outcome.step);
      else note(state, instruction, outcome.note);
    }
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    throw refuse(instruction, `RUN ${shorten(text)}: ${error.message}`, error.fix);
  }
}
