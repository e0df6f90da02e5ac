import type { Outcome } from "../../runtime/api/invocation.ts";
import type { InvocationError } from "./options.ts";

/** Parses the error that a runtime posted; languages differ in the name of the stack trace. */
export function invocationError({ errorType, body }: Exclude<Outcome, { kind: "result" }>): InvocationError {
  const value = objectIn(body.toString());
  const message = value["errorMessage"];
  const trace = value["stackTrace"] ?? value["trace"];
  return {
    errorType,
    errorMessage: typeof message === "string" ? message : body.toString(),
    stackTrace: Array.isArray(trace) ? trace.map((line) => String(line).replace(/\n$/, "")) : [],
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // a runtime can send anything
  }
}
