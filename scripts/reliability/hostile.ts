import { HOSTILITIES, meet } from "../../test/support/reliability/hostile/hostile.ts";
import type { Budget } from "./budget.ts";
import { circumstances, table, writePart } from "./page.ts";

/** Measures the memory of a process that pulls from a hostile registry. */
export async function hostile(budget: Budget): Promise<void> {
  const rows = await budget.playEach(HOSTILITIES, 1, async (hostility) => {
    const ended = [];
    for (let run = 0; run < (budget.isFull ? 3 : 1); run++) ended.push(await meet(hostility));
    const codes = [...new Set(ended.map(({ code }) => code))].join(", ");
    const peaks = ended.map(({ peak }) => peak / 1e6);
    return [hostility.name, codes, `${Math.min(...peaks).toFixed(0)}-${Math.max(...peaks).toFixed(0)}`];
  });
  writePart(
    "hostile",
    [circumstances(budget), table(["answer", "ends in", "MB of memory, most"], rows)].join("\n\n"),
  );
}
