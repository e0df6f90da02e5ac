import { HOSTILITIES, meet } from "../../test/support/reliability/hostile/hostile.ts";
import { circumstances, table, writePart } from "./page.ts";

const RUNS = 3;

/** Measures the memory of a process that pulls from a hostile registry. */
export async function hostile(): Promise<void> {
  const rows: (readonly (string | number)[])[] = [];
  for (const hostility of HOSTILITIES) {
    const ended = [];
    for (let run = 0; run < RUNS; run++) ended.push(await meet(hostility));
    const codes = [...new Set(ended.map(({ code }) => code))].join(", ");
    const peaks = ended.map(({ peak }) => peak / 1e6);
    rows.push([hostility.name, codes, `${Math.min(...peaks).toFixed(0)}-${Math.max(...peaks).toFixed(0)}`]);
  }
  writePart(
    "hostile",
    [circumstances(), table(["answer", "ends in", "MB of memory, most"], rows)].join("\n\n"),
  );
}
