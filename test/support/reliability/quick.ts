import assert from "node:assert/strict";
import { homedir } from "node:os";
import { ecrCredentials } from "../../../src/aws/ecr/ecr-credentials.ts";
import { openCache } from "../../../src/cache/cache.ts";
import { LambdaPackError } from "../../../src/errors.ts";
import type { OnEvent } from "../../../src/events.ts";
import type { Content } from "../../../src/oci/content.ts";
import { Authorizer } from "../../../src/registry/auth/authorizer.ts";
import { firstOf } from "../../../src/registry/auth/credentials.ts";
import { dockerCredentials } from "../../../src/registry/auth/docker-config.ts";
import { createClient } from "../../../src/registry/client.ts";
import { RETRY_POLICY } from "../../../src/registry/errors/retry.ts";
import { Throttle } from "../../../src/registry/errors/throttle.ts";
import { createHttp } from "../../../src/registry/http/http.ts";
import { type Repository, repositoryOf } from "../../../src/registry/repository.ts";
import { traitsOf } from "../../../src/registry/traits.ts";
import { fetchInto } from "../../../src/session/through-cache.ts";
import { bytesOf, type TestImage, type TestPacing } from "../registry/repository.ts";
import type { Work } from "./faults/fault-kind.ts";
import { sha256 } from "./image.ts";
import type { Stage } from "./stage.ts";

/** Where a silence is what is played: it is real, and short. Everything else may take as long as a busy machine takes. */
const IMPATIENT = { connectMs: 800, answerMs: 800, commitMs: 800, stallMs: 800 };
const CHUNK = 25_000;

export interface Door {
  readonly onEvent: OnEvent;
  readonly pacing: TestPacing;
  readonly impatient?: boolean;
  readonly signal?: AbortSignal;
}

/** A repository of the stage as the product opens it, but for its pace and, for `chunks`, the size of a chunk. */
export function openQuick(stage: Stage, repository: string, work: Work, door: Door): Repository {
  const { environment, host: registry } = stage;
  const { onEvent, pacing, impatient = false } = door;
  const scheme = stage.name === "ecr" ? "https" : "http";
  const at = { registry, repository, base: new URL(`${scheme}://${registry}`) };
  const http = createHttp({ environment, onEvent, ...(impatient && { timeouts: IMPATIENT }) });
  const docker = dockerCredentials(environment, homedir(), "stored");
  const credentials = firstOf(ecrCredentials({ environment, onEvent }), docker);
  const authorizer = new Authorizer({ ...at, http, credentials, onEvent });
  const chunked = work === "chunks" && { wholeUpTo: 0, chunkSize: CHUNK, minChunk: 0 };
  const traits = { ...traitsOf(registry), ...chunked };
  const client = createClient({
    ...at,
    http,
    authorizer,
    traits,
    pacing,
    policy: RETRY_POLICY,
    throttle: new Throttle(pacing),
    onEvent,
  });
  return repositoryOf(client, () => http.close());
}

/** As push.ts does it: blobs that the registry turns out to lack are sent once more. */
export async function sendQuick(repository: Repository, image: TestImage): Promise<void> {
  for (const blob of [...image.layers, image.config]) {
    if (!(await repository.has(blob.descriptor))) await repository.put(blob);
  }
  try {
    await repository.publish(image.manifest, ["v1"]);
  } catch (error) {
    if (!(error instanceof LambdaPackError) || error.code !== "BLOBS_MISSING") throw error;
    for (const blob of [...image.layers, image.config]) {
      if (error.answer?.missing?.includes(blob.descriptor.digest)) await repository.put(blob);
    }
    await repository.publish(image.manifest, ["v1"]);
  }
}

/** As pull.ts does it, through a cache of its own. */
export async function pullQuick(repository: Repository, image: TestImage, emit: OnEvent): Promise<void> {
  const cache = await openCache({ directory: undefined });
  try {
    const pulled = await repository.pull("v1", { os: "linux", architecture: "amd64" });
    assert.equal(pulled.manifest.descriptor.digest, image.manifest.descriptor.digest);
    assert.equal(pulled.layers.length, image.layers.length);
    for (const blob of [pulled.config, ...pulled.layers])
      await assertWhole(await fetchInto(cache, blob, { emit }));
  } finally {
    await cache.close();
  }
}

async function assertWhole(content: Content): Promise<void> {
  assert.equal(sha256(await bytesOf(content)), content.descriptor.digest, "wrong bytes");
}
