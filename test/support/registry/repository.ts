import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Pacing } from "../../../src/async/retry.ts";
import { LambdaPackError } from "../../../src/errors.ts";
import type { BuildEvent } from "../../../src/events.ts";
import { type Content, contentOf } from "../../../src/oci/content.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { Authorizer } from "../../../src/registry/auth/authorizer.ts";
import type { CredentialSource } from "../../../src/registry/auth/credentials.ts";
import { type ClientOptions, createClient } from "../../../src/registry/client.ts";
import { RETRY_POLICY } from "../../../src/registry/errors/retry.ts";
import { Throttle } from "../../../src/registry/errors/throttle.ts";
import { createHttp, type HttpOptions } from "../../../src/registry/http/http.ts";
import {
  openRepository,
  type Repository,
  type RepositoryOptions,
  repositoryOf,
} from "../../../src/registry/repository.ts";
import { type RegistryTraits, traitsOf } from "../../../src/registry/traits.ts";
import type { TestRegistry } from "./registry.ts";

/** Time that passes when somebody waits for it, and only then on top of the real one. */
export interface TestPacing extends Pacing {
  /** Every wait that was asked for, in milliseconds. */
  readonly waits: number[];
}

/** `random` 0.5: a wait is half of what it could be. */
export function testPacing(random = 0.5): TestPacing {
  const waits: number[] = [];
  let passed = 0;
  return {
    waits,
    now: () => Date.now() + passed,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      waits.push(ms);
      passed += ms;
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    },
    random: () => random,
  };
}

export const NO_CREDENTIALS: CredentialSource = { get: async () => undefined };

export function basicCredentials(username = "user", password = "password"): CredentialSource {
  return { get: async () => ({ kind: "basic", username, password, from: "the test" }) };
}

export interface Opened {
  readonly repository: Repository;
  readonly events: BuildEvent[];
  readonly pacing: TestPacing;
}

/** `repository` of the registry, with waits that do not wait. */
export function opened(registry: TestRegistry, options: Partial<RepositoryOptions> = {}): Opened {
  const events: BuildEvent[] = [];
  const pacing = testPacing();
  const repository = openRepository({
    registry: registry.host,
    repository: "app",
    credentials: NO_CREDENTIALS,
    environment: {},
    onEvent: (event) => events.push(event),
    pacing,
    ...options,
  });
  return { repository, events, pacing };
}

type OpenedOptions = Partial<ClientOptions & HttpOptions & Pick<RepositoryOptions, "credentials">>;

/** As {@link opened}, with ways of its own: what a registry does differently is data. `base` is where `host` is spoken to. */
export function openedWith(
  { host, base = new URL(`http://${host}`) }: { readonly host: string; readonly base?: URL },
  traits: Partial<RegistryTraits>,
  { credentials = NO_CREDENTIALS, ...options }: OpenedOptions = {},
): Opened {
  const events: BuildEvent[] = [];
  const onEvent = (event: BuildEvent) => void events.push(event);
  const pacing = testPacing();
  const at = { registry: host, repository: "app", base };
  const http = createHttp({ environment: {}, onEvent, ...options });
  const scheme = traitsOf(host).usesBasic ? ({ kind: "basic" } as const) : undefined;
  const authorizer = new Authorizer({ ...at, http, credentials, onEvent, scheme });
  const client = createClient({
    ...at,
    http,
    authorizer,
    traits: { ...traitsOf(host), ...traits },
    pacing,
    policy: RETRY_POLICY,
    throttle: new Throttle(pacing),
    onEvent,
    ...options,
  });
  return { repository: repositoryOf(client, () => http.close()), events, pacing };
}

/** Bytes that do not repeat, as a layer. */
export function layerOf(size: number): Content {
  return contentOfBytes(randomBytes(size));
}

/** These bytes, as a layer. */
export function contentOfBytes(bytes: Uint8Array): Content {
  return contentOf(MEDIA_TYPES.oci.layer, bytes);
}

export interface TestImage {
  readonly manifest: Content;
  readonly config: Content;
  readonly layers: readonly Content[];
}

/** A whole OCI image for linux/amd64. */
export function imageOf(...layers: readonly Content[]): TestImage {
  const diff_ids = layers.map(({ descriptor }) => digestOf(descriptor.digest));
  const types = MEDIA_TYPES.oci;
  const config = contentOf(
    types.config,
    json({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids } }),
  );
  const manifest = contentOf(
    types.manifest,
    json({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: config.descriptor,
      layers: layers.map(({ descriptor }) => descriptor),
    }),
  );
  return { manifest, config, layers };
}

export async function bytesOf(content: Content, from = 0): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.read(from)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Everything of the image goes to the repository, as a push does it. */
export async function pushTo(
  repository: Repository,
  image: TestImage,
  ...tags: readonly string[]
): Promise<void> {
  for (const blob of [...image.layers, image.config]) {
    if (!(await repository.has(blob.descriptor))) await repository.put(blob);
  }
  await repository.publish(image.manifest, tags);
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** For `assert.rejects`: an error with an answer of this status, and what else is expected of it. */
export function answered(
  status: number,
  expected: Readonly<Partial<Record<"code" | "message" | "hint", string | RegExp>>> = {},
) {
  return (error: unknown): true => {
    assert.ok(error instanceof LambdaPackError, String(error));
    assert.equal(error.answer?.status, status);
    for (const [name, value] of Object.entries(expected)) {
      const actual: string = { code: error.code, message: error.message, hint: error.hint ?? "" }[name] ?? "";
      if (value instanceof RegExp) assert.match(actual, value);
      else assert.equal(actual, value);
    }
    return true;
  };
}
