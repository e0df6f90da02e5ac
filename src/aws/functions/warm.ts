import { LambdaPackError } from "../../errors.ts";
import { parseObject } from "../../oci/json.ts";
import { printable } from "../../registry/errors/redact.ts";
import { type DeployContext, recordStep } from "./deploy-context.ts";
import { formatPlace, functionId } from "./function-name.ts";

/** In milliseconds. An invocation answers when the function has ended, after 15 minutes at most. */
const INVOCATION_MS = 15 * 60 * 1000;

/** Error types of an image that does not start, not of a handler that fails on an empty event. */
const START = /^(?:Runtime|Extension|Sandbox)\./;

/**
 * Calls the version once, with the event `{}`, so that Lambda has loaded its image, and a version
 * that cannot start is found before the alias points to it. An error of the handler is only a
 * warning.
 * @throws FUNCTION_FAILED when it does not start.
 */
export async function warm(context: DeployContext, version: string): Promise<void> {
  const { api, place } = context;
  recordStep(context, callStep(version));
  const called = version === "$LATEST" ? formatPlace(place) : `version ${version} of ${formatPlace(place)}`;
  const input = { FunctionName: functionId(place), Qualifier: version, Payload: "{}" };
  const answer = await api.lambda(place.region, "Invoke", input, `call ${called}`, INVOCATION_MS);
  if (answer.FunctionError === undefined) return;
  const { kind, text } = errorIn(answer.Payload);
  if (START.test(kind))
    throw new LambdaPackError("FUNCTION_FAILED", `${called} does not start: ${text}; no alias was moved`, {
      hint: "read the function's log, and run lambda-pack check <image> to find what Lambda cannot start",
    });
  api.emit({
    type: "warning",
    message: `${called} started, and its handler failed on the event {}: ${text}`,
  });
}

export function callStep(version: string): string {
  return version === "$LATEST" ? "call the function once" : `call version ${version} once`;
}

function errorIn(payload: Uint8Array | undefined): { readonly kind: string; readonly text: string } {
  const words = Buffer.from(payload ?? []).toString();
  const { errorType, errorMessage } = parseObject(words) ?? {};
  const kind = typeof errorType === "string" ? errorType : "";
  const message = typeof errorMessage === "string" ? errorMessage : words;
  return { kind, text: printable([kind, message].filter((part) => part !== "").join(": "), 300) };
}
