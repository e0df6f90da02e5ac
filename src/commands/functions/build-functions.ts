import { createLimiter, mapConcurrent } from "../../async/concurrency.ts";
import { Session } from "../../session/session.ts";
import {
  type BuildResult,
  type BuiltImage,
  buildImage,
  imageResultOf,
  publishImage,
} from "../build/build.ts";
import type { BuiltLayer } from "../build/layers/built-layer.ts";
import type { BuildPlan } from "../build/plan.ts";
import { type Stats, statsOf } from "../push/result.ts";
import { attempt, rejectFailures } from "./functions-error.ts";
import { type FunctionsOptions, planFunctions } from "./plan.ts";

export interface BuildFunctionsOptions extends FunctionsOptions {
  /** true: leaves out functions whose image is already at its destinations. Default false. */
  readonly filterChanged?: boolean;
}

/** The image of one function. */
export type BuiltFunction = Omit<BuildResult, "stats">;

export interface BuildFunctionsResult {
  /** The functions in the order of the file. */
  readonly functions: readonly { readonly name: string; readonly result: BuiltFunction }[];
  /** The statistics of all functions together. */
  readonly stats: Stats;
}

/**
 * Number of images that are pushed at once. Builds run one after the other: packing uses all cores,
 * and the second of two functions finds a shared layer in the cache.
 */
const SENT_AT_ONCE = 4;

/**
 * Builds the images of several functions of a configuration file and pushes them in one session: a
 * base is resolved once, and a shared layer is packed and sent once. All functions are checked
 * before the first is built.
 * @throws {@link LambdaPackError}; `FunctionsError` after all functions have ended, if some failed
 */
export async function buildFunctions(options: BuildFunctionsOptions): Promise<BuildFunctionsResult> {
  const { filterChanged = false, ...others } = options;
  const plan = planFunctions(others);
  return Session.run(plan.session, async (session) => {
    const inTurn = createLimiter(1);
    const layers: BuiltLayer[] = [];
    const outcomes = await mapConcurrent(
      plan.functions,
      { limit: SENT_AT_ONCE, signal: session.signal },
      ({ name, build }) =>
        attempt(name, async () => {
          const built = await inTurn(() => buildImage(build, session));
          layers.push(...built.layers);
          if (filterChanged && (await isPublished(built, build, session))) return undefined;
          return publish(name, built, build, session);
        }),
    );
    const functions = rejectFailures(outcomes).flatMap(({ name, result }) =>
      result ? [{ name, result }] : [],
    );
    return { functions, stats: statsOf(layers, session) };
  });
}

async function publish(
  name: string,
  built: BuiltImage,
  plan: BuildPlan,
  session: Session,
): Promise<BuiltFunction> {
  const result = imageResultOf(built, plan, await publishImage(built, plan, session));
  session.emit({ type: "function-ready", name, reference: result.reference });
  return result;
}

/**
 * Returns whether every destination has the image under every tag. A failed request and an archive
 * file count as no.
 */
async function isPublished(
  { image }: BuiltImage,
  { destinations }: BuildPlan,
  session: Session,
): Promise<boolean> {
  for (const { location, tags } of destinations) {
    if (location.kind === "oci-archive" || location.kind === "docker-archive") return false;
    const sink = session.sink(location);
    const found = await sink.isPublished(image.manifest.descriptor, tags, session.signal).catch(() => false);
    if (!found) return false;
  }
  return true;
}
