import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { openCache } from "../../../src/cache/cache.ts";
import { installNpm } from "../../../src/dependencies/npm/installation.ts";
import { parseNpmLock } from "../../../src/dependencies/npm/lock.ts";
import { planNpm } from "../../../src/dependencies/npm/plan.ts";
import { npmRegistries, parseNpmrc } from "../../../src/dependencies/npm/registry.ts";
import { UnpackedFiles } from "../../../src/dependencies/unpacked.ts";
import type { BuildEvent } from "../../../src/events.ts";
import { createHttp } from "../../../src/registry/http/http.ts";
import { codeOf } from "../../support/errors.ts";
import {
  type Interceptor,
  integrityOf,
  lockedAs,
  npmRegistry,
  packageTarball,
  type RawEntry,
  type TestPackage,
  testPackage,
} from "../../support/http/npm-registry.ts";
import { serve } from "../../support/http/serve.ts";
import { temporaryDirectory } from "../../support/trees.ts";

interface Install {
  readonly packages: readonly TestPackage[];
  /** Entries of the lock in place of those that the packages give. */
  readonly entries?: Readonly<Record<string, object>>;
  readonly npmrc?: string;
  readonly cache?: string;
  readonly offline?: boolean;
  readonly limits?: { readonly bytes: number; readonly files: number };
  readonly signal?: AbortSignal;
}

/** Installs what the lock names from a registry at `url`; gives the files with mode and text. */
async function install(t: TestContext, url: URL, options: Install) {
  const { packages, npmrc = "", offline = false, limits } = options;
  const entries =
    options.entries ?? Object.fromEntries(packages.map((one) => [`node_modules/${one.name}`, lockedAs(one)]));
  const names = Object.keys(entries).map((path) => path.slice("node_modules/".length));
  const dependencies = Object.fromEntries(
    names.filter((name) => !name.includes("node_modules/")).map((name) => [name, "*"]),
  );
  const document = { lockfileVersion: 3, packages: { "": { dependencies }, ...entries } };
  const lock = parseNpmLock(Buffer.from(JSON.stringify(document)), "package-lock.json");
  const cache = await openCache({ directory: options.cache ?? join(temporaryDirectory(), "cache") });
  const http = createHttp({ environment: {}, connections: 16, timeouts: { answerMs: 2000, stallMs: 2000 } });
  t.after(async () => {
    http.close();
    await cache.close();
  });
  const events: BuildEvent[] = [];
  const files = new UnpackedFiles(join(temporaryDirectory(), "files"));
  const plan = planNpm(lock, "", { os: "linux", cpu: "x64", libc: "glibc" });
  const registries = npmRegistries(parseNpmrc(`registry=${url}\n${npmrc}`, {}));
  const archives = await installNpm(plan, registries, {
    files,
    cache,
    http,
    offline,
    ...(limits && { limits }),
    onEvent: (event) => events.push(event),
    pacing: { now: Date.now, random: () => 0, sleep: async () => {} },
    signal: options.signal ?? new AbortController().signal,
  });
  const unpacked = files.finish().map((entry) => {
    if (entry.kind !== "file") return [entry.path, entry.kind];
    const { path, mode, size, source, offset = 0 } = entry;
    return [path, mode.toString(8), readFileSync(source).toString("utf8", offset, offset + size)];
  });
  const progress = {
    packages: archives.length,
    received: archives.reduce((sum, one) => sum + one.received, 0),
  };
  return { files: unpacked, progress, events };
}

async function rawPackage(name: string, entries: readonly RawEntry[]): Promise<TestPackage> {
  return { name, version: "1.0.0", tarball: await packageTarball(entries) };
}

