import { BOMBS, COMMANDS } from "../../test/support/reliability/hostile/bombs.ts";
import { placed, survive } from "../../test/support/reliability/hostile/meet-bomb.ts";
import { circumstances, say, seconds, table, writePart } from "./page.ts";

/** Measures the memory of each command on an image that inflates, each in its own process. */
export async function bombs(): Promise<void> {
  const rows: (readonly (string | number)[])[] = [];
  for (const bomb of BOMBS) {
    const registry = await placed(bomb);
    const cells: string[] = [];
    for (const command of COMMANDS) {
      const { status, ms, peak, flaw } = await survive(bomb, command, registry);
      if (flaw !== undefined) say(`${bomb.name}, ${command}: ${flaw}`);
      if (flaw !== undefined) process.exitCode = 1;
      const wrong = flaw === undefined ? "" : " **not as it must be**";
      cells.push(`exit ${status}, ${(peak / 1e6).toFixed(0)} MB, ${seconds(ms)} s${wrong}`);
    }
    await registry.stop();
    rows.push([bomb.name, ...cells]);
  }
  writePart("bombs", [circumstances(), table(["what", ...COMMANDS], rows)].join("\n\n"));
}
