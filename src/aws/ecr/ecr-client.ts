import type { ECRClient, ECRClientConfig } from "@aws-sdk/client-ecr";
import { type ConnectionOptions, openConnection } from "../connection.ts";
import { type Environment, endpointOf } from "../environment.ts";
import type { EcrHost } from "./ecr-host.ts";

export interface EcrClientOptions extends ConnectionOptions {
  /** How long a login may take, with the SDK's own attempts. Default a minute. */
  readonly loginMs?: number;
}

/** One attempt. */
const ANSWER_MS = 20_000;

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
  options: EcrClientOptions,
  attempts?: number,
): Promise<OpenEcr> {
  const connection = await openConnection("ECR", options, { connections: 4, answerMs: ANSWER_MS });
  const sdk = await import("@aws-sdk/client-ecr");
  const client = new sdk.ECRClient({
    ...connection.config,
    ...addressOf(host, options.environment),
    ...(attempts !== undefined && { maxAttempts: attempts }),
  });
  connection.watch(client);
  return {
    client,
    sdk,
    close: () => {
      client.destroy();
      connection.close();
    },
  };
}

/** A configured endpoint says all there is to say: the SDK refuses it together with FIPS or dual stack. */
function addressOf({ region, fips, dualStack }: EcrPlace, environment: Environment): ECRClientConfig {
  if (endpointOf(environment) !== undefined) return { region };
  return { region, ...(fips && { useFipsEndpoint: true }), ...(dualStack && { useDualstackEndpoint: true }) };
}
