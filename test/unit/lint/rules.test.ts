import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { check } from "../../../src/commands/check/check.ts";
import type { CheckOptions } from "../../../src/commands/check/options.ts";
import { compileIgnore } from "../../../src/layer/ignore/ignore.ts";
import { RULES } from "../../../src/lint/run-rules.ts";
import { elf } from "../../support/formats/elf.ts";
import {
  APP_LAYER,
  BASE_LAYER,
  directories,
  file,
  GOOD,
  type TestImage,
  withConfig,
  withFiles,
  writeImage,
} from "../../support/images/check-image.ts";

async function find(image: TestImage, options: Partial<CheckOptions> = {}) {
  return check({ source: await writeImage(image), cache: false, environment: {}, ...options });
}

interface Case {
  readonly rule: string;
  readonly severity?: "error" | "warning" | "info";
  /** What of it: part of the name of the test. */
  readonly by: string;
  readonly image: TestImage;
  readonly options?: Partial<CheckOptions>;
  /** In the finding's path, message or hint. */
  readonly says: RegExp;
  /** Other rules that such an image cannot but break. */
  readonly also?: readonly string[];
}

const NODE_BASE = { "org.opencontainers.image.base.name": "public.ecr.aws/lambda/nodejs:22" };
const native = (path: string, bytes: Buffer) => withFiles(...parents(path), file(`var/task/${path}`, bytes));
const big = "x".repeat(150_000);

function parents(path: string) {
  const parts = path.split("/").slice(0, -1);
  return directories(...parts.map((_, index) => `var/task/${parts.slice(0, index + 1).join("/")}`));
}

/** What of it, a file that is it, and what is said of 150,000 bytes of it. */
const BALLAST: readonly (readonly [by: string, path: string, says: RegExp])[] = [
  [
    "Node's SDK of AWS",
    "node_modules/@aws-sdk/core/index.js",
    /the AWS SDK, which the Node runtime has.*npm prune/,
  ],
  ["its parts", "node_modules/@smithy/core/index.js", /the AWS SDK, which the Node runtime has/],
  ["botocore", "botocore/data/ec2.json", /the AWS SDK, which the Python runtime has/],
  ["what pip says of it", "boto3-1.40.dist-info/METADATA", /the AWS SDK, which the Python runtime has/],
  ["a file of the Finder's", "pkg/.DS_Store", /files of macOS.*\*\*\/\.DS_Store/],
  ["a resource fork", "pkg/._mod.py", /files of macOS/],
  ["a directory of macOS's zip", "__MACOSX/app", /files of macOS/],
  ["a cache of pip's", ".cache/pip/x", /caches.*\.lambdaignore/],
  ["a cache of Babel's", "node_modules/.cache/babel/x.json", /caches/],
  ["a cache of pytest's", "pkg/.pytest_cache/x", /caches/],
  ["a cache of mypy's", ".mypy_cache/x", /caches/],
  ["npm's cache", ".npm/_cacache/x", /caches/],
  ["tests of a Python package", "numpy/core/tests/test_x.py", /tests.*\*\*\/tests/],
  ["tests of Jest", "src/__tests__/a.js", /tests/],
  ["a test beside its source", "src/a.test.js", /tests/],
  ["a specification of Mocha", "lib/a.spec.ts", /tests/],
  ["a source map", "dist/index.js.map", /source maps and type declarations.*\*\*\/\*\.map/],
  ["type declarations", "node_modules/a/index.d.ts", /source maps and type declarations/],
  ["documentation", "node_modules/a/docs/index.html", /documentation/],
  ["a readme", "node_modules/a/README.md", /documentation.*\*\.md/],
];

const NODE_HANDLER = "exports.handler = async (event) => event;\n";

function configFor(path: string) {
  return path.startsWith("node_modules/@") ? { Labels: NODE_BASE } : {};
}

