import type * as ecr from "@aws-sdk/client-ecr";
import type * as lambda from "@aws-sdk/client-lambda";
import { type Pacing, REAL_PACING } from "../async/pacing.ts";
import type { OnEvent } from "../events.ts";
import { type ClientOptions, type EcrPlace, openEcr, openLambda } from "./clients.ts";
import type { Environment } from "./environment.ts";
import { incomplete, refusalOf } from "./refusals.ts";
import { awsError } from "./sdk-error.ts";

interface AwsApiOptions extends Pick<ClientOptions, "environment" | "onEvent" | "answerMs"> {
  readonly signal?: AbortSignal | undefined;
  /** The clock for waits. Default: real time. */
  readonly pacing?: Pacing | undefined;
}

/**
 * A call as its error names it: AWS does not `what` (`create the repository app`); `action` is the
 * permission that it needs.
 */
export interface Call {
  readonly what: string;
  readonly action: string;
  /** Milliseconds until the answer must begin, where that depends on the user's function. */
  readonly answerMs?: number;
}

/** The type of a dynamic import of the SDK. */
type Sdk<T> = Omit<T, "default">;

/** A command of one of the SDK's clients. */
type EcrCommand<I extends ecr.ServiceInputTypes, O extends ecr.ServiceOutputTypes> = InstanceType<
  typeof ecr.$Command<I, O, ecr.ECRClientResolvedConfig, ecr.ServiceInputTypes, ecr.ServiceOutputTypes>
>;
type LambdaCommand<I extends lambda.ServiceInputTypes, O extends lambda.ServiceOutputTypes> = InstanceType<
  typeof lambda.$Command<
    I,
    O,
    lambda.LambdaClientResolvedConfig,
    lambda.ServiceInputTypes,
    lambda.ServiceOutputTypes
  >
>;

/**
 * The APIs of ECR and Lambda during one command, with one client per region, opened when first
 * needed. The SDK retries throttled and temporary failures. Other failures are thrown as a
 * LambdaPackError; its cause is the SDK's exception where that says what is wrong with the request.
 */
export class AwsApi {
  readonly environment: Environment;
  readonly pacing: Pacing;
  readonly signal: AbortSignal | undefined;
  readonly emit: OnEvent;
  readonly #options: ClientOptions;
  readonly #ecr = new Map<string, ReturnType<typeof openEcr>>();
  readonly #lambda = new Map<string, ReturnType<typeof openLambda>>();

  constructor({ environment, onEvent, signal, pacing = REAL_PACING, answerMs }: AwsApiOptions) {
    this.environment = environment;
    this.emit = onEvent ?? (() => {});
    this.signal = signal;
    this.pacing = pacing;
    this.#options = { environment, onEvent: this.emit, answerMs, pacing };
  }

  /** Sends a command to the API of ECR at `place`. */
  async ecr<I extends ecr.ServiceInputTypes, O extends ecr.ServiceOutputTypes>(
    place: EcrPlace,
    call: Call,
    command: (sdk: Sdk<typeof ecr>) => EcrCommand<I, O>,
  ): Promise<O> {
    const key = `${place.region} ${place.fips} ${place.dualStack}`;
    const opening = this.#ecr.get(key) ?? openEcr(place, this.#options);
    this.#ecr.set(key, opening);
    const { client, sdk } = await opening;
    return this.#call(call, (options) => client.send(command(sdk), options));
  }

  /** Sends a command to Lambda in a region. */
  async lambda<I extends lambda.ServiceInputTypes, O extends lambda.ServiceOutputTypes>(
    region: string,
    call: Call,
    command: (sdk: Sdk<typeof lambda>) => LambdaCommand<I, O>,
  ): Promise<O> {
    const opening = this.#lambda.get(region) ?? openLambda(region, this.#options);
    this.#lambda.set(region, opening);
    const { client, sdk } = await opening;
    return this.#call(call, (options) => client.send(command(sdk), options));
  }

  async close(): Promise<void> {
    // If a client could not be opened, the call that needed it has thrown the reason.
    const opened = await Promise.allSettled([...this.#ecr.values(), ...this.#lambda.values()]);
    for (const one of opened) if (one.status === "fulfilled") one.value.close();
  }

  /** Runs `work` with a new AwsApi, and closes it afterwards. */
  static async run<T>(options: AwsApiOptions, work: (api: AwsApi) => Promise<T>): Promise<T> {
    const api = new AwsApi(options);
    try {
      return await work(api);
    } finally {
      await api.close();
    }
  }

  async #call<T>({ what, action, answerMs }: Call, send: (options: SendOptions) => Promise<T>): Promise<T> {
    const { signal } = this;
    try {
      signal?.throwIfAborted();
      return await send({
        ...(signal && { abortSignal: signal }),
        ...(answerMs !== undefined && { requestTimeout: answerMs }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw refusalOf(error, what) ?? awsError(error, what, this.environment["AWS_PROFILE"], action);
    }
  }
}

interface SendOptions {
  readonly abortSignal?: AbortSignal;
  readonly requestTimeout?: number;
}

/** One page of a list, and the marker of the next one. */
export interface Page<T> {
  readonly items: readonly T[] | undefined;
  readonly next: string | undefined;
}

/**
 * Reads all pages of a list. An empty page can be followed by others; an empty marker ends the
 * list.
 * @throws REGISTRY_ANSWER where a page names itself as the next, so that the list would never end.
 */
export async function allPages<T>(ask: (marker: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const found: T[] = [];
  let marker: string | undefined;
  do {
    const { items = [], next } = await ask(marker);
    for (const item of items) found.push(item);
    if (next && next === marker)
      throw incomplete("the list", "page after the one that names itself as the next");
    marker = next || undefined;
  } while (marker !== undefined);
  return found;
}
