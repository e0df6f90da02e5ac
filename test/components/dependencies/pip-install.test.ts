import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { after, before, it, type TestContext } from "node:test";
import { type BuildOptions, build } from "../../../src/index.ts";
import { describeReal } from "../../support/components/components.ts";
import { makeWheel, type Wheel } from "../../support/formats/wheels.ts";
import { serve } from "../../support/http/serve.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { filesInLayout } from "../../support/images/built-layout.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const ANY = makeWheel("any-one", "1.0", "py3-none-any", { "any_one/__pycache__/x.pyc": "bytes" }, ["newer"]);
const NEWER = makeWheel("newer", "1.0", "py3-none-manylinux_2_28_x86_64");
const ARM = makeWheel("newer", "1.0", "py3-none-manylinux_2_34_aarch64");
const WHEELS = [ANY, NEWER, ARM];

/** A package index with these wheels (PEP 503). */
function index(t: TestContext, wheels: readonly Wheel[]): Promise<URL> {
  return serve(t, (request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    const wheel = wheels.find(({ file }) => path === `/${file}`);
    const name = /^\/simple\/([^/]+)\/$/.exec(path)?.[1];
    const links = wheels
      .filter((one) => one.name === name)
      .map(({ file, sha256 }) => `<a href="/${file}#sha256=${sha256}">${file}</a>`);
    if (wheel) response.end(wheel.bytes);
    else if (links.length > 0)
      response
        .setHeader("content-type", "text/html")
        .end(`<!DOCTYPE html><html><body>${links.join("\n")}</body></html>`);
    else response.writeHead(404).end();
  });
}

/** Directories with a python3 that has pip. */
function pythons(): readonly string[] {
  const versions = join(homedir(), ".pyenv", "versions");
  const own = existsSync(versions) ? readdirSync(versions).map((name) => join(versions, name, "bin")) : [];
  return ["/usr/bin", ...own].filter((directory) => {
    try {
      const version = execFileSync(join(directory, "python3"), ["-m", "pip", "--version"], {
        encoding: "utf8",
        stdio: "pipe",
      });
      return /python 3\.(?:[89]|1\d)\)/.test(version);
    } catch {
      return false;
    }
  });
}

describeReal("packages from requirements, by pip itself", ["python3"], () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await TestRegistry.start();
    for (const tag of ["3.11", "3.12"])
      await publishBase(registry, "lambda/python", tag, lambdaBase("x86_64"), lambdaBase("arm64"));
  });
  after(() => registry.stop());

  const run = async (requirements: string, path: string, options: Partial<BuildOptions> = {}) => {
    const layout = join(temporaryDirectory(), "out");
    const result = await build({
      directory: makeTree({ "app.py": "def handler(e, c): return e\n", "requirements.txt": requirements }),
      base: "python:3.12",
      install: "pip",
      to: `oci:${layout}`,
      cacheDir: join(temporaryDirectory(), "cache"),
      environment: {
        LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`,
        HOME: temporaryDirectory(),
        PATH: `${path}:/usr/bin:/bin`,
      },
      ...options,
    });
    return { ...result, files: await filesInLayout(layout) };
  };
  const [first = "/usr/bin", ...others] = pythons();

  it("give the same digest for pips of different Python versions", async (t) => {
    if (others.length === 0) return t.skip("needs a second Python with pip");
    const url = await index(t, WHEELS);
    const requirements = `--index-url ${url}simple\nany-one==1.0\n`;
    const digests = [];
    for (const path of [first, ...others.slice(-2)]) digests.push((await run(requirements, path)).digest);
    assert.equal(new Set(digests).size, 1, digests.join(" "));
  });

  it("are the wheels of the target, with what they need, and nothing of this machine", async (t) => {
    const url = await index(t, WHEELS);
    const requirements = `--index-url ${url}simple\nany-one==1.0\n`;
    const { files, dependencies } = await run(requirements, first, { arch: "arm64" });
    assert.match(files.get("var/task/newer/__init__.py")?.text ?? "", /manylinux_2_34_aarch64/);
    assert.deepEqual(
      dependencies?.packages.map(({ name, version }) => `${name} ${version}`),
      ["any-one 1.0", "newer 1.0"],
    );
    const odd = [...files.keys()].filter((path) =>
      /__pycache__|RECORD|INSTALLER|REQUESTED|direct_url|\/bin\//.test(path),
    );
    assert.deepEqual(odd, []);
  });

  it("are refused for Amazon Linux 2 if they need a newer glibc, by name", async (t) => {
    const url = await index(t, WHEELS);
    await assert.rejects(
      run(`--index-url ${url}simple\nany-one==1.0\n`, first, { base: "python:3.11" }),
      (error: unknown) => {
        assert.ok(error instanceof Error && "code" in error);
        assert.equal(error.code, "DEPENDENCY_UNAVAILABLE");
        assert.match(
          error.message,
          /^newer has no wheel for Python 3.11 on linux x86_64 \(glibc 2.26\); there is py3 manylinux_2_28_x86_64, py3 manylinux_2_34_aarch64$/,
        );
        return true;
      },
    );
  });

  it("are held to the hashes that the requirements have", async (t) => {
    const url = await index(t, WHEELS);
    const hashed = (sha256: string) =>
      `--index-url ${url}simple\nany-one==1.0 --hash=sha256:${ANY.sha256}\nnewer==1.0 --hash=sha256:${sha256}\n`;
    const { dependencies } = await run(hashed(NEWER.sha256), first);
    assert.equal(dependencies?.packages.length, 2);
    await assert.rejects(run(hashed("0".repeat(64)), first), /THESE PACKAGES DO NOT MATCH THE HASHES/);
  });
});
