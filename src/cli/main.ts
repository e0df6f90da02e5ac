import manifest from "../../package.json" with { type: "json" };
import { COMMANDS } from "./commands.ts";
import { commandHelp, overview } from "./help.ts";
import { type Io, write } from "./io.ts";
import { parse, type Request } from "./parse.ts";

const DONE = 0;
const COLUMNS_OF_A_PIPE = 80;

/** The whole command line: reads `argv`, works, tells. Returns the exit status; never throws, never exits. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await answer(parse(argv, COMMANDS), io);
  } catch (error) {
    const { tell } = await import("./tell.ts");
    return tell(error, io, { verbose: argv.includes("--verbose") });
  }
}

/** What only work and failure need is loaded with them: help is there in an instant. */
async function answer(request: Request, io: Io): Promise<number> {
  if (request.kind === "run") return (await import("./run.ts")).run(request.command, request.words, io);
  await write(io.stdout, request.kind === "version" ? `${manifest.version}\n` : help(request, io));
  return DONE;
}

function help({ command }: Extract<Request, { kind: "help" }>, { stdout }: Io): string {
  const columns = stdout.columns || COLUMNS_OF_A_PIPE;
  return command === undefined ? overview(COMMANDS, columns) : commandHelp(command, columns);
}
