import type { LambdaClient } from "@aws-sdk/client-lambda";
import { type ConnectionOptions, openConnection } from "../connection.ts";

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
export async function openLambda(region: string, options: ConnectionOptions): Promise<OpenLambda> {
  const connection = await openConnection("LAMBDA", options, { connections: 8, answerMs: INVOCATION_MS });
  const sdk = await import("@aws-sdk/client-lambda");
  const client = new sdk.LambdaClient({ ...connection.config, region, maxAttempts: 1 });
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
