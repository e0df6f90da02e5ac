import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findBase } from "../../../src/lambda/bases.ts";
import { findHandler } from "../../../src/lambda/handler/handler.ts";
import { failsWith } from "../../support/errors.ts";

type Files = Readonly<Record<string, string>>;

async function chosen(base: string, files: Files): Promise<string | undefined> {
  const [repository = "", tag = ""] = base.split(":");
  const config = { Entrypoint: ["/lambda-entrypoint.sh"] };
  const { cmd } = await findHandler({
    app: {
      names: new Set(Object.keys(files)),
      read: async (file) => files[file] ?? assert.fail(`${file} is not a file of the app`),
    },
    baseConfig: { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] }, config },
    base: findBase(repository, tag),
  });
  return cmd?.[0];
}

const DEF = "def handler(event, context):\n    return event\n";
const LAMBDA = "def lambda_handler(event, context):\n    return event\n";
const CJS = "exports.handler = async (event) => event;\n";
const MADE = "module.exports = make();\n";
const manifest = (fields: object) => JSON.stringify(fields);

describe("of several handlers in a Node app, the choice is", () => {
  for (const [what, expected, files] of [
    [
      "main of package.json over a usual name",
      "dist/fn.handler",
      { "dist/fn.js": CJS, "index.js": CJS, "package.json": manifest({ main: "./dist/fn.js" }) },
    ],
    [
      "a directory that main names",
      "dist/index.handler",
      { "dist/index.js": CJS, "index.js": CJS, "package.json": manifest({ main: "dist" }) },
    ],
    [
      "exports of package.json over another file",
      "lib/fn.handler",
      { "lib/fn.js": CJS, "lib/other.js": CJS, "package.json": manifest({ exports: "./lib/fn.js" }) },
    ],
    [
      "a proven export over a possible one of main",
      "index.handler",
      { "dist/fn.js": MADE, "index.js": CJS, "package.json": manifest({ main: "dist/fn.js" }) },
    ],
    [
      "a proven export over a possible one of a usual name",
      "app.handler",
      { "index.js": MADE, "app.js": CJS },
    ],
    [
      "the only export, where main has none",
      "src/fn.handler",
      { "server.js": "listen();", "src/fn.js": CJS, "package.json": manifest({ main: "server.js" }) },
    ],
    [
      "a usual name whose file requires the other one",
      "index.handler",
      { "index.js": `const app = require("./app");\n${CJS}`, "app.js": CJS },
    ],
    [
      "the compiled file of a source below src",
      "dist/index.handler",
      { "src/index.ts": "export const handler = 1", "dist/index.js": CJS },
    ],
    [
      "the only file below src",
      "src/index.handler",
      { "src/index.js": CJS, "src/util.js": "exports.help = () => 1;" },
    ],
  ] as const)
    it(what, async () => assert.equal(await chosen("nodejs:22", files), expected));
});

describe("of several handlers in a Python app, the choice is", () => {
  for (const [what, expected, files] of [
    [
      "a usual name whose file imports the other one",
      "lambda_function.lambda_handler",
      { "app.py": DEF, "lambda_function.py": `import app\n${LAMBDA}` },
    ],
    [
      "a function over an imported class of a similar name",
      "fn.handler",
      { "server.py": "from http.server import BaseHTTPRequestHandler\n", "fn.py": DEF },
    ],
    [
      "a function over a class of that name",
      "fn.handler",
      { "server.py": "class handler:\n    pass\n", "fn.py": DEF },
    ],
    [
      "a function over an import of it",
      "core.handler",
      { "routes.py": "from core import handler\n", "core.py": DEF },
    ],
    [
      "a usual name that is a function over one that is imported",
      "lambda_function.lambda_handler",
      { "app.py": "from logging import handlers as handler\n", "lambda_function.py": LAMBDA },
    ],
    [
      "a usual name that is imported over another file",
      "app.handler",
      { "app.py": "from svc import handler\n", "svc.py": DEF },
    ],
    [
      "a value that a framework makes",
      "app.handler",
      { "app.py": "from mangum import Mangum\nhandler = Mangum(api)\n", "lib.py": DEF },
    ],
    [
      "a function that replaces an import",
      "fn.handler",
      { "fn.py": `from x import handler\n${DEF}`, "b.py": "from fn import handler\n" },
    ],
  ] as const)
    it(what, async () => assert.equal(await chosen("python:3.12", files), expected));
});

describe("a question, and no choice, is what follows", () => {
  for (const [what, base, files, hint] of [
    [
      "from two functions in Python",
      "python:3.12",
      { "a.py": DEF, "b.py": DEF },
      /--handler a\.handler or --handler b\.handler/,
    ],
    [
      "from two exports below src",
      "nodejs:22",
      { "src/a.js": CJS, "src/b.js": CJS },
      /--handler src\/a\.handler or --handler src\/b\.handler/,
    ],
    [
      "from a src layout of Python",
      "python:3.12",
      { "src/app.py": DEF },
      /--handler src\/app\.handler; if its modules .* build the directory src with --handler app\.handler/,
    ],
    [
      "from a package in a src layout of Python",
      "python:3.12",
      { "src/svc/__init__.py": "", "src/svc/main.py": DEF },
      /--handler src\/svc\/main\.handler.*--handler svc\/main\.handler/,
    ],
    [
      "from two possible exports",
      "nodejs:22",
      { "index.js": MADE, "app.js": MADE },
      /^choose one: --handler index\.handler or --handler app\.handler$/,
    ],
    [
      "from both usual names in Node",
      "nodejs:22",
      { "index.js": CJS, "app.js": CJS },
      /^choose one: --handler index\.handler or --handler app\.handler$/,
    ],
    [
      "from both usual names in Python",
      "python:3.12",
      { "app.py": DEF, "lambda_function.py": LAMBDA },
      /^choose one: --handler app\.handler or --handler lambda_function\.lambda_handler$/,
    ],
    [
      "from both usual names in Python that are imported",
      "python:3.12",
      { "app.py": "from svc import handler\n", "lambda_function.py": "from svc import lambda_handler\n" },
      /^choose one: --handler app\.handler or --handler lambda_function\.lambda_handler$/,
    ],
    [
      "from both usual names in Ruby",
      "ruby:3.4",
      {
        "app.rb": "def handler(event:, context:)\nend\n",
        "lambda_function.rb": "def lambda_handler(event:, context:)\nend\n",
      },
      /^choose one: --handler lambda_function\.lambda_handler or --handler app\.handler$/,
    ],
    [
      "from usual names of two languages, if the base does not show which",
      "",
      { "app.py": DEF, "index.js": CJS },
      /^choose one: --handler app\.handler or --handler index\.handler$/,
    ],
  ] as const)
    it(what, () =>
      assert.rejects(chosen(base, files), (error: unknown) => {
        assert.match(error instanceof Error && "hint" in error ? String(error.hint) : "", hint);
        return failsWith("HANDLER_NOT_FOUND")(error);
      }),
    );
});
