import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { build } from "../../../src/index.ts";
import { jar } from "../../support/formats/jar.ts";
import { awsBase, describeAppCases } from "../../support/images/app-cases.ts";
import { publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

const JAVA = { base: "java:21", options: { handler: "com.example.App::handleRequest" } } as const;
const NODE = "exports.handler = async () => 1;\n";
const PYTHON = "def handler(event, context):\n    return 1\n";
const BOOTSTRAP = { file: "#!/bin/sh\nexec ./app\n", mode: 0o755 } as const;

describeAppCases("what AWS's class loader reads", {
  "a class in the task root is found": { ...JAVA, tree: { "com/example/App.class": "" } },
  "a class in a jar of lib is found": { ...JAVA, tree: { "lib/app.jar": jar("com/example/App.class") } },
  "a class in a jar of the task root is not read": {
    ...{ ...JAVA, rule: "handler" },
    tree: { "app.jar": jar("com/example/App.class"), "lib/other.jar": jar("x/Y.class") },
    says: /is in app\.jar, where Lambda's class loader does not look.*mkdir -p lib && mv app\.jar lib\//,
  },
  "a class in a directory below lib is not read": {
    ...{ ...JAVA, rule: "handler" },
    tree: { "lib/more/app.jar": jar("com/example/App.class") },
    says: /is in lib\/more\/app\.jar/,
  },
  "a class below Maven's directory gets the advice to build that directory": {
    ...{ ...JAVA, rule: "handler" },
    tree: { "target/classes/com/example/App.class": "", "pom.xml": "" },
    says: /is in target\/classes, where Lambda's class loader does not look.*build the directory target\/classes instead/,
  },
  "a class inside a Spring Boot jar gets the advice to repackage": {
    ...{ ...JAVA, rule: "handler" },
    tree: {
      "lib/app.jar": jar("BOOT-INF/classes/com/example/App.class", "org/springframework/boot/loader/X.class"),
    },
    says: /inside lib\/app\.jar in BOOT-INF.*shade plugin.*BOOT-INF\/lib to lib/,
  },
});

describeAppCases("jars that are no zip files", {
  "a jar that has to hold the handler's class is an error": {
    ...{ ...JAVA, rule: "handler" },
    tree: { "lib/app.jar": "version https://git-lfs.github.com/spec/v1\n" },
    says: /needs com\/example\/App\.class, and lib\/app\.jar is not a jar.*fix: copy the jar there again: mvn package/,
  },
  "an empty jar that has to hold the handler's class is an error": {
    ...{ ...JAVA, rule: "handler", tree: { "lib/app.jar": "" } },
    says: /lib\/app\.jar is not a jar/,
  },
  "another jar than that of the handler is a warning": {
    ...{ ...JAVA, rule: "dependencies", severity: "warning" },
    tree: { "lib/app.jar": jar("com/example/App.class"), "lib/gson.jar": "<html>404</html>" },
    says: /\/var\/task\/lib\/gson\.jar 1 jar that is no zip file: lib\/gson\.jar fix: .*copy-dependencies/,
  },
  "a jar outside lib, which Java does not read, is accepted": {
    ...{ ...JAVA, tree: { "lib/app.jar": jar("com/example/App.class"), "docs/x.jar": "" } },
  },
});

const PARAMETERS = { base: "python:3.12", rule: "handler-parameters" } as const;

describeAppCases("how Python's runtime calls the handler", {
  "one parameter is an error": {
    ...{ ...PARAMETERS, tree: { "app.py": "def handler(event):\n    return 1\n" } },
    says: /app\.handler takes 1 argument, and Lambda calls it with two.*fix: write it as def handler\(event, context\):/,
  },
  "three parameters are an error": {
    ...{ ...PARAMETERS, tree: { "app.py": "def handler(event, context, extra): ...\n" } },
    says: /needs 3 arguments/,
  },
  "a parameter that can be given by its name only is an error": {
    ...{ ...PARAMETERS, tree: { "app.py": "def handler(event, context, *, extra): ...\n" } },
    says: /needs an argument by its name/,
  },
  "an async function is an error": {
    ...{ ...PARAMETERS, tree: { "app.py": "async def handler(event, context): ...\n" } },
    says: /is async, and Python's runtime does not wait/,
  },
  "one parameter below a decorator is a warning": {
    ...{ ...PARAMETERS, severity: "warning" },
    tree: { "app.py": "@event_only(\n  level=1,\n)\ndef handler(event):\n    return 1\n" },
  },
  "one parameter in a try is a warning": {
    ...{ ...PARAMETERS, severity: "warning" },
    tree: { "app.py": "try:\n    def handler(event): ...\nexcept ImportError:\n    pass\n" },
  },
  "any number of arguments is accepted": {
    base: "python:3.12",
    tree: { "app.py": "def handler(*arguments, **more): ...\n" },
  },
  "parameters with default values, types and a slash are accepted": {
    base: "python:3.12",
    tree: {
      "app.py": "def handler[T](event: dict[str, T], /, context=None, x=(1, 2), *, y=1, **more): ...\n",
    },
  },
  "a default value that is a lambda is accepted": {
    base: "python:3.12",
    tree: { "app.py": "def handler(event, key=lambda a, b: a): ...\n" },
  },
  "a name that is bound again after the function is accepted": {
    base: "python:3.12",
    tree: { "app.py": "def handler(event): ...\nhandler = wrapped(handler)\n" },
  },
});

describeAppCases("handlers behind links", {
  "a handler that is a link is read where it leads": {
    base: "nodejs:22",
    tree: { "dist/index.js": NODE, "index.js": { link: "dist/index.js" } },
  },
  "a handler in a directory behind a link is found": {
    base: "python:3.12",
    tree: { "releases/42/app.py": PYTHON, current: { link: "releases/42" } },
    options: { handler: "current/app.handler" },
  },
  "a handler in a package of pnpm's store is found": {
    base: "nodejs:22",
    tree: {
      "node_modules/.pnpm/dd@9/node_modules/dd/dist/handler.mjs": "export const handler = async () => 1;",
      "node_modules/dd": { link: ".pnpm/dd@9/node_modules/dd" },
    },
    options: { handler: "node_modules/dd/dist/handler.handler" },
  },
  "a handler that is a link to nothing is missing": {
    base: "nodejs:22",
    tree: { "index.js": { link: "dist/index.js" }, "README.md": "x" },
    ...{ options: { handler: "index.handler" }, rule: "handler", says: /needs a file index\.js/ },
  },
  "a handler that is a link out of the app is told where it leads": {
    base: "python:3.12",
    tree: { "app.py": { link: "../shared/app.py" }, "README.md": "x" },
    ...{ options: { handler: "app.handler" }, rule: "handler" },
    says: /needs a file app\.py: app\.py is a link to \.\.\/shared\/app\.py, which leads to no file of the app.*replace the link app\.py/,
  },
  "a link of an absolute path below the task root is followed": {
    base: "python:3.12",
    tree: { "src/app.py": PYTHON, "app.py": { link: "/var/task/src/app.py" } },
  },
});

describeAppCases("handlers that cannot be read for certain", {
  "a compiled Python module may define any handler": {
    base: "python:3.12",
    tree: { "app.pyc": "\u0000" },
    options: { handler: "app.handler" },
  },
  "a regular expression after an arrow hides no export": {
    base: "nodejs:22",
    tree: {
      "index.mjs": "const t = (s) => /`/.test(s);\nexport const handler = async () => `x`;\n",
    },
  },
  "--cmd gets past a handler that is not there": {
    base: "nodejs:22",
    tree: { "index.js": NODE },
    ...{ options: { cmd: ["run.sh"] }, rule: "handler", severity: "warning", says: /run\.sh/ },
    isDirectoryOnly: true,
  },
});

describeAppCases("first lines of scripts", {
  "a bootstrap with a shell is started": { base: "provided:al2023", tree: { bootstrap: BOOTSTRAP } },
  "a bootstrap for a program that the base lacks is refused": {
    ...{
      base: "provided:al2023",
      rule: "bootstrap",
      says: /its interpreter \S+ is (?:in no directory of PATH|not in the image)/,
    },
    tree: { bootstrap: { file: "#!/usr/bin/env python3\nprint(1)\n", mode: 0o755 } },
  },
  "a bootstrap for an interpreter at a path that the base lacks is refused": {
    ...{
      base: "provided:al2023",
      rule: "bootstrap",
      says: /interpreter \/usr\/bin\/python3 is not in the image/,
    },
    tree: { bootstrap: { file: "#!/usr/bin/python3\n", mode: 0o755 } },
  },
  "a bootstrap for an interpreter that the app brings is started": {
    base: "provided:al2023",
    tree: {
      bootstrap: { file: "#!/var/task/bin/run\n", mode: 0o755 },
      "bin/run": { file: "#!/bin/sh\n", mode: 0o755 },
    },
  },
  "an empty bootstrap is refused": {
    ...{ base: "provided:al2023", rule: "bootstrap", tree: { bootstrap: { file: "", mode: 0o755 } } },
    says: /\/var\/runtime\/bootstrap the bootstrap is empty fix: build it for linux\/amd64: GOOS=linux/,
  },
  "a bootstrap that is text without an interpreter is refused": {
    ...{ base: "provided:al2023", rule: "bootstrap", tree: { bootstrap: { file: "./app\n", mode: 0o755 } } },
    says: /neither an ELF file nor a script.*fix: begin it with #!\/bin\/sh/,
  },
  "a bootstrap with Windows line ends is refused": {
    ...{ base: "provided:al2023", rule: "bootstrap", says: /CR LF.*sed -i/ },
    tree: { bootstrap: { file: "#!/bin/sh\r\nexec ./app\r\n", mode: 0o755 } },
  },
});

describe("what `build` stops at, as `check` does", () => {
  const CASES: readonly (readonly [name: string, base: string, tree: Tree, says: RegExp])[] = [
    ["an empty bootstrap", "provided:al2023", { bootstrap: "" }, /the bootstrap is empty/],
    ["a jar that is no zip file", "java:21", { "lib/app.jar": "x" }, /lib\/app\.jar is not a jar/],
    [
      "a Python handler with one parameter",
      ...(["python:3.12", { "app.py": "def handler(event): ...\n" }] as const),
      /app\.handler takes 1 argument/,
    ],
  ];
  for (const [name, base, tree, message] of CASES)
    it(`build refuses ${name}`, async (t) => {
      const registry = await TestRegistry.start();
      t.after(() => registry.stop());
      const [language = "", tag = ""] = base.split(":");
      await publishBase(registry, `lambda/${language}`, tag, await awsBase(language));
      const result = build({
        directory: makeTree(tree),
        ...{ base, ...(language === "java" && JAVA.options) },
        to: `oci:${join(temporaryDirectory(), "out")}`,
        cache: false,
        environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
      });
      await assert.rejects(result, { name: "LambdaPackError", message });
    });
});
