import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../src/cli/commands.ts";
import { commandHelp, overview } from "../src/cli/help.ts";

/** As src/cli/bin.cts looks for them. */
const WIDTHS = [40, 60, 80, 100];

/** Renders every help page into `folder`, as the built command reads them. */
export function writeReadyHelp(folder: string): void {
  for (const width of WIDTHS) {
    mkdirSync(join(folder, String(width)), { recursive: true });
    const write = (name: string, page: string) =>
      writeFileSync(join(folder, String(width), `${name}.txt`), page);
    write("overview", overview(COMMANDS, width));
    for (const command of COMMANDS) write(command.name, commandHelp(command, width));
  }
}
