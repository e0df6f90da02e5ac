import type { Pacing } from "../../async/pacing.ts";
import { hasCode, LambdaPackError, RegistryError } from "../../errors.ts";
import type { OnEvent } from "../../events.ts";
import { DamagedAnswer, networkTrouble, Refusal, systemCode } from "./error.ts";
import type { Throttle } from "./throttle.ts";

/** When to try again, and when it is no use any more. Times in milliseconds. */
export interface RetryPolicy {
  /** Tries of one thing without progress, the first included. */
  readonly attempts: number;
  /** The wait before the second try is drawn from 0 to this, each further one from twice as much (full jitter). */
  readonly baseMs: number;
  readonly longestWaitMs: number;
  /** Waiting and silence that one thing may cost before it is given up. */
  readonly patienceMs: number;
  /** Retries in hand for the whole repository; each success gives half of one back. */
  readonly retries: number;
}

/** Of ggcr, regclient and containers/image the middle; a minute is what a user waits before he asks (reliability goals G4, G5). */
export const RETRY_POLICY: RetryPolicy = {
  attempts: 6,
  baseMs: 500,
  longestWaitMs: 30_000,
  patienceMs: 58_000,
  retries: 60,
};

const STATUSES: readonly number[] = [408, 425, 429, 499, 500, 502, 503, 504, 522];
const FINAL_STATUSES: readonly number[] = [401, 403, 404, 405, 413];
const COMPLAINTS =
  /^(TOOMANYREQUESTS|UNAVAILABLE|UNKNOWN|ThrottlingException|Throttling|SlowDown|RequestTimeout|InternalError)$/;
const SLOWER = /^(TOOMANYREQUESTS|ThrottlingException|Throttling|SlowDown)$/;

/** How often a failure may come again, undefined where trying again is no use. */
export function attemptsFor(error: unknown, { attempts }: RetryPolicy): number | undefined {
  if (error instanceof RegistryError && isPassing(error)) return attempts;
  // The registry gives a fresh address each time: the last one may have expired.
  if (error instanceof Refusal && error.elsewhere !== undefined) return Math.min(3, attempts);
  // Damage that comes three times is not on the way but at the registry.
  if (error instanceof DamagedAnswer) return Math.min(3, attempts);
  const trouble = networkTrouble(error);
  // Three retries where nobody answers (Jib, containerd).
  if (trouble === "nobody") return Math.min(4, attempts);
  return trouble === "passing" ? attempts : undefined;
}

function isPassing({ status, complaints }: RegistryError): boolean {
  if (STATUSES.includes(status)) return !complaints.some(({ code }) => /^(DENIED|UNAUTHORIZED)$/.test(code));
  return !FINAL_STATUSES.includes(status) && complaints.some(({ code }) => COMPLAINTS.test(code));
}

/** Whether the host asks for fewer requests, not only for this one again. */
export function asksForLess(error: unknown): boolean {
  if (!(error instanceof RegistryError)) return false;
  return error.status === 429 || error.complaints.some(({ code }) => SLOWER.test(code));
}

export interface RetryContext {
  readonly pacing: Pacing;
  readonly policy: RetryPolicy;
  readonly throttle: Throttle;
  readonly onEvent?: OnEvent | undefined;
}

/** The patience with one thing. */
export interface Tries {
  /** Bytes moved, so the line is not silent; each MiB of new ones is worth fresh tries. */
  moved(newBytes: number): void;
  /** Waits until the next try is due. @throws `error`, with the number of tries, when it is no use. */
  failed(error: unknown, signal?: AbortSignal): Promise<void>;
}

export interface Retries {
  tries(what: string): Tries;
  /** `attempt` until it succeeds. */
  run<T>(what: string, attempt: (tries: Tries) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

const WORTH_FRESH_TRIES = 1024 * 1024;

export function createRetries(context: RetryContext): Retries {
  const purse = { left: context.policy.retries };
  const tries = (what: string) => createTries(what, context, purse);
  return {
    tries,
    async run(what, attempt, signal) {
      const own = tries(what);
      for (;;) {
        try {
          const result = await attempt(own);
          purse.left = Math.min(context.policy.retries, purse.left + 0.5);
          return result;
        } catch (error) {
          await own.failed(error, signal);
        }
      }
    },
  };
}

/** A longer wait, which a registry may ask for, is told again in between (reliability goal G5). */
const LONGEST_SILENCE_MS = 20_000;

function createTries(what: string, context: RetryContext, purse: { left: number }): Tries {
  const { pacing, policy, throttle, onEvent } = context;
  let failures = 0;
  let silentMs = 0;
  let fresh = 0;
  let lastSign = pacing.now();

  const giveUp = (error: unknown) => {
    throw failures > 1 ? afterTries(error, failures) : error;
  };

  return {
    moved(newBytes) {
      lastSign = pacing.now();
      fresh += newBytes;
      if (fresh < WORTH_FRESH_TRIES) return;
      failures = 0;
      silentMs = 0;
      fresh = 0;
    },
    async failed(error, signal) {
      signal?.throwIfAborted();
      failures += 1;
      const silence = pacing.now() - lastSign;
      silentMs += silence;
      // A try that ran into a timeout will, if it does so again, take as long again. One more is always worth it.
      const again = failures > 1 && hasCode(error, "ETIMEDOUT") ? silence : 0;
      const left = policy.patienceMs - silentMs - again;
      if (failures >= (attemptsFor(error, policy) ?? 0) || purse.left < 1 || left <= 0) giveUp(error);
      purse.left -= 1;
      const waitMs = Math.min(waitFor(error, failures, context), left);
      if (asksForLess(error)) throttle.slowDown(waitMs);
      // ECR resets what is too much at once (dotnet/sdk-container-builds#279): fewer at a time, but no pause.
      else if (hasCode(error, "ECONNRESET", "EPIPE")) throttle.slowDown(0);
      const event = { type: "retrying", what, attempt: failures + 1, reason: reasonOf(error) } as const;
      await sleepTold(waitMs, context, signal, (rest) => onEvent?.({ ...event, waitMs: Math.round(rest) }));
      silentMs += waitMs;
      lastSign = pacing.now();
    },
  };
}

async function sleepTold(
  ms: number,
  { pacing }: RetryContext,
  signal: AbortSignal | undefined,
  tell: (restMs: number) => void,
): Promise<void> {
  for (let rest = ms; ; rest -= LONGEST_SILENCE_MS) {
    tell(rest);
    await pacing.sleep(Math.min(rest, LONGEST_SILENCE_MS), signal);
    if (rest <= LONGEST_SILENCE_MS) return;
  }
}

/** Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), but never less than the registry asked for. */
function waitFor(error: unknown, failures: number, { policy, pacing }: RetryContext): number {
  const jittered = pacing.random() * Math.min(policy.longestWaitMs, policy.baseMs * 2 ** (failures - 1));
  const asked = error instanceof Refusal ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(jittered, asked);
}

function reasonOf(error: unknown): string {
  if (error instanceof RegistryError) return error.complaints[0]?.code ?? `HTTP ${error.status}`;
  return systemCode(error) ?? (error instanceof Error ? error.message : String(error));
}

/** The same error, saying that it was not the first time. */
function afterTries(error: unknown, tries: number): unknown {
  const times = `, ${tries} times in a row`;
  if (error instanceof RegistryError)
    return new RegistryError(error.code, error.message + times, { ...error, cause: error });
  if (error instanceof LambdaPackError)
    return new LambdaPackError(error.code, error.message + times, { ...error, cause: error });
  return error;
}
