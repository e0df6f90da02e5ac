import { jar } from "../../support/formats/jar.ts";
import { describeAppCases } from "../../support/images/app-cases.ts";

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
  "a bootstrap with Windows line ends is refused": {
    ...{ base: "provided:al2023", rule: "bootstrap", says: /CR LF.*sed -i/ },
    tree: { bootstrap: { file: "#!/bin/sh\r\nexec ./app\r\n", mode: 0o755 } },
  },
});
