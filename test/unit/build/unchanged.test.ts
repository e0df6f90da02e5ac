import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type BuildEvent, type BuildOptions, type BuildResult, build } from "../../../src/index.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { makeTree, type Tree, temporaryFolder } from "../../support/trees.ts";

/** Breaks a rule, which is told: the link leads nowhere. */
const APP: Tree = {
  bootstrap: { file: "#!/bin/sh\n", mode: 0o755 },
  "node_modules/a/index.js": "exports.a = 1\n",
  dangling: { link: "nowhere" },
};

interface Run extends BuildResult {
  readonly warnings: readonly string[];
  readonly events: readonly BuildEvent[];
}

async function run(
  directory: string,
  cacheDirectory: string,
  more: Partial<BuildOptions> = {},
): Promise<Run> {
  const events: BuildEvent[] = [];
  const result = await later(() =>
    build({
      directory,
      base: "scratch",
      entrypoint: ["/var/task/bootstrap"],
      allow: ["entrypoint", "runtime-client"],
      to: `oci:${join(temporaryFolder(), "out")}`,
      cacheDirectory,
      environment: {},
      onEvent: (event) => events.push(event),
      ...more,
    }),
  );
  const warnings = events.flatMap((event) => (event.type === "warning" ? event.message : []));
  return { ...result, events, warnings };
}

/** As if it were a minute later: the times of files that were made just now prove something. */
async function later<T>(work: () => Promise<T>): Promise<T> {
  const now = Date.now;
  Date.now = () => now() + 60_000;
  try {
    return await work();
  } finally {
    Date.now = now;
  }
}

/** Two builds of the same folder into the same cache, with something done between them. */
async function twice(between: (cache: string, directory: string) => void, more: Partial<BuildOptions> = {}) {
  const [directory, cache] = [makeTree(APP), join(temporaryFolder(), "cache")];
  const first = await run(directory, cache);
  between(cache, directory);
  return { first, second: await run(directory, cache, more), directory, cache };
}

const records = (cache: string) => readdirSync(join(cache, "builds"));

describe("a build of which nothing has changed", () => {
  it("gives the same image and tells the same of it", async () => {
    const { first, second } = await twice(() => {});
    const { stats, reference, destinations, events, layers, ...rest } = second;
    assert.deepEqual(rest, { ...rest, digest: first.digest, warnings: first.warnings });
    assert.ok(
      first.warnings.some((line) => line.includes("dangling")),
      first.warnings.join(),
    );
    assert.deepEqual(
      layers,
      first.layers.map((layer) => ({ ...layer, how: "cached" })),
    );
    assert.deepEqual([stats.files, stats.bytes], [first.stats.files, first.stats.bytes]);
  });

  it("says what was collected, what became of each layer, and what came of it", async () => {
    const { first, second } = await twice(() => {});
    const kinds = ({ events }: Run) =>
      [...new Set(events.map(({ type }) => type))].filter((type) => type !== "layer-progress");
    assert.deepEqual(kinds(second).sort(), kinds(first).sort());
  });

  it("takes the outcome of last time: no rule is asked again", async () => {
    const { second } = await twice((cache) => {
      const [name = ""] = records(cache);
      const path = join(cache, "builds", name);
      const [, line = ""] = readFileSync(path, "utf8").split("\n");
      const told = line.replace("dangling", "remembered");
      writeFileSync(path, `${digestOf(told)}\n${told}\n`);
    });
    assert.ok(
      second.warnings.some((text) => text.includes("remembered")),
      second.warnings.join(),
    );
  });

  const changes: Readonly<Record<string, Partial<BuildOptions>>> = {
    "a rule may be broken": { allow: ["entrypoint", "runtime-client", "links"] },
    "there is a variable": { env: { A: "1" } },
    "the command is another": { cmd: ["x"] },
    "the time is another": { environment: { SOURCE_DATE_EPOCH: "77" } },
    "the level is another": { level: 9 },
    "the architecture is another": { architecture: "arm64" },
    "files are left out": { exclude: ["node_modules"] },
  };
  for (const [what, more] of Object.entries(changes)) {
    it(`is not one where ${what}`, async () => {
      const { second, directory } = await twice(() => {}, more);
      const anew = await run(directory, join(temporaryFolder(), "cache"), more);
      assert.deepEqual([second.digest, second.warnings], [anew.digest, anew.warnings]);
    });
  }

  it("is one all the same where only the destination is another", async () => {
    const { cache } = await twice(() => {}, { tags: ["v2"] });
    assert.equal(records(cache).length, 1);
  });

  it("is not one where a file was touched", async () => {
    const { second, directory } = await twice((_, folder) =>
      writeFileSync(join(folder, "bootstrap"), "#!/bin/bash\n"),
    );
    assert.equal(second.digest, (await run(directory, join(temporaryFolder(), "cache"))).digest);
    assert.deepEqual(
      second.layers.map(({ how }) => how),
      ["cached", "built"],
    );
  });

  it("leaves nothing behind without a cache", async () => {
    const { second, cache } = await twice((folder) => rmSync(join(folder, "builds"), { recursive: true }), {
      cache: false,
    });
    assert.deepEqual(
      second.layers.map(({ how }) => how),
      ["built", "built"],
    );
    assert.throws(() => records(cache), { code: "ENOENT" });
  });
});

describe("a cache that was spoiled since", () => {
  const blobs = (cache: string) =>
    readdirSync(join(cache, "blobs/sha256")).map((name) => join(cache, "blobs/sha256", name));
  const damages: Readonly<Record<string, (cache: string) => void>> = {
    "by other bytes in its layers": (cache) => {
      for (const blob of blobs(cache)) writeFileSync(blob, Buffer.alloc(readFileSync(blob).length));
    },
    "by the loss of its layers": (cache) => {
      for (const blob of blobs(cache)) rmSync(blob);
    },
    "by the loss of what it knew of them": (cache) => rmSync(join(cache, "layers"), { recursive: true }),
    "by nonsense in what it knew of builds": (cache) => {
      for (const name of records(cache)) writeFileSync(join(cache, "builds", name), "{}");
    },
  };
  for (const [what, damage] of Object.entries(damages)) {
    it(`${what} does no harm`, async () => {
      const out = join(temporaryFolder(), "out");
      const { first, second } = await twice(damage, { to: `oci:${out}` });
      assert.equal(second.digest, first.digest);
      for (const { digest } of second.layers) {
        const bytes = readFileSync(join(out, "blobs", digest.replace(":", "/")));
        assert.equal(digestOf(bytes), digest);
      }
    });
  }
});
