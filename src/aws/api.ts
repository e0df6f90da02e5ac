import type { ECRClient } from "@aws-sdk/client-ecr";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { type Pacing, REAL_PACING } from "../async/pacing.ts";
import type { OnEvent } from "../events.ts";
import { retrying } from "./attempts.ts";
import { type EcrPlace, type EcrSdk, type OpenEcr, openEcr } from "./ecr/ecr-client.ts";
import type { Environment } from "./environment.ts";
import { type LambdaSdk, type OpenLambda, openLambda } from "./functions/lambda-client.ts";
import { inTime, type Sending } from "./in-time.ts";
import { refusalOf } from "./refusals.ts";
import { awsError } from "./sdk-error.ts";

export interface AwsApiOptions {
  readonly environment: Environment;
  readonly onEvent?: OnEvent | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: real time. */
  readonly pacing?: Pacing | undefined;
  /** How long an answer may take to be there as a whole. Default 20 s. */
  readonly answerMs?: number | undefined;
}

/** One call, for when it fails: AWS does not `what` (`create the repository app`), and `action` is the permission for it. */
export interface Call {
  readonly what: string;
  readonly action: string;
  /** How long its answer may take, where that is no matter of AWS's own. */
  readonly answerMs?: number;
}

const ANSWER_MS = 20_000;

/**
 * The APIs of ECR and Lambda for the length of one command: one client for each region, opened when first needed.
 * Calls are tried again while AWS throttles or fails; other failures come out as errors for the user, or as the SDK's own exception where
 * the sender takes it.
 */
export class AwsApi {
  readonly environment: Environment;
  readonly pacing: Pacing;
  readonly signal: AbortSignal | undefined;
  readonly emit: OnEvent;
  readonly #answerMs: number;
  readonly #ecr = new Map<string, Promise<OpenEcr>>();
  readonly #lambda = new Map<string, Promise<OpenLambda>>();

  constructor({ environment, onEvent, signal, pacing = REAL_PACING, answerMs }: AwsApiOptions) {
    this.#answerMs = answerMs ?? ANSWER_MS;
    this.environment = environment;
    this.emit = onEvent ?? (() => {});
    this.signal = signal;
    this.pacing = pacing;
  }

  async ecr<T>(
    place: EcrPlace,
    call: Call,
    send: (client: ECRClient, sdk: EcrSdk, options: Sending) => Promise<T>,
  ): Promise<T> {
    const key = `${place.region} ${place.fips} ${place.dualStack}`;
    const opening = this.#ecr.get(key) ?? openEcr(place, this.#options, 1);
    this.#ecr.set(key, opening);
    const { client, sdk } = await opening;
    return this.#call(call, (options) => send(client, sdk, options));
  }

  async lambda<T>(
    region: string,
    call: Call,
    send: (client: LambdaClient, sdk: LambdaSdk, options: Sending) => Promise<T>,
  ): Promise<T> {
    const opening = this.#lambda.get(region) ?? openLambda(region, this.#options);
    this.#lambda.set(region, opening);
    const { client, sdk } = await opening;
    return this.#call(call, (options) => send(client, sdk, options));
  }

  async close(): Promise<void> {
    // A client that could not be opened has been told of by who asked for it.
    const opened = await Promise.allSettled([...this.#ecr.values(), ...this.#lambda.values()]);
    for (const one of opened) if (one.status === "fulfilled") one.value.close();
  }

  /** Does `work` with APIs of its own, which are closed however it ends. */
  static async run<T>(options: AwsApiOptions, work: (api: AwsApi) => Promise<T>): Promise<T> {
    const api = new AwsApi(options);
    try {
      return await work(api);
    } finally {
      await api.close();
    }
  }

  get #options() {
    return { environment: this.environment, onEvent: this.emit };
  }

  async #call<T>(call: Call, send: (options: Sending) => Promise<T>): Promise<T> {
    const { what, action, answerMs = this.#answerMs } = call;
    try {
      return await retrying(what, () => inTime(answerMs, this.signal, send), {
        pacing: this.pacing,
        onEvent: this.emit,
        signal: this.signal,
      });
    } catch (error) {
      this.signal?.throwIfAborted();
      throw refusalOf(error, what) ?? awsError(error, what, this.environment["AWS_PROFILE"], action);
    }
  }
}
