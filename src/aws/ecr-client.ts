import type { ECRClient, ECRClientConfig } from "@aws-sdk/client-ecr";
import type { OnEvent } from "../events.ts";
import { type Agents, agentsFor } from "../registry/agent.ts";
import { redactUrl } from "../registry/redact.ts";
import type { EcrHost } from "./ecr-host.ts";
import { type Environment, endpointOf, settingsOf } from "./environment.ts";

export interface EcrClientOptions {
  readonly environment: Environment;
  readonly onEvent?: OnEvent | undefined;
}

type Sdk = typeof import("@aws-sdk/client-ecr");

const CONNECT_TIMEOUT_MS = 10_000;
/** For one attempt; the SDK makes three. */
const ANSWER_TIMEOUT_MS = 20_000;

/**
 * Runs `use` with a client for the API of the region that `host` names, and closes its connections afterwards. The SDK is loaded here, so that
 * nobody else waits for it. It goes through HTTPS_PROXY, and to AWS_ENDPOINT_URL_ECR where that is set.
 */
export async function withEcrClient<T>(
  host: EcrHost,
  { environment, onEvent }: EcrClientOptions,
  use: (client: ECRClient, sdk: Sdk) => Promise<T>,
): Promise<T> {
  const agents = await agentsFor(environment, 2);
  const sdk = await import("@aws-sdk/client-ecr");
  const client = new sdk.ECRClient({
    ...settingsOf(environment),
    ...addressOf(host, environment),
    requestHandler: handlerOf(new URL(apiOf(host, environment)), agents),
  });
  if (onEvent) report(client, onEvent);
  try {
    return await use(client, sdk);
  } finally {
    client.destroy();
    agents.close();
  }
}

/** A configured endpoint says all there is to say: the SDK refuses it together with FIPS or dual stack. */
function addressOf({ region, fips, dualStack }: EcrHost, environment: Environment): ECRClientConfig {
  if (endpointOf(environment) !== undefined) return { region };
  return { region, ...(fips && { useFipsEndpoint: true }), ...(dualStack && { useDualstackEndpoint: true }) };
}

/** Good enough to choose a proxy by: the address itself is the SDK's to find. */
function apiOf({ region, fips }: EcrHost, environment: Environment): string {
  return endpointOf(environment) ?? `https://${fips ? "ecr-fips" : "api.ecr"}.${region}.amazonaws.com`;
}

function handlerOf(url: URL, agents: Agents): NonNullable<ECRClientConfig["requestHandler"]> {
  return {
    [url.protocol === "http:" ? "httpAgent" : "httpsAgent"]: agents.agentFor(url),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: ANSWER_TIMEOUT_MS,
    throwOnRequestTimeout: true,
  };
}

/** One `request` event for each attempt. */
function report(client: ECRClient, onEvent: OnEvent): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const startedAt = performance.now();
      const tell = (status: number) =>
        onEvent({
          type: "request",
          method: "POST",
          url: urlOf(args.request),
          status,
          ms: Math.round(performance.now() - startedAt),
        });
      try {
        const result = await next(args);
        tell(statusOf(result.response));
        return result;
      } catch (error) {
        tell(error instanceof Error && "$response" in error ? statusOf(error.$response) : 0);
        throw error;
      }
    },
    { step: "deserialize", name: "lambdaPackRequestEvents", priority: "high" },
  );
}

function urlOf(request: unknown): string {
  const { protocol = "https:", hostname = "", port, path = "/" } = request as Partial<Record<string, string>>;
  return redactUrl(`${protocol}//${hostname}${port ? `:${port}` : ""}${path}`);
}

function statusOf(response: unknown): number {
  const { statusCode } = (response ?? {}) as { readonly statusCode?: unknown };
  return typeof statusCode === "number" ? statusCode : 0;
}