const CASES: readonly Case[] = [
  {
    ...{ rule: "index-under-tag", by: "an index of one platform and an attestation" },
    image: { ...GOOD, index: [GOOD.platform, { os: "unknown", architecture: "unknown" }] },
    says: /index of 2: linux\/amd64, and 1 that are attestations/,
  },
  {
    ...{ rule: "attestation", by: "an in-toto statement as layer", also: ["media-types", "layer-content"] },
    image: {
      ...GOOD,
      layers: [Buffer.from('{"_type": "in-toto"}')],
      layerType: "application/vnd.in-toto+json",
    },
    says: /vnd\.in-toto/,
    options: { allow: ["entrypoint", "handler", "workdir", "bootstrap", "runtime-client"] },
  },
  {
    ...{ rule: "media-types", by: "an OCI manifest of Docker's layers" },
    image: { ...GOOD, layerType: "application/vnd.docker.image.rootfs.diff.tar.gzip" },
    says: /the manifest has the media type application\/vnd\.oci.*names application\/vnd\.docker/,
  },
  {
    ...{ rule: "media-types", by: "layers called uncompressed" },
    image: { ...GOOD, layerType: "application/vnd.oci.image.layer.v1.tar" },
    says: /layer 1 of 2 is application\/vnd\.oci\.image\.layer\.v1\.tar, and 1 more/,
  },
  {
    ...{ rule: "layer-content", by: "diff_ids of other layers" },
    image: {
      ...GOOD,
      more: { rootfs: { type: "layers", diff_ids: ["a", "b"].map((digit) => `sha256:${digit.repeat(64)}`) } },
    },
    says: /unpacks to sha256:[0-9a-f]+, not to its diff_id sha256:a/,
  },
  {
    ...{ rule: "layer-content", by: "fewer diff_ids than layers" },
    image: { ...GOOD, more: { rootfs: { type: "layers", diff_ids: [] } } },
    says: /2 layers, the config has 0 diff_ids/,
  },
  {
    rule: "history",
    severity: "warning",
    by: "no history",
    image: { ...GOOD, more: { history: null } },
    says: /the image has 2 layers, and its history has no entry/,
  },
  {
    ...{ rule: "missing-parent", by: "a file without its directory" },
    image: withFiles(file("var/task/pkg/mod.py")),
    says: /var\/task\/pkg\/mod\.py/,
  },
  {
    ...{ rule: "missing-parent", by: "a directory after its file" },
    image: { ...GOOD, layers: [BASE_LAYER, [...APP_LAYER, file("opt/a"), ...directories("opt")]] },
    says: /has no entry for the directory of opt\/a/,
  },
  {
    rule: "duplicate-entry",
    by: "a name twice",
    image: withFiles(file("var/task/app.py", "def handler(event, context): pass")),
    says: /two entries for var\/task\/app\.py/,
  },
  {
    rule: "entry-name",
    by: "a name that leaves the image",
    image: withFiles(file("../../etc/passwd")),
    says: /\.\.\/\.\.\/etc\/passwd/,
  },
  {
    ...{ rule: "entry-name", severity: "warning", by: "a backslash" },
    image: withFiles(file("var/task/pkg\\mod.py")),
    says: /pkg\\\\mod\.py/,
  },
  {
    ...{ rule: "entry-name", by: "a name longer than Linux allows" },
    image: withFiles(file(`var/task/${"n".repeat(256)}`)),
    says: /1 name with \.\. or too long: var\/task\/n+\.\.\. \(265 characters\)/,
  },
  {
    ...{ rule: "colliding-names", severity: "info", by: "two names that differ in case" },
    image: withFiles(
      ...directories("var/task/lib"),
      file("var/task/lib/Util.py"),
      file("var/task/lib/util.py"),
    ),
    says: /\/var\/task\/lib\/util\.py 1 name that differs only in case or accents: "Util\.py" and "util\.py"/,
  },
  {
    ...{ rule: "colliding-names", severity: "info", by: "two ways to write an accent" },
    image: withFiles(file("var/task/caf\u00e9.py"), file("var/task/cafe\u0301.py")),
    says: /1 name that differs only in case or accents/,
  },
  {
    rule: "entry-kind",
    by: "a FIFO",
    image: withFiles({ name: "var/task/pipe", type: "fifo" }),
    says: /var\/task\/pipe \(fifo\)/,
  },
  {
    ...{ rule: "hardlink", by: "a hard link to what comes later" },
    image: withFiles({ name: "var/task/a", type: "link", linkname: "var/task/b" }, file("var/task/b")),
    says: /var\/task\/a -> var\/task\/b/,
  },
  {
    rule: "platform",
    by: "another architecture than the function's",
    image: GOOD,
    options: { arch: "arm64" },
    says: /linux\/amd64, the function for arm64/,
  },
  {
    ...{ rule: "platform", by: "a platform that Lambda has not" },
    image: { ...GOOD, platform: { os: "linux", architecture: "s390x" } },
    says: /linux\/s390x/,
  },
  {
    rule: "entrypoint",
    by: "a program that is not there",
    image: withConfig({ Entrypoint: ["/nowhere"] }),
    says: /\/nowhere.*not in the image/,
    also: ["runtime-client"],
  },
  {
    ...{ rule: "entrypoint", by: "a program that may not be executed" },
    image: { ...withFiles(file("lambda-entrypoint.sh", "#!/bin/sh\n")) },
    says: /may not be executed \(mode 0644\)/,
    also: ["hidden-files"],
  },
  {
    ...{ rule: "entrypoint", severity: "warning", by: "a link" },
    image: withFiles({ name: "lambda-entrypoint.sh", type: "symlink", linkname: "bin/sh" }),
    says: /is a link to bin\/sh/,
  },
  {
    ...{ rule: "entrypoint", by: "an interpreter that is not there" },
    image: withFiles(file("lambda-entrypoint.sh", "#!/bin/bash\n", 0o755)),
    says: /interpreter \/bin\/bash is not in the image/,
  },
  {
    ...{ rule: "entrypoint", by: "a first line that ends in CR" },
    image: withFiles(file("lambda-entrypoint.sh", "#!/bin/sh\r\n", 0o755)),
    says: /CR LF/,
  },
  { rule: "one-word-command", by: "no CMD", image: withConfig({ Cmd: null }), says: /has no CMD/ },
  {
    ...{ rule: "one-word-command", by: "two words in CMD" },
    image: withConfig({ Cmd: ["app", "app.handler"] }),
    says: /\["app","app\.handler"\]/,
  },
  {
    rule: "workdir",
    by: "a directory that is not there",
    image: withConfig({ WorkingDir: "/srv" }),
    says: /\/srv.*not in the image/,
    also: ["handler"],
  },
  {
    rule: "workdir",
    by: "a relative path",
    image: withConfig({ WorkingDir: "srv" }),
    says: /"srv", not an absolute path/,
    also: ["handler"],
  },
  {
    ...{ rule: "bootstrap", by: "an OS-only base without one" },
    image: {
      ...withConfig({
        Labels: { "org.opencontainers.image.base.name": "public.ecr.aws/lambda/provided:al2023" },
      }),
      layers: [
        BASE_LAYER.filter(({ name }) => name !== "var/runtime/bootstrap"),
        [...APP_LAYER, file("var/task/bootstrap", "", 0o755)],
      ],
    },
    says: /bootstrap is at \/var\/task\/bootstrap/,
  },
  {
    ...{ rule: "runtime-client", by: "another base with nothing that speaks the Runtime API" },
    image: withConfig({
      Entrypoint: null,
      Cmd: ["app.handler"],
      Labels: null,
      Env: ["PATH=/bin", "PYTHON_VERSION=3.12"],
    }),
    says: /no runtime interface client for python.*pip install --target \. awslambdaric/,
    also: ["entrypoint"],
  },
  {
    ...{ rule: "runtime-client", by: "an entry point whose client is not there" },
    image: withConfig({ Entrypoint: ["/var/lang/bin/python3.12", "-m", "awslambdaric"], Labels: null }),
    says: /starts a runtime interface client that it does not have/,
  },
  {
    rule: "handler",
    by: "a file that is not there",
    image: withConfig({ Cmd: ["main.handler"] }),
    says: /needs a file main\.py/,
  },
  {
    ...{ rule: "handler", severity: "warning", by: "a name that its file does not define" },
    image: withConfig({ Cmd: ["app.handlr"] }),
    says: /define handlr.*did you mean app\.handler/,
  },
  {
    ...{ rule: "handler", by: "a Java class that is in no jar" },
    image: withConfig({
      Cmd: ["com.example.App::handle"],
      Labels: { "org.opencontainers.image.base.name": "public.ecr.aws/lambda/java:21" },
    }),
    says: /needs com\/example\/App\.class/,
  },
  {
    rule: "readable",
    by: "a file of mode 0600",
    image: withFiles(file("var/task/secret.py", "", 0o600)),
    says: /\/var\/task\/secret\.py/,
  },
  {
    rule: "extensions",
    by: "one that may not be executed",
    image: withFiles(...directories("opt", "opt/extensions"), file("opt/extensions/agent")),
    says: /opt\/extensions\/agent/,
  },
  {
    ...{ rule: "extensions", by: "eleven of them" },
    image: withFiles(
      ...directories("opt", "opt/extensions"),
      ...Array.from({ length: 11 }, (_, index) => file(`opt/extensions/agent-${index}`, "", 0o755)),
    ),
    says: /11 extensions/,
  },
  {
    ...{ rule: "extensions", by: "a first line that ends in CR" },
    image: withFiles(
      ...directories("opt", "opt/extensions"),
      file("opt/extensions/agent", "#!/bin/sh\r\n", 0o755),
    ),
    says: /\/opt\/extensions\/agent its first line ends in CR LF/,
  },
  {
    ...{ rule: "bootstrap", by: "an interpreter that is not there" },
    image: {
      ...GOOD,
      layers: [
        BASE_LAYER,
        [
          ...APP_LAYER,
          ...directories("var/runtime"),
          file("var/runtime/bootstrap", "#!/usr/bin/python3\n", 0o755),
        ],
      ],
    },
    says: /\/var\/runtime\/bootstrap its interpreter \/usr\/bin\/python3 is not in the image/,
    also: ["hidden-files"],
  },
  {
    ...{ rule: "exec-wrapper", by: "a first line that ends in CR" },
    image: {
      ...withConfig({
        Env: [...(GOOD.config["Env"] as string[]), "AWS_LAMBDA_EXEC_WRAPPER=/var/task/wrap.sh"],
      }),
      layers: [BASE_LAYER, [...APP_LAYER, file("var/task/wrap.sh", "#!/bin/sh\r\n", 0o755)]],
    },
    says: /\/var\/task\/wrap\.sh its first line ends in CR LF/,
  },
  {
    ...{ rule: "exec-wrapper", by: "a script that is not there" },
    image: withConfig({ Env: [...(GOOD.config["Env"] as string[]), "AWS_LAMBDA_EXEC_WRAPPER=/opt/wrap"] }),
    says: /\/opt\/wrap the wrapper is not in the image/,
  },
  {
    ...{ rule: "links", severity: "warning", by: "a link to what is not there" },
    image: withFiles({ name: "var/task/lib", type: "symlink", linkname: "../../packages/lib" }),
    says: /\/var\/task 1 link leads to nothing in the image: lib -> \.\.\/\.\.\/packages\/lib/,
  },
  {
    ...{ rule: "native-architecture", severity: "warning", by: "a module for another machine" },
    image: native("numpy/core/_multiarray.cpython-312-aarch64-linux-gnu.so", elf({ machine: "arm64" })),
    says: /Linux on arm64.*pip install .*--platform manylinux_2_28_x86_64 --only-binary=:all: --python-version 3\.12 numpy/,
  },
  {
    ...{ rule: "native-architecture", severity: "warning", by: "a module of macOS" },
    image: {
      ...native(
        "node_modules/@img/sharp-darwin-arm64/lib/sharp.node",
        Buffer.from("cffaedfe0c000001", "hex"),
      ),
      config: { ...GOOD.config, Labels: NODE_BASE, Cmd: ["app.py"] },
    },
    says: /macOS on arm64.*package sharp.*npm install --os=linux --cpu=x64 --libc=glibc/,
    options: { allow: ["handler"] },
  },
  {
    ...{ rule: "native-glibc", severity: "warning", by: "a module that asks for a newer glibc" },
    image: native("pkg/_native.so", elf({ versions: ["GLIBC_2.2.5", "GLIBC_2.38"], needed: ["libc.so.6"] })),
    says: /glibc 2\.38, and Amazon Linux 2023 has 2\.34/,
  },
  {
    ...{ rule: "native-libc", severity: "warning", by: "a module for musl" },
    image: native("pkg/_native.so", elf({ needed: ["libc.musl-x86_64.so.1"] })),
    says: /linked with musl, and Amazon Linux 2023 has glibc/,
  },
  {
    ...{ rule: "snapstart", by: "a base that needs the label" },
    image: withConfig({ Labels: NODE_BASE }),
    options: { snapstart: true, allow: ["handler"] },
    says: /neither the base nor a label/,
  },
  {
    ...{ rule: "base-support", severity: "warning", by: "a base past its days" },
    image: withConfig({
      Labels: { "org.opencontainers.image.base.name": "public.ecr.aws/lambda/python:3.8" },
    }),
    says: /python:3\.8 gets no more security patches/,
  },
  {
    ...{ rule: "ignored-settings", severity: "info", by: "USER and EXPOSE" },
    image: withConfig({ User: "app", ExposedPorts: { "8080/tcp": {} } }),
    says: /User, ExposedPorts/,
  },
  {
    ...{ rule: "reserved-variables", severity: "warning", by: "AWS_REGION" },
    image: withConfig({ Env: ["PATH=/bin", "AWS_REGION=eu-west-1"] }),
    says: /AWS_REGION/,
  },
  {
    ...{ rule: "secret-variables", severity: "warning", by: "a token" },
    image: withConfig({ Env: ["PATH=/bin", "GITHUB_TOKEN=x"] }),
    says: /GITHUB_TOKEN/,
  },
  {
    rule: "secret-files",
    severity: "warning",
    by: "an .env",
    image: withFiles(file("var/task/.env", "A=1")),
    says: /\/var\/task\/\.env/,
  },
  {
    ...{ rule: "writable-places", severity: "info", by: "a cache in the image" },
    image: withConfig({ Env: ["PATH=/bin", "HF_HOME=/var/task/cache"] }),
    says: /HF_HOME is \/var\/task\/cache/,
  },
  {
    ...{ rule: "ballast", severity: "info", by: "the SDK that the runtime has" },
    image: withFiles(...directories("var/task/boto3"), file("var/task/boto3/session.py", big)),
    says: /150 kB in 1 file: the AWS SDK/,
  },
  ...BALLAST.map(
    ([by, path, says]): Case => ({
      ...{ rule: "ballast", severity: "info", by, says },
      image: {
        ...withFiles(...parents(path), file(`var/task/${path}`, big), file("var/task/app.js", NODE_HANDLER)),
        config: { ...GOOD.config, ...configFor(path) },
      },
    }),
  ),
  {
    ...{ rule: "ballast", severity: "info", by: "one content under two names, in two layers" },
    image: {
      ...GOOD,
      layers: [
        [...BASE_LAYER, file("opt/model.bin", big)],
        [...APP_LAYER, file("var/task/copy.bin", big)],
      ],
    },
    says: /\/opt\/model\.bin 150 kB in 1 file that the image has under another name too; most of all 150 kB at \/opt\/model\.bin, \/var\/task\/copy\.bin/,
  },
  {
    ...{ rule: "timed-bytecode", severity: "info", by: "a .pyc with another time than its source" },
    image: withFiles(
      ...directories("var/task/__pycache__"),
      file("var/task/__pycache__/app.cpython-312.pyc", Buffer.from("cb0d0d0a00000000ffffffff", "hex")),
    ),
    says: /1 \.pyc file/,
  },
  {
    ...{ rule: "hidden-files", severity: "info", by: "a file in two layers" },
    image: {
      ...GOOD,
      layers: [
        [...BASE_LAYER, file("var/task/data", big)],
        [...APP_LAYER, file("var/task/data", big)],
      ],
    },
    says: /150 kB in 1 file that a higher layer/,
  },
];

