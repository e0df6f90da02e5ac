import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ModuleNames } from "../../../src/lambda/handler/app-files.ts";
import { nodeNames } from "../../../src/lambda/handler/node/names.ts";
import { pythonNames } from "../../../src/lambda/handler/python/names.ts";

/** What the source is, and whether `handler` is in it: yes, no, or only known at run time. */
type Case = readonly [string, string, "yes" | "no" | "unknown"];

function answer({ names, open }: ModuleNames): Case[2] {
  if (names.has("handler")) return "yes";
  return open ? "unknown" : "no";
}

const PYTHON: readonly Case[] = [
  ["a function", "def handler(event, context):\n    return 1", "yes"],
  ["an async function", "async def handler(event, context): ...", "yes"],
  [
    "a decorated function over several lines",
    "@logged(level=1)\ndef handler(\n    event,\n  context,\n):\n  pass",
    "yes",
  ],
  ["an assignment", "handler = make()", "yes"],
  ["a chained assignment", "main = handler = make()", "yes"],
  ["an annotated assignment", "handler: Handler = make()", "yes"],
  ["a tuple", "(main, handler) = make()", "yes"],
  ["a lambda with a default", "handler = lambda event, context, x=1: {'a': event}", "yes"],
  ["an import", "from pkg.mod import handler", "yes"],
  ["an import with another name", "from pkg.mod import (\n    main as handler,  # ours\n)", "yes"],
  ["a module's import", "import handler", "yes"],
  ["a relative import without a space", "from .import handler", "yes"],
  ["an assignment expression", "if (handler := make()):\n    pass", "yes"],
  ["a variable called match", "match = 1\nhandler = match", "yes"],
  ["a name after a raw text", "x = r'\\\\'\nhandler = 1", "yes"],
  ["an import without a space", "from pkg import(\n    handler)", "yes"],
  ["a name in an if", "if DEBUG:\n    handler = a\nelse:\n    handler = b", "yes"],
  ["a name in an if on one line", "if DEBUG: x = 1; handler = a", "yes"],
  ["a name in a try, with tabs", "try:\n\tfrom a import handler\nexcept ImportError:\n\tpass", "yes"],
  ["a name in a with", "with patched() as p:\n  def handler(e, c): pass", "yes"],
  ["a name after a function's body", "def other():\n    x = 1\n\n    return x\nhandler = other", "yes"],
  ["a name after a text in three quotes", 'x = """\ndef nothing(\n"""\nhandler = x', "yes"],
  ["a name after a text with a hash", "x = '#'; handler = 1", "yes"],
  ["a name after a backslash", "x = 1 + \\\n  2\nhandler = x", "yes"],
  ["Windows line ends", "import os\r\n\r\ndef handler(event, context):\r\n    pass\r\n", "yes"],
  ["a star import", "from mod import *", "unknown"],
  ["names made by globals()", "globals()['hand' + 'ler'] = 1", "unknown"],
  ["a module's __getattr__", "def __getattr__(name):\n    return 1", "unknown"],
  ["a method", "class App:\n    def handler(self): pass", "no"],
  ["a function in a function", "def outer():\n    def handler(): pass\n    return handler", "no"],
  ["a local variable", "def outer():\n    handler = 1", "no"],
  ["a local variable after an if", "def outer():\n    if x:\n        y = 1\n    handler = 1", "no"],
  ["an attribute", "app.handler = 1", "no"],
  ["an item", "x['handler'] = 1\nx[handler] = 1", "no"],
  ["a keyword argument", "serve(\n    handler=1,\n)", "no"],
  ["a comparison", "x = 1\nhandler == x", "no"],
  ["a comment", "# handler = 1", "no"],
  ["a docstring", '"""\nhandler = 1\n"""', "no"],
  ["an escaped quote", "x = 'it\\'s'\ny = '\\nhandler = 1'", "no"],
  ["an import's module", "from handler import main", "no"],
  ["nothing", "", "no"],
];

