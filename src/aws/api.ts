import { type Pacing, REAL_PACING, retry } from "../async/retry.ts";
import { loadOnce } from "../async/single-flight.ts";
import type { OnEvent } from "../events.ts";
import {
  type ClientOptions,
  type EcrPlace,
  type EcrSdk,
  type LambdaSdk,
  type OperationOf,
  openEcr,
  openLambda,
  type SendOptions,
  type Types,
} from "./clients.ts";
import type { Environment } from "./environment.ts";
import { incomplete, present, refusalOf } from "./refusals.ts";
import { awsError } from "./sdk-error.ts";

interface AwsApiOptions extends Pick<ClientOptions, "environment" | "onEvent" | "answerMs"> {
  readonly signal?: AbortSignal | undefined;
  /** The clock for waits. Default: real time. */
  readonly pacing?: Pacing | undefined;
}

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

  /**
   * Calls an operation of ECR's API at `place`. `what` is its purpose, with which an error begins:
   * `list the images of app`.
   */
  async ecr<Operation extends OperationOf<EcrSdk>>(
    place: EcrPlace,
    operation: Operation,
    input: Types<EcrSdk, Operation>["input"],
    what: string,
  ): Promise<Types<EcrSdk, Operation>["output"]> {
    const key = `${place.region} ${place.fips} ${place.dualStack}`;
    const { send } = await loadOnce(this.#ecr, key, () => openEcr(place, this.#options));
    return this.#call((options) => send(operation, input, options), what, `ecr:${operation}`);
  }

  /**
   * Calls an operation of Lambda in a region, like {@link ecr}.
   * @param answerMs how long the answer may take, where that depends on the user's function
   */
  async lambda<Operation extends OperationOf<LambdaSdk>>(
    region: string,
    operation: Operation,
    input: Types<LambdaSdk, Operation>["input"],
    what: string,
    answerMs?: number,
  ): Promise<Types<LambdaSdk, Operation>["output"]> {
    const { send } = await loadOnce(this.#lambda, region, () => openLambda(region, this.#options));
    const limit = answerMs === undefined ? {} : { requestTimeout: answerMs };
    const action = operation === "Invoke" ? "InvokeFunction" : operation;
    const call = (options: SendOptions) => send(operation, input, { ...options, ...limit });
    return this.#call(call, what, `lambda:${action}`);
  }

  /**
   * Repeats `work` while `retryFor` gives a wait for its error. Emits an event for each retry of
   * `what`.
   */
  retry<T>(
    what: string,
    work: () => Promise<T>,
    retryFor: (error: unknown, attempt: number) => { waitMs: number; reason: string } | undefined,
  ): Promise<T> {
    const { pacing, signal, emit } = this;
    let reason = "";
    const delayAfter = (error: unknown, attempt: number) => {
      const next = retryFor(error, attempt);
      reason = next?.reason ?? "";
      return next?.waitMs;
    };
    const onRetry = ({ attempt, waitMs }: { readonly attempt: number; readonly waitMs: number }) =>
      emit({ type: "retrying", what, attempt, waitMs, reason });
    return retry(work, { pacing, signal, delayAfter, onRetry });
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

  /** @param action the permission that the request needs */
  async #call<T>(send: (options: SendOptions) => Promise<T>, what: string, action: string): Promise<T> {
    const { signal } = this;
    try {
      signal?.throwIfAborted();
      return await send(signal ? { abortSignal: signal } : {});
    } catch (error) {
      signal?.throwIfAborted();
      throw refusalOf(error, what) ?? awsError(error, what, this.environment["AWS_PROFILE"], action);
    }
  }
}

/** A page of a list, with the marker of the next one under the name that the API gives it. */
interface Page {
  readonly NextMarker?: string | undefined;
  readonly nextToken?: string | undefined;
}

/**
 * Reads the list in `field` of all pages. An empty page can be followed by others; an empty marker
 * ends the list. `about` names the list for errors; `ask` gets what to call the request.
 * @throws REGISTRY_ANSWER if a page has no list, which must not count as an empty one, or if it
 *   names itself as the next, so that the list would never end.
 */
export async function allPages<F extends string, Item>(
  about: string,
  field: F,
  ask: (
    marker: string | undefined,
    what: string,
  ) => Promise<Page & Partial<Record<F, readonly Item[] | undefined>>>,
): Promise<Item[]> {
  const found: Item[] = [];
  let marker: string | undefined;
  do {
    const page = await ask(marker, `list ${about}`);
    const items: readonly Item[] | undefined = page[field];
    found.push(...present(items, about, field));
    const next = page.NextMarker || page.nextToken || undefined;
    if (next !== undefined && next === marker)
      throw incomplete("the list", "page after the one that names itself as the next");
    marker = next;
  } while (marker !== undefined);
  return found;
}
