import assert from "node:assert/strict";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { type BuildEvent, type BuildOptions, check, pruneCache } from "../../../../src/index.ts";
import { codeOf } from "../../../support/errors.ts";
import { elf } from "../../../support/formats/elf.ts";
import { CertificateAuthority } from "../../../support/http/certificates.ts";
import {
  lockedAs,
  type NpmRegistry,
  npmRegistry,
  type TestPackage,
  tarballPath,
  testPackage,
} from "../../../support/http/npm-registry.ts";
import { ConnectProxy } from "../../../support/http/proxy.ts";
import { serveTls } from "../../../support/http/serve.ts";
import { lambdaBase, publishBase } from "../../../support/images/base.ts";
import { buildToLayout, filesInLayout } from "../../../support/images/built-layout.ts";
import { TestRegistry } from "../../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../../support/trees.ts";

let registry: TestRegistry;
let packages: readonly TestPackage[];
before(async () => {
  registry = await TestRegistry.start();
  await publishBase(registry, "lambda/nodejs", "22", lambdaBase("x86_64"), lambdaBase("arm64"));
  packages = [
    await testPackage("one", "1.0.0", { "index.js": "exports.one = 1\n", "cli.js": "#!/usr/bin/env node\n" }),
    await testPackage("@scope/two", "2.0.0", { "index.js": "exports.two = 2\n" }),
  ];
});
after(() => registry.stop());

interface Project {
  readonly url: URL;
  readonly entries?: Readonly<Record<string, object>>;
  readonly files?: Tree;
}

function lockOf(entries: Readonly<Record<string, object>>): string {
  return JSON.stringify({
    lockfileVersion: 3,
    packages: { "": { dependencies: { one: "^1", "@scope/two": "^2" } }, ...entries },
  });
}

function entriesOf(all: readonly TestPackage[]): Readonly<Record<string, object>> {
  return Object.fromEntries(
    all.map((one) => [
      `node_modules/${one.name}`,
      lockedAs(one, one.name === "one" ? { bin: { one: "cli.js" } } : {}),
    ]),
  );
}

/** A directory with a handler, a package.json and a lock that names the two packages. */
function project({ url, entries = entriesOf(packages), files = {} }: Project): string {
  return makeTree({
    "index.js": "exports.handler = async () => require('one').one\n",
    "package.json": JSON.stringify({ name: "app", dependencies: { one: "^1", "@scope/two": "^2" } }),
    "package-lock.json": lockOf(entries),
    ".npmrc": `registry=${url}\n`,
    ...files,
  });
}

const run = (directory: string, options: Partial<BuildOptions> = {}) =>
  buildToLayout(registry, { directory, base: "nodejs:22", install: true, ...options });

const start = (t: TestContext): Promise<NpmRegistry> => npmRegistry(t, packages);

