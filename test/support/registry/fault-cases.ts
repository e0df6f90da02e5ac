import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hasCode, LambdaPackError } from "../../../src/errors.ts";
import type { Repository } from "../../../src/registry/repository.ts";
import { type Answer, problem } from "./answer.ts";
import type { Fault } from "./fault.ts";
import { TestRegistry, type TestRegistryOptions } from "./registry.ts";
import { bytesOf, imageOf, layerOf, openedWith, pushTo, type TestImage } from "./repository.ts";
import type { RequestKind } from "./request.ts";

/** Of the larger layers of the image that is moved. */
export const LAYER = 50_000;
export const CHUNK = 20_000;
const image = imageOf(layerOf(LAYER), layerOf(LAYER), layerOf(900));
/** Where a silence is what is tested. Everything else may take as long as a busy machine takes. */
const IMPATIENT = { answerMs: 600, commitMs: 600, stallMs: 600 };
/** What the waits of a for-ever fault may come to. */
const LIMIT_MS = 60_000;

export interface FaultCase {
  readonly name: string;
  readonly on: RequestKind;
  readonly fault: Fault | (() => Fault);
  /** The error's code when it comes for ever, `harmless` when it does no harm then. Default: any of the network's. */
  readonly forever?: string;
}

/** An answer in place of the honest one, with an error document where a code is given. */
export function answer(status: number, code = "", headers: Readonly<Record<string, string>> = {}): Fault {
  return { kind: "answer", status, headers, ...(code !== "" && { body: problem(status, code).body }) };
}

/** The honest answer with another body. */
export function changed(change: (body: Buffer) => Uint8Array): Fault {
  return {
    kind: "change",
    change: (honest) => {
      const body = change(Buffer.from(honest.body ?? ""));
      return { ...honest, body, headers: { ...honest.headers, "content-length": String(body.length) } };
    },
  };
}

/** The honest answer with other facts. */
export function altered({ status, headers }: Partial<Answer>): Fault {
  return {
    kind: "change",
    change: (honest) => ({
      ...honest,
      ...(status && { status }),
      headers: { ...honest.headers, ...headers },
    }),
  };
}

export const flipped = changed((body) =>
  Buffer.from(body.map((byte, index) => (index === 10 ? byte ^ 1 : byte))),
);

const slowDown: Fault = {
  kind: "answer",
  status: 503,
  body: "<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
};

/** The kinds of trouble that any request can meet. */
export function passing(on: RequestKind): readonly FaultCase[] {
  return [
    { name: "connection closed", on, fault: { kind: "drop" } },
    { name: "no answer", on, fault: { kind: "silence" } },
    { name: "500", on, fault: answer(500) },
    { name: "503 UNAVAILABLE", on, fault: answer(503, "UNAVAILABLE") },
    { name: "429 TOOMANYREQUESTS", on, fault: answer(429, "TOOMANYREQUESTS") },
    { name: "429, Retry-After 3 s", on, fault: answer(429, "TOOMANYREQUESTS", { "retry-after": "3" }) },
  ];
}

/** Every status and form of trouble, for one kind of request. */
export function everyForm(on: RequestKind): readonly FaultCase[] {
  const later = () => new Date(Date.now() + 5000).toUTCString();
  return [
    ...passing(on),
    ...[408, 425, 499, 502, 503, 504, 522].map((status) => ({
      name: `${status}`,
      on,
      fault: answer(status),
    })),
    { name: "429, Retry-After a date", on, fault: () => answer(429, "", { "retry-after": later() }) },
    { name: "400 ThrottlingException", on, fault: answer(400, "ThrottlingException") },
    { name: "S3's SlowDown", on, fault: slowDown },
    { name: "503 before the body is read", on, fault: { kind: "answer", status: 503, early: true } },
  ];
}

export type Work = (repository: Repository) => Promise<void>;

/** As push.ts does it: blobs that the registry turns out to lack are sent once more. */
export const push: Work = async (repository) => {
  try {
    await pushTo(repository, image, "v1");
  } catch (error) {
    if (!(error instanceof LambdaPackError) || error.code !== "BLOBS_MISSING") throw error;
    for (const blob of [...image.layers, image.config]) {
      if (error.answer?.missing?.includes(blob.descriptor.digest)) await repository.put(blob);
    }
    await repository.publish(image.manifest, ["v1"]);
  }
};

