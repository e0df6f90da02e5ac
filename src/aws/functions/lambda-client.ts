import type { LambdaClient } from "@aws-sdk/client-lambda";
import { agentsFor } from "../../registry/http/agent.ts";
import type { EcrClientOptions } from "../ecr/ecr-client.ts";
import { endpointOf, settingsOf } from "../environment.ts";
import { reportRequests } from "../request-events.ts";
import { requestHandler } from "../request-handler.ts";

export type LambdaSdk = typeof import("@aws-sdk/client-lambda");

export interface OpenLambda {
  readonly client: LambdaClient;
  readonly sdk: LambdaSdk;
  readonly close: () => void;
}

/** An invocation answers when the function has ended: 15 minutes are Lambda's own limit. */
export const INVOCATION_MS = 15 * 60 * 1000;

/**
 * A client for Lambda in one region, until it is closed. The SDK is loaded here. It goes through HTTPS_PROXY, and to AWS_ENDPOINT_URL_LAMBDA where
 * that is set. It tries once: who calls knows what may be tried again.
 */
export async function openLambda(
  region: string,
  { environment, onEvent }: EcrClientOptions,
): Promise<OpenLambda> {
  const agents = await agentsFor(environment, 8);
  const sdk = await import("@aws-sdk/client-lambda");
  const url = endpointOf(environment, "LAMBDA") ?? `https://lambda.${region}.amazonaws.com`;
  const client = new sdk.LambdaClient({
    ...settingsOf(environment, "LAMBDA"),
    region,
    maxAttempts: 1,
    requestHandler: requestHandler(new URL(url), agents, INVOCATION_MS),
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
