import { LambdaPackError } from "../../errors.ts";
import { printable } from "../../registry/errors/redact.ts";
import { type Deploying, step } from "./deploying.ts";
import { formatPlace, functionId } from "./function-name.ts";
import { INVOCATION_MS } from "./lambda-client.ts";

/** Errors of these kinds come from starting the image, not from what the handler made of an empty event. */
const START = /^(?:Runtime|Extension|Sandbox)\./;

/**
 * Calls the version once, with `{}`: Lambda has its image at hand afterwards, and a version that cannot start is found before anybody needs it.
 * What the handler itself says to an empty event is only a warning.
 * @throws FUNCTION_FAILED when it does not start.
 */
export async function warm(deploying: Deploying, version: string): Promise<void> {
  const { api, place } = deploying;
  step(deploying, callStep(version));
  const called = version === "$LATEST" ? formatPlace(place) : `version ${version} of ${formatPlace(place)}`;
  const call = { what: `call ${called}`, action: "lambda:InvokeFunction", answerMs: INVOCATION_MS };
  const answer = await api.lambda(place.region, call, (client, sdk, options) =>
    client.send(
      new sdk.InvokeCommand({ FunctionName: functionId(place), Qualifier: version, Payload: "{}" }),
      options,
    ),
  );
  if (answer.FunctionError === undefined) return;
  const { kind, text } = errorIn(answer.Payload);
  if (START.test(kind))
    throw new LambdaPackError("FUNCTION_FAILED", `${called} does not start: ${text}; no alias was moved`, {
      hint: "look into the function's log; lambda-pack check <image> finds what Lambda does not start",
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
  const { errorType, errorMessage } = parsed(words);
  const kind = typeof errorType === "string" ? errorType : "";
  const message = typeof errorMessage === "string" ? errorMessage : words;
  return { kind, text: printable([kind, message].filter((part) => part !== "").join(": "), 300) };
}

function parsed(text: string): { readonly errorType?: unknown; readonly errorMessage?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
