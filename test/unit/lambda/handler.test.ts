import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findBase } from "../../../src/lambda/bases.ts";
import { findHandler } from "../../../src/lambda/handler/handler.ts";
import type { HandlerSearch } from "../../../src/lambda/handler/search.ts";
import type { RunSettings } from "../../../src/oci/image.ts";

type Files = Readonly<Record<string, string>>;

const AWS_ENTRYPOINT = ["/lambda-entrypoint.sh"];

function configOf(config: RunSettings): HandlerSearch["baseConfig"] {
  return { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] }, config };
}

/** Over one of AWS's bases (`python:3.12`), or over a base with these settings. */
function find(over: string | RunSettings, files: Files, more: Partial<HandlerSearch> = {}) {
  const [repository = "", tag = ""] = typeof over === "string" ? over.split(":") : [];
  return findHandler({
    app: {
      names: new Set(Object.keys(files)),
      read: async (file) => files[file] ?? assert.fail(`${file} is not a file of the app`),
    },
    baseConfig: configOf(typeof over === "string" ? { Entrypoint: AWS_ENTRYPOINT } : over),
    base: findBase(repository, tag),
    hasImageOptions: true,
    ...more,
  });
}

async function cmd(...args: Parameters<typeof find>): Promise<readonly string[] | undefined> {
  return (await find(...args)).cmd;
}

const PY_HANDLER = "def handler(event, context):\n    return event\n";
const JS_HANDLER = "exports.handler = async (event) => event;\n";

describe("without --handler, CMD is", () => {
  const cases: readonly (readonly [string, string, Files])[] = [
    ["python:3.12", "app.handler", { "app.py": PY_HANDLER }],
    ["python:3.12", "lambda_function.lambda_handler", { "lambda_function.py": "lambda_handler = print\n" }],
    ["python:3.12", "app.handler", { "app/__init__.py": PY_HANDLER }],
    ["nodejs:22", "index.handler", { "index.mjs": "export const handler = async () => 1;" }],
    ["nodejs:22", "index.handler", { "index.js": JS_HANDLER }],
    ["nodejs:22", "index.handler", { "index.cjs": JS_HANDLER }],
    ["nodejs:22", "app.handler", { "app.js": JS_HANDLER }],
    [
      "ruby:3.3",
      "lambda_function.lambda_handler",
      { "lambda_function.rb": "def lambda_handler(event:, context:)\nend" },
    ],
    ["provided:al2023", "bootstrap", { bootstrap: "#!/bin/sh" }],
  ];
  for (const [base, handler, files] of cases) {
    it(`${handler} over ${base} for ${Object.keys(files).join()}`, async () => {
      assert.deepEqual(await cmd(base, files), [handler]);
    });
  }

  it("not a name that its file does not define", async () => {
    const files = { "app.py": "def main(): pass", "lambda_function.py": "def lambda_handler(): pass" };
    assert.deepEqual(await cmd("python:3.12", files), ["lambda_function.lambda_handler"]);
  });

  for (const [name, files] of [
    ["app.handler", { "app.py": PY_HANDLER }],
    ["index.handler", { "index.js": JS_HANDLER }],
    ["bootstrap", { bootstrap: "" }],
  ] as const) {
    it(`${name}, told by the files, over AWS's entry point when the language is not known`, async () => {
      assert.deepEqual(await cmd({ Entrypoint: AWS_ENTRYPOINT }, files), [name]);
    });
  }

  it("of the language of the runtime interface client that the base starts", async () => {
    const files = { "app.py": PY_HANDLER, "index.js": JS_HANDLER };
    assert.deepEqual(await cmd({ Entrypoint: ["/usr/bin/npx", "aws-lambda-ric"] }, files), ["index.handler"]);
    assert.deepEqual(await cmd({ Entrypoint: ["python3", "-m", "awslambdaric"] }, files), ["app.handler"]);
  });

  it("of the language that the base's variables name", async () => {
    const files = { "app.py": PY_HANDLER, "index.js": JS_HANDLER };
    assert.deepEqual(await cmd({ Entrypoint: AWS_ENTRYPOINT, Env: ["NODE_VERSION=22.1.0"] }, files), [
      "index.handler",
    ]);
  });

  it("found for an entry point of the user's own that is a client", async () => {
    const entrypoint = ["/usr/local/bin/python", "-m", "awslambdaric"];
    assert.deepEqual(await cmd({ Cmd: ["python3"] }, { "app.py": PY_HANDLER }, { entrypoint }), [
      "app.handler",
    ]);
  });
});

