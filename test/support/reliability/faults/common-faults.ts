import type { Fault } from "../../ecr/http/faults.ts";
import { refusal, type Scene } from "./fault-kind.ts";

/** Bytes of the layers: of a push, and of a pull (larger than what is checked before it is handed on). */
export const PUSHED_LAYER = 60_000;
export const PULLED_LAYER = 4.25 * 1024 * 1024;

export const reset: Fault = { do: "drop", when: "before-reading" };
export const lost: Fault = { do: "drop", when: "after-commit" };
export const busy = refusal(429, "TOOMANYREQUESTS", "Rate exceeded");
export const expired = refusal(
  403,
  "DENIED",
  "Your authorization token has expired. Reauthenticate and try again.",
);
export const slowDown: Fault = {
  do: "answer",
  status: 503,
  headers: { "content-type": "application/xml" },
  body: "<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
};
export const silence: Fault = { do: "stall", side: "request", at: 0 };
export const otherDigest: Fault = {
  do: "headers",
  headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` },
};

/** The challenge of an expired token, as each registry words it. */
export function unauthorized({ stage: { name, host } }: Scene): Fault {
  const challenge =
    name === "ecr"
      ? `Basic realm="https://${host}/",service="ecr.amazonaws.com"`
      : `Bearer realm="http://${host}/token",service="test registry"`;
  return refusal(401, "UNAUTHORIZED", "authentication required", { "www-authenticate": challenge });
}
