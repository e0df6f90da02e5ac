import { LambdaPackError } from "../errors.ts";
import type { Call, RegistryClient } from "./client.ts";
import { asksForLess, attemptsFor } from "./errors/retry.ts";
import type { HttpResponse } from "./http/http.ts";

/**
 * Expected answers to a lookup, with which no host is in trouble. A lookup only saves work, so none
 * of them may fail the push (goharbor/harbor#18792).
 */
export const LOOK_UP_ANSWERS: readonly number[] = [
  ...[200, 400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 412, 415, 416, 417, 418, 421, 422, 423, 424],
  ...[426, 428, 431, 451, 501, 505],
];

/**
 * A registry that refuses a lookup this often, each time as if it could pass (500, 503), is asked
 * no more: the work that the lookup would save is done instead.
 */
const MAX_FAILURES = 4;

/** Counts the failed lookups of one upload or manifest, over the attempts at it. */
export interface LookUpFailures {
  count: number;
}

/**
 * Sends a request that only saves work. Returns undefined if the registry does not answer it: an
 * unexpected status, a redirect that may not be followed, or temporary failures {@link MAX_FAILURES}
 * times. Retries it, unless the caller does and counts its `failures`.
 * @throws a failure that may pass, an error of the token server, and a read that was aborted
 */
export async function lookUp(
  client: RegistryClient,
  call: Call,
  failures?: LookUpFailures,
): Promise<HttpResponse | undefined> {
  const counted = failures ?? { count: 0 };
  const ask = async () => {
    try {
      return await client.once(call);
    } catch (error) {
      if (isUnanswered(error)) return undefined;
      if (isRefusal(error)) counted.count += 1;
      if (counted.count >= MAX_FAILURES) return undefined;
      throw error;
    }
  };
  return failures ? ask() : client.persist(call, ask);
}

/** Returns whether the registry refuses a lookup, so that another attempt would not help. */
export function isUnanswered(error: unknown): boolean {
  return isRefusal(error) && attemptsFor(error) !== Number.POSITIVE_INFINITY;
}

/** Returns whether the registry's own answer refuses this request, and not one request too many. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof LambdaPackError) || error.code !== "REGISTRY_ANSWER") return false;
  return error.answer?.by !== "token-server" && !asksForLess(error);
}