describe("without --handler, the base's CMD stays", () => {
  for (const [name, settings] of [
    ["that it has", { Entrypoint: AWS_ENTRYPOINT, Cmd: ["main.run"] }],
    ["when a program of its own is started", { Entrypoint: ["/usr/bin/server"] }],
    ["when it is the program", { Cmd: ["python3", "server.py"] }],
  ] as const) {
    it(name, async () => assert.equal(await cmd(settings, { "app.py": PY_HANDLER }), undefined));
  }
  it("when the image starts nothing that is known, and no handler is there", async () => {
    assert.deepEqual(await find({}, { "data.txt": "" }), { bootstrap: false });
  });
});

describe("--handler becomes CMD", () => {
  const cases: readonly (readonly [string, string, Files])[] = [
    ["python:3.12", "pkg/mod.handler", { "pkg/mod.py": PY_HANDLER }],
    ["python:3.12", "pkg.mod.handler", { "pkg/mod.py": PY_HANDLER }],
    ["nodejs:22", "src/app.handler", { "src/app.mjs": "export { main as handler };" }],
    ["nodejs:22", "app.nested.handler", { "app.js": "exports.nested = { handler() {} };" }],
    [
      "nodejs:22",
      "datadog-lambda-js/handler.handler",
      { "node_modules/datadog-lambda-js/handler/index.js": "" },
    ],
    ["nodejs:22", "/opt/nodejs/wrapper.handler", {}],
    ["ruby:3.3", "app.LambdaFunction::Handler.process", { "app.rb": "module LambdaFunction; end" }],
    ["java:21", "com.example.App::handleRequest", { "com/example/App.class": "" }],
    ["java:21", "com.example.App", { "com/example/App.class": "" }],
    [
      "dotnet:8",
      "App::Acme.App.Function::FunctionHandler",
      { "App.dll": "", "App.deps.json": "{}", "App.runtimeconfig.json": "{}" },
    ],
    ["dotnet:8", "App", { "App.dll": "", "App.deps.json": "{}", "App.runtimeconfig.json": "{}" }],
    ["provided:al2023", "any.word", { bootstrap: "" }],
    ["go:1", "main", { main: "" }],
  ];
  for (const [base, handler, files] of cases) {
    it(`${handler} over ${base}`, async () =>
      assert.deepEqual(await cmd(base, files, { handler }), [handler]));
  }

  it("in the language of its file where the base does not tell one", async () => {
    const found = await find({ Entrypoint: AWS_ENTRYPOINT }, { "app.rb": "" }, { handler: "app.run" });
    assert.deepEqual(found, { cmd: ["app.run"], language: "ruby", bootstrap: false });
  });

  it("unchecked if a program of its own gets it", async () => {
    assert.deepEqual(await cmd({ Entrypoint: ["/server"] }, {}, { handler: "anything" }), ["anything"]);
  });
});

describe("the app's bootstrap is the runtime", () => {
  const files = { bootstrap: "" };
  it("over an OS-only base", async () =>
    assert.equal((await find("provided:al2023", files)).bootstrap, true));
  it("but not over a base that has one", async () => {
    const { bootstrap } = await find("python:3.12", { ...files, "app.py": PY_HANDLER });
    assert.equal(bootstrap, false);
  });
  it("but not when something else is started", async () => {
    const { bootstrap } = await find("provided:al2023", files, { entrypoint: ["/var/task/bootstrap"] });
    assert.equal(bootstrap, false);
  });
});

