import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Extensions, type FunctionDetails } from "./extensions.ts";
import { type Init, Invocations } from "./invocations.ts";
import { readBody, refuse } from "./reply.ts";
import { Telemetry } from "./telemetry.ts";

/** What `forward.mjs` adds to the API's socket for the way into the sandbox. */
const FORWARDER = ".in";

/** The Runtime API of one execution environment. */
export type RuntimeApi = Awaited<ReturnType<typeof startRuntimeApi>>;

interface RuntimeApiOptions extends FunctionDetails {
  /** Names of the extensions that are being started; the first event waits for them. */
  readonly extensions?: readonly string[] | undefined;
  /** The path of a socket to listen on. Default: a free port of 127.0.0.1. */
  readonly socket?: string | undefined;
}

type Answer = (request: IncomingMessage, response: ServerResponse, parameter: string) => void | Promise<void>;
type Route = readonly [method: string, path: RegExp, answer: Answer];

/**
 * Starts a server with Lambda's Runtime, Extensions, Telemetry and Logs APIs for one runtime
 * process. It can only be reached from this machine.
 */
export async function startRuntimeApi({ extensions: external = [], socket, ...details }: RuntimeApiOptions) {
  const invocations: Invocations = new Invocations((invocation) => extensions.invoke(invocation));
  const extensions = new Extensions(details, external, (error) => invocations.end(error));
  const telemetry = new Telemetry(socket && `${socket}${FORWARDER}`);
  const routes = routesOf(invocations, extensions, telemetry);
  let client = "";
  const server = createServer((request, response) => {
    const url = request.url ?? "";
    if (url.startsWith("/2018-06-01/runtime/")) client = request.headers["user-agent"] ?? client;
    void answer(routes, request, response);
  });
  // The runtime's request for the next event can stay open for any time.
  Object.assign(server, { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 });
  return {
    /** The address on which it listens: `127.0.0.1:port`, or the path of a socket. */
    address: await listen(server, socket),
    invocations,
    extensions,
    telemetry,
    init: initOf(invocations, extensions),
    /** Returns the `User-Agent` of the runtime's last request, which identifies the client. */
    client: () => client,
    /** Resolves when the runtime and all extensions ask for the next event, or the runtime ended. */
    async ready(): Promise<void> {
      const { ready, gone } = invocations;
      await Promise.race([gone, Promise.all([ready, extensions.ready()])]);
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Resolves with the result of the init phase. A failed start does not wait for extensions. */
function initOf({ init, gone }: Invocations, extensions: Extensions): Promise<Init> {
  const started = init.then(async (ended) => {
    await extensions.started();
    return ended;
  });
  return Promise.race([gone, started]);
}

function routesOf(invocations: Invocations, extensions: Extensions, telemetry: Telemetry): readonly Route[] {
  return [
    ["GET", /^\/2018-06-01\/ping$/, (_, response) => void response.end("pong")],
    ["GET", /^\/2018-06-01\/runtime\/invocation\/next$/, (...both) => invocations.next(both[0], both[1])],
    [
      "POST",
      /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/response$/,
      (...all) => invocations.response(...all),
    ],
    ["POST", /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/error$/, (...all) => invocations.error(...all)],
    ["POST", /^\/2018-06-01\/runtime\/init\/error$/, (...both) => invocations.initError(both[0], both[1])],
    ["POST", /^\/2020-01-01\/extension\/register$/, (...both) => extensions.register(both[0], both[1])],
    ["GET", /^\/2020-01-01\/extension\/event\/next$/, (...both) => extensions.next(both[0], both[1])],
    ["POST", /^\/2020-01-01\/extension\/(init|exit)\/error$/, (...all) => extensions.error(...all)],
    ["PUT", /^\/2022-07-01\/telemetry$/, (...both) => telemetry.subscribe(both[0], both[1])],
    // Such extensions can start, but nothing is sent to them: the Telemetry API replaced this one.
    ["PUT", /^\/2020-08-15\/logs$/, subscribed],
  ];
}

async function subscribed(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await readBody(request);
  response.writeHead(200, { "content-type": "text/plain" }).end("OK");
}

async function answer(
  routes: readonly Route[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = ""] = (request.url ?? "").split("?");
  for (const [method, pattern, handle] of routes) {
    const match = method === request.method ? pattern.exec(path) : null;
    // A runtime that is stopped aborts its request, which then needs no response.
    if (match)
      return Promise.resolve(handle(request, response, match[1] ?? "")).catch(() => void response.destroy());
  }
  request.resume();
  refuse(response, 404, "NotFound", `${request.method} ${path} is not part of the Runtime API`);
}

async function listen(server: Server, socket: string | undefined): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    if (socket === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(socket, resolve);
  });
  const address = server.address();
  return typeof address === "string" ? address : `127.0.0.1:${(address as AddressInfo).port}`;
}
