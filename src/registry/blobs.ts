import type { Descriptor } from "../oci/content.ts";
import { isDigest } from "../oci/digest.ts";
import type { Call, RegistryClient } from "./client.ts";
import type { HttpResponse } from "./http/http.ts";

/**
 * Whether the repository has this very blob. Where the registry does not answer HEAD (ECR Public) nothing is known, which counts as no.
 * @throws DENIED and its like, with the registry's words, which a HEAD does not carry.
 */
export async function headBlob(
  client: RegistryClient,
  descriptor: Descriptor,
  signal?: AbortSignal,
  how: "once" | "send" = "send",
): Promise<boolean> {
  if (!client.traits.headsBlobs) return false;
  const response = await client[how]({
    ...asking(client, "HEAD", descriptor, signal),
    answers: [200, 404, 400, 401, 403, 405],
  });
  response.discard();
  if (response.status === 200) return isWhole(response, descriptor);
  if (response.status === 404) return false;
  const spoken = await client[how]({ ...asking(client, "GET", descriptor, signal), answers: [200, 404] });
  spoken.discard();
  return spoken.status === 200 && isWhole(spoken, descriptor);
}

/** A wrong size or digest is worse than none: the blob is then sent again. */
function isWhole(response: HttpResponse, { digest, size }: Descriptor): boolean {
  const length = response.header("content-length");
  const told = response.header("docker-content-digest");
  if (length !== undefined && Number(length) !== size) return false;
  return told === undefined || !isDigest(told) || told === digest;
}

function asking(
  client: RegistryClient,
  method: "HEAD" | "GET",
  { digest }: Descriptor,
  signal?: AbortSignal,
): Call {
  const url = client.url(`blobs/${digest}`);
  return { method, url, action: "check the blob", subject: digest, answers: [200], signal };
}
