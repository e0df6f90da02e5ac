import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { readConfigurationFile } from "../../../src/blobs/regular-file.ts";
import { TYPESCRIPT, tryRun } from "../../support/run.ts";
import { makeFifo, temporaryDirectory } from "../../support/trees.ts";

const source = (path: string) =>
  JSON.stringify(fileURLToPath(new URL(`../../../src/${path}`, import.meta.url)));

/** Each reads the file at `directory` joined with its name, and rejects with what is wrong. */
const READERS: Readonly<
  Record<string, { readonly file: string; readonly code: string; readonly run: string }>
> = {
  "the base lock": {
    file: "lambda-pack.lock",
    code: "LOCK_REFUSED",
    run: `(await import(${source("base/lock-file.ts")})).readLock(file)`,
  },
  ".lambdaignore": {
    file: ".lambdaignore",
    code: "FILE_UNREADABLE",
    run: `(await import(${source("layer/ignore/ignore.ts")})).readIgnoreFile(directory, undefined)`,
  },
  ".dockerignore": {
    file: ".dockerignore",
    code: "FILE_UNREADABLE",
    run: `(await import(${source("layer/ignore/ignore.ts")})).readIgnoreFile(directory, undefined)`,
  },
  "an ignore file that is named": {
    file: "named",
    code: "FILE_UNREADABLE",
    run: `(await import(${source("layer/ignore/ignore.ts")})).readIgnoreFile(directory, file)`,
  },
  "docker's config.json": {
    file: "config.json",
    code: "CREDENTIALS_INVALID",
    run: `[...(await import(${source("registry/auth/docker-config.ts")})).readDockerConfigs({ DOCKER_CONFIG: directory }, directory)]`,
  },
  "an auth.json that a variable names": {
    file: "auth.json",
    code: "CREDENTIALS_INVALID",
    run: `[...(await import(${source("registry/auth/docker-config.ts")})).readDockerConfigs({ REGISTRY_AUTH_FILE: file }, directory)]`,
  },
  "a layout's oci-layout": {
    file: "oci-layout",
    code: "LAYOUT_INVALID",
    run: `await (await import(${source("layout/layout-files.ts")})).checkMarker(directory)`,
  },
  "a layout's index.json": {
    file: "index.json",
    code: "LAYOUT_INVALID",
    run: `await (await import(${source("layout/layout-files.ts")})).readIndex(directory)`,
  },
};

const KINDS: Readonly<Record<string, { readonly make: (path: string) => void; readonly words: RegExp }>> = {
  "a FIFO": { make: makeFifo, words: /is a FIFO, not a regular file/ },
  "a link to /dev/zero": {
    make: (path) => symlinkSync("/dev/zero", path),
    words: /is a device, not a regular file/,
  },
  "a directory": { make: (path) => mkdirSync(path), words: /is a directory, not a regular file/ },
};

/** Long enough for any machine; a reader that waits is ended then. */
const LIMIT_MS = 60_000;

describe("a configuration file that is not a regular file", { skip: process.platform === "win32" }, () => {
  for (const [kind, { make, words }] of Object.entries(KINDS)) {
    it(`a configuration file that is not a regular file is refused at once where it is ${kind}, whichever file it is`, async () => {
      const tasks = Object.entries(READERS).map(([name, { file, run }]) => {
        const path = join(temporaryDirectory(), file);
        make(path);
        return `await attempt(${JSON.stringify(name)}, ${JSON.stringify(dirname(path))}, ${JSON.stringify(path)}, async (directory, file) => ${run});`;
      });
      const code = `const attempt = async (name, directory, file, run) => {
        try { await run(directory, file); console.log(JSON.stringify([name, "read"])); }
        catch ({ code, message }) { console.log(JSON.stringify([name, code, message.startsWith(file), message])); }
      };\n${tasks.join("\n")}`;
      const { stdout } = await tryRun(process.execPath, [...TYPESCRIPT, "--input-type=module", "-e", code], {
        limitMs: LIMIT_MS,
      });
      const told = stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as readonly unknown[]);
      assert.deepEqual(
        told.map((one) => one.slice(0, 3)),
        Object.entries(READERS).map(([name, reader]) => [name, reader.code, true]),
      );
      for (const [, , , message] of told) assert.match(String(message), words);
    });
  }
});

describe("the size of a configuration file", () => {
  const limits = { maxBytes: 10, code: "LOCK_REFUSED" } as const;

  it("may be the limit, and one byte more is an error that states the limit", () => {
    const path = join(temporaryDirectory(), "file");
    writeFileSync(path, "0123456789");
    assert.equal(readConfigurationFile(path, limits)?.toString(), "0123456789");
    writeFileSync(path, "0123456789+");
    assert.throws(() => readConfigurationFile(path, limits), {
      code: "LOCK_REFUSED",
      message: `${path} has more than the 10 bytes that it may have`,
    });
  });

  it("the size of a configuration file is what can be read, not what the system says", {
    skip: process.platform !== "linux",
  }, () => {
    assert.throws(() => readConfigurationFile("/proc/self/mountinfo", limits), {
      message: /has more than the 10 bytes/,
    });
    assert.ok(
      (readConfigurationFile("/proc/self/mountinfo", { ...limits, maxBytes: 1e7 })?.length ?? 0) > 10,
    );
  });

  it("of a file that is not there is no error", () => {
    assert.equal(readConfigurationFile(join(temporaryDirectory(), "missing"), limits), undefined);
  });
});
