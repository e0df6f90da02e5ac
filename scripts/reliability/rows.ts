import { coverOf, ROWS } from "../../test/support/reliability/rows.ts";
import type { Budget } from "./budget.ts";
import { table, writePart } from "./page.ts";

/** Writes what covers each row of the list of failure modes. */
export async function rows(budget: Budget): Promise<void> {
  const cells = await budget.playEach(ROWS, 1, async (row) => [
    ...[row.row, row.what, coverOf(row).join("; ").replaceAll("|", "/")],
  ]);
  writePart("rows", table(["row", "what happens", "played as"], cells));
}
