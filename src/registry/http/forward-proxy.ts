import { type ClientRequest, Agent as HttpAgent } from "node:http";
import type { AgentOptions } from "node:https";
import { connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Agent } from "./agent.ts";
import { hostOf, portOf } from "./proxy.ts";
import { proxyError } from "./proxy-error.ts";

/**
 * Returns an agent that sends http requests to the proxy in absolute form (RFC 9112 3.2.2), as curl
 * and Go do. Its connections are to the proxy.
 */
export function forwarding(options: AgentOptions, proxy: URL, toProxy: AgentOptions): Agent {
  const agent = new HttpAgent(options);
  const at = { host: hostOf(proxy), port: Number(portOf(proxy)) };
  agent.createConnection = (target, done) => {
    const socket =
      proxy.protocol === "https:" ? connectTls({ ...toProxy, ...at, servername: at.host }) : connectPlain(at);
    const ready = proxy.protocol === "https:" ? "secureConnect" : "connect";
    socket.once(ready, () => done?.(null, socket));
    socket.once("error", (error) =>
      done?.(proxyError(error, proxy, `${target.host}:${target.port}`), socket),
    );
    return undefined;
  };
  const addRequest: unknown = Reflect.get(HttpAgent.prototype, "addRequest");
  // Node hands each request to its agent before the header is written; the method is not in its types.
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
