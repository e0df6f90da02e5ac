import { Agent as HttpAgent } from "node:http";
import { type AgentOptions, Agent as HttpsAgent } from "node:https";
import { rootCertificates } from "node:tls";
import { hasCode, LambdaPackError } from "../../errors.ts";
import { type Environment, proxyFor } from "./proxy.ts";

export type { Environment } from "./proxy.ts";

/** For http URLs an `http.Agent`: those who accept agents want one type for both schemes. */
export type Agent = HttpsAgent;

/** The connections of one client: kept alive, through the environment's proxy where one applies. */
export interface Agents {
  /** Serves every URL of the same scheme that the same proxy serves. */
  agentFor(url: URL): Agent;
  /** The proxy the environment chooses for `url`. Behind one, it is the proxy that resolves names. */
  proxyFor(url: URL): URL | undefined;
  /** Closes every connection, busy ones too. */
  close(): void;
}

/**
 * `authorities`: PEM certificates that are trusted beside Node's own.
 * Agents with at most `connections` sockets to each host; a proxy has `tunnelTimeoutMs` to open a tunnel. Certificates of private authorities come in through NODE_EXTRA_CA_CERTS, which is Node's own.
 * The AWS SDK takes them too: `requestHandler: { httpsAgent: agents.agentFor(url) }`.
 */
export async function agentsFor(
  environment: Environment,
  connections: number,
  tunnelTimeoutMs = 10_000,
  authorities?: string,
): Promise<Agents> {
  const ca = authorities === undefined ? {} : { ca: [...rootCertificates, authorities] };
  const options: AgentOptions = { keepAlive: true, maxSockets: connections, ...ca };
  const tunnel = namesProxy(environment)
    ? await tunnels({ ...options, timeout: tunnelTimeoutMs })
    : undefined;
  const agents = new Map<string, Agent>();
  const make = (url: URL, proxy: URL | undefined): Agent => {
    if (proxy && tunnel) return tunnel(url, proxy);
    return url.protocol === "http:" ? (new HttpAgent(options) as Agent) : new HttpsAgent(options);
  };
  return {
    agentFor(url) {
      const proxy = proxyFor(url, environment);
      const key = `${url.protocol} ${proxy?.href ?? ""}`;
      const agent = agents.get(key) ?? make(url, proxy);
      agents.set(key, agent);
      return agent;
    },
    proxyFor: (url) => proxyFor(url, environment),
    close() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

function namesProxy(environment: Environment): boolean {
  return ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].some((name) => environment[name]);
}

/** hpagent rather than https-proxy-agent, which passes a proxy's 503 off as the registry's answer. */
async function tunnels(options: AgentOptions): Promise<(url: URL, proxy: URL) => Agent> {
  const { HttpProxyAgent, HttpsProxyAgent } = await import("hpagent");
  return (url, proxy) => {
    const through = { ...options, proxy };
    const agent = url.protocol === "http:" ? new HttpProxyAgent(through) : new HttpsProxyAgent(through);
    return namingProxy(agent, proxy);
  };
}

function namingProxy(agent: HttpAgent, proxy: URL): Agent {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, done) =>
    connect(options, (error, socket) =>
      done?.(error && proxyError(error, proxy, `${options.host}:${options.port}`), socket),
    );
  return agent as Agent;
}

/** What a proxy did wrong must not look like the registry's doing. A refusal is final, a failure may be tried again. */
function proxyError(error: Error, proxy: URL, target: string): Error {
  const name = `the proxy ${proxy.protocol}//${proxy.host}`;
  const status = /^Bad response: (\d+)$/.exec(error.message)?.[1];
  if (error.message === "Proxy timeout")
    return failed(`${name} opened no tunnel to ${target} in time`, "ETIMEDOUT");
  if (status?.startsWith("5")) return failed(`${name} answered ${status} for ${target}`, "ECONNREFUSED");
  if (status !== undefined) return refused(name, target, status);
  if (hasCode(error, "ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "ETIMEDOUT", "EAI_AGAIN", "EPIPE")) {
    return failed(`${name}: ${error.message}`, "code" in error ? String(error.code) : "");
  }
  return error;
}

function refused(name: string, target: string, status: string): LambdaPackError {
  const asks = status === "407";
  return new LambdaPackError(
    "REGISTRY_UNREACHABLE",
    `${name} refused the way to ${target} (${asks ? "it wants a user name and password" : `status ${status}`})`,
    {
      hint: asks
        ? "put them into the variable: HTTPS_PROXY=http://user:password@host:port"
        : "allow the host in the proxy, or name it in NO_PROXY to go there directly",
    },
  );
}

function failed(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}