export const pull: Work = async (repository) => {
  const pulled = await repository.pull("v1", { os: "linux", architecture: "amd64" });
  assert.equal(pulled.layers.length, image.layers.length);
  for (const [index, layer] of pulled.layers.entries()) {
    assert.deepEqual(await bytesOf(layer), await bytesOf(image.layers[index] ?? layer));
  }
};

export interface Scene {
  readonly work: Work;
  readonly options?: TestRegistryOptions;
  /** Blobs go in chunks of {@link CHUNK}. */
  readonly chunked?: boolean;
}

interface Outcome {
  readonly error: unknown;
  readonly spentMs: number;
}

async function play({ on, fault }: FaultCase, times: number, scene: Scene): Promise<Outcome> {
  const registry = await TestRegistry.start(scene.options);
  if (scene.work === pull) await store(registry, image);
  let left = times;
  registry.fault = (request) => {
    if (request.kind !== on || left === 0) return undefined;
    left -= 1;
    return typeof fault === "function" ? fault() : fault;
  };
  const traits = scene.chunked ? { wholeUpTo: 0, chunkSize: CHUNK } : {};
  const { repository, pacing } = openedWith(registry, traits, {
    ...(isSilent(fault) && { timeouts: IMPATIENT }),
  });
  const error = await scene.work(repository).then(
    () => undefined,
    (thrown: unknown) => thrown ?? new Error("nothing was thrown"),
  );
  const spentMs = pacing.waits.reduce((sum, ms) => sum + ms, 0);
  await repository.close();
  await registry.stop();
  if (error === undefined && scene.work === push) assertHeld(registry);
  assert.ok(registry.seen(on).length > 0, "the fault must have come");
  return { error, spentMs };
}

function isSilent(fault: FaultCase["fault"]): boolean {
  return typeof fault !== "function" && (fault.kind === "silence" || fault.kind === "stall");
}

async function store(registry: TestRegistry, { manifest, config, layers }: TestImage): Promise<void> {
  for (const blob of [config, ...layers]) registry.addBlob("app", await bytesOf(blob));
  registry.addManifest("app", manifest.descriptor.mediaType, await bytesOf(manifest), "v1");
}

/** The registry hashed what it took, so that size and presence say it all. */
function assertHeld(registry: TestRegistry): void {
  assert.equal(registry.tag("app", "v1"), image.manifest.descriptor.digest);
  for (const { descriptor } of [image.config, ...image.layers]) {
    assert.equal(registry.blob("app", descriptor.digest)?.length, descriptor.size);
  }
}

/** Twice ends well, so that once does too; for ever ends within a minute, in an error that has a name. */
export function survives(title: string, cases: readonly FaultCase[], scene: Scene): void {
  describe(title, { concurrency: 16 }, () => {
    for (const each of cases) {
      const what = `"${each.name}" at ${each.on}`;
      it(`survives ${what}, twice`, async () => {
        assert.equal((await play(each, 2, scene)).error, undefined);
      });
      const harmless = each.forever === "harmless";
      it(harmless ? `is not harmed by ${what}` : `gives up on ${what} for ever`, async () => {
        const { error, spentMs } = await play(each, Number.POSITIVE_INFINITY, scene);
        if (harmless) return assert.equal(error, undefined);
        assertClear(error, each.forever);
        assert.ok(spentMs <= LIMIT_MS, `${spentMs} ms`);
      });
    }
  });
}

function assertClear(error: unknown, code: string | undefined): void {
  assert.ok(error instanceof LambdaPackError, `not an error of ours: ${String(error)}`);
  const codes = code === undefined ? ["REGISTRY_ANSWER", "REGISTRY_UNREACHABLE"] : [code];
  assert.ok(hasCode(error, ...codes), `${error.code}: ${error.message}`);
  assert.match(error.message, /app|sha256:|127\.0\.0\.1/);
}
