import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";

/** A bare HTTP client of node:http(s): what the doubles themselves are tested with, since it repairs nothing. */
export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The request line's target, where it is not the URL's path. */
  readonly path?: string;
  /** Sent with its Content-Length. */
  readonly body?: Uint8Array | string;
  /** The client goes away after so many bytes of the body, `when` that happens (default: 50 ms later, so that they arrive). */
  readonly leave?: { readonly after: number; readonly when?: Promise<unknown> };
  /** An http proxy to CONNECT through. */
  readonly proxy?: string;
  /** PEM of the authority to trust. */
  readonly ca?: string;
}

export interface Told {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request on a connection of its own. Rejects when there is no whole answer. */
export async function ask(url: string, asked: Asked = {}): Promise<Told> {
  const { proxy, ca } = asked;
  const target = new URL(url);
  const socket = proxy === undefined ? undefined : await tunnel(target, new URL(proxy));
  const secure = socket && {
    // Without an agent, node:https takes 80 for the default.
    defaultPort: 443,
    createConnection: () => connectTls({ socket, servername: target.hostname, ca }),
  };
  return exchange(target, asked, { ...(secure ?? { agent: false }), ...(ca !== undefined && { ca }) });
}

function exchange(target: URL, asked: Asked, options: RequestOptions): Promise<Told> {
  const { method = "GET", body, leave, path = target.pathname + target.search } = asked;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const headers = { ...length, ...asked.headers };
  return new Promise((resolve, reject) => {
    const send = target.protocol === "https:" ? httpsRequest : httpRequest;
    const request = send(target, { ...options, method, path, headers }, (response) => {
      const told = (bytes: Buffer) =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes });
      buffer(response).then(told, reject);
    });
    request.on("error", reject);
    if (leave === undefined) return void request.end(body);
    const { after, when = new Promise((done) => setTimeout(done, 50)) } = leave;
    request.write(Buffer.from(body ?? "").subarray(0, after));
    when.then(() => request.destroy(), reject);
  });
}

function tunnel(target: URL, proxy: URL): Promise<Socket> {
  const authority = `${target.hostname}:${target.port || 443}`;
  const credentials = Buffer.from(`${proxy.username}:${proxy.password}`).toString("base64");
  const headers = proxy.username === "" ? {} : { "proxy-authorization": `Basic ${credentials}` };
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: proxy.hostname,
      port: proxy.port,
      method: "CONNECT",
      path: authority,
      headers,
    });
    request.on("connect", ({ statusCode = 0 }, socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error(`the proxy answered ${statusCode}`));
    });
    request.on("error", reject);
    request.end();
  });
}

/** `<status> <code> <message>` of the first entry of a registry's error document. */
export function complaint({ status, body }: Told): string {
  const [error] = JSON.parse(String(body)).errors;
  return `${status} ${error.code} ${error.message}`;
}

/** A part of an upload with its Content-Range. */
export function part(first: number, body: Uint8Array): Asked {
  return { body, headers: { "content-range": `${first}-${first + body.length - 1}` } };
}

/** The URL of the closing PUT. */
export function closing(location: string, digest: string): string {
  const url = new URL(location);
  url.searchParams.set("digest", digest);
  return url.href;
}
