import { hasCode, LambdaPackError } from "../../src/errors.ts";
import { PUSHED_LAYER } from "../../test/support/reliability/faults/common-faults.ts";
import { seededImage } from "../../test/support/reliability/image.ts";
import { type Mover, type Outcome, playWith } from "../../test/support/reliability/play.ts";
import { quickMover } from "../../test/support/reliability/quick-mover.ts";
import { realMover } from "../../test/support/reliability/real-mover.ts";
import { type Budget, hang, spread } from "./budget.ts";
import { circumstances, say, seconds, table, writePart } from "./page.ts";
import { STAGES, type Trial, trialsTogether } from "./trials.ts";

/** An outage that takes longer than the whole part may. */
const LONG = /for 100 s/;
const IMAGE = seededImage("together", PUSHED_LAYER, PUSHED_LAYER);
const PULLED = seededImage("together", 4.25 * 1024 * 1024, PUSHED_LAYER);

/**
 * Plays pairs of faults, statuses of proxies and CDNs, slow servers, outages and faults of token
 * servers.
 */
export async function together(budget: Budget): Promise<void> {
  const own = realMover();
  const trials = trialsTogether().filter(({ name }) => budget.isFull || !LONG.test(name));
  const one = async (trial: Trial) => {
    const mover = trial.pace === "own" ? own : quickMover();
    const outcome = await Promise.race([playTrial(trial, mover), hang(budget)]);
    return { trial, outcome, flaw: outcome === "hangs" ? "it hangs" : flawOf(trial, outcome) };
  };
  // The trials that wait in real time start first, and run beside the rest.
  const inTime = trials.filter(({ pace }) => pace === "own");
  const rest = spread(trials.filter(({ pace }) => pace === "quick"));
  const played = (
    await Promise.all([budget.playEach(inTime, inTime.length, one), budget.playEach(rest, 8, one)])
  ).flat();
  own.remove();
  const flawed = played.filter(({ flaw }) => flaw !== undefined);
  for (const { trial, flaw } of flawed) say(`${trial.on}, ${trial.part}: ${trial.name}: ${flaw}`);
  if (flawed.length > 0) process.exitCode = 1;
  const parts = [...new Set(trials.map(({ part }) => part))];
  const rows = parts.flatMap((part) =>
    STAGES.map((on) => {
      const all = played.filter(({ trial }) => trial.part === part && trial.on === on);
      const outcomes = all.flatMap(({ outcome }) => (outcome === "hangs" ? [] : [outcome]));
      return [
        ...[part, on, all.length, all.filter(({ trial }) => trial.ends === "well").length],
        ...[all.filter(({ trial }) => trial.ends !== "well").length],
        all.filter(({ flaw }) => flaw !== undefined).length,
        seconds(Math.max(0, ...outcomes.map(({ silentMs }) => silentMs))),
      ];
    }),
  );
  const head = [
    "what",
    "registry",
    "runs",
    "have to survive",
    "have to end with an error",
    "wrong",
    "longest silence, s",
  ];
  const list = flawed.map(({ trial, flaw }) => `- ${trial.on}, ${trial.part}: ${trial.name}: ${flaw}`);
  writePart("together", [circumstances(budget), table(head, rows), ...list].join("\n\n"));
}

function playTrial({ work, at, fault, on, plan }: Trial, mover: Mover): Promise<Outcome> {
  const image = work === "pull" ? PULLED : IMAGE;
  return playWith({ work, ...(at !== undefined && { at }), ...(fault && { fault }) }, on, image, mover, () =>
    plan(),
  );
}

function flawOf(
  { ends }: Trial,
  { error, fired, damaged, leaks, strays, silentMs }: Outcome,
): string | undefined {
  if (fired === 0) return "the trouble never came";
  if (damaged.length > 0) return `success with wrong bytes: ${damaged.join(", ")}`;
  if (leaks.length > 0) return `${leaks.length} secrets in the output`;
  if (strays > 0) return `${strays} Authorization headers at a wrong host`;
  // A wait of 10 s before an attempt and a silence of 20 s in it are allowed.
  if (silentMs > 30_000) return `${Math.round(silentMs)} ms without a word`;
  if (ends === "well") return error === undefined ? undefined : `it fails: ${String(error)}`;
  if (error === undefined) return "it ends well";
  return error instanceof LambdaPackError && hasCode(error, ...ends)
    ? undefined
    : `it ends with ${String(error)}`;
}
