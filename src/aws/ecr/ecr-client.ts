import type { ECRClient, ECRClientConfig } from "@aws-sdk/client-ecr";
import type { OnEvent } from "../../events.ts";
import { agentsFor } from "../../registry/http/agent.ts";
import { type Environment, endpointOf, settingsOf } from "../environment.ts";
import { reportRequests } from "../request-events.ts";
import { requestHandler } from "../request-handler.ts";
import type { EcrHost } from "./ecr-host.ts";

export interface EcrClientOptions {
  readonly environment: Environment;
  readonly onEvent?: OnEvent | undefined;
  /** How long a login may take, with the SDK's own attempts. Default a minute. */
  readonly loginMs?: number;
}

export type EcrSdk = typeof import("@aws-sdk/client-ecr");

/** Which of ECR's APIs is spoken to. */
export type EcrPlace = Pick<EcrHost, "region" | "fips" | "dualStack">;

export interface OpenEcr {
  readonly client: ECRClient;
  readonly sdk: EcrSdk;
  readonly close: () => void;
}

/**
 * Runs `use` with a client for the API of the region that `host` names, and closes its connections afterwards. The SDK is loaded here, so that
 * nobody else waits for it. It goes through HTTPS_PROXY, and to AWS_ENDPOINT_URL_ECR where that is set.
 */
export async function withEcrClient<T>(
  host: EcrPlace,
  options: EcrClientOptions,
  use: (client: ECRClient, sdk: EcrSdk) => Promise<T>,
): Promise<T> {
  const { client, sdk, close } = await openEcr(host, options);
  try {
    return await use(client, sdk);
  } finally {
    close();
  }
}

/** As {@link withEcrClient}, until it is closed. `attempts`: how often the SDK itself tries; default its own three. */
export async function openEcr(
  host: EcrPlace,
  { environment, onEvent }: EcrClientOptions,
  attempts?: number,
): Promise<OpenEcr> {
  const agents = await agentsFor(environment, 4);
  const sdk = await import("@aws-sdk/client-ecr");
  const client = new sdk.ECRClient({
    ...settingsOf(environment),
    ...addressOf(host, environment),
    ...(attempts !== undefined && { maxAttempts: attempts }),
    requestHandler: requestHandler(new URL(apiOf(host, environment)), agents),
  });
  if (onEvent) reportRequests(client.middlewareStack, onEvent);
  return {
    client,
    sdk,
    close: () => {
      client.destroy();
      agents.close();
    },
  };
}

/** A configured endpoint says all there is to say: the SDK refuses it together with FIPS or dual stack. */
function addressOf({ region, fips, dualStack }: EcrPlace, environment: Environment): ECRClientConfig {
  if (endpointOf(environment) !== undefined) return { region };
  return { region, ...(fips && { useFipsEndpoint: true }), ...(dualStack && { useDualstackEndpoint: true }) };
}

/** Good enough to choose a proxy by: the address itself is the SDK's to find. */
function apiOf({ region, fips }: EcrPlace, environment: Environment): string {
  return endpointOf(environment) ?? `https://${fips ? "ecr-fips" : "api.ecr"}.${region}.amazonaws.com`;
}
