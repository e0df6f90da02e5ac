import { type ClientRequest, Agent as HttpAgent } from "node:http";
import { type AgentOptions, Agent as HttpsAgent } from "node:https";
import { connect as connectPlain } from "node:net";
import { connect as connectTls, createSecureContext } from "node:tls";
import { loadPackage } from "../../async/load-package.ts";
import type { Certificates } from "./certificates.ts";
import { type Environment, hostOf, portOf, proxyFor, tunnelError } from "./proxy.ts";

export type { Environment } from "./proxy.ts";

/** For http URLs an `http.Agent`: libraries that accept agents want one type for both schemes. */
export type Agent = HttpsAgent;

/** The connections of one client: kept alive, through the environment's proxy where one applies. */
export type Agents = Awaited<ReturnType<typeof agentsFor>>;

interface AgentsOptions {
  readonly environment: Environment;
  /** Maximum number of sockets to one host. */
  readonly connections: number;
  readonly certificates: Certificates;
  /** Milliseconds that a proxy has to open a tunnel. Default 10 s. */
  readonly tunnelTimeoutMs?: number | undefined;
  /** The registry whose answers named the hosts of these connections. */
  readonly from?: URL | undefined;
}

/** Creates agents. The AWS SDK accepts them too, as `requestHandler: { httpsAgent }`. */
export async function agentsFor(options: AgentsOptions) {
  const { environment, connections, certificates, tunnelTimeoutMs = 10_000, from } = options;
  const shared: AgentOptions = { keepAlive: true, maxSockets: connections };
  const tunnel = namesProxy(environment) ? await tunnels() : undefined;
  const agents = new Map<string, Agent>();
  // One context per agent: Node would otherwise parse every authority for each connection, and at
  // each request copy them all into the key by which it looks for a free connection.
  const trusting = (url: URL): AgentOptions => {
    const files = url.protocol === "https:" ? certificates.optionsFor(url, from) : undefined;
    const context: object = files ? { secureContext: createSecureContext(files) } : {};
    return context; // Node accepts it, but its types lack it
  };
  const make = (url: URL, proxy: URL | undefined): Agent => {
    const options = { ...shared, ...trusting(url) };
    if (proxy && tunnel) return tunnel({ ...options, timeout: tunnelTimeoutMs }, url, proxy, trusting(proxy));
    return url.protocol === "http:" ? (new HttpAgent(options) as Agent) : new HttpsAgent(options);
  };
  return {
    /**
     * Returns the agent for `url`. URLs with the same scheme and proxy share one, except hosts with a
     * certs.d directory.
     */
    agentFor(url: URL): Agent {
      const proxy = proxyFor(url, environment);
      const own = url.protocol === "https:" && certificates.directoryOf(url) ? url.host : "";
      const key = [url.protocol, proxy?.href ?? "", own, certificates.trustsSystem].join(" ");
      const agent = agents.get(key) ?? make(url, proxy);
      agents.set(key, agent);
      return agent;
    },
    /**
     * Returns the proxy that the environment selects for `url`. With a proxy, it is the proxy that
     * resolves names.
     */
    proxyFor: (url: URL) => proxyFor(url, environment),
    /** Closes every connection, busy ones too. */
    close(): void {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

function namesProxy(environment: Environment): boolean {
  return ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].some((name) => environment[name]);
}

/**
 * https requests go through a tunnel, http requests to the proxy itself, because many proxies allow
 * CONNECT to port 443 only. Uses hpagent because https-proxy-agent passes a proxy's 503 off as the
 * registry's answer.
 */
async function tunnels() {
  const { HttpsProxyAgent } = await loadPackage("hpagent", () => import("hpagent"));
  return (options: AgentOptions, url: URL, proxy: URL, toProxy: AgentOptions): Agent => {
    if (url.protocol === "http:") return forwarding(options, proxy, toProxy);
    // The library passes these to tls.connect, but its types lack them.
    const proxyRequestOptions: object = toProxy;
    return namingProxy(new HttpsProxyAgent({ ...options, proxy, proxyRequestOptions }), proxy);
  };
}

function namingProxy(agent: HttpAgent, proxy: URL): Agent {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, done) =>
    connect(options, (error, socket) =>
      done?.(error && tunnelError(error, proxy, `${options.host}:${options.port}`), socket),
    );
  return agent as Agent;
}

/**
 * Returns an agent that sends http requests to the proxy in absolute form (RFC 9112 3.2.2), as curl
 * and Go do. Its connections are to the proxy.
 */
function forwarding(options: AgentOptions, proxy: URL, toProxy: AgentOptions): Agent {
  const agent = new HttpAgent(options);
  const at = { host: hostOf(proxy), port: Number(portOf(proxy)) };
  agent.createConnection = (target, done) => {
    const socket =
      proxy.protocol === "https:" ? connectTls({ ...toProxy, ...at, servername: at.host }) : connectPlain(at);
    const ready = proxy.protocol === "https:" ? "secureConnect" : "connect";
    socket.once(ready, () => done?.(null, socket));
    socket.once("error", (error) =>
      done?.(tunnelError(error, proxy, `${target.host}:${target.port}`), socket),
    );
    return undefined;
  };
  const addRequest: unknown = Reflect.get(HttpAgent.prototype, "addRequest");
  // Node calls this method for each request before the header is written; its types lack the
  // method.
  Reflect.set(agent, "addRequest", (request: ClientRequest, target: RequestTarget) => {
    request.path = new URL(request.path, `http://${target.host}:${target.port ?? 80}`).href;
    if (proxy.username !== "") request.setHeader("proxy-authorization", basic(proxy));
    if (typeof addRequest === "function") Reflect.apply(addRequest, agent, [request, target]);
  });
  return agent as Agent;
}

interface RequestTarget {
  readonly host: string;
  readonly port?: number | string;
}

function basic({ username, password }: URL): string {
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(text).toString("base64")}`;
}
