import { isLoopback } from "../../registry/http/proxy.ts";
import { type Environment, endpointOf } from "../environment.ts";
import { environmentRegion } from "../regions.ts";

/**
 * What the name of a private ECR registry says. Its region and kind decide which API hands out its
 * login, whatever AWS_REGION is.
 */
export interface EcrHost {
  /** Twelve digits; undefined where the name of an emulator does not say. */
  readonly accountId?: string;
  readonly region: string;
  readonly fips: boolean;
  /** Reached over IPv6 too. */
  readonly dualStack: boolean;
  /** Host and port of an emulator's registry, whose names follow no rule of AWS's. */
  readonly emulator?: string;
}

/**
 * amazon-ecr-credential-helper, ecr-login/api/client.go: whole, as
 * `….amazonaws.com.fake.example.com` must not get a login.
 */
const PRIVATE =
  /^(\d{12})\.dkr([.-])ecr(-fips)?\.([a-zA-Z0-9][a-zA-Z0-9-_]*)\.(?:amazonaws\.(?:com(?:\.cn)?|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;

/**
 * Reads `host` as a reference has it, without scheme and path; undefined: it is no private ECR
 * registry. A registry of an emulator (LocalStack and others) is one only where `environment` names
 * the emulator as ECR's endpoint.
 */
export function parseEcrHost(host: string, environment: Environment = {}): EcrHost | undefined {
  const [, accountId, separator, fips, region] = PRIVATE.exec(host) ?? [];
  if (accountId === undefined || region === undefined) return emulatedHost(host, environment);
  return { accountId, region: region.toLowerCase(), fips: fips !== undefined, dualStack: separator === "-" };
}

/**
 * `000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566`, and only a host:
 * `localhost:4510`.
 */
const EMULATED = /^(?:(\d{12})\.dkr\.ecr\.([a-z]{2}(?:-[a-z]+)+-\d)\.)?([^/:]+|\[[^\]]+\])(?::\d+)?$/;

/**
 * Its name has to end with the endpoint's host, or both are this machine: no other host is logged
 * in to.
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
