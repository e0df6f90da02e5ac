import type { ErrorCode } from "../../../../src/errors.ts";
import type { Fault, FaultRequest } from "../../ecr/http/faults.ts";
import type { Quirks } from "../../ecr/quirks.ts";
import { problem } from "../../registry/answer.ts";
import type { TestRegistryOptions } from "../../registry/registry.ts";
import type { TestImage } from "../../registry/repository.ts";
import type { Stage } from "../stage.ts";
import type { Trouble } from "./connection-faults.ts";

/** What is done while the fault comes: `chunks` is a push of a layer that goes in PATCHes, `mount` one between two repositories of a registry. */
export type Work = "push" | "chunks" | "pull" | "mount";

/** What a fault may look at. */
export interface Scene {
  readonly stage: Stage;
  readonly image: TestImage;
}

/** One kind of trouble. It comes to the requests named in `at` (the words of ecr/routes.ts and of ways.ts; `blob-bytes`: whatever gives a blob's bytes). */
export interface FaultKind {
  /** Its row in the list of failure modes that other registry clients' tests and bug reports make. */
  readonly row: string;
  readonly name: string;
  readonly work: Work;
  readonly at: string;
  readonly fault: Trouble | ((scene: Scene, request: FaultRequest) => Trouble);
  /** Which of these requests is the first to meet it. Default 1. */
  readonly from?: number;
  /** The one registry where there is such a thing. */
  readonly only?: Stage["name"];
  /** No use in trying again: the error's code, however often the fault comes, within a second. */
  readonly final?: ErrorCode;
  /** The error's code when the fault comes for ever; absent: any of a registry's or the network's, or none where it does no harm. */
  readonly code?: ErrorCode;
  readonly quirks?: Partial<Quirks>;
  readonly plain?: TestRegistryOptions;
}

/** An answer with an error document. */
export function refusal(
  status: number,
  code: string,
  message = code,
  headers: Readonly<Record<string, string>> = {},
): Fault {
  const document = problem(status, code, message);
  return { do: "answer", status, headers: { ...document.headers, ...headers }, body: document.body };
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Fault {
  return { do: "answer", status: code, headers };
}