describe("installing from an npm lock", () => {
  it("unpacks files as npm does: without the first directory, links and empty directories, commands executable", async (t) => {
    const one = await rawPackage("one", [
      { name: "anything/index.js", content: "1", mode: 0o600 },
      { name: "anything/run.sh", content: "2", mode: 0o744 },
      { name: "anything/bin/cli.js", content: "#!/usr/bin/env node\r\nx\r\n", mode: 0o644 },
      { name: "anything/.gitignore", content: "ignored" },
      { name: "anything/sub/.npmignore", content: "first" },
      { name: "anything/sub/.gitignore", content: "second" },
      { name: "anything/empty", type: "directory" },
      { name: "anything/link", type: "symlink", linkname: "/etc/passwd" },
      { name: "anything/hard", type: "link", linkname: "anything/index.js" },
      { name: "alone", content: "no directory" },
    ]);
    const { url } = await npmRegistry(t, [one]);
    const entries = { "node_modules/one": lockedAs(one, { bin: { one: "bin/cli.js" } }) };
    const { files } = await install(t, url, { packages: [one], entries });
    assert.deepEqual(files, [
      ["node_modules/one/.npmignore", "644", "ignored"],
      ["node_modules/one/bin/cli.js", "755", "#!/usr/bin/env node\nx\r\n"],
      ["node_modules/one/index.js", "644", "1"],
      ["node_modules/one/run.sh", "755", "2"],
      ["node_modules/one/sub/.npmignore", "644", "first"],
    ]);
  });

  for (const [what, members] of [
    ["one gzip member", 1],
    ["several gzip members, the last of which is small", 2],
  ] as const) {
    it(`unpacks an archive of more than 16 MiB in ${what}`, async (t) => {
      const content = Buffer.alloc(17 * 1024 * 1024, "0123456789");
      const tar = gunzipSync(await packageTarball({ "large.txt": content, "small.txt": "small" }));
      const cut = members === 1 ? tar.length : tar.length - 2048;
      const tarball = Buffer.concat([tar.subarray(0, cut), tar.subarray(cut)].map((part) => gzipSync(part)));
      const one: TestPackage = { name: "one", version: "1.0.0", tarball };
      const { url } = await npmRegistry(t, [one]);
      const { files } = await install(t, url, { packages: [one] });
      assert.deepEqual(
        files.map(([path, , text = ""]) => [path, integrityOf(Buffer.from(text))]),
        [
          ["node_modules/one/large.txt", integrityOf(content)],
          ["node_modules/one/small.txt", integrityOf(Buffer.from("small"))],
        ],
      );
    });
  }

  it("keeps names of 300 characters, beyond ASCII, and that differ in their case only", async (t) => {
    const long = `${"directory/".repeat(28)}${"f".repeat(40)}.js`;
    const contents = { [long]: "long", "Case.js": "upper", "case.js": "lower", "ünïcode 文.js": "unicode" };
    const one = await testPackage("one", "1.0.0", contents);
    const { url } = await npmRegistry(t, [one]);
    const { files } = await install(t, url, { packages: [one] });
    const found = Object.fromEntries(
      files.map(([path, , text]) => [path?.replace("node_modules/one/", ""), text]),
    );
    assert.deepEqual(found, { ...contents, "package.json": '{"name":"one","version":"1.0.0"}' });
  });

  it("installing from an npm lock does not let an archive write where another package of the lock is", async (t) => {
    const outer = await testPackage("outer", "1.0.0", { "node_modules/inner/index.js": "of outer" });
    const inner = await testPackage("inner", "2.0.0", { "index.js": "its own" });
    const { url } = await npmRegistry(t, [outer, inner]);
    const entries = {
      "node_modules/outer": lockedAs(outer, { dependencies: { inner: "2" } }),
      "node_modules/outer/node_modules/inner": lockedAs(inner),
    };
    const { files } = await install(t, url, { packages: [], entries });
    assert.deepEqual(
      files.filter(([path]) => path?.endsWith("index.js")),
      [["node_modules/outer/node_modules/inner/index.js", "644", "its own"]],
    );
  });

  it("fetches nothing that the cache has, and needs no network then", async (t) => {
    const packages = [await testPackage("a", "1.0.0"), await testPackage("@s/b", "2.0.0")];
    const { url, requests } = await npmRegistry(t, packages);
    const cache = join(temporaryDirectory(), "cache");
    const first = await install(t, url, { packages, cache });
    assert.equal(requests.length, 2);
    assert.ok(first.progress.received > 0);
    const again = await install(t, url, { packages, cache, offline: true });
    assert.equal(requests.length, 2);
    assert.equal(again.progress.received, 0);
    assert.deepEqual(again.files, first.files);
    await assert.rejects(
      install(t, url, { packages, offline: true }),
      codeOf("OFFLINE", /a@1.0.0 is not in the cache|@s\/b@2.0.0 is not in the cache/),
    );
  });

  it("stops at a changed byte with the package and both hashes, and keeps nothing of it", async (t) => {
    const good = await testPackage("good", "1.0.0");
    const tarball = Buffer.from(good.tarball);
    tarball[tarball.length - 1] = (tarball.at(-1) ?? 0) ^ 1;
    const { url, requests } = await npmRegistry(t, [{ ...good, tarball }]);
    const cache = join(temporaryDirectory(), "cache");
    const refused = codeOf(
      "CONTENT_MISMATCH",
      new RegExp(
        `good@1.0.0 from .* has the hash ${escaped(integrityOf(tarball))}, and the lock file has ${escaped(integrityOf(good.tarball))}`,
      ),
    );
    await assert.rejects(install(t, url, { packages: [good], cache }), refused);
    await assert.rejects(install(t, url, { packages: [good], cache }), refused);
    assert.equal(requests.length, 2);
  });

  it("checks the strongest hash of several", async (t) => {
    const one = await testPackage("one", "1.0.0");
    const { url } = await npmRegistry(t, [one]);
    const integrity = `${integrityOf(one.tarball, "sha1")} ${integrityOf(Buffer.from("else"))}`;
    const entries = { "node_modules/one": { version: "1.0.0", integrity } };
    await assert.rejects(install(t, url, { packages: [], entries }), codeOf("CONTENT_MISMATCH", /one@1.0.0/));
    const old = { "node_modules/one": { version: "1.0.0", integrity: integrityOf(one.tarball, "sha1") } };
    assert.equal((await install(t, url, { packages: [], entries: old })).progress.packages, 1);
  });

  for (const [what, fail] of [
    ["answers 500", (_, response) => response.writeHead(500).end()],
    ["answers 429", (_, response) => response.writeHead(429, { "retry-after": "3" }).end()],
    ["cuts the connection", (request) => request.socket.destroy()],
    [
      "cuts the answer",
      (_, response) => {
        response.writeHead(200, { "content-length": "1000" }).write("part");
        setImmediate(() => response.destroy());
      },
    ],
  ] as readonly [string, (...args: Parameters<Interceptor>) => unknown][]) {
    it(`tries again when the registry ${what}, and says so`, async (t) => {
      const one = await testPackage("one", "1.0.0");
      const { url, requests } = await npmRegistry(t, [one], (request, response, count) => {
        if (count < 3) fail(request, response, count);
        return count < 3;
      });
      const { events } = await install(t, url, { packages: [one] });
      assert.equal(requests.length, 3);
      const retries = events.filter(({ type }) => type === "retrying");
      assert.deepEqual(
        retries.map((event) => event.type === "retrying" && [event.what, event.attempt]),
        [
          ["one@1.0.0", 2],
          ["one@1.0.0", 3],
        ],
      );
      if (what === "answers 429")
        assert.ok(retries.every((event) => event.type === "retrying" && event.waitMs === 3000));
    });
  }

  it("waits for a registry that is slow but sends", async (t) => {
    const one = await testPackage("one", "1.0.0");
    const { url, requests } = await npmRegistry(t, [one], (_, response) => {
      response.writeHead(200, { "content-length": one.tarball.length });
      const bytes = [...one.tarball.subarray(0, 20)].map((byte) => Buffer.of(byte));
      const send = () => {
        const next = bytes.shift();
        if (next) response.write(next, () => setTimeout(send, 5));
        else response.end(one.tarball.subarray(20));
      };
      send();
      return true;
    });
    assert.equal((await install(t, url, { packages: [one] })).progress.packages, 1);
    assert.equal(requests.length, 1);
  });

  it("asks again when the registry falls silent", async (t) => {
    const one = await testPackage("one", "1.0.0");
    const { url, requests } = await npmRegistry(t, [one], (_, response, count) => {
      if (count === 1) response.writeHead(200, { "content-length": one.tarball.length }).write("part");
      return count === 1;
    });
    assert.equal((await install(t, url, { packages: [one] })).progress.packages, 1);
    assert.equal(requests.length, 2);
  });

  it("gives up after five attempts, naming package and address", async (t) => {
    const one = await testPackage("one", "1.0.0");
    const { url, requests } = await npmRegistry(t, [one], (_, response) => {
      response.writeHead(503).end("down");
      return true;
    });
    await assert.rejects(
      install(t, url, { packages: [one] }),
      codeOf("REGISTRY_ANSWER", /one@1.0.0: .*one-1.0.0.tgz answered HTTP 503, down/),
    );
    assert.equal(requests.length, 5);
  });

  it("installing from an npm lock does not wait for a registry that asks for more than a minute", async (t) => {
    const one = await testPackage("one", "1.0.0");
    const { url, requests } = await npmRegistry(t, [one], (_, response) => {
      response.writeHead(429, { "retry-after": "3600" }).end();
      return true;
    });
    await assert.rejects(install(t, url, { packages: [one] }), codeOf("REGISTRY_ANSWER", /HTTP 429/));
    assert.equal(requests.length, 1);
  });

  it("says that a version is missing, and does not ask again", async (t) => {
    const one = await testPackage("one", "1.0.0");
    const { url, requests } = await npmRegistry(t, []);
    await assert.rejects(
      install(t, url, { packages: [one] }),
      codeOf("DEPENDENCY_UNAVAILABLE", /one@1.0.0: .* answered HTTP 404/),
    );
    assert.equal(requests.length, 1);
  });

  it("stops when its signal aborts", async (t) => {
    const one = await testPackage("one", "1.0.0");
    const stop = new AbortController();
    const { url } = await npmRegistry(t, [one], () => {
      stop.abort(new Error("stopped by the test"));
      return true;
    });
    await assert.rejects(install(t, url, { packages: [one], signal: stop.signal }), /stopped by the test/);
  });
});

