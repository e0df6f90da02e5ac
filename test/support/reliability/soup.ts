import type { Fault, FaultPlan } from "../ecr/http/faults.ts";
import { flaky } from "../ecr/http/faults.ts";
import type { TestImage } from "../registry/repository.ts";
import { type Mover, type Outcome, playWith } from "./play.ts";
import type { StageName } from "./stage.ts";

/** One run in which any request may fail. */
export interface SoupRun {
  readonly seed: number;
  readonly on: StageName;
  readonly work: "push" | "pull";
}

/** Push and pull, at one registry and at the other, in turn. */
export function soupRun(seed: number): SoupRun {
  return { seed, on: seed % 2 === 0 ? "ecr" : "plain", work: seed % 4 < 2 ? "push" : "pull" };
}

/** Plays one run; `fired` counts the faults that came. */
export function soup(
  { seed, on, work }: SoupRun,
  probability: number,
  image: TestImage,
  mover: Mover,
): Promise<Outcome> {
  const chance = flaky({ probability, seed });
  const plan: FaultPlan = (request) => (on === "plain" ? plainer(chance(request)) : chance(request));
  return playWith({ work }, on, image, mover, () => plan);
}

/** The plain registry cannot hang up after it has read a body; it does so before. */
export function plainer(fault: Fault | undefined): Fault | undefined {
  return fault?.do === "drop" && fault.when === "after-reading"
    ? { do: "drop", when: "before-reading" }
    : fault;
}
