import { LambdaPackError } from "../../src/errors.ts";
import { PULLED_LAYER, PUSHED_LAYER } from "../../test/support/reliability/faults/common-faults.ts";
import type { FaultKind } from "../../test/support/reliability/faults/fault-kind.ts";
import { KINDS } from "../../test/support/reliability/faults/kinds.ts";
import { seededImage } from "../../test/support/reliability/image.ts";
import { flawOf, type Mover, type Outcome, play, type Times } from "../../test/support/reliability/play.ts";
import { isSilent, quickMover } from "../../test/support/reliability/quick-mover.ts";
import { realMover } from "../../test/support/reliability/real-mover.ts";
import type { StageName } from "../../test/support/reliability/stage.ts";
import { type Budget, spread } from "./budget.ts";
import { circumstances, say, seconds, table, writePart } from "./page.ts";

const MiB = 1024 * 1024;
/**
 * Large enough to be uploaded in chunks: those of ECR have 32 MiB, and the proxy in front of the
 * plain registry limits the size of a request.
 */
const CHUNKED_LAYER = { ecr: 66 * MiB, plain: 2.5 * MiB };
const STAGES: readonly StageName[] = ["ecr", "plain"];
const OFTEN: readonly Times[] = [1, 2, Number.POSITIVE_INFINITY];
const IMAGES = {
  push: seededImage("push", PUSHED_LAYER, PUSHED_LAYER),
  mount: seededImage("mount", PUSHED_LAYER, PUSHED_LAYER),
  pull: seededImage("pull", PULLED_LAYER, PULLED_LAYER),
};
const CHUNKED = {
  ecr: seededImage("chunks", CHUNKED_LAYER.ecr, PUSHED_LAYER),
  plain: seededImage("chunks", CHUNKED_LAYER.plain, PUSHED_LAYER),
};

interface Played {
  readonly kind: FaultKind;
  readonly on: StageName;
  readonly times: Times;
  readonly outcome: Outcome;
  readonly flaw: string | undefined;
}

/**
 * Plays every kind of fault at both registries once, twice and always: in a full run against `push`
 * with its own limits, else with waits that are only counted.
 */
export async function faults(budget: Budget): Promise<void> {
  const mover = realMover();
  try {
    const played: Played[] = [];
    for (const { kinds, atOnce } of budget.isFull ? inRealTime() : [{ kinds: KINDS, atOnce: 8 }]) {
      played.push(...(await playAll(kinds, atOnce, mover, budget)));
      // The part is written after each group, so that a run that is stopped keeps its results.
      writePart("faults", [circumstances(budget), ...report(played)].join("\n\n"));
    }
    const flawed = played.filter(({ flaw }) => flaw !== undefined);
    for (const { kind, on, times, flaw } of flawed) say(`${on}, ${kind.at}: ${kind.name}, ${times}: ${flaw}`);
    if (flawed.length > 0) process.exitCode = 1;
  } finally {
    mover.remove();
  }
}

function inRealTime() {
  // Faults that must end within a second are played alone, so that the time is that of one push.
  const isTimed = ({ final, code }: FaultKind) => final !== undefined || code === "CREDENTIALS_INVALID";
  const isChunked = ({ work }: FaultKind) => work === "chunks";
  const rest = KINDS.filter((kind) => !isTimed(kind));
  return [
    { kinds: KINDS.filter(isTimed), atOnce: 1 },
    // Faults that are played always wait for a minute, so many of them can run at once.
    { kinds: rest.filter((kind) => !isChunked(kind)), atOnce: 40 },
    { kinds: rest.filter(isChunked), atOnce: 6 },
  ];
}

async function playAll(
  kinds: readonly FaultKind[],
  atOnce: number,
  mover: Mover,
  budget: Budget,
): Promise<readonly Played[]> {
  const scenes = STAGES.flatMap((on) =>
    kinds
      .filter((kind) => (kind.only ?? on) === on)
      .flatMap((kind) => OFTEN.map((times) => ({ on, kind, times }))),
  );
  const one = async ({ on, kind, times }: (typeof scenes)[number]): Promise<Played> => {
    // The limits on silence are minutes; for a fault of silence, a mover with short limits is used.
    const isReal = budget.isFull && !isSilent(kind.fault);
    const image = kind.work === "chunks" ? (isReal ? CHUNKED[on] : IMAGES.push) : IMAGES[kind.work];
    const outcome = await play(kind, times, on, image, isReal ? mover : quickMover());
    return { kind, on, times, outcome, flaw: flawOf(kind, times, outcome) };
  };
  return budget.playEach(spread(scenes), atOnce, one);
}

function report(played: readonly Played[]): readonly string[] {
  const of = (on: StageName) => played.filter((each) => each.on === on);
  return [summary(played), ...STAGES.map((on) => `### ${TITLES[on]}\n\n${detail(of(on))}`)];
}

const TITLES = { ecr: "At the stand-in for ECR", plain: "At a plain registry" };

function summary(played: readonly Played[]): string {
  const rows = STAGES.map((on) => {
    const all = played.filter((each) => each.on === on);
    const passing = all.filter(({ kind }) => kind.final === undefined);
    const well = (times: Times) => {
      const some = passing.filter((each) => each.times === times);
      return `${some.filter(({ outcome }) => outcome.error === undefined).length} of ${some.length}`;
    };
    const forever = passing.filter(({ times }) => times === Number.POSITIVE_INFINITY);
    const ended = forever.filter(({ outcome }) => outcome.error !== undefined);
    const final = all.filter(({ kind }) => kind.final !== undefined);
    return [
      on === "ecr" ? "stand-in for ECR" : "plain",
      ...[new Set(passing.map(({ kind }) => kind)).size, well(1), well(2)],
      `${ended.filter(isClear).length} of ${ended.length}, ${seconds(most(ended, "ms"))} s at most`,
      `${forever.length - ended.length}`,
      `${final.filter(({ flaw }) => flaw === undefined).length} of ${final.length}, ${seconds(most(final, "ms"))} s at most`,
      `${seconds(most(all, "silentMs"))} s`,
      all.reduce((sum, { outcome }) => sum + outcome.damaged.length, 0),
    ];
  });
  const head = [
    "registry",
    "kinds",
    "once: success",
    "twice: success",
    "for ever: clear error",
    "for ever: no harm",
  ];
  return table(
    [...head, "no use in retrying: clear error", "longest time without an event", "wrong bytes"],
    rows,
  );
}

function isClear({ outcome, flaw }: Played): boolean {
  return flaw === undefined && outcome.error instanceof LambdaPackError;
}

function most(played: readonly Played[], what: "ms" | "silentMs"): number {
  return Math.max(0, ...played.map(({ outcome }) => outcome[what]));
}

function detail(played: readonly Played[]): string {
  const kinds = [...new Set(played.map(({ kind }) => kind))];
  const rows = kinds.map((kind) => {
    const cells = OFTEN.map((times) =>
      ended(played.find((each) => each.kind === kind && each.times === times)),
    );
    return [kind.row, kind.work, kind.at, kind.name, ...cells];
  });
  return table(["row", "work", "request", "fault", "once", "twice", "for ever"], rows);
}

function ended(played: Played | undefined): string {
  if (!played) return "not run";
  const { error, ms } = played.outcome;
  const how = error === undefined ? "ok" : error instanceof LambdaPackError ? error.code : "**not ours**";
  return `${how} ${seconds(ms)} s${played.flaw === undefined ? "" : ` **${played.flaw.slice(0, 80)}**`}`;
}
