import { type Pacing, type RetryPolicy as RetryOptions, retry } from "../../async/retry.ts";
import { hasCode, LambdaPackError, messageOf, type RegistryAnswer } from "../../errors.ts";
import type { OnEvent } from "../../events.ts";
import { hostBehindProxy } from "../http/proxy.ts";
import { networkTrouble, systemCode } from "./network-error.ts";
import type { Throttle } from "./throttle.ts";

/** When a failed operation is attempted again. Times in milliseconds. */
export interface RetryPolicy {
  /**
   * The wait before the second attempt is random, from 0 to this; the upper bound doubles with each
   * further attempt (full jitter).
   */
  readonly baseMs: number;
  readonly longestWaitMs: number;
  /** How long an operation may wait and be silent before it fails. It survives shorter outages. */
  readonly patienceMs: number;
}

/**
 * Users ask for help after about a minute, within which the last attempt should end; several
 * attempts fall into its second half.
 */
export const RETRY_POLICY: RetryPolicy = { baseMs: 500, longestWaitMs: 10_000, patienceMs: 55_000 };

/**
 * 499 is nginx's, 509 Apache's and cPanel's; 520 to 530 are what Cloudflare and other CDNs send for
 * 502 to 504.
 */
const PASSING_STATUSES: readonly number[] = [
  ...[408, 425, 429, 499, 500, 502, 503, 504, 509],
  ...[520, 521, 522, 523, 524, 525, 527, 529, 530],
];
const FINAL_STATUSES: readonly number[] = [401, 403, 404, 405, 413];
const COMPLAINTS =
  /^(TOOMANYREQUESTS|UNAVAILABLE|UNKNOWN|ThrottlingException|Throttling|SlowDown|RequestTimeout|InternalError)$/;
const SLOWER = /^(TOOMANYREQUESTS|ThrottlingException|Throttling|SlowDown)$/;

/** Damage that occurs three times is at the registry, not in transit. */
const DAMAGED_ATTEMPTS = 3;
/** The registry gives a new storage URL each time: the last one may have expired. */
const STORAGE_ATTEMPTS = 3;
/** Three retries where no server was ever reached (as Jib, containerd): the name may be wrong. */
const ABSENT_ATTEMPTS = 4;

/**
 * Returns how many attempts a failure allows: Infinity for as many as `patienceMs` allows,
 * undefined if another attempt is useless. `wasReached`: the host has answered before, so it
 * exists.
 */
export function attemptsFor(error: unknown, wasReached = false): number | undefined {
  // A login for which AWS's API could not be reached, and which was not retried yet.
  const isUnreached = hasCode(error, "REGISTRY_UNREACHABLE") && error instanceof LambdaPackError;
  const cause = isUnreached && error.attempts === undefined ? error.cause : error;
  if (cause instanceof LambdaPackError) return attemptsForError(cause);
  const trouble = networkTrouble(cause);
  if (trouble === "absent" && !wasReached) return ABSENT_ATTEMPTS;
  return trouble === undefined ? undefined : Number.POSITIVE_INFINITY;
}

function attemptsForError({ code, answer }: LambdaPackError): number | undefined {
  if (code === "CONTENT_MISMATCH") return DAMAGED_ATTEMPTS;
  if (!answer) return undefined;
  if (code === "REGISTRY_ANSWER" && isPassing(answer)) return Number.POSITIVE_INFINITY;
  if (answer.by === "storage" && code !== "CREDENTIALS_INVALID") return STORAGE_ATTEMPTS;
  // A token server answered 200 without a token.
  return code === "REGISTRY_ANSWER" && answer.status === 200 ? DAMAGED_ATTEMPTS : undefined;
}

function isPassing({ status, complaints }: RegistryAnswer): boolean {
  if (isPullLimit(complaints)) return false;
  if (PASSING_STATUSES.includes(status))
    return !complaints.some(({ code }) => /^(DENIED|UNAUTHORIZED)$/.test(code));
  return !FINAL_STATUSES.includes(status) && complaints.some(({ code }) => COMPLAINTS.test(code));
}

/**
 * Returns whether Docker Hub's pull limit is reached. It lasts six hours, so waiting a minute does
 * not help.
 */
export function isPullLimit(complaints: RegistryAnswer["complaints"]): boolean {
  return complaints.some(({ message }) => /\bpull rate limit\b/i.test(message));
}

/** Returns whether the host asks for fewer requests, not only for this one to be sent again. */
export function asksForLess(error: unknown): boolean {
  if (!(error instanceof LambdaPackError) || !error.answer) return false;
  return error.answer.status === 429 || error.answer.complaints.some(({ code }) => SLOWER.test(code));
}

interface RetryContext {
  readonly pacing: Pacing;
  readonly policy: RetryPolicy;
  readonly throttle: Throttle;
  readonly onEvent?: OnEvent | undefined;
  /** Whether the host has answered before. */
  readonly wasReached?: () => boolean;
  /** Turns the error that ends the attempts into the one for the user. */
  readonly explain?: (error: unknown) => unknown;
}

