import { request as forward } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { AwsWorld } from "./world.ts";

export interface RegistryDoor {
  /** Requests, as `PUT /v2/app/manifests/v1 201`. */
  readonly requests: readonly string[];
  readonly stop: () => Promise<void>;
}

/**
 * A real registry under ECR's name: TLS with the world's authority, and behind it `target`. A repository is there only where the fake ECR has it, and
 * the manifests that come are told to the fake ECR, so that Lambda finds them.
 */
export async function openRegistryDoor(world: AwsWorld, target: string): Promise<RegistryDoor> {
  const requests: string[] = [];
  const identity = world.certificates.leaf(world.registry);
  const server = createServer(identity, (incoming, outgoing) => {
    const { method = "GET", url = "/", headers } = incoming;
    const [, name, reference] = /^\/v2\/(.+?)\/(?:manifests\/([^/]+)|blobs\/.*)$/.exec(url) ?? [];
    const { repositories } = world.ecr.registry();
    if (name !== undefined && !repositories.has(name)) {
      outgoing.writeHead(404, { "content-type": "application/json" });
      return void outgoing.end(JSON.stringify({ errors: [{ code: "NAME_UNKNOWN", message: name }] }));
    }
    const chunks: Buffer[] = [];
    if (method === "PUT" && reference !== undefined)
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    const options = { method, headers: { ...headers, "x-forwarded-proto": "https" } };
    const through = forward(new URL(url, target), options, (answer) => {
      const status = answer.statusCode ?? 502;
      requests.push(`${method} ${url.replace(/\?.*$/, "")} ${status}`);
      if (chunks.length > 0 && status === 201 && reference !== undefined && name !== undefined) {
        const tags = reference.startsWith("sha256:") ? [] : [reference];
        repositories.get(name)?.addManifest(Buffer.concat(chunks), String(headers["content-type"]), ...tags);
      }
      outgoing.writeHead(status, answer.headers);
      answer.pipe(outgoing);
    });
    through.on("error", () => outgoing.destroy());
    incoming.pipe(through);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  // A listening TCP server has an address with a port.
  world.proxy.route(world.registry, (server.address() as AddressInfo).port);
  return {
    requests,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
