import { loadPackage } from "../async/load-package.ts";
import { LambdaPackError } from "../errors.ts";
import type { Environment } from "./environment.ts";

/** A partition of AWS, with its own accounts, ARNs and host names. */
interface Partition {
  /** As in ARNs. */
  readonly name: string;
  readonly dnsSuffix: string;
  /** Suffix of dual-stack host names; equal to `dnsSuffix` where there are none. */
  readonly dualStackSuffix: string;
}

const PARTITIONS: readonly (readonly [prefix: string, partition: Partition])[] = [
  ["cn-", { name: "aws-cn", dnsSuffix: "amazonaws.com.cn", dualStackSuffix: "on.amazonwebservices.com.cn" }],
  ["us-gov-", { name: "aws-us-gov", dnsSuffix: "amazonaws.com", dualStackSuffix: "on.aws" }],
  ["us-iso-", { name: "aws-iso", dnsSuffix: "c2s.ic.gov", dualStackSuffix: "c2s.ic.gov" }],
  ["us-isob-", { name: "aws-iso-b", dnsSuffix: "sc2s.sgov.gov", dualStackSuffix: "sc2s.sgov.gov" }],
  ["eu-isoe-", { name: "aws-iso-e", dnsSuffix: "cloud.adc-e.uk", dualStackSuffix: "cloud.adc-e.uk" }],
  ["us-isof-", { name: "aws-iso-f", dnsSuffix: "csp.hci.ic.gov", dualStackSuffix: "csp.hci.ic.gov" }],
  ["eusc-", { name: "aws-eusc", dnsSuffix: "amazonaws.eu", dualStackSuffix: "amazonaws.eu" }],
];

const STANDARD: Partition = { name: "aws", dnsSuffix: "amazonaws.com", dualStackSuffix: "on.aws" };

export function partitionOf(region: string): Partition {
  return PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? STANDARD;
}

/** `eu-west-1`, `us-gov-east-1`, `us-isob-east-1`. */
const REGION = /^[a-z]{2,5}(?:-[a-z]+)+-\d{1,2}$/;

/** Returns `text` if it is a region. @throws USAGE. */
export function checkRegion(text: string): string {
  if (REGION.test(text)) return text;
  throw new LambdaPackError("USAGE", `${JSON.stringify(text.slice(0, 40))} is not a region`, {
    hint: "name a region of AWS, for example eu-west-1",
  });
}

/** Returns AWS_REGION, else AWS_DEFAULT_REGION, which only some SDKs read, else undefined. */
export function environmentRegion(environment: Environment): string | undefined {
  return environment["AWS_REGION"] || environment["AWS_DEFAULT_REGION"] || undefined;
}

/**
 * Returns the region of the environment, else of the AWS profile.
 * @throws USAGE when there is none.
 */
export async function defaultRegion(environment: Environment): Promise<string> {
  const named = environmentRegion(environment);
  if (named !== undefined) return checkRegion(named);
  const { LambdaClient } = await loadPackage(
    "@aws-sdk/client-lambda",
    () => import("@aws-sdk/client-lambda"),
  );
  const profile = environment["AWS_PROFILE"];
  try {
    return checkRegion(await new LambdaClient(profile ? { profile } : {}).config.region());
  } catch (cause) {
    throw new LambdaPackError("USAGE", "no region is given", {
      hint: "give --region, or set AWS_REGION, or a region in the AWS profile",
      cause,
    });
  }
}
