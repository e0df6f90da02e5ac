import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type BuildEvent, type BuildOptions, build } from "../../../src/index.ts";
import { codeOf } from "../../support/errors.ts";
import { serve } from "../../support/http/serve.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { filesInLayout } from "../../support/images/built-layout.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

/** Programs in place of package managers: each writes its words and its directory down, and does what the script says. */
function programs(scripts: Readonly<Record<string, string>>) {
  const bin = temporaryDirectory();
  const log = join(bin, "log");
  const tree = Object.entries(scripts).map(([name, script]) => [
    name,
    { file: `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>'${log}'\n${script}\n`, mode: 0o755 },
  ]);
  const root = makeTree(Object.fromEntries(tree));
  chmodSync(root, 0o755);
  const calls = () => (existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : []);
  return { path: `${root}:/usr/bin:/bin`, calls };
}

/** In the words of `uv pip install` and `pip install`: writes a package into the directory after --target. */
const INSTALLS = `
while [ $# -gt 0 ]; do if [ "$1" = --target ]; then to="$2"; fi; shift; done
[ -n "$to" ] || exit 0
mkdir -p "$to/pkg/__pycache__" "$to/pkg-1.0.dist-info" "$to/bin"
echo code >"$to/pkg/__init__.py"; echo x >"$to/pkg/__pycache__/a.pyc"; echo '#!/here/python' >"$to/bin/pkg"
for f in METADATA RECORD INSTALLER REQUESTED direct_url.json; do echo $f >"$to/pkg-1.0.dist-info/$f"; done`;

const APP: Tree = { "app.py": "def handler(event, context): return event\n" };

