import type { ECRClientConfig } from "@aws-sdk/client-ecr";
import type { Agents } from "../registry/http/agent.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** For one attempt. */
const ANSWER_TIMEOUT_MS = 20_000;

/** How a client of the SDK reaches `url`: through the environment's proxy, and not for ever. */
export function requestHandler(
  url: URL,
  agents: Agents,
  answerMs = ANSWER_TIMEOUT_MS,
): NonNullable<ECRClientConfig["requestHandler"]> {
  return {
    [url.protocol === "http:" ? "httpAgent" : "httpsAgent"]: agents.agentFor(url),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: answerMs,
    throwOnRequestTimeout: true,
  };
}
