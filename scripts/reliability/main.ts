import { readFileSync, writeFileSync } from "node:fs";
import "../../test/support/ecr/trusting.ts";
import { bombs } from "./bombs.ts";
import { type Budget, createBudget } from "./budget.ts";
import { faults } from "./faults.ts";
import { hostile } from "./hostile.ts";
import { machine, say, table } from "./page.ts";
import { resume } from "./resume.ts";
import { rows as listRows } from "./rows.ts";
import { scenes } from "./scenes.ts";
import { soup } from "./soup.ts";
import { together } from "./together.ts";

/** Each part, and the seconds in which it may begin something. Together they are 8 minutes. */
const PARTS: Readonly<Record<string, readonly [run: (budget: Budget) => Promise<void>, seconds: number]>> = {
  rows: [listRows, 10],
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
const names = given.filter((word) => !word.startsWith("--"));
const wanted = names.length > 0 ? names : Object.keys(PARTS);

for (const name of wanted) {
  const part = PARTS[name];
  if (!part)
    throw new Error(`usage: npm run reliability -- [--full] [--docs] [${Object.keys(PARTS).join("|")}]...`);
  const [run, seconds] = part;
  const stop = isFull ? undefined : setTimeout(() => hangs(name, seconds), (seconds + GRACE_SECONDS) * 1000);
  const budget = createBudget(name, seconds, isFull);
  const before = process.exitCode;
  process.exitCode = 0;
  await run(budget);
  clearTimeout(stop);
  say(`${name}: ${budget.summary()}`);
  const wrong = process.exitCode === 0 ? "none" : "some";
  if (given.includes("--docs")) writeToDocs([`\`${name}\``, ...budget.numbers(), wrong, machine()]);
  process.exitCode = process.exitCode || before;
}

/** Writes the numbers of one part into the last section of docs/reliability.md. */
function writeToDocs(row: readonly (string | number)[]): void {
  const file = new URL("../../docs/reliability.md", import.meta.url);
  const page = readFileSync(file, "utf8");
  const title = "\n## The last run\n";
  const start = page.indexOf(title) + title.length;
  const cellsOf = (line: string) => line.slice(2, -2).split(" | ");
  const lines = page
    .slice(start)
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const others = lines.map(cellsOf).filter(([part]) => part !== row[0]);
  const head = ["part", "played", "of", "seconds", "limit, s", "not as it must be", "when and where"];
  writeFileSync(file, `${page.slice(0, start)}\n${table(head, [...others, row])}\n`);
}

function hangs(name: string, seconds: number): void {
  say(`${name}: it still runs ${GRACE_SECONDS} s after its limit of ${seconds} s, and is stopped`);
  process.exit(1);
}