describe("a handler that is not there", () => {
  const cases: readonly (readonly [string, string, string | undefined, Files, RegExp, RegExp])[] = [
    [
      "is answered with the files that were looked for",
      "python:3.12",
      undefined,
      { "readme.md": "" },
      /looked for app\.handler \(needs a file app\.py\), lambda_function\.lambda_handler \(needs a file lambda_function\.py\)/,
      /^add one of these, or name yours: --handler FILE\.FUNCTION$/,
    ],
    [
      "is not suggested again if its file does not define it",
      "nodejs:22",
      undefined,
      { "index.js": "console.log(1)" },
      /index\.handler \(needs index\.js to export handler\)/,
      /^(?!.*index\.handler)/,
    ],
    [
      "with ./ before its module is told the form",
      "python:3.12",
      "./app.handler",
      { "app.py": PY_HANDLER },
      /^the handler \.\/app\.handler is not of the form module\.function$/,
      /did you mean app\.handler\?/,
    ],
    [
      "is answered with the nearest name of its file",
      "python:3.12",
      "app.handlr",
      { "app.py": PY_HANDLER },
      /app\.handlr needs app\.py to define handlr/,
      /did you mean app\.handler\?/,
    ],
    [
      "is answered with the nearest file",
      "python:3.12",
      "ap.handler",
      { "app.py": PY_HANDLER },
      /needs a file ap\.py/,
      /did you mean app\.handler\?/,
    ],
    [
      "is told that TypeScript is not compiled",
      "nodejs:22",
      "index.handler",
      { "index.ts": "" },
      /index\.ts has to be compiled first/,
      /--handler/,
    ],
    [
      "is told what the module exports",
      "nodejs:22",
      "index.handler",
      { "index.js": "exports.handle = 1" },
      /needs index\.js to export handler/,
      /did you mean index\.handle\?/,
    ],
    [
      "without a dot is told the form",
      "python:3.12",
      "app",
      { "app.py": PY_HANDLER },
      /not of the form module\.function/,
      /app\.handler/,
    ],
    [
      "without a function is told the form",
      "nodejs:22",
      "index",
      { "index.js": JS_HANDLER },
      /not of the form module\.function/,
      /index\.handler/,
    ],
    [
      "out of the app is refused",
      "nodejs:22",
      "../index.handler",
      { "index.js": JS_HANDLER },
      /not of the form/,
      /./,
    ],
    [
      "over Java has no usual name",
      "java:21",
      undefined,
      { "lib/app.jar": "" },
      /no handler given, and Java has no usual one/,
      /com\.example\.App::handleRequest/,
    ],
    [
      "is told .NET's form",
      "dotnet:8",
      "App.Function.Handler()",
      {},
      /form Assembly::/,
      /Assembly::Namespace\.Type::Method/,
    ],
    ["is told Ruby's form", "ruby:3.3", "app", { "app.rb": "" }, /form file\.method/, /lambda_handler/],
    [
      "over an OS-only base is a missing bootstrap",
      "provided:al2023",
      undefined,
      { "target/bootstrap": "" },
      /executable bootstrap in the root of the app; it is at target\/bootstrap/,
      /--entrypoint/,
    ],
    [
      "over an OS-only base is a missing bootstrap, whatever the handler",
      "provided:al2023",
      "app.handler",
      {},
      /needs an executable bootstrap/,
      /./,
    ],
  ];
  for (const [name, base, handler, files, message, hint] of cases) {
    it(name, async () => {
      await assert.rejects(find(base, files, { handler }), { code: "HANDLER_NOT_FOUND", message, hint });
    });
  }

  it("in no file of a base of unknown language, has --cmd as the way round", async () => {
    const search = find({ Entrypoint: AWS_ENTRYPOINT }, { "a.txt": "" }, { handler: "app.handler" });
    await assert.rejects(search, { code: "HANDLER_NOT_FOUND", hint: /--cmd/ });
  });

  const WITHOUT_OPTIONS: readonly (readonly [
    base: string,
    handler: string | undefined,
    files: Files,
    hint: RegExp,
  ])[] = [
    ["python:3.12", "app.nope", { "app.py": PY_HANDLER }, /^did you mean app\.handler\?$/],
    ["nodejs:22", "other.thing", {}, /^correct --handler; a handler is written like \S+$/],
    ["provided:al2023", undefined, {}, /^put the runtime's executable there under that name$/],
    ["provided:al2023", "any", {}, /^put the runtime's executable there under that name$/],
  ];
  for (const [base, handler, files, hint] of WITHOUT_OPTIONS)
    it(`${handler} over ${base} has a hint without --cmd and --entrypoint if the command lacks them`, async () => {
      const search = find(base, files, { handler, hasImageOptions: false });
      await assert.rejects(search, { code: "HANDLER_NOT_FOUND", hint });
    });

  it("over AWS's entry point of unknown language lists all usual names", async () => {
    const search = find({ Entrypoint: AWS_ENTRYPOINT }, { "a.txt": "" });
    await assert.rejects(search, {
      message: /app\.handler, lambda_function\.lambda_handler, index\.handler, bootstrap/,
    });
  });
});