describe("an image with nothing wrong", () => {
  it("breaks no rule", async () => {
    const { findings, ok, layers } = await find(GOOD);
    assert.deepEqual([findings, ok, layers], [[], true, { all: 2, read: 2 }]);
  });
});

describe("the rule", () => {
  for (const { rule, severity = "error", by, image, options, says, also = [] } of CASES) {
    it(`${rule} is broken by ${by}`, async () => {
      const { findings, ok } = await find(image, options);
      const own = findings.filter((finding) => finding.rule === rule);
      const others = findings
        .map((finding) => finding.rule)
        .filter((id) => id !== rule && !also.includes(id));
      assert.deepEqual(others, [], JSON.stringify(findings, undefined, 1));
      assert.match(own.map(({ path = "", message, hint }) => `${path} ${message} ${hint}`).join("\n"), says);
      assert.equal(own[0]?.severity, severity);
      if (givesAdvice(rule)) assert.ok(own.every((finding) => finding.severity === "info")); // what builds rely on
      assert.equal(ok, severity !== "error");
    });
  }

  it("the rule is tried above, whichever it is", () => {
    const tried = new Set([...CASES.map(({ rule }) => rule), ...ELSEWHERE]);
    assert.deepEqual(
      RULES.map(({ id }) => id).filter((id) => !tried.has(id)),
      [],
    );
  });
});

