import { LambdaPackError } from "../../src/errors.ts";
import { seededImage } from "../../test/support/reliability/image.ts";
import type { Outcome } from "../../test/support/reliability/play.ts";
import { realMover } from "../../test/support/reliability/real-mover.ts";
import { soup as play, type SoupRun, soupRun } from "../../test/support/reliability/soup.ts";
import { type Budget, hang } from "./budget.ts";
import { circumstances, median, say, seconds, table, writePart } from "./page.ts";

const PROBABILITY = 0.1;
const image = seededImage("soup", 60_000, 60_000, 300_000);

interface Ran {
  readonly run: SoupRun;
  readonly outcome: Outcome | "hangs";
}

/**
 * Performs 200 seeded runs, 1,000 in a full run, in which each request fails with a probability of
 * 0.1.
 */
export async function soup(budget: Budget): Promise<void> {
  const mover = realMover();
  const one = async (seed: number): Promise<Ran> => {
    const run = soupRun(seed);
    const outcome = await Promise.race([play(run, PROBABILITY, image, mover), hang(budget)]);
    return { run, outcome };
  };
  const seeds = Array.from({ length: budget.isFull ? 1000 : 200 }, (_, seed) => seed);
  const ran = await budget.playEach(seeds, 16, one);
  mover.remove();
  writePart("soup", [circumstances(budget), ...report(ran)].join("\n\n"));
}

function report(ran: readonly Ran[]): readonly string[] {
  const ended = ran.flatMap(({ outcome }) => (outcome === "hangs" ? [] : [outcome]));
  const well = ended.filter(({ error }) => error === undefined);
  const bad = ended.filter(({ damaged, error }) => damaged.length > 0 || isDamage(error));
  const faults = ended.map(({ fired }) => fired);
  const times = well.map(({ ms }) => ms);
  const rows = [
    ["runs", ran.length],
    [
      "faults that came",
      `${faults.reduce((sum, each) => sum + each, 0)}, at most ${Math.max(...faults)} in a run`,
    ],
    ["succeeded", `${well.length} (${((100 * well.length) / ran.length).toFixed(1)} %)`],
    ["with bad content", bad.length],
    ["that hang", ran.length - ended.length],
    ["seconds, median and longest", `${seconds(median(times))}, ${seconds(Math.max(...times))}`],
    ["longest time without an event, s", seconds(Math.max(...ended.map(({ silentMs }) => silentMs)))],
    ["secrets in events and errors", ended.reduce((sum, { leaks }) => sum + leaks.length, 0)],
    ["Authorization headers at a wrong host", ended.reduce((sum, { strays }) => sum + strays, 0)],
  ];
  return [table(["", ""], rows), failures(ran)];
}

function isDamage(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("damaged: ");
}

function failures(ran: readonly Ran[]): string {
  const lines = ran.flatMap(({ run, outcome }) => {
    if (outcome === "hangs" || outcome.error === undefined) return [];
    const { error, fired } = outcome;
    const what = error instanceof LambdaPackError ? error.code : String(error);
    say(`seed ${run.seed}: ${String(error)}`);
    return [`- seed ${run.seed}, ${run.work}, ${run.on}: ${fired} faults, ${what}`];
  });
  return lines.length === 0 ? "None failed." : lines.join("\n");
}
