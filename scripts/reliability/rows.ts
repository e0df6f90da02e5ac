import { coverOf, ROWS } from "../../test/support/reliability/rows.ts";
import { table, writePart } from "./page.ts";

/** Writes what covers each row of the list of failure modes. */
export async function rows(): Promise<void> {
  const cells = ROWS.map((row) => [row.row, row.what, coverOf(row).join("; ").replaceAll("|", "/")]);
  writePart("rows", table(["row", "what happens", "played as"], cells));
}
