import "../../test/support/ecr/trusting.ts";
import { bombs } from "./bombs.ts";
import { type Budget, createBudget } from "./budget.ts";
import { faults } from "./faults.ts";
import { hostile } from "./hostile.ts";
import { say } from "./page.ts";
import { resume } from "./resume.ts";
import { rows } from "./rows.ts";
import { scenes } from "./scenes.ts";
import { soup } from "./soup.ts";
import { together } from "./together.ts";

/** Each part, and the seconds in which it may begin something. Together they are 8 minutes. */
const PARTS: Readonly<Record<string, readonly [run: (budget: Budget) => Promise<void>, seconds: number]>> = {
  rows: [rows, 10],
  faults: [faults, 80],
  together: [together, 80],
  scenes: [scenes, 60],
  soup: [soup, 60],
  resume: [resume, 50],
  hostile: [hostile, 60],
  bombs: [bombs, 80],
};
/** How long a part may take to end what it has begun. A part that takes longer counts as one that hangs. */
const GRACE_SECONDS = 180;

const given = process.argv.slice(2);
const isFull = given.includes("--full");
const names = given.filter((word) => word !== "--full");

for (const name of names.length > 0 ? names : Object.keys(PARTS)) {
  const part = PARTS[name];
  if (!part) throw new Error(`usage: npm run reliability -- [--full] [${Object.keys(PARTS).join("|")}]...`);
  const [run, seconds] = part;
  const stop = isFull ? undefined : setTimeout(() => hangs(name, seconds), (seconds + GRACE_SECONDS) * 1000);
  const budget = createBudget(name, seconds, isFull);
  await run(budget);
  clearTimeout(stop);
  say(`${name}: ${budget.summary()}`);
}

function hangs(name: string, seconds: number): void {
  say(`${name}: it still runs ${GRACE_SECONDS} s after its limit of ${seconds} s, and is stopped`);
  process.exit(1);
}