describe("credentials of a private package registry", () => {
  it("credentials of a private package registry are sent to it, and neither to another one nor to where it redirects", async (t) => {
    const one = await testPackage("@s/one", "1.0.0");
    const other = await testPackage("other", "1.0.0");
    const storage: (string | undefined)[] = [];
    const files = await serve(t, (request, response) => {
      storage.push(request.headers.authorization);
      response.end(one.tarball);
    });
    const priv = await npmRegistry(t, [], (_, response) => {
      response.writeHead(302, { location: `${files}signed?X-Amz-Signature=abc` }).end();
      return true;
    });
    const open = await npmRegistry(t, [other]);
    const npmrc = `@s:registry=${priv.url}\n//${priv.url.host}/:_authToken=s3cret-token\n`;
    const { progress, events } = await install(t, open.url, { packages: [one, other], npmrc });
    assert.equal(progress.packages, 2);
    assert.deepEqual(
      priv.requests.map(({ authorization }) => authorization),
      ["Bearer s3cret-token"],
    );
    assert.deepEqual(
      open.requests.map(({ authorization }) => authorization),
      [undefined],
    );
    assert.deepEqual(storage, [undefined]);
    assert.doesNotMatch(JSON.stringify(events), /s3cret/);
  });

  for (const [status, code] of [
    [401, "CREDENTIALS_INVALID"],
    [403, "DENIED"],
  ] as const) {
    it(`that are refused with ${status} are an error that shows nothing of them`, async (t) => {
      const one = await testPackage("one", "1.0.0");
      const { url } = await npmRegistry(t, [one], (request, response) => {
        response.writeHead(status).end(`token=${request.headers.authorization}`);
        return true;
      });
      const npmrc = `//${url.host}/:_authToken=s3cret-token\n`;
      await assert.rejects(install(t, url, { packages: [one], npmrc }), (error: unknown) => {
        assert.ok(codeOf(code, /one@1.0.0/)(error));
        assert.doesNotMatch(JSON.stringify(error) + String(error), /s3cret/);
        assert.match(JSON.stringify(error), /were sent and refused/);
        return true;
      });
      await assert.rejects(install(t, url, { packages: [one] }), (error: unknown) => {
        assert.match(JSON.stringify(error), /no credentials are configured for 127.0.0.1/);
        return true;
      });
    });
  }
});

