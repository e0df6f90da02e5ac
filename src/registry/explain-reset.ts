import { hasCode, LambdaPackError } from "../errors.ts";
import type { RegistryClient } from "./client.ts";
import type { Attempted } from "./errors/attempted.ts";
import { iamActionOf, repositoryHint } from "./errors/hints.ts";
import { getManifest } from "./manifests.ts";

/** A network failure rarely occurs three times in a row at the same request. */
const MAX_RESETS = 3;

/**
 * Returns the reason for `error`, the `count`th failure of a POST. ECR closes the connection when
 * the repository does not exist or the caller may not push (aws/containers-roadmap#1970), but
 * answers other requests.
 */
export async function explainReset(
  client: RegistryClient,
  error: unknown,
  count: number,
  signal?: AbortSignal,
): Promise<unknown> {
  if (!client.traits.closesInsteadOfAnswering || !hasCode(error, "ECONNRESET", "EPIPE")) return error;
  const attempted: Attempted = {
    action: "start an upload",
    subject: "",
    name: client.name,
    registry: client.traits.name,
    at: client.registry,
  };
  if (count === 1) return (await missingRepository(client, signal)) ?? error;
  if (count < MAX_RESETS) return error;
  return new LambdaPackError(
    "REPOSITORY_NOT_FOUND",
    `ECR closed the connection at the start of an upload: ${client.name} does not exist, or the caller lacks ${iamActionOf(attempted.action, attempted.registry)}`,
    { hint: repositoryHint(attempted), cause: error },
  );
}

async function missingRepository(client: RegistryClient, signal: AbortSignal | undefined): Promise<unknown> {
  try {
    await getManifest(client, "latest", signal);
  } catch (error) {
    if (hasCode(error, "REPOSITORY_NOT_FOUND")) return error;
  }
  return undefined;
}
