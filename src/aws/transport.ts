import { readFileSync } from "node:fs";
import { type ClientRequest, Agent as HttpAgent, type RequestOptions } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIPv6 } from "node:net";
import { rootCertificates } from "node:tls";
import type { ECRClientConfig } from "@aws-sdk/client-ecr";
import { LambdaPackError } from "../errors.ts";
import { type Agents, agentsFor } from "../registry/http/agent.ts";
import { profileSettings } from "./config-file.ts";
import type { Environment } from "./environment.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/** How every client of the SDK, and every client that fetches credentials for it, sends requests. */
export interface Transport {
  /** Request handler of a client whose answers take at most `answerMs` milliseconds. */
  readonly requestHandler: (answerMs: number) => NonNullable<ECRClientConfig["requestHandler"]>;
  readonly close: () => void;
}

/**
 * Opens a transport with at most `connections` sockets to each host. The proxy is chosen for the
 * host of each request, as STS, SSO and ECR may be reached in different ways.
 * @throws USAGE when the file with certificates cannot be read.
 */
export async function openTransport(environment: Environment, connections: number): Promise<Transport> {
  const agents = await agentsFor(environment, connections);
  const ca = certificateAuthorities(environment);
  const httpAgent = routingAgent(new HttpAgent({ keepAlive: true }), "http:", agents, {});
  const httpsAgent = routingAgent(new HttpsAgent({ keepAlive: true }), "https:", agents, ca ? { ca } : {});
  return {
    requestHandler: (answerMs) => ({
      httpAgent,
      httpsAgent,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
    }),
    close: () => agents.close(),
  };
}

/** Makes `agent` pass each request on to the agent that serves the request's own host. */
function routingAgent<A extends HttpAgent>(
  agent: A,
  protocol: "http:" | "https:",
  agents: Agents,
  more: { readonly ca?: readonly string[] },
): A {
  return Object.assign(agent, {
    addRequest(request: ClientRequest, options: RequestOptions): void {
      const host = options.host ?? "localhost";
      const port = options.port ?? (protocol === "http:" ? 80 : 443);
      const url = new URL(`${protocol}//${isIPv6(host) ? `[${host}]` : host}:${port}`);
      dispatch(agents.agentFor(url), request, { ...options, ...more });
    },
  });
}

/** Node hands a request to its agent through `addRequest`, which its type declarations leave out. */
function dispatch(agent: HttpAgent, request: ClientRequest, options: RequestOptions): void {
  if (!("addRequest" in agent) || typeof agent.addRequest !== "function")
    throw new Error("this version of Node has agents without addRequest");
  agent.addRequest(request, options);
}

/**
 * Certificate authorities to trust: Node's own and those of AWS_CA_BUNDLE, of `ca_bundle` in the
 * profile, or of SSL_CERT_FILE; undefined where none of these is set.
 */
function certificateAuthorities(environment: Environment): readonly string[] | undefined {
  const named = [
    ["AWS_CA_BUNDLE", environment["AWS_CA_BUNDLE"]],
    ["ca_bundle of the AWS profile", profileSettings(environment).get("ca_bundle")],
    ["SSL_CERT_FILE", environment["SSL_CERT_FILE"]],
  ] as const;
  const [name, path] = named.find(([, value]) => value !== undefined && value !== "") ?? [];
  if (name === undefined || path === undefined) return undefined;
  // A list of authorities replaces Node's, and NODE_EXTRA_CA_CERTS with them.
  const extra = process.env["NODE_EXTRA_CA_CERTS"];
  return [
    ...rootCertificates,
    readCertificates(name, path),
    ...(extra ? [readCertificates("NODE_EXTRA_CA_CERTS", extra)] : []),
  ];
}

function readCertificates(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new LambdaPackError("USAGE", `the certificates of ${name} cannot be read: ${path}`, {
      hint: `set ${name} to a file with certificates in PEM format`,
      cause,
    });
  }
}
