import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, invoke, push } from "../src/index.ts";
import { TestRegistry } from "../test/support/registry/registry.ts";
import { ARCHITECTURE, makeBase } from "./demo/base.ts";
import { checkBlobs } from "./demo/layout.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function sized(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Runs a step, and prints how long it took and its result. */
async function step<T>(title: string, work: () => Promise<T>, tell: (result: T) => string): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  print(`${title}  (${((performance.now() - startedAt) / 1000).toFixed(1)} s)\n  ${tell(result)}\n`);
  return result;
}

/**
 * Copies the app and two packages to its node_modules, as npm install would. They are dependencies
 * of this repository.
 */
function makeApp(directory: string): void {
  cpSync(join(root, "testdata/apps/hello-node"), directory, { recursive: true });
  for (const name of ["p-limit", "yocto-queue"]) {
    cpSync(join(root, "node_modules", name), join(directory, "node_modules", name), { recursive: true });
  }
}

/**
 * Runs the main use case on a machine that has only Node: base, build, push, pull, verify, and on
 * Linux a real invocation.
 */
async function demo(work: string): Promise<void> {
  const at = (name: string) => join(work, name);
  const cacheDirectory = at("cache");
  const registry = await TestRegistry.start();
  const image = `${registry.host}/demo/hello-node:v1`;
  try {
    await step(
      `a base image from this machine's Node ${process.versions.node}`,
      () => makeBase(at("base-files"), `oci:${at("base")}`, cacheDirectory),
      ({ digest, layers }) => `${digest}  ${sized(layers.reduce((sum, { size }) => sum + size, 0))}`,
    );
    makeApp(at("hello-node"));
    await step(
      "testdata/apps/hello-node over it, into a registry inside this process",
      () =>
        build({
          ...{ directory: at("hello-node"), base: `oci:${at("base")}`, handler: "index.handler" },
          ...{ to: image, cacheDir: cacheDirectory },
        }),
      ({ reference, layers }) => [reference, ...layers.map(describeLayer)].join("\n  "),
    );
    await step(
      "pulled back, and every blob hashed anew",
      () => push({ source: image, to: `oci:${at("pulled")}`, arch: ARCHITECTURE, cache: false }),
      () => {
        const { blobs, bytes } = checkBlobs(at("pulled"));
        return `${blobs} blobs, ${sized(bytes)}, each is what its name says`;
      },
    );
    await run(at("pulled"), cacheDirectory);
  } finally {
    await registry.stop();
  }
}

function describeLayer({
  name,
  size,
  how,
}: {
  readonly name: string;
  readonly size: number;
  readonly how: string;
}) {
  return `layer ${name}: ${sized(size)}, ${how}`;
}

async function run(layout: string, cacheDirectory: string): Promise<void> {
  if (process.platform !== "linux") {
    print("not invoked: the image holds this machine's Node, and Lambda's images run on Linux");
    return;
  }
  const event = { name: "Lambda" };
  const { error } = await step(
    `invoked with ${JSON.stringify(event)}, as lambda-pack invoke does`,
    () => invoke({ source: `oci:${layout}`, event, timeout: 20, cacheDir: cacheDirectory }),
    ({ response, durationMs, ranWith }) => `${response}\n  after ${durationMs} ms; with ${ranWith}`,
  );
  if (error) throw new Error(`the function failed: ${error.errorType}: ${error.errorMessage}`);
}

const work = mkdtempSync(join(tmpdir(), "lambda-pack-demo-"));
try {
  await demo(work);
  print("all of it worked; nothing was left behind");
} finally {
  rmSync(work, { recursive: true, force: true });
}
