import assert from "node:assert/strict";
import type { Fault, FaultPlan } from "../ecr/http/faults.ts";
import type { TestImage } from "../registry/repository.ts";
import type { Mover } from "./play.ts";
import { openStage, type StageName } from "./stage.ts";

const MiB = 1024 * 1024;
/** Of a push to ECR. */
export const CHUNK = 32 * MiB;
/** 100 MB: at ECR two whole chunks and a rest, which goes with the closing PUT. */
export const LARGE = 100_000_000;
const REST = LARGE - 2 * CHUNK;

/** One reset within a push of a blob of {@link LARGE} bytes. */
export interface Cut {
  readonly on: StageName;
  /** In words. */
  readonly where: string;
  /** Which request, in the words of ecr/routes.ts, and the how-manieth of them. */
  readonly kind: "patch" | "put-blob";
  readonly count: number;
  /** Bytes of its body that come first; `answer`: all of them, and the answer is lost. */
  readonly at: number | "answer";
}

function cuts(on: StageName, kind: Cut["kind"], count: number, name: string, size: number): readonly Cut[] {
  return [
    { where: `at the first byte of ${name}`, at: 0 },
    { where: `in the middle of ${name}`, at: size / 2 },
    { where: `before the last byte of ${name}`, at: size - 1 },
    { where: `after ${name}, the answer lost`, at: "answer" as const },
  ].map((cut) => ({ on, kind, count, ...cut }));
}

export const CUTS: readonly Cut[] = [
  ...cuts("ecr", "patch", 1, "the first chunk", CHUNK),
  ...cuts("ecr", "patch", 2, "the second chunk", CHUNK),
  ...cuts("ecr", "put-blob", 1, "the last part", REST),
  ...cuts("plain", "put-blob", 1, "the one PUT", LARGE),
];

export interface Resumed {
  /** Bytes of blobs that came in beyond those of the image. */
  readonly again: number;
  readonly damaged: readonly string[];
}

/** A push that is reset once; the registry keeps what came (the stand-in for ECR: a part of it that its seed decides). */
export async function resetOnce(
  { on, kind, count, at }: Cut,
  image: TestImage,
  mover: Mover,
): Promise<Resumed> {
  const stage = await openStage(on, { quirks: { ...mover.quirks, droppedBody: "random-prefix" } });
  try {
    let [seen, cut] = [0, 0];
    const fault: Fault =
      at === "answer" ? { do: "drop", when: "after-commit" } : { do: "cut", side: "request", at };
    const plan: FaultPlan = (request) => {
      seen += request.kind === kind ? 1 : 0;
      if (request.kind !== kind || seen !== count || cut > 0) return undefined;
      cut += 1;
      return fault;
    };
    stage.play(plan);
    const run = { stage, image, onEvent: () => {} };
    await mover.move({ work: "push" }, run);
    assert.equal(cut, 1, "the reset never came");
    const received = stage.received();
    const damaged = await mover.damaged({ work: "push" }, run);
    return { again: received - sizeOf(image), damaged };
  } finally {
    await stage.stop();
  }
}

function sizeOf({ config, layers }: TestImage): number {
  return [config, ...layers].reduce((sum, { descriptor }) => sum + descriptor.size, 0);
}
