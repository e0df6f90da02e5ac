import { BOMBS, COMMANDS } from "../../test/support/reliability/hostile/bombs.ts";
import { placed, type Survived, survive } from "../../test/support/reliability/hostile/meet-bomb.ts";
import type { Budget } from "./budget.ts";
import { circumstances, say, seconds, table, writePart } from "./page.ts";

/** Measures the memory of each command on an image that inflates, each in its own process. */
export async function bombs(budget: Budget): Promise<void> {
  const rows = await budget.playEach(BOMBS, 1, async (bomb) => {
    const registry = await placed(bomb);
    const cells: string[] = [];
    for (const command of COMMANDS) {
      const isPlayed = budget.isFull || bomb.quick === undefined || bomb.quick.includes(command);
      cells.push(
        isPlayed ? describeEnd(await survive(bomb, command, registry), `${bomb.name}, ${command}`) : "",
      );
    }
    await registry.stop();
    return [bomb.name, ...cells];
  });
  const note = budget.isFull ? [] : ["What takes long is left out; `--full` has it."];
  writePart("bombs", [circumstances(budget), ...note, table(["what", ...COMMANDS], rows)].join("\n\n"));
}

function describeEnd({ status, ms, peak, flaw }: Survived, what: string): string {
  if (flaw !== undefined) say(`${what}: ${flaw}`);
  if (flaw !== undefined) process.exitCode = 1;
  const wrong = flaw === undefined ? "" : " **not as it must be**";
  return `exit ${status}, ${(peak / 1e6).toFixed(0)} MB, ${seconds(ms)} s${wrong}`;
}
