import type { Pacing } from "../../async/pacing.ts";
import type { HttpResponse } from "./http.ts";

/** A line that carries less than this for so long is as good as dead (git: http.lowSpeedLimit, http.lowSpeedTime). As long as a stall (repository.ts). */
const SLOWEST = 1024;
const WINDOW_MS = 16_000;

/**
 * The body of an answer, as long as it comes faster than 1 KiB/s; one byte now and then would never be idle, and never end.
 * Only the time that we wait for the registry counts. `lent`: in pieces as of `Content.read`. @throws with code ETIMEDOUT.
 */
export async function* steady(
  response: HttpResponse,
  { now }: Pacing,
  memory?: "lent",
): AsyncGenerator<Uint8Array, void, void> {
  let waitedMs = 0;
  let bytes = 0;
  let askedAt = now();
  for await (const chunk of memory === "lent" ? response.blocks : response.body) {
    waitedMs += now() - askedAt;
    bytes += chunk.length;
    if (waitedMs > WINDOW_MS) {
      if (bytes < (SLOWEST * waitedMs) / 1000) throw tooSlow(response, bytes, waitedMs);
      waitedMs = 0;
      bytes = 0;
    }
    yield chunk;
    askedAt = now();
  }
}

function tooSlow({ url }: HttpResponse, bytes: number, waitedMs: number): Error {
  const seconds = Math.round(waitedMs / 1000);
  return Object.assign(new Error(`${url.host} sent ${bytes} bytes in ${seconds} s`), { code: "ETIMEDOUT" });
}

/** The whole body, undefined as soon as it is longer than `limit`. */
export async function readUpTo(
  response: HttpResponse,
  limit: number,
  pacing: Pacing,
): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of steady(response, pacing)) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
