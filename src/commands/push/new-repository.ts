import { type Pacing, REAL_PACING, retry } from "../../async/retry.ts";
import { hasCode } from "../../errors.ts";
import type { Session } from "../../session/session.ts";

const PATIENCE_MS = 60_000;
const LONGEST_WAIT_MS = 8_000;

/**
 * Repeats `push` while the registry does not find a repository that was just created: its API knows
 * the repository some seconds earlier (terraform-provider-aws#3859).
 * @throws REPOSITORY_NOT_FOUND after a minute, and any other error of `push` at once
 */
export function pushToNewRepository<T>(
  push: () => Promise<T>,
  { emit, signal }: Pick<Session, "emit" | "signal">,
  pacing: Pacing = REAL_PACING,
): Promise<T> {
  const startedAt = pacing.now();
  return retry(push, {
    pacing,
    signal,
    delayAfter: (error, attempt) => {
      if (!hasCode(error, "REPOSITORY_NOT_FOUND")) return undefined;
      const waitMs = Math.min(LONGEST_WAIT_MS, 500 * 2 ** attempt);
      return pacing.now() + waitMs > startedAt + PATIENCE_MS ? undefined : waitMs;
    },
    onRetry: ({ attempt, waitMs }) =>
      emit({
        type: "retrying",
        what: "push to the new repository",
        attempt,
        waitMs,
        reason: "the registry does not know it yet",
      }),
  });
}
