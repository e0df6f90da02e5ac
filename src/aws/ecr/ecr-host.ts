import { isLoopback } from "../../registry/http/proxy.ts";
import { ECR_HOST } from "../../registry/traits.ts";
import { type Environment, endpointOf } from "../environment.ts";
import { environmentRegion } from "../regions.ts";

/**
 * The parts of the host name of a private ECR registry. Its region and kind decide which API gives
 * its login, whatever AWS_REGION is.
 */
export interface EcrHost {
  /** Twelve digits; undefined if an emulator's host name has none. */
  readonly accountId?: string;
  readonly region: string;
  readonly fips: boolean;
  /** Whether it is reached over IPv6 as well. */
  readonly dualStack: boolean;
  /** Host and port of an emulator's registry, which AWS's naming rules do not cover. */
  readonly emulator?: string;
}

/**
 * Parses the host of a reference; undefined: it is not a private ECR registry. The registry of an
 * emulator (LocalStack and others) counts only if `environment` names the emulator as ECR's
 * endpoint.
 */
export function parseEcrHost(host: string, environment: Environment = {}): EcrHost | undefined {
  const [, accountId, separator, fips, region] = ECR_HOST.exec(host) ?? [];
  if (accountId === undefined || region === undefined) return emulatedHost(host, environment);
  return { accountId, region: region.toLowerCase(), fips: fips !== undefined, dualStack: separator === "-" };
}

/**
 * Matches `000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566`, or only a host such as
 * `localhost:4510`.
 */
const EMULATED = /^(?:(\d{12})\.dkr\.ecr\.([a-z]{2}(?:-[a-z]+)+-\d)\.)?([^/:]+|\[[^\]]+\])(?::\d+)?$/;

/**
 * Its name must end with the endpoint's host, or both must be this machine, so that no other host
 * gets a login.
 */
function emulatedHost(host: string, environment: Environment): EcrHost | undefined {
  const endpoint = endpointOf(environment);
  const [, accountId, region, tail] = EMULATED.exec(host.toLowerCase()) ?? [];
  if (endpoint === undefined || !URL.canParse(endpoint) || tail === undefined) return undefined;
  const { hostname } = new URL(endpoint);
  const areLocal = isThisMachine(tail) && isThisMachine(hostname);
  if (!areLocal && (region === undefined || tail !== hostname)) return undefined;
  return {
    ...(accountId !== undefined && { accountId }),
    region: region ?? environmentRegion(environment) ?? "us-east-1",
    fips: false,
    dualStack: false,
    emulator: host,
  };
}

/** LocalStack's name for 127.0.0.1 (docs.localstack.cloud, "localhost.localstack.cloud"). */
function isThisMachine(host: string): boolean {
  return isLoopback(host.replace(/^\[|\]$/g, "")) || /^(.*\.)?localhost\.localstack\.cloud$/.test(host);
}
