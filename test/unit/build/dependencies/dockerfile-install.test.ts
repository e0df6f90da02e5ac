import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import type { BuildOptions } from "../../../../src/index.ts";
import { lockedAs, npmRegistry, type TestPackage, testPackage } from "../../../support/http/npm-registry.ts";
import { lambdaBase, publishBase } from "../../../support/images/base.ts";
import { buildToLayout, filesInLayout } from "../../../support/images/built-layout.ts";
import { TestRegistry } from "../../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../../support/trees.ts";

const NODE = "FROM public.ecr.aws/lambda/nodejs:22";
const PYTHON = "FROM public.ecr.aws/lambda/python:3.13";

let registry: TestRegistry;
let one: TestPackage;
before(async () => {
  registry = await TestRegistry.start();
  for (const name of ["nodejs:22", "python:3.13"]) {
    const [repository = "", tag = ""] = name.split(":");
    await publishBase(registry, `lambda/${repository}`, tag, lambdaBase("x86_64"), lambdaBase("arm64"));
  }
  one = await testPackage("one", "1.0.0", {
    "index.js": "exports.one = 1\n",
    "key.pem": "-----BEGIN PRIVATE KEY-----",
  });
});
after(() => registry.stop());

async function run(tree: Tree, options: Partial<BuildOptions> = {}, path = "") {
  const directory = makeTree(tree);
  const { layout, layers, events, digest } = await buildToLayout(registry, {
    directory,
    file: join(directory, "Dockerfile"),
    environment: {
      LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`,
      HOME: temporaryDirectory(),
      PATH: `${path}:${process.env["PATH"]}`,
    },
    ...options,
  });
  const names = layers.filter(({ how }) => how !== "base").map(({ name }) => name);
  const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  const found = await filesInLayout(layout);
  const files: Readonly<Record<string, string>> = Object.fromEntries(
    [...found].map(([path, { text }]) => [path, text]),
  );
  return { files, names, warnings, digest };
}

async function nodeTree(t: TestContext, Dockerfile: string): Promise<Tree> {
  const { url } = await npmRegistry(t, [one]);
  const manifest = { name: "app", dependencies: { one: "^1" }, devDependencies: { two: "^1" } };
  const packages = { "": manifest, "node_modules/one": lockedAs(one) };
  return {
    "index.mjs": "export const handler = () => 1;\n",
    "package.json": JSON.stringify(manifest),
    "package-lock.json": JSON.stringify({ lockfileVersion: 3, packages }),
    ".npmrc": `registry=${url}\n`,
    Dockerfile,
  };
}

/** A program in the place of uv: it installs one module, and keeps what it was asked. */
function uvProgram(): { readonly path: string; readonly calls: () => string } {
  const path = temporaryDirectory();
  const script = `#!/bin/sh
echo "$@" >> "${path}/calls"
[ "$1" = --version ] && exit 0
while [ $# -gt 0 ]; do
  [ "$1" = -r ] && cat "$2" >> "${path}/calls"
  [ "$1" = --target ] && mkdir -p "$2/six-1.0.dist-info" && echo "x = 1" > "$2/six.py" && echo "Name: six" > "$2/six-1.0.dist-info/METADATA"
  shift
done
`;
  writeFileSync(join(path, "uv"), script);
  chmodSync(join(path, "uv"), 0o755);
  return { path, calls: () => readFileSync(join(path, "calls"), "utf8") };
}

describe("RUN of dependencies in build --file", () => {
  it("npm ci installs the packages of the lock as a layer of their own", async (t) => {
    const tree = await nodeTree(
      t,
      `${NODE}\nCOPY package*.json ./\nRUN npm ci --omit=dev\nCOPY index.mjs ./\nCMD ["index.handler"]`,
    );
    const { files, names, warnings } = await run(tree);
    assert.equal(files["var/task/node_modules/one/index.js"], "exports.one = 1\n");
    assert.ok("var/task/index.mjs" in files);
    assert.deepEqual(names, ["deps", "app"]);
    assert.deepEqual(warnings, []);
  });

  it("npm install leaves out dependencies for development, and tells so", async (t) => {
    const tree = await nodeTree(t, `${NODE}\nCOPY . .\nRUN npm install\nCMD ["index.handler"]`);
    const { files, warnings } = await run(tree);
    assert.ok(!Object.keys(files).some((path) => path.includes("/two/")));
    assert.match(
      warnings.join("\n"),
      /Dockerfile:3: RUN npm install: dependencies for development are left out/,
    );
  });

  it("packages that a stage installs are copied to the image as a layer of their own", async (t) => {
    const text = `${NODE} AS deps\nWORKDIR /build\nCOPY package*.json ./\nRUN npm ci --omit=dev\n${NODE}\nCOPY --from=deps /build/node_modules ./node_modules\nCOPY index.mjs ./\nCMD ["index.handler"]`;
    const { files, names } = await run(await nodeTree(t, text));
    assert.equal(files["var/task/node_modules/one/index.js"], "exports.one = 1\n");
    assert.ok(!("var/task/package.json" in files));
    assert.deepEqual(names, ["deps", "app"]);
  });

  it("pip install puts packages where the base's own Python looks", async () => {
    const { path, calls } = uvProgram();
    const Dockerfile = `${PYTHON}\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app.py .\nCMD ["app.handler"]`;
    const app = "def handler(event, context):\n    return 1\n";
    const { files } = await run({ Dockerfile, "requirements.txt": "six==1.0\n", "app.py": app }, {}, path);
    assert.equal(files["var/lang/lib/python3.13/site-packages/six.py"], "x = 1\n");
    assert.match(calls(), /pip install -r \S+\/requirements\.txt --target/);
  });

  it("pip install of names, constraints and an index goes to the directory of --target", async () => {
    const { path, calls } = uvProgram();
    const Dockerfile = `${PYTHON}
COPY limits.txt app.py ./
RUN pip install "six>=1" boto3 -c limits.txt -i https://index.example/simple --target "$LAMBDA_TASK_ROOT"
CMD ["app.handler"]`;
    const tree = { Dockerfile, "limits.txt": "six<2\n", "app.py": "def handler(event, context): pass\n" };
    const { files, names } = await run(tree, { arch: "arm64" }, path);
    assert.equal(files["var/task/six.py"], "x = 1\n");
    assert.deepEqual(names, ["deps", "app"]);
    assert.match(
      calls(),
      /--index-url https:\/\/index\.example\/simple\n-c \S+\/limits\.txt\nsix>=1\nboto3\n/,
    );
    assert.match(calls(), /aarch64/);
  });

  it("uv sync and poetry install bring the extras and groups that they name", async () => {
    const { path, calls } = uvProgram();
    const poetry = `#!/bin/sh\necho "poetry $@" >> "${path}/calls"\nwhile [ "$1" != --output ]; do shift; done; echo six==1.0 > "$2"\n`;
    writeFileSync(join(path, "poetry"), poetry, { mode: 0o755 });
    const Dockerfile = `${PYTHON}\nCOPY . .\nRUN poetry config virtualenvs.create false && poetry install --no-root --with docs,batch -E "a b"\nCMD ["app.handler"]`;
    const app = "def handler(event, context):\n    return 1\n";
    await run({ Dockerfile, "poetry.lock": "", "app.py": app }, {}, path);
    assert.match(calls(), /^poetry export .* --extras a --extras b --with docs --with batch$/m);
    const only = Dockerfile.replace("--with docs,batch", "--only main,jobs");
    await run({ Dockerfile: only, "poetry.lock": "", "app.py": app }, {}, path);
    assert.match(calls(), /^poetry export .* --extras a --extras b --with jobs$/m);
    const lock =
      'version = 1\n[[package]]\nname = "app"\nsource = { virtual = "." }\n[package.optional-dependencies]\nweb = []\n';
    const sync = (flags: string) =>
      `${PYTHON}\nENV UV_PROJECT_ENVIRONMENT=/var/lang\nCOPY . .\nRUN uv sync --frozen --no-dev --no-install-project ${flags}\nCMD ["app.handler"]`;
    const tree = { "uv.lock": lock, "app.py": app };
    await run({ ...tree, Dockerfile: sync("--extra web") }, {}, path);
    await assert.rejects(run({ ...tree, Dockerfile: sync("--extra pdf") }, {}, path), {
      message: /uv.lock has no extra pdf: it has web/,
    });
  });

  it("a password in a command, or of a build argument in it, is in no error", async () => {
    const lines = [
      "RUN pip install -r missing.txt -i https://ada:$PASSWORD@index.example/simple",
      "RUN curl -u ada:x https://ada:hunter2@files.example/a.tgz",
      "COPY https://ada:hunter2@files.example/a.tgz .",
    ];
    for (const line of lines) {
      const Dockerfile = `${PYTHON}\nARG PASSWORD\n${line}`;
      await assert.rejects(run({ Dockerfile }, { buildArg: { PASSWORD: "hunter2" } }), (error: unknown) => {
        assert.match(String(error), /Dockerfile:3: .*index|:3: .*files/);
        assert.doesNotMatch(JSON.stringify(error) + String(error), /hunter2/);
        return true;
      });
    }
  });

  const REFUSED: readonly (readonly [name: string, text: string, message: RegExp])[] = [
    [
      "npm ci without a lock that was copied",
      `${NODE}\nCOPY package.json .\nRUN npm ci`,
      /:3: RUN npm ci: no instruction above copies package-lock\.json to \/var\/task/,
    ],
    [
      "requirements that were not copied",
      `${PYTHON}\nRUN pip install -r requirements.txt`,
      /:2: RUN pip install -r requirements\.txt: no instruction above copies \/var\/task\/requirements\.txt/,
    ],
    [
      "pip install --no-deps",
      `${PYTHON}\nCOPY package.json .\nRUN pip install --no-deps six`,
      /--no-deps is not supported/,
    ],
    [
      "poetry install of a group without the project's own dependencies",
      `${PYTHON}\nCOPY package.json .\nRUN poetry config virtualenvs.create false && poetry install --no-root --only docs`,
      /without the group main would leave out the project's own dependencies/,
    ],
    [
      "poetry export without the project's own dependencies",
      `${PYTHON}\nCOPY package.json .\nRUN poetry export --without main -o requirements.txt`,
      /without the group main would leave out the project's own dependencies/,
    ],
  ];
  for (const [name, Dockerfile, message] of REFUSED)
    it(`refuses ${name}`, async () => {
      await assert.rejects(run({ Dockerfile, "package.json": "{}" }), {
        code: "DOCKERFILE_REFUSED",
        message,
      });
    });
});
