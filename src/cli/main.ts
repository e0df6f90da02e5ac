import { parse, type Request } from "./arguments/parse.ts";
import { DONE } from "./exit.ts";
import { type Io, write } from "./io.ts";

const COLUMNS_OF_A_PIPE = 80;

/**
 * Runs the whole command line: parses `argv`, works and reports. Returns the exit status; never
 * throws, and does not end the process itself.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    const request = await parse(argv, io.environment);
    if (request.kind === "run") return await (await import("./run.ts")).run(request, io);
    await write(io.stdout, await pageOf(request, io.stdout.columns || COLUMNS_OF_A_PIPE));
    return DONE;
  } catch (error) {
    const { reportError } = await import("./report/problem.ts");
    return reportError(error, io, { verbose: argv.includes("--verbose"), json: argv.includes("--json") });
  }
}

async function pageOf(request: Exclude<Request, { kind: "run" }>, columns: number): Promise<string> {
  if (request.kind === "version") {
    const { default: manifest } = await import("../../package.json", { with: { type: "json" } });
    return `${manifest.version}\n`;
  }
  const [{ commandHelp, overview }, { COMMANDS }] = await Promise.all([
    import("./arguments/help.ts"),
    import("./commands.ts"),
  ]);
  const { command } = request;
  return command === undefined
    ? overview(COMMANDS, columns)
    : commandHelp(command, await command.load(), columns);
}
