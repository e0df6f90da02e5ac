import type { Pacing } from "../../async/pacing.ts";
import { type RetryPolicy as RetryOptions, retry } from "../../async/retry.ts";
import { hasCode, LambdaPackError, type RegistryAnswer } from "../../errors.ts";
import type { OnEvent } from "../../events.ts";
import { networkTrouble, systemCode } from "./network-error.ts";
import type { Throttle } from "./throttle.ts";

/** When something is attempted again. Times in milliseconds. */
export interface RetryPolicy {
  /**
   * The wait before the second attempt is drawn from 0 to this, each further one from twice as much
   * (full jitter).
   */
  readonly baseMs: number;
  readonly longestWaitMs: number;
  /**
   * How long one thing may wait and be silent before it is given up. Every shorter outage is
   * survived.
   */
  readonly patienceMs: number;
}

/** A minute is what a user waits before asking; several attempts fall into the last half of it. */
export const RETRY_POLICY: RetryPolicy = { baseMs: 500, longestWaitMs: 10_000, patienceMs: 60_000 };

/**
 * 499 is nginx's, 509 Apache's and cPanel's, 520 to 530 Cloudflare's and other CDNs' for 502 to
 * 504.
 */
const PASSING_STATUSES: readonly number[] = [
  ...[408, 425, 429, 499, 500, 502, 503, 504, 509],
  ...[520, 521, 522, 523, 524, 525, 527, 529, 530],
];
const FINAL_STATUSES: readonly number[] = [401, 403, 404, 405, 413];
const COMPLAINTS =
  /^(TOOMANYREQUESTS|UNAVAILABLE|UNKNOWN|ThrottlingException|Throttling|SlowDown|RequestTimeout|InternalError)$/;
const SLOWER = /^(TOOMANYREQUESTS|ThrottlingException|Throttling|SlowDown)$/;

/** Damage that comes three times is at the registry, not on the way. */
const DAMAGED_ATTEMPTS = 3;
/** The registry gives a fresh storage address each time: the last one may have expired. */
const STORAGE_ATTEMPTS = 3;
/** Three retries where no server was ever reached (Jib, containerd): a wrong name stays wrong. */
const ABSENT_ATTEMPTS = 4;

/**
 * Returns how many attempts a failure is worth: Infinity for as many as patience allows, undefined
 * where another attempt is no use. `wasReached`: the host has answered before, so it is only away.
 */
export function attemptsFor(error: unknown, wasReached = false): number | undefined {
  // A login at AWS's API that the network kept from an answer, and that was not retried yet.
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
  // A token server that answers 200 without a token.
  return code === "REGISTRY_ANSWER" && answer.status === 200 ? DAMAGED_ATTEMPTS : undefined;
}

function isPassing({ status, complaints }: RegistryAnswer): boolean {
  if (isPullLimit(complaints)) return false;
  if (PASSING_STATUSES.includes(status))
    return !complaints.some(({ code }) => /^(DENIED|UNAUTHORIZED)$/.test(code));
  return !FINAL_STATUSES.includes(status) && complaints.some(({ code }) => COMPLAINTS.test(code));
}

/** Docker Hub's limit is for six hours: waiting a minute does not help. */
export function isPullLimit(complaints: RegistryAnswer["complaints"]): boolean {
  return complaints.some(({ message }) => /\bpull rate limit\b/i.test(message));
}

/** Whether the host asks for fewer requests, not only for this one again. */
function asksForLess(error: unknown): boolean {
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
/** A longer wait, which a registry may ask for, is told again in between (reliability goal G5). */
const LONGEST_SILENCE_MS = 20_000;

/** Counts the attempts at one thing, which events name: `send the blob sha256:...`. */
export class Attempts {
  readonly #what: string;
  readonly #context: RetryContext;
  #failures = 0;
  #silentMs = 0;
  #newBytes = 0;
  #isFinal = false;
  #reason = "";
  #lastSign: number;

  constructor(what: string, context: RetryContext) {
    this.#what = what;
    this.#context = context;
    this.#lastSign = context.pacing.now();
  }

  /**
   * Records that bytes moved, so the line is not silent. Each MiB of `newBytes` starts the count
   * again.
   */
  moved(newBytes: number): void {
    this.#lastSign = this.#context.pacing.now();
    this.#newBytes += newBytes;
    if (this.#newBytes < WORTH_NEW_COUNT) return;
    [this.#failures, this.#silentMs, this.#newBytes] = [0, 0, 0];
  }

  /** What fails next is not the registry's doing: it is not attempted again. */
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
   * For `retry`. The last error is thrown as it is, with the number of attempts, or as one for the
   * user.
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
    // An attempt that timed out may take as long again. The second is always worth it.
    const again = hasCode(error, "ETIMEDOUT") ? silence : 0;
    const left = policy.patienceMs - (this.#failures === 1 ? 0 : this.#silentMs + again);
    const worth = this.#isFinal ? 0 : (attemptsFor(error, wasReached?.()) ?? 0);
    if (this.#failures >= worth || left <= 0) throw this.#explained(error);
    const waitMs = Math.min(waitFor(error, this.#failures, this.#context), left);
    if (asksForLess(error)) throttle.slowDown(waitMs);
    // ECR resets what is too much at once (dotnet/sdk-container-builds#279): fewer at a time, but
    // no pause.
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
  }
}

/**
 * Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), never less than the
 * registry asked for.
 */
function waitFor(error: unknown, failures: number, { policy, pacing }: RetryContext): number {
  const ceiling = Math.min(policy.longestWaitMs, policy.baseMs * 2 ** Math.min(failures - 1, 20));
  const asked = error instanceof LambdaPackError ? (error.answer?.retryAfterMs ?? 0) : 0;
  return Math.max(1, pacing.random() * ceiling, asked);
}

function reasonOf(error: unknown): string {
  if (error instanceof LambdaPackError)
    return error.answer ? (error.answer.complaints[0]?.code ?? `HTTP ${error.answer.status}`) : error.code;
  return systemCode(error) ?? (error instanceof Error ? error.message : String(error));
}