function givesAdvice(rule: string): boolean {
  return RULES.some(({ id, severity }) => id === rule && severity === "info");
}

/** In packages-in-apps.test.ts and handlers-in-apps.test.ts. */
const IN_APPS = [
  "handler-parameters",
  "module-type",
  "callback-handler",
  "dependencies",
  "virtual-environment",
  "runtime-version",
  "native-compiled",
  "shared-libraries",
  "development-dependencies",
];

/** In check.test.ts and test/components/inspect/check-hostile.test.ts: they need a registry, a sparse file and gigabytes. */
const ELSEWHERE = ["base-behind", "size", ...IN_APPS];

describe("the flags of ballast's hint", () => {
  for (const [by, path] of BALLAST.filter(([, , says]) => !/SDK|caches/.test(says.source))) {
    it(`leave out ${by}`, async () => {
      const image = {
        ...withFiles(...parents(path), file(`var/task/${path}`, big), file("var/task/app.js", NODE_HANDLER)),
        config: { ...GOOD.config, ...configFor(path) },
      };
      const { findings } = await find(image, { allow: ["handler"] });
      const hint = findings.find(({ rule }) => rule === "ballast")?.hint ?? "";
      const patterns = [...hint.matchAll(/--exclude "([^"]+)"/g)].map(([, pattern = ""]) => pattern);
      const rules = compileIgnore(patterns.map((pattern) => ({ pattern, where: "--exclude" })));
      assert.ok(rules.ignores(rules.judge(path)), hint);
    });
  }
});

