import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/**
 * The part of GitHub's cache service, version 2, that @actions/cache uses: three calls of its API,
 * and the uploads and downloads of Azure Blob Storage to which they lead.
 */
export class ActionsCache {
  readonly entries = new Map<string, Buffer>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #blocks = new Map<string, Buffer>();
  /** An error that every call of the API gets. */
  refuses = false;

  static async start(): Promise<ActionsCache> {
    const cache = new ActionsCache();
    await new Promise<void>((done) => cache.#server.listen(0, "127.0.0.1", done));
    return cache;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const url = new URL(request.url ?? "/", this.url);
    const key = decodeURIComponent(url.pathname.slice("/blobs/".length));
    if (url.pathname.startsWith("/twirp/")) this.#call(url.pathname, body, response);
    else if (request.method === "PUT") this.#put(key, url, body, response);
    else this.#get(key, request, response);
  }

  #get(key: string, request: IncomingMessage, response: ServerResponse): void {
    const content = this.entries.get(key) ?? Buffer.alloc(0);
    const [, from = "0", to] = /^bytes=(\d+)-(\d*)$/.exec(String(request.headers["x-ms-range"])) ?? [];
    const part = content.subarray(Number(from), to ? Number(to) + 1 : undefined);
    const isPart = part.length < content.length;
    response.writeHead(isPart ? 206 : 200, {
      "content-length": part.length,
      "content-range": `bytes ${from}-${Number(from) + part.length - 1}/${content.length}`,
      "x-ms-blob-type": "BlockBlob",
      etag: '"1"',
    });
    response.end(request.method === "HEAD" ? undefined : part);
  }

  #put(key: string, url: URL, body: Buffer, response: ServerResponse): void {
    const block = url.searchParams.get("blockid");
    if (block !== null) this.#blocks.set(block, body);
    else if (url.searchParams.get("comp") === "blocklist") {
      const ids = [...body.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map(([, id = ""]) => id);
      this.entries.set(key, Buffer.concat(ids.map((id) => this.#blocks.get(id) ?? Buffer.alloc(0))));
    } else this.entries.set(key, body);
    response.writeHead(201, { etag: '"1"' }).end();
  }

  #call(path: string, body: Buffer, response: ServerResponse): void {
    if (this.refuses) {
      response.writeHead(403).end('{"msg":"no"}');
      return;
    }
    const { key, restore_keys: prefixes = [] } = JSON.parse(body.toString());
    const address = (name: string) => `${this.url}/blobs/${encodeURIComponent(name)}?sig=x`;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(this.#resultOf(path, key, prefixes, address)));
  }

  #resultOf(
    path: string,
    key: string,
    prefixes: readonly string[],
    address: (name: string) => string,
  ): object {
    if (path.endsWith("/CreateCacheEntry"))
      return { ok: !this.entries.has(key), signed_upload_url: address(key) };
    if (path.endsWith("/FinalizeCacheEntryUpload")) return { ok: true, entry_id: "1" };
    const names = [...this.entries.keys()].reverse();
    const found = [key, ...prefixes]
      .map((prefix: string) => names.find((name) => name.startsWith(prefix)))
      .find((name) => name !== undefined);
    return found === undefined
      ? { ok: false }
      : { ok: true, matched_key: found, signed_download_url: address(found) };
  }
}
