import { type Pacing, REAL_PACING } from "../async/retry.ts";
import type { AwsApi } from "../aws/api.ts";
import type { FunctionFacts } from "../aws/functions/function-facts.ts";
import {
  type FunctionPlace,
  formatPlace,
  parseFunctionName,
  placeIn,
} from "../aws/functions/function-name.ts";
import { findFunction } from "../aws/functions/functions.ts";
import { type ImageStatus, imageStatus } from "../aws/functions/image-use.ts";
import { explain, formatState, troubleOf } from "../aws/functions/states.ts";
import { type AliasFacts, listAliases, listVersions } from "../aws/functions/versions.ts";
import { waitUntilSettled } from "../aws/functions/wait.ts";
import { unlessDenied } from "../aws/refusals.ts";
import { defaultRegion } from "../aws/regions.ts";
import { LambdaPackError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Architecture } from "../oci/platform.ts";
import { withAws } from "./aws.ts";
import { STATUS_OPTIONS, type StatusOptions } from "./aws-options.ts";
import { readOptions } from "./options/read.ts";

export interface VersionStatus {
  readonly version: string;
  readonly digest?: Digest;
  readonly state: string;
}

export interface AliasStatus extends Omit<AliasFacts, "revisionId"> {
  readonly digest?: Digest;
}

export interface StatusResult {
  readonly function: string;
  readonly region: string;
  readonly arn: string;
  readonly state: string;
  /** false: it cannot be invoked, or the last update failed. */
  readonly healthy: boolean;
  /** What the state means, and how to recover from it. */
  readonly explanation?: string;
  readonly packageType: string;
  readonly architecture: Architecture;
  /** Memory in MB. */
  readonly memory: number;
  /** Timeout in seconds. */
  readonly timeout: number;
  readonly image?: ImageStatus;
  /** Newest first. */
  readonly versions: readonly VersionStatus[];
  readonly aliases: readonly AliasStatus[];
}

/**
 * Returns the status of a function: its state and what that means, its image and whether Lambda can
 * still load it, its versions and aliases by digest. What the caller has no permission to see is
 * left out, with a warning.
 * @throws FUNCTION_NOT_FOUND, DENIED, CREDENTIALS_INVALID, REGISTRY_UNREACHABLE, REGISTRY_ANSWER;
 * with `wait` FUNCTION_BUSY
 */
export function status(options: StatusOptions): Promise<StatusResult> {
  return statusPaced(options, REAL_PACING);
}

/** Returns the same as {@link status}, with the clock and waits of `pacing`. */
export async function statusPaced(options: StatusOptions, pacing: Pacing): Promise<StatusResult> {
  const values = readOptions("status", STATUS_OPTIONS, options);
  const name = parseFunctionName(values.function);
  const read = async (api: AwsApi): Promise<StatusResult> => {
    const region = values.region ?? name.region ?? (await defaultRegion(api.environment));
    const place = placeIn(name, region);
    const facts = values.wait ? await waitUntilSettled(api, place) : await findFunction(api, place);
    if (!facts) throw missing(place);
    const [versions = [], aliases = [], image] = await Promise.all([
      unlessDenied(api, listVersions(api, place)),
      unlessDenied(api, listAliases(api, place)),
      imageStatus(api, place, facts),
    ]);
    return {
      ...summary(place, facts),
      ...(image && { image }),
      versions: versions.map(versionStatus).reverse(),
      aliases: aliases.map((alias) => aliasStatus(alias, versions)),
    };
  };
  return withAws(options, read, pacing);
}

function summary(
  { name, region }: FunctionPlace,
  facts: FunctionFacts,
): Omit<StatusResult, "image" | "versions" | "aliases"> {
  const explanation = explain(facts);
  const { packageType, architecture, arn } = facts;
  const { memory, timeout } = facts.settings;
  const healthy = troubleOf(facts) === undefined;
  return {
    function: name,
    region,
    arn,
    state: formatState(facts),
    healthy,
    ...(explanation !== undefined && { explanation }),
    ...{ packageType, architecture, memory, timeout },
  };
}

function versionStatus({ version, digest, state }: FunctionFacts): VersionStatus {
  return { version, ...(digest && { digest }), state: state.value };
}

function aliasStatus(
  { name, version, weights }: AliasFacts,
  versions: readonly FunctionFacts[],
): AliasStatus {
  const digest = versions.find((one) => one.version === version)?.digest;
  return { name, version, ...(digest && { digest }), weights };
}

function missing(place: FunctionPlace): LambdaPackError {
  return new LambdaPackError("FUNCTION_NOT_FOUND", `there is no function ${formatPlace(place)}`, {
    hint: "check the name, the account and the region (--region)",
  });
}
