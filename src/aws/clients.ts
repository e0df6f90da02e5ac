import type { ECRClient, ECRClientConfig } from "@aws-sdk/client-ecr";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { loadPackage } from "../async/load-package.ts";
import type { Pacing } from "../async/pacing.ts";
import type { OnEvent } from "../events.ts";
import type { EcrHost } from "./ecr/ecr-host.ts";
import { type Environment, endpointOf, type Service, settingsOf } from "./environment.ts";
import { askMfaCode, type Terminal, terminalOf } from "./mfa.ts";
import { limitAnswers, noteCredentials, type Observable, reportRequests } from "./request-events.ts";
import { retryStrategy } from "./retries.ts";
import { openTransport } from "./transport.ts";

export interface ClientOptions {
  readonly environment: Environment;
  readonly onEvent?: OnEvent | undefined;
  /** Where MFA codes are asked for. Default: the terminal of this process, if it has one. */
  readonly terminal?: Terminal | undefined;
  /** Milliseconds until an answer must begin, and then until it must end. Default 20 s. */
  readonly answerMs?: number | undefined;
  /** The clock for our retries. Default: the SDK's own three attempts. */
  readonly pacing?: Pacing | undefined;
}

/** A client of the SDK for one API in one region. The SDK is loaded when one is opened. */
interface OpenClient<Client, Sdk> {
  readonly client: Client;
  readonly sdk: Sdk;
  readonly close: () => void;
}

/** Which endpoint of ECR's API is called. */
export type EcrPlace = Pick<EcrHost, "region" | "fips" | "dualStack">;

/** Opens a client for ECR. It uses HTTPS_PROXY, and AWS_ENDPOINT_URL_ECR where that is set. */
export async function openEcr(
  { region, fips, dualStack }: EcrPlace,
  options: ClientOptions,
): Promise<OpenClient<ECRClient, typeof import("@aws-sdk/client-ecr")>> {
  const sdk = await loadPackage("@aws-sdk/client-ecr", () => import("@aws-sdk/client-ecr"));
  // The SDK refuses a configured endpoint together with FIPS or dual stack.
  const isOwn = endpointOf(options.environment) !== undefined;
  const address = isOwn ? {} : { useFipsEndpoint: fips, useDualstackEndpoint: dualStack };
  const create = (config: Config) => new sdk.ECRClient({ ...config, ...address, region });
  return { sdk, ...(await openClient("ECR", options, 4, create)) };
}

/** Opens a client for Lambda, like {@link openEcr}. */
export async function openLambda(
  region: string,
  options: ClientOptions,
): Promise<OpenClient<LambdaClient, typeof import("@aws-sdk/client-lambda")>> {
  const sdk = await loadPackage("@aws-sdk/client-lambda", () => import("@aws-sdk/client-lambda"));
  const create = (config: Config) => new sdk.LambdaClient({ ...config, region });
  return { sdk, ...(await openClient("LAMBDA", options, 8, create)) };
}

type Config = Pick<
  ECRClientConfig,
  "credentials" | "profile" | "endpoint" | "requestHandler" | "logger" | "retryStrategy"
>;

const ANSWER_MS = 20_000;

async function openClient<
  Client extends { readonly middlewareStack: Observable; readonly destroy: () => void },
>(
  service: Service,
  { environment, onEvent = ignore, terminal = terminalOf(), answerMs = ANSWER_MS, pacing }: ClientOptions,
  connections: number,
  create: (config: Config) => Client,
): Promise<Omit<OpenClient<Client, never>, "sdk">> {
  const transport = await openTransport(environment, connections);
  const notes: string[] = [];
  // The SDK passes these two on to its credential providers: without them SSO and OIDC bypass the
  // proxy.
  const forProviders = {
    clientConfig: { requestHandler: transport.requestHandler(ANSWER_MS) },
    ...(terminal && { mfaCodeProvider: (serial: string) => askMfaCode(serial, terminal) }),
  };
  const client = create({
    ...settingsOf(environment, service),
    ...forProviders,
    requestHandler: transport.requestHandler(answerMs),
    logger: { debug: noteCredentials(notes), info: ignore, warn: ignore, error: ignore },
    ...(pacing && { retryStrategy: retryStrategy(pacing, onEvent) }),
  });
  reportRequests(client.middlewareStack, onEvent, notes);
  limitAnswers(client.middlewareStack, answerMs);
  return {
    client,
    close: () => {
      client.destroy();
      transport.close();
    },
  };
}

function ignore(): void {}
