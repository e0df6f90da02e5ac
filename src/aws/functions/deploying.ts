import { LambdaPackError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Architecture } from "../../oci/platform.ts";
import type { AwsApi } from "../api.ts";
import { isNamed } from "../refusals.ts";
import type { FunctionFacts, FunctionSettings, ImageSettings } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";
import { settled } from "./wait.ts";

export interface AliasWish {
  readonly name: string;
  /** 0 to 1: the part of the calls that the new version gets; the rest stays with the one before. undefined: all. */
  readonly weight?: number;
}

/** How a function shall be. */
export interface DeployWish {
  /** `…@sha256:…`, in the function's own region. */
  readonly imageUri: string;
  readonly digest: Digest;
  readonly architecture: Architecture;
  /** What is not named stays as it is; `env` is added to what is there. */
  readonly settings: Partial<FunctionSettings>;
  /** Overrides of the image's own settings that are removed; default none. */
  readonly imageDefaults?: readonly (keyof ImageSettings)[];
  /** AWS's own tags, added to those of the function; default none. */
  readonly resourceTags?: Readonly<Record<string, string>>;
  readonly publish: boolean;
  readonly alias?: AliasWish;
  /** Calls the new version once before the alias names it. */
  readonly warm: boolean;
  /** A function whose creation failed is deleted and created again whatever hangs on it. */
  readonly recreate: boolean;
}

/** One deploy under way: what was changed so far is in `steps`, in the past tense of nobody: `create the function`. */
export interface Deploying {
  readonly api: AwsApi;
  readonly place: FunctionPlace;
  readonly wish: DeployWish;
  readonly steps: string[];
}

/** Called just before something is changed. */
export function step({ api, place, steps }: Deploying, what: string): void {
  steps.push(what);
  api.emit({ type: "function-step", function: place.name, region: place.region, what, planned: false });
}

/** So often others may come in between. */
const ATTEMPTS = 6;

/**
 * Makes `change` on the function as it is when nothing else is under way, and again on what it has become meanwhile where Lambda says that
 * somebody else was quicker. `change` decides from what it is given whether there is still anything to do.
 * @throws FUNCTION_BUSY when others are quicker again and again.
 */
export async function onSettled<T>(
  { api, place }: Deploying,
  change: (facts: FunctionFacts) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await change(await settled(api, place));
    } catch (error) {
      if (attempt >= ATTEMPTS || !isPassedBy(error)) throw error;
      const waitMs = 500 * attempt;
      const what = `change ${formatPlace(place)}`;
      api.emit({ type: "retrying", what, attempt: attempt + 1, waitMs, reason: nameOf(error) });
      await api.pacing.sleep(waitMs, api.signal);
    }
  }
}

function isPassedBy(error: unknown): boolean {
  if (!(error instanceof LambdaPackError) || error.code !== "FUNCTION_BUSY") return false;
  return isNamed(error.cause, "ResourceConflictException", "PreconditionFailedException");
}

function nameOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? error.cause.name : "FUNCTION_BUSY";
}