const NODE: readonly Case[] = [
  ["an exported constant", "export const handler = async (event, context) => event;", "yes"],
  ["an exported function", "export async function handler(event) {}", "yes"],
  ["an exported generator", "export function* handler(event) {}", "yes"],
  ["an exported list", "const a = 1;\nexport {\n  b,\n  a as handler,\n};", "yes"],
  ["a minified list", "var o=1;export{o as handler};", "yes"],
  ["a list from another module", "export { handler } from './app.js'", "yes"],
  ["a namespace", "export * as handler from './app.js'", "yes"],
  ["a member of exports", "exports.handler = async () => 1", "yes"],
  ["a member by string", "exports['handler'] = async () => 1", "yes"],
  ["a member of module.exports", "module.exports.handler = async () => 1", "yes"],
  ["an object", "module.exports = { handler };", "yes"],
  [
    "an object with a function",
    "module.exports = { async handler(e, c) { return { a: 1 }; }, b: 2 };",
    "yes",
  ],
  ["an object, late", "module.exports = { a: [1, { b: 2 }], 'handler': (e) => ({ ok: true }) };", "yes"],
  ["exports and module.exports", "exports = module.exports = { handler }", "yes"],
  [
    "esbuild's CommonJS",
    "module.exports = __toCommonJS(x);\n0 && (module.exports = {\n  handler\n});",
    "yes",
  ],
  [
    "tsc's CommonJS",
    'Object.defineProperty(exports, "__esModule", { value: true });\nexports.handler = void 0;',
    "yes",
  ],
  ["a property with a getter", "Object.defineProperty(exports, 'handler', { get() { return 1; } });", "yes"],
  ["a function and then a member", "module.exports = async () => 1;\nmodule.exports.handler = 1;", "yes"],
  [
    "code after a quote in a regular expression",
    "const r = s.replace(/[\"'`]/g, '');\nexports.handler = 1;",
    "yes",
  ],
  ["code after a template in a template", `const t = \`a \${\`b \${c}\`} d\`; exports.handler = 1;`, "yes"],
  ["code after a division", "const r = a / b; const s = '/'; exports.handler = 1;", "yes"],
  ["a star export", "export * from './app.js'", "unknown"],
  ["a destructured export", "export const { handler } = make();", "unknown"],
  ["several exports at once", "export const a = f(1, 2), handler = 2;", "yes"],
  ["a variable after an exported one", "export const a = f(1)\nconst b = 1, handler = 2;", "no"],
  [
    "code after a pattern that follows an arrow",
    "const t = (s) => /`/.test(s);\nexport const handler = () => `x`;",
    "yes",
  ],
  ["code after a pattern that follows a condition", "if (x) /['`]/.test(x);\nexports.handler = 1;", "yes"],
  ["code after a division by a call", "const r = f(a) / 2; const q = '/'; exports.handler = 1;", "yes"],
  [
    "code after a nested template with an object",
    `const t = \`\${[{ a: \`}\` }].length}\`; exports.handler = 1;`,
    "yes",
  ],
  ["a key of that name", "const x = { export: 1, handler: 2 };", "no"],
  ["an import() of that name", "const x = () => import('./handler.js');", "no"],
  ["module.exports from a call", "module.exports = make()", "unknown"],
  ["an object with a spread", "module.exports = { ...require('./app') }", "unknown"],
  ["tsc's star export", "__exportStar(require('./app'), exports);", "unknown"],
  ["a computed member", "exports[name] = 1", "unknown"],
  ["webpack's copy loop", "var r=exports;for(var n in t)r[n]=t[n]", "unknown"],
  ["a module that requires by a template", "module.exports = { ...require(`./app`) }", "unknown"],
  ["a slash in a class of a regular expression", "exports.handler = () => /[/]/.test('/');", "yes"],
  ["another name", "exports.main = 1", "no"],
  ["a function alone", "module.exports = async (event) => event;", "no"],
  ["a default export", "export default async function handler(event) {}", "no"],
  ["a name that is read", "exports.main = () => exports.handler", "no"],
  ["a comparison", "if (exports.handler === 1) {}", "no"],
  ["a nested key", "module.exports = { a: { handler: 1 } }", "no"],
  ["a comment", "// exports.handler = 1\n/* export const handler = 1 */", "no"],
  ["a text", "const s = 'exports.handler = 1'; const t = `export const handler = 1`", "no"],
  ["a local name", "const handler = 1", "no"],
  ["nothing", "", "no"],
];

