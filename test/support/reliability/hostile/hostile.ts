import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { run } from "../../run.ts";

const client = fileURLToPath(new URL("hostile-client.ts", import.meta.url));
const MiB = 1024 * 1024;
const DIGEST = `sha256:${"a".repeat(64)}`;
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

export interface Hostility {
  /** Its row in the list of failure modes. */
  readonly row: string;
  readonly name: string;
  readonly answer: RequestListener;
}

export interface Ended {
  /** The error's code. */
  readonly code: string;
  /** Characters of the error's message. */
  readonly message: number;
  /** Bytes, resident at most. */
  readonly peak: number;
}

/** `bytes` of nothing, no faster than they are taken; for ever without a number. */
function pour(response: ServerResponse, bytes = Number.POSITIVE_INFINITY): void {
  const piece = Buffer.alloc(256 * 1024, " ");
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= piece.length;
      if (!response.write(piece)) return void response.once("drain", more);
    }
    response.end();
  };
  more();
}

const json = (response: ServerResponse, type: string, body: unknown) =>
  response.writeHead(200, { "content-type": type }).end(JSON.stringify(body));

/** An honest `/v2/`, and `rest` for everything else. */
const behind =
  (rest: RequestListener): RequestListener =>
  (request, response) =>
    request.url === "/v2/" ? json(response, "application/json", {}) : rest(request, response);

/** A manifest that names a blob of so many bytes; `blob` answers for it. */
const withBlob = (size: number, blob: RequestListener): RequestListener =>
  behind((request, response) => {
    if (!request.url?.includes("/manifests/")) return blob(request, response);
    const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: DIGEST, size };
    json(response, MANIFEST, { schemaVersion: 2, mediaType: MANIFEST, config, layers: [] });
  });

export const HOSTILITIES: readonly Hostility[] = [
  {
    row: "44",
    name: "a manifest of 400 MB, its length told",
    answer: behind((_, response) => {
      response.writeHead(200, { "content-type": MANIFEST, "content-length": 400 * MiB });
      pour(response, 400 * MiB);
    }),
  },
  {
    row: "44",
    name: "a manifest without end",
    answer: behind((_, response) => pour(response.writeHead(200, { "content-type": MANIFEST }))),
  },
  {
    row: "48",
    name: "a manifest of deep JSON, 4 MB",
    answer: behind((_, response) =>
      response.writeHead(200, { "content-type": MANIFEST }).end("[".repeat(4_000_000)),
    ),
  },
  {
    row: "44",
    name: "an error body without end",
    answer: behind((_, response) => pour(response.writeHead(403))),
  },
  { row: "44", name: "a challenge without end", answer: (_, response) => pour(response.writeHead(401)) },
  {
    row: "43",
    name: "a redirect to itself",
    answer: behind((request, response) => response.writeHead(307, { location: request.url ?? "/" }).end()),
  },
  {
    row: "44",
    name: "a token without end",
    answer: (request, response) => {
      if (request.url?.startsWith("/token")) return pour(response.writeHead(200));
      const realm = `http://${request.headers.host}/token`;
      response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}"` }).end();
    },
  },
  {
    row: "44",
    name: "a config said to have 100 MB",
    answer: withBlob(100 * MiB, (_, response) => pour(response.writeHead(200), 100 * MiB)),
  },
  {
    row: "44",
    name: "a config that goes on beyond its size",
    answer: withBlob(1000, (_, response) => pour(response.writeHead(200))),
  },
];

/** Pulls from such a registry in a process of its own. */
export async function meet({ answer }: Hostility): Promise<Ended> {
  const server = createServer(answer);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  try {
    const args = ["--import", import.meta.resolve("tsx"), client, `127.0.0.1:${port}/app:v1`, "oci:"];
    return JSON.parse(await run(process.execPath, args)) as Ended;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
