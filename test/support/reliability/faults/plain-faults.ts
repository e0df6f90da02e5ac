import { type Fault as EcrFault, flip } from "../../ecr/http/faults.ts";
import type { Answer } from "../../registry/answer.ts";
import type { Fault } from "../../registry/fault.ts";
import type { RequestKind } from "../../registry/request.ts";

const WORDS: Readonly<Partial<Record<RequestKind, string>>> = {
  "head manifest": "head-manifest",
  "get manifest": "get-manifest",
  "put manifest": "put-manifest",
  "head blob": "head-blob",
  "get blob": "get-blob",
  "start upload": "start-upload",
  mount: "start-upload",
  "patch upload": "patch",
  "put upload": "put-blob",
  "upload status": "upload-status",
  "cancel upload": "cancel-upload",
  "redirected blob": "storage",
};

/** A request of the plain registry in the words of ecr/routes.ts. */
export function wordOf(kind: RequestKind): string {
  return WORDS[kind] ?? kind;
}

/** What the stand-in for ECR does on a fault, done by the plain registry. @throws for what it cannot do. */
export function faultOfPlain(fault: EcrFault | undefined): Fault | undefined {
  if (fault === undefined) return undefined;
  switch (fault.do) {
    case "drop":
      if (fault.when === "after-reading") break;
      return fault.when === "after-commit" ? { kind: "lose answer" } : { kind: "drop" };
    case "cut":
      return fault.side === "request"
        ? { kind: "cut request", at: fault.at }
        : { kind: "cut answer", at: fault.at };
    case "flip":
      if (fault.side === "request") break;
      return changed((body) => Buffer.from(flip(body, 0, fault)));
    case "resize":
      return changed((body) => resized(body, fault.by));
    case "headers":
      return { kind: "change", change: (honest) => withHeaders(honest, fault.headers) };
    case "answer":
      return answered(fault);
    case "delay":
      return { kind: "delay", ms: fault.ms };
    case "stall":
      return fault.side === "request" ? { kind: "silence" } : { kind: "stall", at: fault.at };
    case "trickle":
      return { kind: "drip", everyMs: fault.everyMs };
  }
  throw new Error(`the plain registry cannot play ${JSON.stringify(fault)}`);
}

function answered({ status, headers, body, early }: Extract<EcrFault, { readonly do: "answer" }>): Fault {
  if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array))
    throw new Error("the plain registry answers with bytes, not with a stream");
  return {
    kind: "answer",
    status,
    ...(headers && { headers }),
    ...(body !== undefined && { body }),
    ...(early && { early }),
  };
}

function changed(change: (body: Buffer) => Buffer): Fault {
  return {
    kind: "change",
    change(honest) {
      const body = change(Buffer.from(honest.body ?? ""));
      return { ...honest, body, headers: { ...honest.headers, "content-length": String(body.length) } };
    },
  };
}

function resized(body: Buffer, by: number): Buffer {
  return by < 0 ? body.subarray(0, Math.max(0, body.length + by)) : Buffer.concat([body, Buffer.alloc(by)]);
}

/** The connection ends with it: a wrong length must not make the next answer a part of this one. */
function withHeaders(honest: Answer, headers: Readonly<Record<string, string | undefined>>): Answer {
  const all = { ...honest.headers, connection: "close", ...headers };
  const set = Object.entries(all).filter((each): each is [string, string] => each[1] !== undefined);
  return { ...honest, headers: Object.fromEntries(set) };
}