describe("build with install", () => {
  it("packs the packages of the lock into a layer of their own, below the app's", async (t) => {
    const { url } = await start(t);
    const { layout, layers, dependencies } = await run(project({ url }));
    const files = await filesInLayout(layout);
    const places = [...files].map(([path, { layer, mode }]) => `${layer} ${mode} ${path}`);
    assert.deepEqual(places.sort(), [
      "app 644 var/task/index.js",
      "app 644 var/task/package-lock.json",
      "app 644 var/task/package.json",
      "deps 644 var/task/node_modules/@scope/two/index.js",
      "deps 644 var/task/node_modules/@scope/two/package.json",
      "deps 644 var/task/node_modules/one/index.js",
      "deps 644 var/task/node_modules/one/package.json",
      "deps 755 var/task/node_modules/one/cli.js",
    ]);
    assert.deepEqual(
      layers.slice(-2).map(({ name, how }) => [name, how]),
      [
        ["deps", "built"],
        ["app", "built"],
      ],
    );
    assert.deepEqual(
      dependencies?.packages.map(({ name, version, integrity }) => [name, version, integrity?.slice(0, 7)]),
      [
        ["@scope/two", "2.0.0", "sha512-"],
        ["one", "1.0.0", "sha512-"],
      ],
    );
    assert.equal(dependencies?.how, "installed");
  });

  it("packs no node_modules that is there, and says so", async (t) => {
    const { url } = await start(t);
    const directory = project({
      url,
      files: { "node_modules/stale/index.js": "old\n", "node_modules/one/index.js": "other\n" },
    });
    const { layout, events } = await run(directory);
    const files = await filesInLayout(layout);
    assert.equal(files.has("var/task/node_modules/stale/index.js"), false);
    assert.equal(files.get("var/task/node_modules/one/index.js")?.text, "exports.one = 1\n");
    const planned = events.find(({ type }) => type === "dependencies-planned");
    assert.deepEqual(planned?.type === "dependencies-planned" && planned.leftOut, ["node_modules"]);
  });

  it("asks the package registry nothing when the cache has the layer", async (t) => {
    const { url, requests } = await start(t);
    const cacheDirectory = join(temporaryDirectory(), "cache");
    const first = await run(project({ url }), { cacheDir: cacheDirectory });
    assert.equal(requests.length, 2);
    const again = await run(project({ url }), { cacheDir: cacheDirectory });
    assert.equal(requests.length, 2);
    assert.equal(again.digest, first.digest);
    assert.equal(again.dependencies?.how, "reused");
    assert.deepEqual(
      again.layers.map(({ name }) => name),
      first.layers.map(({ name }) => name),
    );
  });

  it("asks the package registry nothing when the image at the destination has the layer", async (t) => {
    const { url, requests } = await start(t);
    const to = `${registry.host}/app-installed:v1`;
    const first = await run(project({ url }), { to });
    assert.equal(requests.length, 2);
    const again = await run(project({ url }), { to });
    assert.equal(requests.length, 2);
    assert.equal(again.digest, first.digest);
    const changed = await run(project({ url, files: { "more.js": "1\n" } }), { to });
    assert.equal(requests.length, 2);
    assert.notEqual(changed.digest, first.digest);
    assert.deepEqual(changed.layers.at(-2)?.digest, first.layers.at(-2)?.digest);
    assert.equal(changed.layers.at(-2)?.how, "reused");
  });

  it("installs again if the image at the destination has only a part of the installation", async (t) => {
    const { url, requests } = await start(t);
    const repository = "app-in-part";
    const to = `${registry.host}/${repository}:v1`;
    await run(project({ url }), { to });
    const manifest = JSON.parse(String(registry.manifest(repository, "v1")));
    const config = String(registry.blob(repository, manifest.config.digest));
    const half = Buffer.from(config.replace(/(installation sha256:[0-9a-f]{64} 1)\/1/, "$1/2"));
    assert.equal(half.length, config.length);
    const changed = { ...manifest.config, digest: registry.addBlob(repository, half) };
    registry.addManifest(repository, manifest.mediaType, { ...manifest, config: changed }, "v1");
    const asked = requests.length;
    const again = await run(project({ url }), { to });
    assert.equal(again.dependencies?.how, "installed");
    assert.equal(requests.length, 2 * asked);
  });

  it("gives the same digest if the layer was there and if it was not", async (t) => {
    const { url } = await start(t);
    const to = `${registry.host}/app-same:v1`;
    await run(project({ url }), { to });
    const reused = await run(project({ url, files: { "more.js": "1\n" } }), { to });
    const alone = await run(project({ url, files: { "more.js": "1\n" } }));
    assert.equal(reused.dependencies?.how, "reused");
    assert.equal(alone.dependencies?.how, "installed");
    assert.equal(reused.digest, alone.digest);
  });

  it("installs again when the lock names another package, and for another architecture's packages", async (t) => {
    const newer = await testPackage("one", "1.1.0", { "index.js": "exports.one = 11\n" });
    const native = { optional: true, os: ["linux"], cpu: ["arm64"] };
    const { url, requests } = await npmRegistry(t, [...packages, newer]);
    const cacheDirectory = join(temporaryDirectory(), "cache");
    const [one, two] = packages;
    assert.ok(one && two);
    const first = await run(project({ url }), { cacheDir: cacheDirectory });
    const other = await run(project({ url, entries: entriesOf([newer, two]) }), { cacheDir: cacheDirectory });
    assert.equal(requests.length, 3);
    assert.notEqual(other.layers.at(-2)?.digest, first.layers.at(-2)?.digest);
    const entries = {
      ...entriesOf([newer]),
      "node_modules/@scope/two": lockedAs(two, { optionalDependencies: { "one-arm64": "1" } }),
      "node_modules/one-arm64": lockedAs(one, { ...native, name: "one" }),
    };
    const [x64, arm64] = [
      await run(project({ url, entries })),
      await run(project({ url, entries }), { arch: "arm64" }),
    ];
    assert.equal((await filesInLayout(x64.layout)).has("var/task/node_modules/one-arm64/index.js"), false);
    assert.equal((await filesInLayout(arm64.layout)).has("var/task/node_modules/one-arm64/index.js"), true);
  });

  it("build with install uses no cached packages that were installed for another target directory", async (t) => {
    const { url } = await start(t);
    const cacheDir = join(temporaryDirectory(), "cache");
    await run(project({ url }), { cacheDir });
    const { layout } = await run(project({ url }), { cacheDir, target: "/srv/app", check: false });
    assert.ok((await filesInLayout(layout)).has("srv/app/node_modules/one/index.js"));
  });

  it("build with install uses no cached packages that have another SOURCE_DATE_EPOCH", async (t) => {
    const { url } = await start(t);
    const cacheDir = join(temporaryDirectory(), "cache");
    const environment = { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() };
    const at = (seconds: string, more: Partial<BuildOptions> = {}) =>
      run(project({ url }), { environment: { ...environment, SOURCE_DATE_EPOCH: seconds }, ...more });
    await at("1700000000", { cacheDir });
    const [withCache, withoutCache] = [await at("1800000000", { cacheDir }), await at("1800000000")];
    assert.equal(withCache.digest, withoutCache.digest);
  });

  it("installs again when the cache lost the layer's bytes", async (t) => {
    const { url, requests } = await start(t);
    const cacheDirectory = join(temporaryDirectory(), "cache");
    const first = await run(project({ url }), { cacheDir: cacheDirectory });
    const blobs = join(cacheDirectory, "blobs", "sha256");
    const [deps] = first.layers.slice(-2);
    for (const name of readdirSync(blobs))
      if (deps?.digest.endsWith(name)) writeFileSync(join(blobs, name), Buffer.alloc(deps.size));
    const again = await run(project({ url }), { cacheDir: cacheDirectory });
    assert.equal(again.digest, first.digest);
    assert.equal(requests.length, 2);
    assert.equal(
      (await filesInLayout(again.layout)).get("var/task/node_modules/one/index.js")?.text,
      "exports.one = 1\n",
    );
  });

  it("installs again after cache prune removed all, and not after it had nothing to remove", async (t) => {
    const { url, requests } = await start(t);
    const cacheDirectory = join(temporaryDirectory(), "cache");
    const options = { cacheDir: cacheDirectory };
    const first = await run(project({ url }), options);
    const asked = requests.length;
    await pruneCache({ ...options, keep: 1024 ** 3 });
    assert.equal((await run(project({ url }), options)).dependencies?.how, "reused");
    assert.equal(requests.length, asked);
    await pruneCache({ ...options, keep: 0 });
    const again = await run(project({ url }), options);
    assert.deepEqual([again.dependencies?.how, again.digest], ["installed", first.digest]);
    assert.equal(requests.length, 2 * asked);
  });

  it("works offline from the archives in the cache, and names what is missing", async (t) => {
    const { url } = await start(t);
    const cacheDirectory = join(temporaryDirectory(), "cache");
    const first = await run(project({ url }), { cacheDir: cacheDirectory });
    rmSync(join(cacheDirectory, "installations"), { recursive: true });
    const again = await run(project({ url }), { cacheDir: cacheDirectory, offline: true });
    assert.equal(again.dependencies?.how, "installed");
    assert.equal(again.digest, first.digest);
    rmSync(join(cacheDirectory, "packages"), { recursive: true });
    rmSync(join(cacheDirectory, "installations"), { recursive: true });
    await assert.rejects(
      run(project({ url }), { cacheDir: cacheDirectory, offline: true }),
      codeOf("OFFLINE", /is not in the cache and cannot be downloaded/),
    );
  });

  it("check finds in a directory what its packages would break, and leaves nothing behind", async (t) => {
    const native = await testPackage("one", "1.0.0", {
      "index.js": "exports.one = require('./one.node')\n",
      "one.node": elf({ machine: "arm64" }),
    });
    const [, two] = packages;
    assert.ok(two);
    const { url } = await npmRegistry(t, [native, two]);
    const directory = project({ url, entries: entriesOf([native, two]) });
    const environment = { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() };
    const before = readdirSync(directory);
    const findings = async (install: boolean) => {
      const found = await check({ source: directory, base: "nodejs:22", install, cache: false, environment });
      return found.findings.flatMap(({ rule, path }) => (rule.startsWith("native") ? [[rule, path]] : []));
    };
    assert.deepEqual(await findings(false), []);
    assert.deepEqual(await findings(true), [["native-architecture", "/var/task/node_modules/one/one.node"]]);
    assert.deepEqual(readdirSync(directory), before);
  });

  it("lists the packages in a dry run, and sends nothing", async (t) => {
    const { url } = await start(t);
    const { dependencies, destinations, events } = await run(project({ url }), { dryRun: true });
    assert.deepEqual(destinations, []);
    const sizes = dependencies?.packages.map(({ name, size }) => [name, size]);
    assert.deepEqual(sizes, [
      ["@scope/two", packages[1]?.tarball.length],
      ["one", packages[0]?.tarball.length],
    ]);
    assert.ok(events.some(({ type }) => type === "install-progress"));
    assert.equal(events.filter(({ type }) => type === "dependency-listed").length, 2);
  });

  it("leaves nothing in the cache but archives, layers and records", async (t) => {
    const { url } = await start(t);
    const cacheDirectory = join(temporaryDirectory(), "cache");
    await run(project({ url }), { cacheDir: cacheDirectory });
    assert.deepEqual(
      readdirSync(cacheDirectory).filter((name) => name.includes("partial")),
      [],
    );
  });

  it("shows nothing of a token: not in the image, in an event or in an error", async (t) => {
    const { url } = await npmRegistry(t, packages, (request, response) => {
      if (request.headers.authorization === "Bearer s3cret-token") return false;
      response.writeHead(401).end();
      return true;
    });
    const npmrc = `registry=${url}\n//${url.host}/:_authToken=s3cret-token\n`;
    const { layout, events } = await run(project({ url, files: { ".npmrc": npmrc } }));
    assert.doesNotMatch(JSON.stringify([...(await filesInLayout(layout)), events]), /s3cret/);
  });

  it("trusts the authority that cafile in .npmrc names, and no other stranger", async (t) => {
    const authority = new CertificateAuthority();
    t.after(() => authority.remove());
    const url = await serveTls(t, authority.leaf("127.0.0.1"), (request, response) => {
      const found = packages.find((one) => tarballPath(one) === request.url);
      response.writeHead(found ? 200 : 404).end(found?.tarball);
    });
    const npmrc = `registry=${url}\ncafile=${authority.file}\n`;
    const { dependencies } = await run(project({ url, files: { ".npmrc": npmrc } }));
    assert.equal(dependencies?.packages.length, 2);
    await assert.rejects(run(project({ url })), codeOf("REGISTRY_UNREACHABLE", /no trusted TLS connection/));
    const missing = `registry=${url}\ncafile=/no/such/file\n`;
    await assert.rejects(
      run(project({ url, files: { ".npmrc": missing } })),
      codeOf("FILE_UNREADABLE", /\/no\/such\/file, which npm's setting cafile names/),
    );
  });

  it("goes through the proxy of .npmrc, and checks certificates whatever strict-ssl says", async (t) => {
    const authority = new CertificateAuthority();
    const url = await serveTls(t, authority.leaf("npm.test"), (request, response) => {
      const found = packages.find((one) => tarballPath(one) === request.url);
      response.writeHead(found ? 200 : 404).end(found?.tarball);
    });
    const proxy = new ConnectProxy();
    const proxyUrl = await proxy.start();
    t.after(() => proxy.stop());
    proxy.route("npm.test", Number(url.port));
    const settings = `registry=https://npm.test/\nhttps-proxy=${proxyUrl}\nnoproxy=\n`;
    const trusted = `${settings}cafile=${authority.file}\n`;
    await run(project({ url, files: { ".npmrc": trusted } }));
    assert.ok(proxy.requests.length > 0 && proxy.requests.every(({ method }) => method === "CONNECT"));
    const events: BuildEvent[] = [];
    await assert.rejects(
      run(project({ url, files: { ".npmrc": `${settings}strict-ssl=false\n` } }), {
        onEvent: (event) => events.push(event),
      }),
      codeOf("REGISTRY_UNREACHABLE", /no trusted TLS connection/),
    );
    assert.match(JSON.stringify(events), /strict-ssl=false of npm is not followed/);
  });

  it("refuses a lock that is older than package.json before anything is asked", async (t) => {
    const { url, requests } = await start(t);
    const manifest = JSON.stringify({ name: "app", dependencies: { one: "^2", "@scope/two": "^2" } });
    await assert.rejects(
      run(project({ url, files: { "package.json": manifest } })),
      codeOf("LOCK_INVALID", /package-lock.json has one \^1, and package.json asks for one \^2/),
    );
    assert.equal(requests.length, 0);
  });

  it("refuses a directory without a lock file, naming the next step", async () => {
    const directory = makeTree({ "index.js": "exports.handler = 1\n", "package.json": "{}" });
    await assert.rejects(run(directory), codeOf("USAGE", /--install finds no lock file/));
    const go = makeTree({ "go.mod": "module x\n" });
    await assert.rejects(
      run(go),
      (error: unknown) => error instanceof Error && "hint" in error && /GOOS=linux/.test(String(error.hint)),
    );
    await assert.rejects(
      run(directory, { install: "pnpm" }),
      codeOf("USAGE", /--install=pnpm needs pnpm-lock.yaml/),
    );
  });

  it("packs the directory as it is without install", async (t) => {
    const { url, requests } = await start(t);
    const directory = project({ url, files: { "node_modules/one/index.js": "mine\n" } });
    const { layout, dependencies } = await run(directory, { install: "none" });
    assert.equal(dependencies, undefined);
    assert.equal((await filesInLayout(layout)).get("var/task/node_modules/one/index.js")?.text, "mine\n");
    assert.equal(requests.length, 0);
  });
});
