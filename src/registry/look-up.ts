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
 * A registry that refuses a lookup this often in a row, each time as if it could pass (500, 503), is
 * not waited for: the work that the lookup would save is done instead.
 */
const MAX_FAILURES = 4;

/** Counts the refused lookups in a row of one upload or manifest, over the attempts at it. */
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
      const response = await client.once(call);
      counted.count = 0;
      return response;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      counted.count += 1;
      const mayPass = attemptsFor(error) === Number.POSITIVE_INFINITY;
      if (mayPass && counted.count < MAX_FAILURES) throw error;
      return undefined;
    }
  };
  return failures ? ask() : client.persist(call, ask);
}

/** Returns whether the registry's own answer refuses this request, and not one request too many. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof LambdaPackError) || error.code !== "REGISTRY_ANSWER") return false;
  return error.answer?.by !== "token-server" && !asksForLess(error);
}
