import { seededImage } from "../../test/support/reliability/image.ts";
import { realMover } from "../../test/support/reliability/real-mover.ts";
import { resetOnce } from "../../test/support/reliability/resume.ts";
import { circumstances, table, writePart } from "./page.ts";

const MB = 1_000_000;
const image = seededImage("resume", 100 * MB);
const ECR_CHUNK = 32 * 1024 * 1024;
const CUTS = [
  { on: "ecr", name: "stand-in for ECR, chunks of 32 MiB", kind: "patch", at: ECR_CHUNK / 2 },
  { on: "plain", name: "plain registry that keeps the session, one PUT", kind: "put-blob", at: 50 * MB },
] as const;
const RUNS = 5;

/** A blob of 100 MB, its connection reset in the middle of a body, five times at each registry. */
export async function resume(): Promise<void> {
  const mover = realMover();
  const rows: (readonly (string | number)[])[] = [];
  for (const { on, name, ...cut } of CUTS) {
    const again: number[] = [];
    let damaged = 0;
    for (let run = 0; run < RUNS; run++) {
      const resumed = await resetOnce(on, { image, ...cut }, mover);
      again.push(resumed.again / MB);
      damaged += resumed.damaged.length;
    }
    const [low, high] = [Math.min(...again).toFixed(1), Math.max(...again).toFixed(1)];
    rows.push([name, (cut.at / MB).toFixed(1), RUNS, `${low}-${high}`, (ECR_CHUNK / MB).toFixed(1), damaged]);
  }
  mover.remove();
  const head = [
    "registry",
    "reset after MB of a body",
    "runs",
    "MB sent again",
    "one chunk, MB",
    "wrong bytes",
  ];
  writePart("resume", [circumstances(), table(head, rows)].join("\n\n"));
}
