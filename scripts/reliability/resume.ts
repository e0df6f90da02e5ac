import { seededImage } from "../../test/support/reliability/image.ts";
import { realMover } from "../../test/support/reliability/real-mover.ts";
import { CHUNK, CUTS, LARGE, resetOnce } from "../../test/support/reliability/resume.ts";
import { circumstances, table, writePart } from "./page.ts";

const MB = 1_000_000;
const RUNS = 3;
const NAMES = {
  ecr: "stand-in for ECR, chunks of 32 MiB",
  plain: "plain registry that keeps the session, one PUT",
};

/**
 * Pushes a blob of 100 MB whose connection is reset once, three times for each place of the reset.
 */
export async function resume(): Promise<void> {
  const image = seededImage("resume", LARGE);
  const mover = realMover();
  const rows: (readonly (string | number)[])[] = [];
  for (const cut of CUTS) {
    const again: number[] = [];
    let damaged = 0;
    for (let run = 0; run < RUNS; run++) {
      const resumed = await resetOnce(cut, image, mover);
      again.push(resumed.again / MB);
      damaged += resumed.damaged.length;
    }
    const [low, high] = [Math.min(...again).toFixed(1), Math.max(...again).toFixed(1)];
    rows.push([NAMES[cut.on], cut.where, RUNS, `${low}-${high}`, (CHUNK / MB).toFixed(1), damaged]);
  }
  mover.remove();
  const head = ["registry", "reset", "runs", "MB sent again", "one chunk, MB", "wrong bytes"];
  writePart("resume", [circumstances(), table(head, rows)].join("\n\n"));
}
