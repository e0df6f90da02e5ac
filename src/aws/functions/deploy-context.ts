import type { Digest } from "../../oci/digest.ts";
import type { Architecture } from "../../oci/platform.ts";
import type { AwsApi } from "../api.ts";
import { causedBy } from "../refusals.ts";
import type { FunctionFacts, FunctionSettings } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";
import { waitUntilSettled } from "./wait.ts";

export interface DesiredAlias {
  readonly name: string;
  /** Share of calls for the new version, 0 to 1; the previous one gets the rest. undefined: all. */
  readonly weight?: number;
}

/** The state that a deploy brings a function to. */
export interface DesiredFunction {
  /** `…@sha256:…`, in the function's own region. */
  readonly imageUri: string;
  readonly digest: Digest;
  readonly architecture: Architecture;
  /** Other settings stay as they are; `env` is added to the function's. */
  readonly settings: Partial<FunctionSettings>;
  /** AWS resource tags, added to those of the function. Default: none. */
  readonly resourceTags?: Readonly<Record<string, string>>;
  readonly publish: boolean;
  readonly alias?: DesiredAlias;
  /** Whether to call the new version once before the alias points to it. */
  readonly warm: boolean;
  /** Whether a function whose creation failed is recreated, whatever is attached to it. */
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
 * Waits until no change of the function is in progress, then calls `change`. If another deploy
 * changes the function first, calls `change` again with the new state.
 * @throws FUNCTION_BUSY when that happens 6 times.
 */
export function retryOnConflict<T>(
  { api, place }: DeployContext,
  change: (facts: FunctionFacts) => Promise<T>,
): Promise<T> {
  return api.retry(
    `change ${formatPlace(place)}`,
    async () => change(await waitUntilSettled(api, place)),
    (error, attempt) => {
      const isOvertaken = causedBy(error, "ResourceConflictException", "PreconditionFailedException");
      if (!isOvertaken || attempt >= ATTEMPTS) return undefined;
      return { waitMs: 500 * attempt, reason: error.cause.name };
    },
  );
}
