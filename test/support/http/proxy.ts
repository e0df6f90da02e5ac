import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** What the proxy does to a CONNECT instead of opening the tunnel; to a plain http request only `answer`. */
export type ProxyFault =
  | {
      readonly do: "answer";
      readonly status: number;
      /** Headers and body of the answer to a plain http request. */
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Takes the CONNECT and says nothing. */
  | { readonly do: "hang" }
  /** Opens the tunnel and resets both ends (RST) after `after` bytes in one direction. */
  | { readonly do: "cut"; readonly after: number; readonly direction: "up" | "down" };

export interface ProxyRequest {
  /** `CONNECT` for a tunnel, otherwise the method of a plain http request in absolute form. */
  readonly method: string;
  readonly host: string;
  readonly port: number;
  /** How many requests came for this host so far, this one included. */
  readonly count: number;
  /** Whether an Authorization header could be seen: in a tunnel it cannot. */
  readonly authorized: boolean;
}

export interface ProxyOptions {
  /** Asked for as `Proxy-Authorization: Basic`; without them 407. */
  readonly credentials?: { readonly username: string; readonly password: string };
}

/**
 * An HTTP proxy on 127.0.0.1 for a world of its own: it knows the hosts of its table and refuses every other with 403.
 * What was asked for is in {@link requests}, what was refused in {@link refused}: "nothing else was contacted" is an assertion.
 */
export class ConnectProxy {
  readonly requests: ProxyRequest[] = [];
  /** `host:port` of every request that the table does not know. */
  readonly refused: string[] = [];
  /** Connections that clients opened to the proxy. */
  connections = 0;
  fault: (request: ProxyRequest) => ProxyFault | undefined = () => undefined;
  readonly #credentials: ProxyOptions["credentials"];
  readonly #table = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  readonly #sockets = new Set<Duplex>();
  readonly #server = createServer((request, response) => this.#plain(request, response))
    .on("connection", (socket) => {
      this.connections += 1;
      this.#track(socket);
    })
    .on("connect", (request, socket, head) => this.#connect(request, socket, head));

  constructor({ credentials }: ProxyOptions = {}) {
    this.#credentials = credentials;
  }

  /** `name` (`host`, meaning port 443, or `host:port`) is at `port` of this machine from now on. */
  route(name: string, port: number): void {
    this.#table.set(name.includes(":") ? name : `${name}:443`, port);
  }

  /** Listens; the URL to set as HTTPS_PROXY, credentials included. */
  async start(): Promise<string> {
    await new Promise<void>((ready) => this.#server.listen(0, "127.0.0.1", ready));
    // A listening TCP server has an address with a port.
    const { port } = this.#server.address() as AddressInfo;
    const { username, password } = this.#credentials ?? { username: "", password: "" };
    return `http://${this.#credentials ? `${username}:${password}@` : ""}127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  #track(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }

  #connect(incoming: IncomingMessage, client: Duplex, head: Buffer): void {
    const request = this.#note(incoming, new URL(`http://${incoming.url}`));
    const problem = this.#problem(incoming, request);
    if (problem !== undefined) return void client.end(rawAnswer(problem));
    const fault = this.fault(request);
    if (fault?.do === "hang") return;
    if (fault?.do === "answer") return void client.end(rawAnswer(fault.status));
    this.#tunnel(this.#table.get(`${request.host}:${request.port}`) ?? 0, client, head, fault);
  }

  #note(incoming: IncomingMessage, { hostname, port }: URL): ProxyRequest {
    const count = (this.#counts.get(hostname) ?? 0) + 1;
    this.#counts.set(hostname, count);
    const request: ProxyRequest = {
      method: incoming.method ?? "",
      host: hostname,
      port: port === "" ? 80 : Number(port),
      count,
      authorized: incoming.headers.authorization !== undefined,
    };
    this.requests.push(request);
    return request;
  }

  /** The status of a refusal. */
  #problem(incoming: IncomingMessage, { host, port }: ProxyRequest): number | undefined {
    if (this.#credentials && incoming.headers["proxy-authorization"] !== basic(this.#credentials)) return 407;
    if (this.#table.has(`${host}:${port}`)) return undefined;
    this.refused.push(`${host}:${port}`);
    return 403;
  }

  #tunnel(port: number, client: Duplex, head: Buffer, fault: ProxyFault | undefined): void {
    const server = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      if (head.length > 0) server.write(head);
      if (fault?.do === "cut")
        cutAfter(fault.after, fault.direction === "up" ? client : server, client, server);
      client.pipe(server);
      server.pipe(client);
    });
    this.#track(server);
    server.on("error", () => {
      if (server.connecting || server.bytesRead + server.bytesWritten === 0) client.end(rawAnswer(502));
      // A reset must stay a reset on the other side.
      else reset(client);
    });
    server.on("close", () => client.end());
    client.on("close", () => server.destroy());
  }

  /** http:// URLs come in absolute form: here the headers can be seen. */
  #plain(incoming: IncomingMessage, response: ServerResponse): void {
    const target = URL.canParse(incoming.url ?? "") ? new URL(incoming.url ?? "") : undefined;
    if (!target) return void response.writeHead(400).end();
    const request = this.#note(incoming, target);
    const problem = this.#problem(incoming, request);
    if (problem !== undefined) return void response.writeHead(problem, refusalHeaders(problem)).end();
    const fault = this.fault(request);
    if (fault?.do === "answer") {
      response.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    }
    const port = this.#table.get(`${request.host}:${request.port}`);
    const { method, headers } = incoming;
    const upstream = forward(
      { host: "127.0.0.1", port, method, headers, path: `${target.pathname}${target.search}` },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, { ...answer.headers, via: "1.1 proxy" });
        answer.pipe(response);
      },
    );
    upstream.on("error", () => incoming.socket.destroy());
    incoming.pipe(upstream);
  }
}

function cutAfter(bytes: number, counted: Duplex, client: Duplex, server: Duplex): void {
  let seen = 0;
  counted.on("data", (chunk: Buffer) => {
    seen += chunk.length;
    if (seen < bytes) return;
    reset(client);
    server.destroy();
  });
}

function reset(socket: Duplex): void {
  // Only TCP sockets reach this proxy; the type of the "connect" event is wider.
  const connection = socket as Socket;
  // What is being shut down cannot be reset any more, and Node would then never close its handle.
  if (connection.writableEnded) connection.destroy();
  else connection.resetAndDestroy();
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function refusalHeaders(status: number): Record<string, string> {
  return status === 407 ? { "Proxy-Authenticate": 'Basic realm="proxy"' } : {};
}

function rawAnswer(status: number): string {
  const headers = Object.entries(refusalHeaders(status)).map(([key, value]) => `${key}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Refused\r\n${headers.join("")}Content-Length: 0\r\nConnection: close\r\n\r\n`;
}
