import { createInterface } from "node:readline/promises";
import type { ECRClientConfig } from "@aws-sdk/client-ecr";
import { loadPackage } from "../async/load-package.ts";
import type { Pacing } from "../async/retry.ts";
import type { OnEvent } from "../events.ts";
import type { EcrHost } from "./ecr/names.ts";
import { type Environment, endpointOf, type Service, settingsOf } from "./environment.ts";
import {
  limitAnswers,
  noteCredentials,
  type Observable,
  reportRequests,
  retryStrategy,
} from "./request-events.ts";
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

export type EcrSdk = typeof import("@aws-sdk/client-ecr");
export type LambdaSdk = typeof import("@aws-sdk/client-lambda");

/** The names of an API's operations: `DescribeImages`. */
export type OperationOf<Sdk> = keyof {
  [K in keyof Sdk as K extends `${infer Name}Command` ? Name : never]: K;
};

/** The class of an operation's command. The SDK declares its fields, but not this relation. */
type CommandClass<Input, Output> = new (
  ...input: never
) => {
  readonly input: Input;
  resolveMiddleware(...context: never): (...request: never) => Promise<{ readonly output: Output }>;
};

/** The input and the output of an operation. */
export type Types<Sdk, Operation extends OperationOf<Sdk>> =
  Sdk[`${Operation}Command` & keyof Sdk] extends CommandClass<infer Input, infer Output>
    ? { readonly input: Input; readonly output: Output }
    : never;

export interface SendOptions {
  readonly abortSignal?: AbortSignal;
  /** Milliseconds until the answer must begin, if not those of the client. */
  readonly requestTimeout?: number;
}

type Send<Sdk> = <Operation extends OperationOf<Sdk>>(
  operation: Operation,
  input: Types<Sdk, Operation>["input"],
  options: SendOptions,
) => Promise<Types<Sdk, Operation>["output"]>;

/** A client of the SDK for one API in one region. The SDK is loaded when one is opened. */
interface OpenClient<Sdk> {
  readonly send: Send<Sdk>;
  readonly close: () => void;
}

/** Which endpoint of ECR's API is called. */
export type EcrPlace = Pick<EcrHost, "region" | "fips" | "dualStack">;

/** Opens a client for ECR. It uses HTTPS_PROXY, and AWS_ENDPOINT_URL_ECR where that is set. */
export async function openEcr(
  { region, fips, dualStack }: EcrPlace,
  options: ClientOptions,
): Promise<OpenClient<EcrSdk>> {
  const sdk = await loadPackage("@aws-sdk/client-ecr", () => import("@aws-sdk/client-ecr"));
  // The SDK refuses a configured endpoint together with FIPS or dual stack.
  const isOwn = endpointOf(options.environment) !== undefined;
  const address = isOwn ? {} : { useFipsEndpoint: fips, useDualstackEndpoint: dualStack };
  const create = (config: Config) => new sdk.ECRClient({ ...config, ...address, region });
  return openClient("ECR", options, 4, sdk, create);
}

/** Opens a client for Lambda, like {@link openEcr}. */
export async function openLambda(region: string, options: ClientOptions): Promise<OpenClient<LambdaSdk>> {
  const sdk = await loadPackage("@aws-sdk/client-lambda", () => import("@aws-sdk/client-lambda"));
  const create = (config: Config) => new sdk.LambdaClient({ ...config, region });
  return openClient("LAMBDA", options, 8, sdk, create);
}

type Config = Pick<
  ECRClientConfig,
  "credentials" | "profile" | "endpoint" | "requestHandler" | "logger" | "retryStrategy"
>;

interface SdkClient {
  readonly middlewareStack: Observable;
  readonly send: (command: never, options: SendOptions) => Promise<unknown>;
  readonly destroy: () => void;
}

const ANSWER_MS = 20_000;

async function openClient<Sdk extends object>(
  service: Service,
  { environment, onEvent = ignore, terminal = terminalOf(), answerMs = ANSWER_MS, pacing }: ClientOptions,
  connections: number,
  sdk: Sdk,
  create: (config: Config) => SdkClient,
): Promise<OpenClient<Sdk>> {
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
  const send = (operation: string, input: object, options: SendOptions) => {
    const Command = Reflect.get<object, string>(sdk, `${operation}Command`);
    return client.send(Reflect.construct(Command, [input]), options);
  };
  return {
    // The input and the output belong to the command of that name.
    send: send as Send<Sdk>,
    close: () => {
      client.destroy();
      transport.close();
    },
  };
}

function ignore(): void {}

interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/**
 * Returns the terminal of this process; undefined in a pipeline or a CI job. It writes to stderr,
 * because stdout carries the result.
 */
function terminalOf(): Terminal | undefined {
  const { stdin: input, stderr: output } = process;
  return input.isTTY && output.isTTY ? { input, output } : undefined;
}

/** Asks for the code of the MFA device `serial`. Returns an empty code if the input ends. */
async function askMfaCode(serial: string, { input, output }: Terminal): Promise<string> {
  const lines = createInterface({ input, output });
  const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  try {
    return (await Promise.race([lines.question(`\nMFA code of ${serial}: `), ended])).trim();
  } finally {
    lines.close();
  }
}
