import { Agent as HttpAgent } from "node:http";
import { type AgentOptions, Agent as HttpsAgent } from "node:https";
import { rootCertificates } from "node:tls";
import { forwarding } from "./forward-proxy.ts";
import { type Environment, proxyFor } from "./proxy.ts";
import { proxyError } from "./proxy-error.ts";

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

/**
 * https goes through a tunnel, and http to the proxy itself: many proxies allow CONNECT to port 443
 * only. hpagent rather than https-proxy-agent, which passes a proxy's 503 off as the registry's answer.
 */
async function tunnels(options: AgentOptions): Promise<(url: URL, proxy: URL) => Agent> {
  const { HttpsProxyAgent } = await import("hpagent");
  return (url, proxy) =>
    url.protocol === "http:"
      ? forwarding(options, proxy)
      : namingProxy(new HttpsProxyAgent({ ...options, proxy }), proxy);
}

function namingProxy(agent: HttpAgent, proxy: URL): Agent {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, done) =>
    connect(options, (error, socket) =>
      done?.(error && proxyError(error, proxy, `${options.host}:${options.port}`), socket),
    );
  return agent as Agent;
}