describe("--allow", () => {
  it("lets an image break that rule, and no other", async () => {
    const image = withFiles(file("var/task/closed.py", "", 0o600), file("var/task/.env", "A=1"));
    const { findings, ok } = await find(image, { allow: ["readable"] });
    assert.deepEqual([findings.map(({ rule }) => rule), ok], [["secret-files"], true]);
  });

  it("of a rule that there is none of is refused with those that there are", async () => {
    await assert.rejects(find(GOOD, { allow: ["nonsense"] }), {
      code: "USAGE",
      hint: /index-under-tag, attestation/,
    });
  });
});

describe("what is not a finding", () => {
  const cases: readonly (readonly [string, TestImage])[] = [
    [
      "a package that brings a file for each platform, and one that fits",
      withFiles(
        ...directories(
          "var/task/node_modules",
          "var/task/node_modules/p",
          "var/task/node_modules/p/prebuilds",
          "var/task/node_modules/p/prebuilds/darwin-arm64",
          "var/task/node_modules/p/prebuilds/linux-x64",
        ),
        file("var/task/node_modules/p/prebuilds/darwin-arm64/p.node", Buffer.from("cffaedfe0c000001", "hex")),
        file("var/task/node_modules/p/prebuilds/linux-x64/p.node", elf({ versions: ["GLIBC_2.17"] })),
      ),
    ],
    [
      "a Java class, which has the magic number of macOS",
      withFiles(file("var/task/App.class", Buffer.from("cafebabe00000034", "hex"))),
    ],
    [
      "a hard link to what came before",
      withFiles({ name: "var/task/again.py", type: "link", linkname: "var/task/app.py" }),
    ],
    ["a file that a whiteout removes", withFiles(file("var/.wh.lang"), ...directories("opt"))],
    [
      "the SDK of AWS where no runtime brings one, tests in the app's own name, and less than is worth a line",
      withFiles(
        ...directories("var/task/node_modules", "var/task/node_modules/@aws-sdk", "var/task/tests"),
        file("var/task/node_modules/@aws-sdk/index.js", big),
        file("var/task/tests/small.py", "x".repeat(9000)),
        file("var/task/contest.py", big.slice(1)),
      ),
    ],
    [
      "two names that differ in case in the system's part",
      withFiles(...directories("usr", "usr/share", "usr/share/N", "usr/share/n")),
    ],
    [
      "the same small text twice",
      withFiles(file("var/task/a", "x".repeat(5000)), file("var/task/b", "x".repeat(5000))),
    ],
    [
      "a key that a Python package was published with",
      withFiles(
        ...directories("var/task/tornado", "var/task/tornado/test", "var/task/tornado-6.4.dist-info"),
        file("var/task/tornado/test/test.key", "-----BEGIN PRIVATE KEY-----\n"),
        file("var/task/tornado-6.4.dist-info/RECORD", "tornado/web.py,,\ntornado/test/test.key,sha256=x,1\n"),
      ),
    ],
    ["ignore files", withFiles(file("var/task/.dockerignore", "a"), file("var/task/.lambdaignore", "a"))],
    ["an .env.example", withFiles(file("var/task/.env.example", "A="))],
    [
      "a link inside the task root",
      withFiles({ name: "var/task/current", type: "symlink", linkname: "app.py" }),
    ],
  ];
  for (const [what, image] of cases) {
    it(what, async () => {
      const { findings } = await find(image, { allow: ["hidden-files"] });
      assert.deepEqual(findings, []);
    });
  }
});
