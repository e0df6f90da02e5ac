import { LambdaPackError } from "../errors.ts";
import type { Call, RegistryClient } from "./client.ts";
import { attemptsFor } from "./errors/retry.ts";
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
 * Sends a request that only saves work. Returns undefined if the registry does not answer it: an
 * unexpected status, or a redirect that may not be followed.
 * @throws a failure that may pass, an error of the token server, and a read that was aborted
 */
export async function lookUp(
  client: RegistryClient,
  call: Call,
  how: "once" | "send" = "send",
): Promise<HttpResponse | undefined> {
  try {
    return await client[how](call);
  } catch (error) {
    if (isUnanswered(error)) return undefined;
    throw error;
  }
}

/** Returns whether the registry refuses a lookup, so that another attempt would not help. */
export function isUnanswered(error: unknown): boolean {
  if (!(error instanceof LambdaPackError) || error.answer?.by === "token-server") return false;
  return error.code === "REGISTRY_ANSWER" && attemptsFor(error) !== Number.POSITIVE_INFINITY;
}
