import { seededImage } from "../../test/support/reliability/image.ts";
import { realMover } from "../../test/support/reliability/real-mover.ts";
import { CHUNK, CUTS, LARGE, resetOnce } from "../../test/support/reliability/resume.ts";
import { type Budget, spread } from "./budget.ts";
import { circumstances, table, writePart } from "./page.ts";

const MB = 1_000_000;
const NAMES = {
  ecr: "stand-in for ECR, chunks of 32 MiB",
  plain: "plain registry that keeps the session, one PUT",
};

/** Pushes a blob of 100 MB whose connection is reset once, at each of several places. */
export async function resume(budget: Budget): Promise<void> {
  const runs = budget.isFull ? 3 : 1;
  const image = seededImage("resume", LARGE);
  const mover = realMover();
  const rows = await budget.playEach(spread(CUTS), 1, async (cut) => {
    const again: number[] = [];
    let damaged = 0;
    for (let run = 0; run < runs; run++) {
      const resumed = await resetOnce(cut, image, mover);
      again.push(resumed.again / MB);
      damaged += resumed.damaged.length;
    }
    const [low, high] = [Math.min(...again).toFixed(1), Math.max(...again).toFixed(1)];
    return [NAMES[cut.on], cut.where, runs, `${low}-${high}`, (CHUNK / MB).toFixed(1), damaged];
  });
  mover.remove();
  const head = ["registry", "reset", "runs", "MB sent again", "one chunk, MB", "wrong bytes"];
  writePart("resume", [circumstances(budget), table(head, rows)].join("\n\n"));
}
