/**
 * How many bytes an upload's `Range: 0-<last>` says are stored (distribution-spec end-5, end-13); undefined where it says nothing.
 * `0-0` is written both for nothing and for one byte (distribution-spec#578): read as nothing, one byte is cheaply sent again.
 * `0--1` is Cloudflare's serverless-registry for nothing.
 */
export function storedBytes(range: string | undefined): number | undefined {
  const match = /^(?:bytes[ =])?0-(-?\d{1,15})$/.exec(range?.trim() ?? "");
  if (!match) return undefined;
  const last = Number(match[1]);
  return last <= 0 ? 0 : last + 1;
}

/** The offset that ECR names in its 416 (apple/containerization#790). */
export function wantedByte(message: string): number | undefined {
  const match = /First byte of the layer part is \d+ instead of (\d{1,15})\b/.exec(message);
  return match ? Number(match[1]) : undefined;
}

/** `OCI-Chunk-Min-Length`, or 0. NaN where it is not a number of bytes. */
export function minimumChunk(header: string | undefined): number {
  if (header === undefined) return 0;
  return /^\d{1,15}$/.test(header.trim()) ? Number(header) : Number.NaN;
}

/** What is known before and after a chunk. All in bytes from the blob's start. */
export interface Chunk {
  readonly from: number;
  readonly end: number;
  /** What the registry's `Range` said of it. */
  readonly stored: number | undefined;
}

/**
 * Where to go on after a chunk was accepted. A registry that says it stored less is believed only where its `Range` is known to be true
 * (ECR's freezes at the first boundary, aws/containers-roadmap#2831); one that says it stored more than was sent, never.
 */
export function nextOffset({ from, end, stored }: Chunk, trusted: boolean): number {
  if (!trusted || stored === undefined || stored >= end) return end;
  return Math.max(stored, from);
}