describe("the archive of a package that cannot be trusted", () => {
  const refused = async (
    t: TestContext,
    entries: readonly RawEntry[],
    message: RegExp,
    limits?: Install["limits"],
  ) => {
    const evil = await rawPackage("evil", entries);
    const { url } = await npmRegistry(t, [evil]);
    const options = { packages: [evil], ...(limits && { limits }) };
    await assert.rejects(install(t, url, options), codeOf("CONTENT_MISMATCH", message));
  };

  for (const name of ["package/../../out", "../out", "/etc/out", "package/a\\..\\b", "C:/out"]) {
    it(`the archive of a package that cannot be trusted is refused for the file name ${name}`, async (t) => {
      await refused(
        t,
        [{ name, content: "x" }],
        /the archive of evil@1.0.0 has the file name .*, which leaves its directory/,
      );
    });
  }

  it("the archive of a package that cannot be trusted is refused when it unpacks to more bytes than the limit", async (t) => {
    const entries = [{ name: "package/zeros", content: Buffer.alloc(3_000_000) }];
    await refused(t, entries, /evil@1.0.0 unpacks to more than 1000000 bytes/, {
      bytes: 1_000_000,
      files: 10,
    });
  });

  it("the archive of a package that cannot be trusted is refused when it has more files than the limit", async (t) => {
    const entries = Array.from({ length: 11 }, (_, index) => ({ name: `package/${index}`, content: "" }));
    await refused(t, entries, /evil@1.0.0 has more than 10 files/, { bytes: 1_000_000, files: 10 });
  });

  it("the archive of a package that cannot be trusted is refused when a file is also a directory", async (t) => {
    const entries = [
      { name: "package/a", content: "x" },
      { name: "package/a/b", content: "y" },
    ];
    await refused(t, entries, /node_modules\/evil\/a is a file of one package, and node_modules\/evil\/a\/b/);
  });

  for (const [what, tarball] of [
    ["no gzip", Buffer.from("not gzip at all")],
    ["empty", Buffer.alloc(0)],
  ] as const) {
    it(`the archive of a package that cannot be trusted is refused when it is ${what}`, async (t) => {
      const evil: TestPackage = { name: "evil", version: "1.0.0", tarball };
      const { url } = await npmRegistry(t, [evil]);
      await assert.rejects(
        install(t, url, { packages: [evil] }),
        codeOf("CONTENT_MISMATCH", /the archive of evil@1.0.0 is damaged/),
      );
    });
  }

  it("the archive of a package that cannot be trusted is refused when it is cut off", async (t) => {
    const { tarball } = await testPackage("evil", "1.0.0", { "index.js": "x".repeat(5000) });
    const evil: TestPackage = { name: "evil", version: "1.0.0", tarball: tarball.subarray(0, -20) };
    const { url } = await npmRegistry(t, [evil]);
    await assert.rejects(
      install(t, url, { packages: [evil] }),
      codeOf("CONTENT_MISMATCH", /the archive of evil@1.0.0 is damaged/),
    );
  });
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
