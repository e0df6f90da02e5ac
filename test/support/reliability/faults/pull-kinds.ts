import type { Fault, FaultRequest } from "../../ecr/http/faults.ts";
import { busy, PULLED_LAYER, reset, silence, slowDown } from "./common-faults.ts";
import { type FaultKind, type Scene, status } from "./fault-kind.ts";

/** Faults that come to a pull. */
export const PULLS: readonly FaultKind[] = [
  { row: "24", at: "get-manifest", name: "500", fault: status(500) },
  { row: "22", at: "get-manifest", name: "429", fault: busy },
  { row: "26", at: "get-manifest", name: "connection reset", fault: reset },
  { row: "46", at: "get-manifest", name: "a bit is turned", fault: flipAt(40) },
  { row: "27", at: "get-manifest", name: "one byte now and then", fault: { do: "trickle", everyMs: 1000 } },
  { row: "34", at: "get-blob", name: "500", fault: status(500) },
  { row: "35", at: "get-blob", name: "429, Retry-After", fault: status(429, { "retry-after": "2" }) },
  { row: "43", at: "get-blob", name: "a redirect to itself", fault: toItself },
  {
    ...{ row: "43", at: "get-blob", name: "a redirect to a private address", final: "REGISTRY_ANSWER" },
    fault: status(307, { location: "https://169.254.169.254/latest/meta-data/" }),
  },
  {
    ...{
      row: "43",
      at: "get-blob",
      name: "a redirect away from https",
      final: "REGISTRY_ANSWER",
      only: "ecr",
    },
    fault: status(307, { location: "http://d2glxqk2uabbnd.cloudfront.net/blob" }),
  },
  { row: "36", at: "blob-bytes", name: "503 SlowDown as S3 words it", fault: slowDown },
  { row: "36", at: "storage", name: "403, the address has expired", fault: status(403), only: "ecr" },
  {
    row: "37",
    at: "blob-bytes",
    name: "reset at the first byte",
    fault: { do: "cut", side: "response", at: 0 },
  },
  { row: "37", at: "blob-bytes", name: "reset at half", fault: cutAt(PULLED_LAYER / 2), from: 2 },
  {
    row: "38",
    at: "blob-bytes",
    name: "short, with the length that fits",
    fault: { do: "resize", by: -100 },
    from: 2,
  },
  { row: "39", at: "blob-bytes", name: "a bit is turned in the config", fault: flipAt(10) },
  { row: "39", at: "blob-bytes", name: "a bit is turned in a layer", fault: flipAt(3_000_000), from: 2 },
  { row: "40", at: "blob-bytes", name: "ten bytes too many", fault: { do: "resize", by: 10 }, from: 2 },
  {
    ...{ row: "41", at: "blob-bytes", name: "another Content-Length", from: 2 },
    fault: { do: "headers", headers: { "content-length": String(PULLED_LAYER - 9) } },
  },
  { row: "42", at: "blob-bytes", name: "no answer", fault: silence, from: 2 },
  {
    ...{ row: "42", at: "blob-bytes", name: "stalls at half", from: 2 },
    fault: { do: "stall", side: "response", at: PULLED_LAYER / 2 },
  },
].map((kind) => ({ work: "pull", ...kind }) as FaultKind);

function toItself({ stage: { name, host } }: Scene, { path }: FaultRequest): Fault {
  return status(307, { location: `${name === "ecr" ? "https" : "http"}://${host}${path}` });
}

function cutAt(at: number): Fault {
  return { do: "cut", side: "response", at };
}

function flipAt(at: number): Fault {
  return { do: "flip", side: "response", at };
}
