import type { FakeEcr } from "../ecr/ecr.ts";
import type { FakeFunction, Fields, Outcome } from "./functions.ts";

/** An answer that is an exception of the API. */
export class LambdaException extends Error {
  readonly status: number;
  override readonly name: string;

  constructor(status: number, name: string, message: string) {
    super(message);
    this.status = status;
    this.name = name;
  }
}

export interface LambdaAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What operations see of the double. */
export interface LambdaWorld {
  readonly ecr: FakeEcr;
  readonly functions: Map<string, FakeFunction>;
  readonly denied: ReadonlySet<string>;
  readonly addsPolicy: boolean;
  readonly invocation: LambdaAnswer;
  readonly invoked: string[];
  roleNotReady: number;
  nextOutcome(): Outcome;
}

/** What an operation is asked. */
export interface LambdaCall {
  readonly lambda: LambdaWorld;
  readonly region: string;
  /** From the path. */
  readonly name: string;
  readonly more: string;
  readonly query: URLSearchParams;
  readonly input: Fields;
}

export function denied(action: string, resource: string): LambdaException {
  const user = "arn:aws:iam::123456789012:user/builder";
  return new LambdaException(
    403,
    "AccessDeniedException",
    `User: ${user} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
  );
}

export function conflict(message: string): LambdaException {
  return new LambdaException(409, "ResourceConflictException", message);
}

export function missing(message: string): LambdaException {
  return new LambdaException(404, "ResourceNotFoundException", message);
}

export function invalid(message: string): LambdaException {
  return new LambdaException(400, "InvalidParameterValueException", message);
}

export function stale(): LambdaException {
  return new LambdaException(
    412,
    "PreconditionFailedException",
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
  );
}
