import { retry } from "../../async/retry.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Architecture } from "../../oci/platform.ts";
import type { AwsApi } from "../api.ts";
import { causedBy } from "../refusals.ts";
import type { FunctionFacts, FunctionSettings, ImageSettings } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";
import { settled } from "./wait.ts";

export interface DesiredAlias {
  readonly name: string;
  /**
   * Part of the calls that the new version gets, 0 to 1; the version before gets the rest.
   * undefined: all.
   */
  readonly weight?: number;
}

/** The state that a deploy brings a function to. */
export interface DesiredFunction {
  /** `…@sha256:…`, in the function's own region. */
  readonly imageUri: string;
  readonly digest: Digest;
  readonly architecture: Architecture;
  /** Settings that are not named stay as they are; `env` is added to the function's. */
  readonly settings: Partial<FunctionSettings>;
  /** Overrides of the image's own settings that are removed; default none. */
  readonly imageDefaults?: readonly (keyof ImageSettings)[];
  /** AWS's own tags, added to those of the function; default none. */
  readonly resourceTags?: Readonly<Record<string, string>>;
  readonly publish: boolean;
  readonly alias?: DesiredAlias;
  /** Calls the new version once before the alias names it. */
  readonly warm: boolean;
  /** A function whose creation failed is deleted and created again, whatever is attached to it. */
  readonly recreate: boolean;
}

/** State of one deploy. `steps` lists the changes made so far, as imperatives. */
export interface DeployContext {
  readonly api: AwsApi;
  readonly place: FunctionPlace;
  readonly desired: DesiredFunction;
  readonly steps: string[];
}

/** Records and reports a change just before it is made. */
export function recordStep({ api, place, steps }: DeployContext, what: string): void {
  steps.push(what);
  api.emit({ type: "function-step", function: place.name, region: place.region, what, planned: false });
}

const ATTEMPTS = 6;

/**
 * Waits until no other change of the function is under way, then makes `change`. Where another
 * deploy changed the function first, `change` gets the new state and decides again.
 * @throws FUNCTION_BUSY when that happens 6 times.
 */
export async function onSettled<T>(
  { api, place }: DeployContext,
  change: (facts: FunctionFacts) => Promise<T>,
): Promise<T> {
  const what = `change ${formatPlace(place)}`;
  return retry(async () => change(await settled(api, place)), {
    pacing: api.pacing,
    signal: api.signal,
    delayAfter: (error, attempt) => (attempt < ATTEMPTS && isOvertaken(error) ? 500 * attempt : undefined),
    onRetry: ({ error, attempt, waitMs }) =>
      api.emit({
        type: "retrying",
        what,
        attempt,
        waitMs,
        reason: isOvertaken(error) ? error.cause.name : "",
      }),
  });
}

function isOvertaken(error: unknown) {
  return causedBy(error, "ResourceConflictException", "PreconditionFailedException");
}
