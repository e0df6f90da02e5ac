import assert from "node:assert/strict";
import type { FaultPlan } from "../ecr/faults.ts";
import type { TestImage } from "../repository.ts";
import type { Mover } from "./play.ts";
import { openStage, type StageName } from "./stage.ts";

export interface Resumed {
  /** Bytes of blobs that came in beyond those of the image. */
  readonly again: number;
  readonly damaged: readonly string[];
}

/** A push whose largest body is reset once, `at` bytes into it; the registry keeps what came. */
export async function resetOnce(
  on: StageName,
  { image, at, kind }: { readonly image: TestImage; readonly at: number; readonly kind: string },
  mover: Mover,
): Promise<Resumed> {
  const stage = await openStage(on, { quirks: { ...mover.quirks, droppedBody: "random-prefix" } });
  try {
    let cut = 0;
    const plan: FaultPlan = (request) => {
      if (request.kind !== kind || cut > 0) return undefined;
      cut += 1;
      return { do: "cut", side: "request", at };
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