async function run(t: TestContext, tree: Tree, path: string, options: Partial<BuildOptions> = {}) {
  const registry = await TestRegistry.start();
  t.after(() => registry.stop());
  for (const language of ["python", "nodejs"]) {
    for (const tag of ["3.11", "3.12", "22"])
      await publishBase(registry, `lambda/${language}`, tag, lambdaBase("x86_64"), lambdaBase("arm64"));
  }
  const layout = join(temporaryDirectory(), "out");
  const events: BuildEvent[] = [];
  const result = await build({
    directory: makeTree({ ...APP, ...tree }),
    base: "python:3.12",
    install: "auto",
    to: `oci:${layout}`,
    cacheDir: join(temporaryDirectory(), "cache"),
    environment: {
      LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`,
      HOME: temporaryDirectory(),
      PATH: path,
    },
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { ...result, events, files: await filesInLayout(layout) };
}

const HASHED = `pkg==1.0 \\\n    --hash=sha256:${"0".repeat(64)}\n`;

describe("dependencies by uv", () => {
  it("dependencies by uv are installed from requirements for the base's Python and libc, wheels only", async (t) => {
    const { path, calls } = programs({ uv: INSTALLS });
    const { files, dependencies } = await run(t, { "requirements.txt": "pkg==1.0\n" }, path, {
      arch: "arm64",
    });
    const [version, install = ""] = calls();
    assert.equal(version, "uv --version");
    assert.match(
      install,
      /^uv pip install -r \S+\/requirements.txt --target \S+ --python-version 3.12 --python-platform aarch64-manylinux_2_34 --only-binary :all: --no-installer-metadata --no-compile-bytecode --link-mode copy$/,
    );
    assert.deepEqual(
      dependencies?.packages.map(({ name, version: one }) => `${name} ${one}`),
      ["pkg 1.0"],
    );
    assert.deepEqual([...files.keys()].sort(), [
      "var/task/app.py",
      "var/task/pkg-1.0.dist-info/METADATA",
      "var/task/pkg/__init__.py",
      "var/task/requirements.txt",
    ]);
    assert.equal(files.get("var/task/pkg/__init__.py")?.layer, "deps");
  });

  it("replace a virtual environment that is there, and the build warns of packages beside the handler", async (t) => {
    const { path } = programs({ uv: INSTALLS });
    const tree = {
      "requirements.txt": "pkg==1.0\n",
      "env/pyvenv.cfg": "home = /here\n",
      "env/lib/python3.12/site-packages/old.py": "old",
      "beside-1.0.dist-info/METADATA": "Name: beside\n",
      "beside/__init__.py": "1",
    };
    const { files, events } = await run(t, tree, path);
    assert.deepEqual(
      [...files.keys()].filter((one) => one.includes("/env/")),
      [],
    );
    assert.ok(files.has("var/task/beside/__init__.py"));
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    assert.ok(
      warnings.some((one) =>
        /installed Python packages \(beside-1.0.dist-info\), which are packed on top/.test(one),
      ),
      warnings.join("\n"),
    );
  });

  it("dependencies by uv are installed for the older glibc of Amazon Linux 2, and with hashes if the requirements have them", async (t) => {
    const { path, calls } = programs({ uv: INSTALLS });
    await run(t, { "requirements.txt": HASHED }, path, { base: "python:3.11" });
    assert.match(
      calls().at(-1) ?? "",
      /--python-version 3.11 --python-platform x86_64-manylinux_2_17 .*--require-hashes$/,
    );
  });

  it("dependencies by uv are exported from a uv.lock with the word uv, and nothing is resolved then", async (t) => {
    const export_ =
      'while [ $# -gt 0 ]; do if [ "$1" = -o ]; then echo "pkg==1.0 --hash=sha256:00" >"$2"; exit 0; fi; shift; done';
    const { path, calls } = programs({ uv: `if [ "$1" = export ]; then\n${export_}\nfi\n${INSTALLS}` });
    await run(t, { "uv.lock": "version = 1\n" }, path, { install: "uv" });
    assert.match(
      calls()[0] ?? "",
      /^uv export --frozen --no-dev --no-editable --no-emit-project --format requirements.txt -o \S+$/,
    );
    assert.match(calls()[1] ?? "", /--require-hashes --no-deps$/);
  });

  it("dependencies by uv are not installed again if a lock decides over them and the cache has the layer", async (t) => {
    const { path, calls } = programs({ uv: INSTALLS });
    const cacheDirectory = join(temporaryDirectory(), "cache");
    const first = await run(t, { "requirements.txt": HASHED }, path, { cacheDir: cacheDirectory });
    const count = calls().length;
    const again = await run(t, { "requirements.txt": HASHED }, path, { cacheDir: cacheDirectory });
    assert.equal(calls().length, count);
    assert.equal(again.dependencies?.how, "reused");
    assert.equal(again.digest, first.digest);
    await run(t, { "requirements.txt": "pkg\n" }, path, { cacheDir: cacheDirectory });
    await run(t, { "requirements.txt": "pkg\n" }, path, { cacheDir: cacheDirectory });
    assert.equal(calls().length, count + 4);
  });

  it("dependencies by uv are not installed again if hashed files that the requirements include decide over them", async (t) => {
    const { path, calls } = programs({ uv: INSTALLS });
    const cacheDir = join(temporaryDirectory(), "cache");
    const tree = {
      "requirements.txt": "-r more/base.txt # the rest\n-c limits.txt\n",
      "more/base.txt": `-r other.txt\n${HASHED}`,
      "more/other.txt": HASHED.replace("pkg", "other"),
      "limits.txt": "pkg<2\n",
    };
    await run(t, tree, path, { cacheDir });
    assert.match(calls().at(-1) ?? "", /--require-hashes$/);
    const count = calls().length;
    const again = await run(t, tree, path, { cacheDir });
    assert.deepEqual([again.dependencies?.how, calls().length], ["reused", count]);
    for (const changed of ["more/other.txt", "limits.txt"] as const) {
      const other = {
        ...tree,
        [changed]: tree[changed].replace("pkg", "more").replace("other==1", "other==2"),
      };
      assert.equal((await run(t, other, path, { cacheDir })).dependencies?.how, "installed", changed);
    }
  });

  it("dependencies by uv are refused, before anything is run, if the requirements include a file that is not there", async (t) => {
    const { path, calls } = programs({ uv: INSTALLS });
    const tree = { "requirements.txt": "-r more/base.txt\n", "more/base.txt": "--requirement=gone.txt\n" };
    await assert.rejects(
      run(t, tree, path),
      codeOf("LOCK_INVALID", /requirements.txt includes gone.txt, which cannot be read/),
    );
    assert.deepEqual(calls(), []);
  });

  it("that fail stop the build with uv's own words and without secrets", async (t) => {
    const { path } = programs({
      uv: '[ "$1" = --version ] && exit 0\necho "error: https://user:hunter2@index.example/ is broken" >&2; exit 2',
    });
    await assert.rejects(run(t, { "requirements.txt": "pkg\n" }, path), (error: unknown) => {
      assert.ok(
        codeOf(
          "INSTALL_FAILED",
          /uv pip install ended with status 2:\nerror: https:\/\/user:xxxxx@index.example/,
        )(error),
      );
      assert.doesNotMatch(JSON.stringify(error) + String(error), /hunter2/);
      return true;
    });
  });
});

describe("dependencies by pip", () => {
  const pip = `[ "$3" = --version ] && exit 0\n${INSTALLS}`;

  it("dependencies by pip are installed with every platform tag that the base takes", async (t) => {
    const { path, calls } = programs({ uv: "exit 1", python3: pip });
    await run(t, { "requirements.txt": HASHED }, path, { base: "python:3.11" });
    const install = calls().at(-1) ?? "";
    assert.match(
      install,
      /^python3 -m pip install -r \S+ --target \S+ --platform manylinux_2_26_x86_64 --platform manylinux_2_25_x86_64 /,
    );
    assert.match(
      install,
      / --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 .* --platform linux_x86_64 /,
    );
    assert.match(
      install,
      /--implementation cp --python-version 3.11 --abi cp311 --abi abi3 --abi none --only-binary=:all: --no-compile --require-hashes$/,
    );
    assert.doesNotMatch(install, /manylinux_2_2[789]/);
  });

  it("without a wheel for the target are named with the platform and the versions that have one", async (t) => {
    const words =
      "ERROR: Could not find a version that satisfies the requirement numpy==2.0 (from versions: 1.24.4, 1.26.0)";
    const { path } = programs({
      uv: "exit 1",
      python3: `[ "$3" = --version ] && exit 0\necho "${words}" >&2; exit 1`,
    });
    const files = [
      "2.0-cp311-cp311-manylinux_2_28_x86_64.whl",
      "2.0-cp311-cp311-win_amd64.whl",
      "2.1-py3-none-any.whl",
      "2.0.tar.gz",
    ];
    const index = await serve(t, (request, response) => {
      assert.equal(request.url, "/simple/numpy/");
      response.end(files.map((file) => `<a href="x">numpy-${file}</a>`).join("\n"));
    });
    const requirements = `--index-url ${index}simple\nnumpy==2.0\n`;
    await assert.rejects(
      run(t, { "requirements.txt": requirements }, path, { base: "python:3.11" }),
      codeOf(
        "DEPENDENCY_UNAVAILABLE",
        /^numpy==2.0 has no wheel for Python 3.11 on linux x86_64 \(glibc 2.26\); there is cp311 manylinux_2_28_x86_64, cp311 win_amd64; with a wheel for it there is 1.24.4, 1.26.0$/,
      ),
    );
  });

  it("dependencies by pip are installed from what Poetry and Pipenv export", async (t) => {
    const poetry =
      'while [ $# -gt 0 ]; do if [ "$1" = --output ]; then echo "pkg==1.0 --hash=sha256:00" >"$2"; fi; shift; done';
    const tools = programs({
      uv: "exit 1",
      python3: pip,
      poetry,
      pipenv: 'echo "pkg==1.0 --hash=sha256:00"',
    });
    await run(t, { "poetry.lock": "" }, tools.path);
    assert.match(tools.calls().join("\n"), /^poetry export --format requirements.txt --output \S+$/m);
    assert.match(tools.calls().at(-1) ?? "", /--require-hashes --no-deps$/);
    await run(t, { "Pipfile.lock": "{}" }, tools.path);
    assert.match(tools.calls().join("\n"), /^pipenv requirements --hash$/m);
  });

  for (const line of ["-e .", "--editable=./lib", "./lib", ".", ".[web]", "lib @ file:///srv/lib"]) {
    it(`dependencies by pip are refused if a file that the requirements include has the line ${line}`, async (t) => {
      const tools = programs({ uv: "exit 1", python3: pip });
      const tree = { "requirements.txt": "-r more/base.txt\nsix==1.0\n", "more/base.txt": `idna\n${line}\n` };
      await assert.rejects(
        run(t, tree, tools.path),
        codeOf("DEPENDENCY_UNAVAILABLE", /requirements.txt names .*, which would be built for this machine/),
      );
      assert.ok(!tools.calls().some((call) => call.includes(" install ")));
    });
  }

  it("dependencies by pip have the extras and groups that are asked for", async (t) => {
    const poetry =
      'while [ $# -gt 0 ]; do if [ "$1" = --output ]; then echo "pkg==1.0 --hash=sha256:00" >"$2"; fi; shift; done';
    const uv = `while [ $# -gt 0 ]; do if [ "$1" = -o ]; then echo "pkg==1.0 --hash=sha256:00" >"$2"; exit 0; fi; shift; done\nexit 1`;
    const tools = programs({ uv, python3: pip, poetry, pipenv: 'echo "pkg==1.0 --hash=sha256:00"' });
    const some = { extra: ["web"], group: ["batch"] };
    await run(t, { "poetry.lock": "" }, tools.path, some);
    assert.match(tools.calls().join("\n"), /^poetry export .* --extras web --with batch$/m);
    await run(t, { "Pipfile.lock": "{}" }, tools.path, { group: ["batch"] });
    assert.match(tools.calls().join("\n"), /^pipenv requirements --hash --categories packages,batch$/m);
    const uvLock = { "uv.lock": "version = 1\n" };
    await assert.rejects(run(t, uvLock, tools.path, { install: "uv", ...some }), { code: "INSTALL_FAILED" });
    assert.match(tools.calls().join("\n"), /^uv export --frozen --no-dev --extra web --group batch /m);
  });

  for (const [what, tree, options, message] of [
    ["without --install", {}, { install: "none", extra: "web" }, /web has no effect: there is no --install/],
    [
      "of requirements",
      { "requirements.txt": "pkg\n" },
      { group: "batch" },
      /batch has no effect: requirements.txt has no groups/,
    ],
    [
      "of Pipenv",
      { "Pipfile.lock": "{}" },
      { extra: "web" },
      /web has no effect: Pipfile.lock has no extras/,
    ],
  ] as const) {
    it(`an extra or group ${what} is refused, as it has no effect`, async (t) => {
      await assert.rejects(run(t, tree, programs({}).path, options), codeOf("USAGE", message));
    });
  }

  it("dependencies by pip are refused offline, and where no pip is installed, with what to do", async (t) => {
    const none = programs({
      uv: "exit 1",
      python3: "exit 1",
      python: "exit 1",
      pip3: "exit 1",
      pip: "exit 1",
    });
    await assert.rejects(
      run(t, { "requirements.txt": "pkg\n" }, none.path),
      codeOf("INSTALL_FAILED", /pip install/),
    );
    const missing = programs({});
    const alone = { "requirements.txt": "pkg\n" };
    await assert.rejects(
      run(t, alone, missing.path.split(":")[0] ?? ""),
      codeOf("INSTALL_FAILED", /pip is not installed/),
    );
  });
});

describe("dependencies by a package manager of Node", () => {
  const node: Tree = { "index.js": "exports.handler = 1\n", "package.json": '{"name":"app"}' };
  const installs =
    'mkdir -p node_modules/a node_modules/.bin; echo \'{"name":"a","version":"1.0.0"}\' >node_modules/a/package.json; ln -s ../a/x node_modules/.bin/x; echo x >node_modules/.modules.yaml; echo x >node_modules/.yarn-state.yml; cat .yarnrc.yml >node_modules/a/settings 2>/dev/null || true';
  const base = { base: "nodejs:22", arch: "arm64" } as const;

  for (const [file, words] of [
    [
      "pnpm-lock.yaml",
      "pnpm install --frozen-lockfile --prod --ignore-scripts --os=linux --cpu=arm64 --libc=glibc --config.node-linker=hoisted --config.package-import-method=copy",
    ],
    ["yarn.lock", "yarn workspaces focus --all --production"],
    [
      "bun.lock",
      "bun install --frozen-lockfile --production --ignore-scripts --os=linux --cpu=arm64 --linker=hoisted --backend=copyfile",
    ],
  ] as const) {
    const name = words.split(" ")[0] ?? "";
    it(`${name} is told the target's platform, and its bookkeeping is left out`, async (t) => {
      const { path, calls } = programs({ [name]: installs });
      const { files, dependencies } = await run(t, { ...node, [file]: "__metadata: {}\n" }, path, base);
      assert.deepEqual(calls(), [words]);
      const own = [...files.keys()].filter((one) => one.includes("node_modules"));
      assert.deepEqual(own, ["var/task/node_modules/a/package.json", "var/task/node_modules/a/settings"]);
      assert.deepEqual(
        dependencies?.packages.map(({ name: one, version }) => [one, version]),
        [["a", "1.0.0"]],
      );
    });
  }

  it("pnpm finds the manifests of a workspace, and what it installs there is packed", async (t) => {
    const { path } = programs({
      pnpm: "test -f packages/lib/package.json || exit 1\nmkdir -p packages/lib/node_modules/b; echo x >packages/lib/node_modules/b/index.js",
    });
    const tree = {
      ...node,
      "pnpm-lock.yaml": "",
      "pnpm-workspace.yaml": "packages: [packages/*]\n",
      "packages/lib/package.json": '{"name":"lib"}',
      "packages/lib/node_modules/old/index.js": "stale",
    };
    const { files, events } = await run(t, tree, path, base);
    const installed = [...files].filter(([one]) => one.includes("node_modules"));
    assert.deepEqual(
      installed.map(([one, { layer }]) => `${layer} ${one}`),
      ["deps var/task/packages/lib/node_modules/b/index.js"],
    );
    const planned = events.find(({ type }) => type === "dependencies-planned");
    assert.deepEqual(planned?.type === "dependencies-planned" && planned.leftOut, [
      "packages/lib/node_modules",
    ]);
  });

  it("npm finds an archive of the project that its lock names", async (t) => {
    const { path } = programs({
      npm: "test -f vendor/x.tgz || exit 1\nmkdir -p node_modules/x; echo x >node_modules/x/index.js",
    });
    const entry = { version: "1.0.0", resolved: "file:vendor/x.tgz", integrity: "sha512-x" };
    const lock = {
      lockfileVersion: 3,
      packages: { "": { dependencies: { x: "file:vendor/x.tgz" } }, "node_modules/x": entry },
    };
    const tree = {
      ...node,
      "package.json": '{"dependencies":{"x":"file:vendor/x.tgz"}}',
      "package-lock.json": JSON.stringify(lock),
      "vendor/x.tgz": "archive",
    };
    const { files } = await run(t, tree, path, base);
    assert.equal(files.get("var/task/node_modules/x/index.js")?.layer, "deps");
  });

  it("dependencies by a package manager of Node are stopped with the build, and leave nothing running", async (t) => {
    const stop = new AbortController();
    const pidFile = join(temporaryDirectory(), "pid");
    const { path } = programs({ pnpm: `echo $$ >'${pidFile}'; exec sleep 60` });
    const hasStarted = () => existsSync(pidFile) && readFileSync(pidFile, "utf8").endsWith("\n");
    const timer = setInterval(() => hasStarted() && stop.abort(), 20);
    t.after(() => clearInterval(timer));
    await assert.rejects(
      run(t, { ...node, "pnpm-lock.yaml": "" }, path, { ...base, signal: stop.signal }),
      codeOf("ABORTED", /stopped before the end/),
    );
    const pid = Number(readFileSync(pidFile, "utf8"));
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  });

  it("Yarn's own settings are kept, but for those that decide over platforms", async (t) => {
    const { path } = programs({ yarn: installs });
    const settings =
      "npmRegistryServer: https://r.example\nsupportedArchitectures:\n  os:\n    - darwin\nnodeLinker: pnp\n";
    const { files } = await run(
      t,
      { ...node, "yarn.lock": "__metadata: {}\n", ".yarnrc.yml": settings },
      path,
      base,
    );
    assert.equal(
      files.get("var/task/node_modules/a/settings")?.text,
      "npmRegistryServer: https://r.example\n\nnodeLinker: node-modules\nenableScripts: false\nsupportedArchitectures:\n  os: [linux]\n  cpu: [arm64]\n  libc: [glibc]\n",
    );
  });

  it("Yarn 1 is refused, because it cannot install for another platform", async (t) => {
    const { path } = programs({ yarn: installs });
    await assert.rejects(
      run(t, { ...node, "yarn.lock": "# yarn lockfile v1\n" }, path, base),
      codeOf("DEPENDENCY_UNAVAILABLE", /Yarn 1 cannot install for another platform/),
    );
  });

  it("npm installs what its lock does not say, and the build says why", async (t) => {
    const { path, calls } = programs({ npm: installs });
    const lock = {
      lockfileVersion: 3,
      packages: {
        "": { dependencies: { g: "github:a/g" } },
        "node_modules/g": { version: "1.0.0", resolved: "git+ssh://git@github.com/a/g.git#0" },
      },
    };
    const tree = {
      ...node,
      "package.json": '{"dependencies":{"g":"github:a/g"}}',
      "package-lock.json": JSON.stringify(lock),
    };
    const { events } = await run(t, tree, path, base);
    assert.deepEqual(calls(), [
      "npm ci --omit=dev --ignore-scripts --os=linux --cpu=arm64 --libc=glibc --no-audit --no-fund",
    ]);
    assert.ok(
      events.some(
        (event) => event.type === "warning" && /npm ci installs: g@1.0.0 comes from git/.test(event.message),
      ),
    );
  });
});

describe("a lock that cannot be read", () => {
  for (const [what, tree, file] of [
    [
      "a directory named package-lock.json",
      { "package-lock.json/x": "", "package.json": "{}" },
      "package-lock.json",
    ],
    [
      "a package-lock.json without package.json",
      { "package-lock.json": '{"lockfileVersion":3,"packages":{"":{}}}' },
      "package.json",
    ],
    ["a pnpm-lock.yaml without package.json", { "pnpm-lock.yaml": "" }, "package.json"],
    ["a directory named uv.lock", { "uv.lock/x": "" }, "uv.lock"],
    ["a directory named poetry.lock", { "poetry.lock/x": "" }, "poetry.lock"],
    ["a directory named Gemfile.lock", { "Gemfile.lock/x": "" }, "Gemfile.lock"],
  ] as const) {
    it(`a lock that cannot be read is named with its path: ${what}`, async (t) => {
      const base = what.includes("package") ? "nodejs:22" : "python:3.12";
      await assert.rejects(
        run(t, { ...tree, "index.js": "exports.handler = 1;" }, "/usr/bin", {
          base,
          handler: base === "nodejs:22" ? "index.handler" : "app.handler",
        }),
        codeOf("FILE_UNREADABLE", new RegExp(`cannot read /.*/${file.replace(".", "\\.")}$`)),
      );
    });
  }
});

describe("gems by Bundler", () => {
  const ruby: Tree = { "app.rb": "def handler(event:, context:) = event\n", Gemfile: "", "Gemfile.lock": "" };
  const options = { base: "nodejs:22", cmd: ["app.handler"], check: false } as const;

  it("gems by Bundler are installed into vendor/bundle without their caches", async (t) => {
    const gems =
      "mkdir -p vendor/bundle/ruby/3.3.0/gems/a vendor/bundle/ruby/3.3.0/cache; echo x >vendor/bundle/ruby/3.3.0/gems/a/a.rb; echo x >vendor/bundle/ruby/3.3.0/cache/a.gem";
    const { path, calls } = programs({ bundle: gems });
    const { files } = await run(t, ruby, path, options);
    assert.deepEqual(calls(), ["bundle install --quiet"]);
    assert.deepEqual(
      [...files.keys()].filter((one) => one.includes("vendor")),
      ["var/task/vendor/bundle/ruby/3.3.0/gems/a/a.rb"],
    );
  });

  it("that were compiled for this machine are refused for another one", async (t) => {
    const native = "mkdir -p vendor/bundle/gems/a; echo x >vendor/bundle/gems/a/a.so";
    const { path } = programs({ bundle: native });
    const architecture = process.arch === "arm64" ? "x86_64" : "arm64";
    await assert.rejects(
      run(t, ruby, path, { ...options, arch: architecture }),
      codeOf("DEPENDENCY_UNAVAILABLE", /a.so was compiled for linux/),
    );
  });
});
