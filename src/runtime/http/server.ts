import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LambdaPackError } from "../../errors.ts";
import type { FunctionPool } from "../pool.ts";
import { answerFunctionUrl } from "./function-url.ts";
import { answerInvoke, answerInvokeWithResponseStream, refuseApi } from "./invoke-api.ts";

interface FunctionServerOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly names: readonly string[];
  /**
   * Returns the current version of a function, or of the only one if no name is given; waits while
   * a new one starts. undefined: there is no such function.
   */
  readonly poolOf: (name: string | undefined) => Promise<FunctionPool | undefined> | undefined;
  readonly onError: (error: unknown) => void;
}

const URL_OF_FUNCTION = /^\/lambda-url\/([^/?]+)([/?].*)?$/;
const ACTIONS: readonly (readonly [RegExp, typeof answerInvoke])[] = [
  [/^\/2015-03-31\/functions\/([^/]+)\/invocations$/, answerInvoke],
  [/^\/2021-11-15\/functions\/([^/]+)\/response-streaming-invocations$/, answerInvokeWithResponseStream],
];

/**
 * Starts a server for functions on 127.0.0.1. Lambda's Invoke actions have their own paths; any
 * other request is one to a function URL: to the function NAME under `/lambda-url/NAME`, or to the
 * only function.
 * @throws RUNTIME_FAILED if the port is in use
 */
export async function startFunctionServer(options: FunctionServerOptions) {
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      options.onError(error);
      if (!response.headersSent) response.writeHead(500).end();
      else response.destroy();
    });
  });
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => close(server) };
}

async function answer(
  { names, poolOf }: FunctionServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = ""] = (request.url ?? "").split("?");
  const action = ACTIONS.find(([pattern]) => request.method === "POST" && pattern.test(path));
  if (action) {
    const [pattern, answerAction] = action;
    const [, named = ""] = pattern.exec(path) ?? [];
    const pool = await poolOf(functionNameIn(decoded(named)));
    if (pool) return answerAction(pool, request, response);
    request.resume();
    const message = `Function not found: ${named}; there is ${names.join(", ")}`;
    return refuseApi(response, 404, "ResourceNotFoundException", message);
  }
  const [, name, rest = "/"] = URL_OF_FUNCTION.exec(request.url ?? "") ?? [];
  const pool = await poolOf(name === undefined ? undefined : decoded(name));
  const url = name === undefined ? (request.url ?? "/") : rest.replace(/^\?/, "/?");
  if (pool) return answerFunctionUrl(pool, url, request, response);
  request.resume();
  const places = names.map((one) => `/lambda-url/${one}\n`).join("");
  response
    .writeHead(404, { "content-type": "text/plain" })
    .end(`there is no function here; there is\n${places}`);
}

/** Decodes a name; no function has one with an invalid `%`. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns the name in a name, an ARN or a part of one, with or without a qualifier. */
function functionNameIn(text: string): string {
  const [, name = text] = /(?:^|:)function:([^:]+)/.exec(text) ?? [];
  return name.split(":")[0] ?? name;
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new LambdaPackError("RUNTIME_FAILED", `cannot listen on port ${port} of this machine`, {
          hint: "end what listens there, or choose another with --port",
          cause,
        }),
      ),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}
