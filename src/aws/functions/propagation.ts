import { retry } from "../../async/retry.ts";
import { LambdaPackError } from "../../errors.ts";
import type { AwsApi } from "../api.ts";
import { isNamed } from "../refusals.ts";

/** A refusal that ends when AWS has told all of its parts about something new. */
interface Passing {
  readonly message: RegExp;
  readonly reason: string;
  /** How long it is waited for, in milliseconds. */
  readonly patienceMs: number;
}

/** Words of Lambda, as terraform-provider-aws knows them (iam propagation, EC2 throttling). */
const PASSING: readonly Passing[] = [
  {
    message:
      /cannot be assumed by Lambda|(?:CreateGrant|KMS).*does not refer to a valid principal|execution role does not have permissions to call \w+ on EC2/i,
    reason: "Lambda does not know the role yet",
    patienceMs: 60_000,
  },
  { message: /throttled by EC2/i, reason: "EC2 throttles Lambda", patienceMs: 60_000 },
  {
    message: /source image .* does not exist|permission to access the ECR image/i,
    reason: "Lambda does not see the image or its repository's policy yet",
    patienceMs: 10_000,
  },
];

const WAITS_MS: readonly number[] = [1_000, 2_000, 4_000];
const LAST_WAIT_MS = 5_000;

/**
 * Repeats `change` while Lambda refuses it only because it does not know a new role, image or policy
 * yet. IAM tells all of Lambda within seconds, and promises nothing.
 * @throws the last refusal, when it lasts longer than such things take.
 */
export async function untilPropagated<T>(api: AwsApi, what: string, change: () => Promise<T>): Promise<T> {
  const { pacing, signal } = api;
  const startedAt = pacing.now();
  return retry(change, {
    pacing,
    signal,
    delayAfter: (error, attempt) => {
      const passing = passingOf(error);
      const waitMs = WAITS_MS[attempt - 1] ?? LAST_WAIT_MS;
      const isOver = !passing || pacing.now() + waitMs > startedAt + passing.patienceMs;
      return isOver ? undefined : waitMs;
    },
    onRetry: ({ error, attempt, waitMs }) =>
      api.emit({ type: "retrying", what, attempt, waitMs, reason: passingOf(error)?.reason ?? "" }),
  });
}

function passingOf(error: unknown): Passing | undefined {
  if (!(error instanceof LambdaPackError)) return undefined;
  const { cause } = error;
  if (!isNamed(cause, "InvalidParameterValueException", "AccessDeniedException")) return undefined;
  return PASSING.find(({ message }) => message.test(String(cause)));
}