const ANSWERS = { yes: "has a handler", no: "has none", unknown: "may have one" };

describe("a Python module", () => {
  for (const [name, source, expected] of PYTHON) {
    it(`with ${name} ${ANSWERS[expected]}`, () => assert.equal(answer(pythonNames(source)), expected));
  }
});

describe("a Node module", () => {
  for (const [name, source, expected] of NODE) {
    it(`with ${name} ${ANSWERS[expected]}`, () => assert.equal(answer(nodeNames(source)), expected));
  }
});

describe("which functions a module defines", () => {
  it("a Python function is told from an imported class and from a variable", () => {
    const { functions } = pythonNames("from x import BaseHandler\ndef handler(e, c): return 1\nother = 1");
    assert.deepEqual([...functions], ["handler"]);
  });

  const parameters: readonly (readonly [string, number | undefined])[] = [
    ["exports.handler = (event, context, callback) => callback(null, 1);", 3],
    ["exports.handler = async function (event, { a, b }, callback) {};", 3],
    ["export const handler = async (event, context = {}) => 1;", 1],
    ["export function handler(event, ...rest) {}", 1],
    ["const handler = (event, context, callback) => 1;\nmodule.exports = { handler };", 3],
    ["function run(event, context, callback) {}\nexport { run as handler };", 3],
    ["module.exports = { async handler(event, context) {} };", 2],
    ["exports.handler = event => event;", 1],
    ["exports.handler = wrap(app);", undefined],
  ];
  for (const [source, count] of parameters) {
    it(`${JSON.stringify(source)} has ${count ?? "an unknown number of"} parameters`, () =>
      assert.equal(nodeNames(source).parameters.get("handler"), count));
  }

  const systems: readonly (readonly [string, boolean, boolean])[] = [
    ["export const handler = 1;", true, false],
    ["import x from 'x';", true, false],
    ["console.log(import.meta.url);", true, false],
    ["exports.handler = 1;", false, true],
    ["module.exports = { handler };", false, true],
    ["const x = () => import('./x.js');", false, false],
  ];
  for (const [source, isEsm, isCommonJs] of systems) {
    it(`${JSON.stringify(source)} is ${isEsm ? "an ES module" : isCommonJs ? "CommonJS" : "neither for certain"}`, () => {
      const module = nodeNames(source);
      assert.deepEqual([module.isEsm, module.isCommonJs], [isEsm, isCommonJs]);
    });
  }
});

/** With a reader whose time grows with the square of the length, each of these takes minutes (64 kB took up to 22 s). */
describe("the readers of handlers are linear", () => {
  const SIZE = 256 * 1024;
  const patterns: readonly string[] = [
    "'\"`",
    "([{",
    "([{}])",
    '"""\\',
    "'''\\a",
    "'''\\'",
    "from a import b as ",
    "as ",
    "=/[",
    "=/[/",
    "a/b ",
    "'a",
    "`$" + "{",
    "exports ",
    "exports.a = ",
    "export { ",
    "export const a = b ",
    "module.exports = {",
    "module.exports = {a: function(",
    "/*",
    "/* * /",
    "a = ",
    "(a) => ",
    "\\\n",
    "\t",
    "x: if ",
    "function (a = ",
  ];
  for (const pattern of patterns) {
    it(`256 kB of ${JSON.stringify(pattern)} are read in seconds`, { timeout: 60_000 }, () => {
      const source = pattern.repeat(Math.ceil(SIZE / pattern.length));
      pythonNames(source);
      nodeNames(source);
    });
  }
});