const WORTH_NEW_COUNT = 1024 * 1024;
/** A longer wait, which a registry may ask for, is reported again at this interval. */
const LONGEST_SILENCE_MS = 10_000;

/** Counts the attempts at one operation, which events name: `send the blob sha256:...`. */
export class Attempts {
  readonly #what: string;
  readonly #context: RetryContext;
  #failures = 0;
  #silentMs = 0;
  #newBytes = 0;
  #isStarting = false;
  #isFinal = false;
  #reason = "";
  #lastSign: number;

  constructor(what: string, context: RetryContext) {
    this.#what = what;
    this.#context = context;
    this.#lastSign = context.pacing.now();
  }

  /** Records that bytes moved, which ends a silence. Each MiB of `newBytes` resets the count. */
  moved(newBytes: number): void {
    const now = this.#context.pacing.now();
    // What precedes the first byte of a further attempt (a lookup, a queue) is silence too.
    if (this.#isStarting) this.#silentMs += now - this.#lastSign;
    this.#isStarting = false;
    this.#lastSign = now;
    this.#newBytes += newBytes;
    if (this.#newBytes < WORTH_NEW_COUNT) return;
    [this.#failures, this.#silentMs, this.#newBytes] = [0, 0, 0];
  }

  /** Makes the next failure final: the registry did not cause it, so it is not retried. */
  giveUp(): void {
    this.#isFinal = true;
  }

  /** Whether {@link Attempts.giveUp} was called. */
  get isGivenUp(): boolean {
    return this.#isFinal;
  }

  /** Calls `work` until it succeeds. @throws as {@link Attempts.policy} says. */
  run<T>(work: (attempts: Attempts) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return retry(() => work(this), this.policy(signal));
  }

  /**
   * Returns the policy for `retry`. The error that ends the attempts is thrown as `explain` returns
   * it, with the number of attempts.
   */
  policy(signal?: AbortSignal): RetryOptions {
    const { pacing } = this.#context;
    this.#lastSign = pacing.now();
    const sleep: Pacing["sleep"] = (ms, stop) => this.#sleep(ms, stop);
    return { pacing: { ...pacing, sleep }, signal, delayAfter: (error) => this.#delayAfter(error) };
  }

  #delayAfter(error: unknown): number {
    const { pacing, policy, throttle, wasReached } = this.#context;
    this.#failures += 1;
    const silence = pacing.now() - this.#lastSign;
    this.#silentMs += silence;
    // The next attempt may take as long as the one that timed out. The second is always made.
    const again = hasCode(error, "ETIMEDOUT") ? silence : 0;
    const left = policy.patienceMs - (this.#failures === 1 ? 0 : this.#silentMs + again);
    const worth = this.#isFinal ? 0 : (attemptsFor(error, wasReached?.()) ?? 0);
    if (this.#failures >= worth || left <= 0) throw this.#explained(error);
    const waitMs = Math.min(waitFor(error, this.#failures, this.#context), left);
    if (asksForLess(error)) throttle.slowDown(waitMs);
    // ECR resets connections when there are too many (dotnet/sdk-container-builds#279): run fewer
    // at once, without a pause.
    else if (hasCode(error, "ECONNRESET", "EPIPE")) throttle.slowDown(0);
    this.#reason = reasonOf(error);
    return waitMs;
  }

  #explained(error: unknown): unknown {
    if (this.#isFinal) return error;
    const explained = this.#context.explain?.(error) ?? error;
    return explained instanceof LambdaPackError ? explained.addAttempts(this.#failures) : explained;
  }

  async #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const { pacing, onEvent } = this.#context;
    const event = { what: this.#what, attempt: this.#failures + 1, reason: this.#reason };
    for (let rest = ms; rest > 0; rest -= LONGEST_SILENCE_MS) {
      onEvent?.({ type: "retrying", ...event, waitMs: Math.round(rest) });
      await pacing.sleep(Math.min(rest, LONGEST_SILENCE_MS), signal);
    }
    this.#silentMs += ms;
    this.#lastSign = pacing.now();
    this.#isStarting = true;
  }
}

/**
 * Returns the wait in milliseconds: full jitter (AWS Architecture Blog, "Exponential Backoff And
 * Jitter"), never less than the registry asked for.
 */
function waitFor(error: unknown, failures: number, { policy, pacing }: RetryContext): number {
  const ceiling = Math.min(policy.longestWaitMs, policy.baseMs * 2 ** Math.min(failures - 1, 20));
  const asked = error instanceof LambdaPackError ? (error.answer?.retryAfterMs ?? 0) : 0;
  return Math.max(1, pacing.random() * ceiling, asked);
}

function reasonOf(error: unknown): string {
  if (error instanceof LambdaPackError)
    return error.answer ? (error.answer.complaints[0]?.code ?? `HTTP ${error.answer.status}`) : error.code;
  if (error instanceof Error && hostBehindProxy(error) !== undefined) return error.message;
  return systemCode(error) ?? messageOf(error);
}
