import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import { type BuildOptions, build } from "../../../src/index.ts";
import { describeReal } from "../../support/components/components.ts";
import { serve } from "../../support/http/serve.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { filesInLayout } from "../../support/images/built-layout.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

/** The servers of these tests are in this process, which must not wait for a program. */
const execute = promisify(execFile);

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  for (const name of ["ruby:3.4", "python:3.12"]) {
    const [language, tag = ""] = name.split(":");
    await publishBase(registry, `lambda/${language}`, tag, lambdaBase("x86_64"), lambdaBase("arm64"));
  }
});
after(() => registry.stop());

async function run(tree: Tree, options: Partial<BuildOptions>) {
  const layout = join(temporaryDirectory(), "out");
  const result = await build({
    directory: makeTree(tree),
    install: true,
    check: false,
    to: `oci:${layout}`,
    cacheDir: join(temporaryDirectory(), "cache"),
    environment: {
      ...process.env,
      LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`,
      HOME: temporaryDirectory(),
    },
    ...options,
  });
  return { ...result, files: await filesInLayout(layout) };
}

describeReal("gems of a Gemfile.lock, by Bundler itself", ["bundle", "gem"], () => {
  /** A gem server with two gems; `fast` needs `pure`. */
  const gems = (t: TestContext): Promise<URL> => {
    const root = temporaryDirectory();
    const spec = (name: string, more: string) =>
      `Gem::Specification.new { |s| s.name = "${name}"; s.version = "1.0.0"; s.summary = "x"; s.authors = ["x"]; s.files = ["lib/${name}.rb"]; ${more} }`;
    for (const [name, more] of [
      ["pure", ""],
      ["fast", 's.add_dependency "pure", "~> 1.0"'],
      ["checks", ""],
    ] as const) {
      const source = makeTree({ [`${name}.gemspec`]: spec(name, more), [`lib/${name}.rb`]: `# ${name}\n` });
      const to = join(root, "gems", `${name}-1.0.0.gem`);
      execFileSync("mkdir", ["-p", join(root, "gems")]);
      execFileSync("gem", ["build", `${name}.gemspec`, "-o", to], { cwd: source, stdio: "pipe" });
    }
    execFileSync("gem", ["generate_index", "--directory", root], { stdio: "pipe" });
    return serve(t, (request, response) => {
      const file = join(root, new URL(request.url ?? "/", "http://x").pathname);
      const isThere = existsSync(file) && !file.endsWith("/");
      response.writeHead(isThere ? 200 : 404).end(isThere ? readFileSync(file) : "");
    });
  };

  const project = async (url: URL): Promise<Tree> => {
    const Gemfile = `source "${url}"\ngem "fast"\ngroup(:test) { gem "checks" }\n`;
    const directory = makeTree({ Gemfile });
    await execute("bundle", ["lock"], { cwd: directory, timeout: 60_000 });
    const lock = readFileSync(join(directory, "Gemfile.lock"), "utf8");
    return { Gemfile, "Gemfile.lock": lock, "app.rb": "def handler(event:, context:) = event\n" };
  };

  it("are installed into vendor/bundle, without those of tests and what Bundler notes for itself", async (t) => {
    const tree = await project(await gems(t));
    const own = { base: "scratch", cmd: ["app.handler"] } as const;
    const { files, dependencies, digest } = await run(tree, own);
    assert.equal(dependencies?.way, "bundler");
    const installed = [...files.keys()].filter((path) => path.includes("vendor/bundle/"));
    const names = installed.map((path) => path.replace(/^var\/task\/vendor\/bundle\/ruby\/[\d.]+\//, ""));
    assert.deepEqual(names.filter((path) => path.startsWith("gems/")).sort(), [
      "gems/fast-1.0.0/lib/fast.rb",
      "gems/pure-1.0.0/lib/pure.rb",
    ]);
    assert.deepEqual(
      names.filter((path) => /^(?:cache|build_info|doc)\/|checks/.test(path)),
      [],
    );
    assert.equal((await run(tree, own)).digest, digest);
  });

  it("are refused for a base with another Ruby than this machine's", async (t) => {
    const tree = await project(await gems(t));
    const version = execFileSync("ruby", ["-e", "print RUBY_VERSION[/\\d+\\.\\d+/]"], { encoding: "utf8" });
    if (version === "3.4") return t.skip("this machine has the Ruby of the base");
    await assert.rejects(run(tree, { base: "ruby:3.4", handler: "app.handler" }), {
      code: "DEPENDENCY_UNAVAILABLE",
      message: new RegExp(`Bundler installed for Ruby ${version}, and the base has 3.4`),
    });
  });
});

describeReal("a poetry.lock, with a Poetry that has no plugin for exports", ["poetry"], () => {
  it("is refused with the command that installs the plugin", async (t) => {
    const directory = makeTree({
      "pyproject.toml":
        '[tool.poetry]\nname = "a"\nversion = "1"\ndescription = ""\nauthors = []\n[tool.poetry.dependencies]\npython = "*"\n',
    });
    execFileSync("poetry", ["lock", "--no-update"], { cwd: directory, stdio: "pipe", timeout: 60_000 });
    const tree = {
      "pyproject.toml": readFileSync(join(directory, "pyproject.toml")),
      "poetry.lock": readFileSync(join(directory, "poetry.lock")),
      "app.py": "def handler(event, context): return event\n",
    };
    const help = execFileSync("poetry", ["list"], { encoding: "utf8" });
    if (/^\s*export\s/m.test(help)) return t.skip("this Poetry has the plugin");
    await assert.rejects(run(tree, { base: "python:3.12", handler: "app.handler" }), {
      code: "INSTALL_FAILED",
      message: /this Poetry cannot export its lock/,
      hint: "poetry self add poetry-plugin-export",
    });
  });
});
