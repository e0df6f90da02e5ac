import type { Way } from "./connection-faults.ts";
import type { FaultKind } from "./fault-kind.ts";

const lookUp = (ends: Extract<Way, { readonly do: "look-up" }>["ends"]): Way => ({ do: "look-up", ends });
const tunnel = (code: number): Way => ({ do: "tunnel", fault: { do: "answer", status: code } });

/** Before there is a request: names, connections, tunnels, certificates. */
export const ON_THE_WAY: readonly FaultKind[] = [
  { at: "look-up", name: "there is no such name (ENOTFOUND)", fault: lookUp("ENOTFOUND") },
  { at: "look-up", name: "the name server is busy (EAI_AGAIN)", fault: lookUp("EAI_AGAIN") },
  { at: "look-up", name: "the connection is refused", fault: lookUp("nobody") },
  { at: "tunnel", name: "the proxy answers 502", fault: tunnel(502), only: "ecr" },
  { at: "tunnel", name: "the proxy answers 503", fault: tunnel(503), only: "ecr" },
  {
    at: "tunnel",
    name: "the proxy says nothing",
    fault: { do: "tunnel", fault: { do: "hang" } },
    only: "ecr",
  },
  {
    ...{ at: "tunnel", name: "the proxy forbids it", only: "ecr", final: "REGISTRY_UNREACHABLE" },
    fault: tunnel(403),
  },
  {
    ...{ at: "handshake", name: "the certificate has expired", only: "ecr", final: "REGISTRY_UNREACHABLE" },
    fault: { do: "certificate", leaf: { expired: true } },
  },
  {
    ...{
      at: "handshake",
      name: "the certificate is another host's",
      only: "ecr",
      final: "REGISTRY_UNREACHABLE",
    },
    fault: { do: "certificate", leaf: { name: "other.example.org" } },
  },
].map((kind) => ({ row: "28", work: "push", ...kind, plain: { auth: "basic" } }) as FaultKind);

/** The honest answer, and the connection closes after it. */
const closing = { do: "headers", headers: {} } as const;
const leadingTo = (location: string | undefined) => ({ do: "headers", headers: { location } }) as const;

/** Where an upload is sent to. Those that may be followed stay as they are for the whole push. */
export const LOCATIONS: readonly FaultKind[] = [
  { name: "Location is absolute", fault: closing, plain: { absoluteLocations: true } },
  { name: "Location is relative", fault: closing, quirks: { location: "relative" } },
  { name: "Location has a query", fault: closing, quirks: { location: "query" }, only: "ecr" },
  {
    ...{ name: "Location is a metadata address", final: "REGISTRY_ANSWER" },
    fault: leadingTo("https://169.254.169.254/v2/app/blobs/uploads/1"),
  },
  {
    ...{ name: "Location is a private address", final: "REGISTRY_ANSWER", only: "ecr" },
    fault: leadingTo("https://10.0.0.7/v2/app/blobs/uploads/1"),
  },
  {
    ...{ name: "Location leaves https", final: "REGISTRY_ANSWER", only: "ecr" },
    fault: leadingTo("http://uploads.example.net/v2/app/blobs/uploads/1"),
  },
  { name: "no Location", final: "REGISTRY_ANSWER", fault: leadingTo(undefined) },
  { name: "Location is not an address", final: "REGISTRY_ANSWER", fault: leadingTo("https://[") },
].map((kind) => ({ row: "29", work: "push", at: "start-upload", ...kind }) as FaultKind);
