import { type ClientRequest, Agent as HttpAgent, type RequestOptions } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIPv6 } from "node:net";
import type { ECRClientConfig } from "@aws-sdk/client-ecr";
import { agentsFor } from "../registry/http/agent.ts";
import { type Certificates, certificatesOf, readAuthorities } from "../registry/http/certificates.ts";
import { isUnknownAuthority } from "../registry/http/socket-error.ts";
import type { Environment } from "./environment.ts";
import { profileSettings } from "./environment.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Opens the connections of clients of the SDK, and of those that fetch credentials for them, with
 * at most `connections` sockets to each host. The proxy is chosen for the host of each request, because STS, SSO and ECR may need different proxies. `bundles` is as in
 * {@link certificatesOf}.
 * @throws USAGE when the file with certificates cannot be read.
 */
export async function openTransport(
  environment: Environment,
  connections: number,
  bundles?: readonly string[],
) {
  const certificates = certificatesOf(environment, certificateAuthorities(environment), bundles);
  const agents = await agentsFor({ environment, connections, certificates });
  const agentFor = (url: URL, request: ClientRequest): HttpAgent => {
    if (!certificates.trustsSystem) request.once("error", (error) => trustSystem(certificates, error));
    return agents.agentFor(url);
  };
  const httpAgent = routingAgent(new HttpAgent({ keepAlive: true }), "http:", agentFor);
  const httpsAgent = routingAgent(new HttpsAgent({ keepAlive: true }), "https:", agentFor);
  return {
    /** Returns the request handler of a client whose answers take at most `answerMs` milliseconds. */
    requestHandler: (answerMs: number): NonNullable<ECRClientConfig["requestHandler"]> => ({
      httpAgent,
      httpsAgent,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
    }),
    close: () => agents.close(),
  };
}

/**
 * Trusts the system's authorities after an unknown one, and marks the error so that the SDK sends
 * the request again.
 */
function trustSystem(certificates: Certificates, error: Error): void {
  if (isUnknownAuthority(error) && certificates.trustSystem()) Object.assign(error, { $retryable: {} });
}

/** Makes `agent` pass each request to the agent for the request's own host. */
function routingAgent<A extends HttpAgent>(
  agent: A,
  protocol: "http:" | "https:",
  agentFor: (url: URL, request: ClientRequest) => HttpAgent,
): A {
  return Object.assign(agent, {
    addRequest(request: ClientRequest, options: RequestOptions): void {
      const host = options.host ?? "localhost";
      const port = options.port ?? (protocol === "http:" ? 80 : 443);
      const url = new URL(`${protocol}//${isIPv6(host) ? `[${host}]` : host}:${port}`);
      dispatch(agentFor(url, request), request, options);
    },
  });
}

/** Passes a request to an agent through `addRequest`, which Node's type declarations lack. */
function dispatch(agent: HttpAgent, request: ClientRequest, options: RequestOptions): void {
  if (!("addRequest" in agent) || typeof agent.addRequest !== "function")
    throw new Error("this version of Node has agents without addRequest");
  agent.addRequest(request, options);
}

/** Returns the authorities of AWS_CA_BUNDLE, else of the profile; the agents add others. */
function certificateAuthorities(environment: Environment): readonly string[] {
  const named = [
    ["AWS_CA_BUNDLE", environment["AWS_CA_BUNDLE"]],
    ["ca_bundle of the AWS profile", profileSettings(environment).get("ca_bundle")],
  ] as const;
  const [name, path] = named.find(([, value]) => value !== undefined && value !== "") ?? [];
  return name === undefined || path === undefined ? [] : [readAuthorities(name, path)];
}
