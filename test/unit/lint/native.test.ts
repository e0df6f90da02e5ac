import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { check } from "../../../src/commands/check/check.ts";
import { partOf } from "../../../src/lambda/binary/file-part.ts";
import { FileContents } from "../../../src/lint/contents/file-contents.ts";
import { beforePlatform, withoutPlatform } from "../../../src/lint/native/platform-words.ts";
import { listOf } from "../../../src/lint/rule.ts";
import { nativeArchitecture } from "../../../src/lint/rules/app/native.ts";
import type { Finding } from "../../../src/lint/run-rules.ts";
import type { ImageConfig } from "../../../src/oci/image.ts";
import { MergedView } from "../../../src/rootfs/view/merged-view.ts";
import { elf } from "../../support/formats/elf.ts";
import {
  BASE_LAYER,
  directories,
  file,
  GOOD,
  type TestEntry,
  writeImage,
} from "../../support/images/check-image.ts";

const X64 = elf();
const ARM64 = elf({ machine: "arm64" });
/** 32-bit ARM, as a Raspberry Pi has it. */
const ARM = elfOf(40);
const S390X = elfOf(22);
const MACHO = Buffer.from("cffaedfe0c000001", "hex");
const PE = Buffer.concat([
  Buffer.from("MZ"),
  Buffer.alloc(58),
  Buffer.from("40000000504500006486", "hex"),
  Buffer.alloc(200),
]);

function elfOf(machine: number): Buffer {
  const bytes = elf();
  bytes.writeUInt16LE(machine, 18);
  return bytes;
}

type Files = Readonly<Record<string, Buffer | string>>;

interface Asked {
  readonly config?: Readonly<Record<string, unknown>>;
  /** Mode of every file; default 0644. */
  readonly mode?: number;
}

/** A Python image for x86_64 with these files below its root; paths without a slash at their beginning are in the task root. */
async function nativeFindings(files: Files, { config = {}, mode = 0o644 }: Asked = {}) {
  const entries = Object.entries(files).map(([path, bytes]) =>
    file(path.startsWith("/") ? path.slice(1) : `var/task/${path}`, bytes, mode),
  );
  const app = file("var/task/app.py", "def handler(event, context):\n    return event\n");
  const project = "package.json" in files ? [] : [file("var/task/package.json", "{}")];
  const layer = [...parentsOf([...entries, app]), app, ...project, ...entries];
  const image = { ...GOOD, layers: [BASE_LAYER, layer], config: { ...GOOD.config, ...config } };
  const { findings } = await check({ source: await writeImage(image), cache: false, environment: {} });
  return findings.filter(({ rule }) => rule.startsWith("native-") || rule === "shared-libraries");
}

function parentsOf(entries: readonly TestEntry[]): readonly TestEntry[] {
  const paths = new Set<string>();
  for (const { name } of entries)
    for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) paths.add(name.slice(0, at));
  return directories(...[...paths].sort());
}

const told = (findings: readonly Finding[]) => findings.map(({ severity, path }) => [severity, path]);

describe("check says nothing of native code for other platforms", () => {
  const cases: Readonly<Record<string, Files>> = {
    "in prebuilds/, where one directory fits": {
      "node_modules/bcrypt/prebuilds/linux-arm/bcrypt.glibc.node": ARM,
      "node_modules/bcrypt/prebuilds/linux-arm64/bcrypt.glibc.node": ARM64,
      "node_modules/bcrypt/prebuilds/darwin-arm64/bcrypt.node": MACHO,
      "node_modules/bcrypt/prebuilds/win32-x64/bcrypt.node": PE,
      "node_modules/bcrypt/prebuilds/linux-x64/bcrypt.musl.node": elf({ needed: ["libc.musl-x86_64.so.1"] }),
      "node_modules/bcrypt/prebuilds/linux-x64/bcrypt.glibc.node": elf({ needed: ["libc.so.6"] }),
    },
    "in prebuilds/ for other systems whose files are ELF too": {
      "node_modules/argon2/prebuilds/freebsd-x64/argon2.glibc.node": elf({
        needed: ["libc++.so.1", "libc.so.7"],
      }),
      "node_modules/argon2/prebuilds/android-x64/argon2.node": elf({ needed: ["liblog.so", "libc.so"] }),
      "node_modules/argon2/prebuilds/openbsd-x64/argon2.node": elf({ needed: ["libc.so.97.1"] }),
      "node_modules/argon2/prebuilds/linux-x64/argon2.glibc.node": elf({ needed: ["libc.so.6"] }),
    },
    "in .NET's runtimes/, where one identifier fits": {
      "runtimes/linux-x64/native/libe_sqlite3.so": X64,
      "runtimes/linux-arm/native/libe_sqlite3.so": ARM,
      "runtimes/linux-armel/native/libe_sqlite3.so": ARM,
      "runtimes/linux-musl-arm/native/libe_sqlite3.so": ARM,
      "runtimes/linux-s390x/native/libe_sqlite3.so": S390X,
      "runtimes/linux-ppc64le/native/libe_sqlite3.so": elfOf(21),
      "runtimes/alpine.3.9-arm64/native/libe_sqlite3.so": ARM64,
      "runtimes/osx.10.12-x64/native/libe_sqlite3.dylib": MACHO,
      "runtimes/win-x64/native/e_sqlite3.dll": PE,
    },
    "in the starter that dotnet publish writes for its own machine": {
      App: MACHO,
      "App.dll": "MZ",
      "App.runtimeconfig.json": "{}",
    },
    "in npm packages for one platform, side by side": {
      "node_modules/@img/sharp-darwin-arm64/lib/sharp-darwin-arm64.node": MACHO,
      "node_modules/@img/sharp-libvips-darwin-arm64/lib/libvips-cpp.dylib": MACHO,
      "node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node": X64,
    },
    "in pnpm's store": {
      "node_modules/.pnpm/@img+sharp-darwin-arm64@0.33.5/node_modules/@img/sharp-darwin-arm64/lib/s.node":
        MACHO,
      "node_modules/.pnpm/@img+sharp-linux-x64@0.33.5/node_modules/@img/sharp-linux-x64/lib/s.node": X64,
      "node_modules/.pnpm/@node-rs+bcrypt-linux-arm-gnueabihf@1.10.7/node_modules/@node-rs/bcrypt-linux-arm-gnueabihf/b.node":
        ARM,
      "node_modules/.pnpm/@node-rs+bcrypt-linux-x64-gnu@1.10.7/node_modules/@node-rs/bcrypt-linux-x64-gnu/b.node":
        X64,
    },
    "in yarn's .yarn/unplugged": {
      ".yarn/unplugged/@img-sharp-darwin-arm64-npm-0.33.5-1a/node_modules/@img/sharp-darwin-arm64/s.node":
        MACHO,
      ".yarn/unplugged/@img-sharp-linux-x64-npm-0.33.5-2b/node_modules/@img/sharp-linux-x64/s.node": X64,
    },
    "in yarn's node_modules/.store": {
      "node_modules/.store/@img-sharp-darwin-arm64-npm-0.33.5-1a/package/lib/s.node": MACHO,
      "node_modules/.store/@img-sharp-linux-x64-npm-0.33.5-2b/package/lib/s.node": X64,
    },
    "among Prisma's engines in several packages": {
      "node_modules/@prisma/engines/libquery_engine-darwin-arm64.dylib.node": MACHO,
      "node_modules/@prisma/engines/schema-engine-darwin-arm64": MACHO,
      "node_modules/.prisma/client/libquery_engine-linux-arm64-openssl-3.0.x.so.node": ARM64,
      "node_modules/.prisma/client/libquery_engine-rhel-openssl-3.0.x.so.node": X64,
    },
    "in Prisma's programs for migrations, where the client needs no engine": {
      "node_modules/@prisma/engines/schema-engine-darwin-arm64": MACHO,
    },
    "in esbuild's own copy, where the package for Linux is there": {
      "node_modules/esbuild/bin/esbuild": MACHO,
      "node_modules/@esbuild/darwin-arm64/bin/esbuild": MACHO,
      "node_modules/@esbuild/linux-x64/bin/esbuild": X64,
    },
    "among the app's own programs, one for each platform": {
      "bin/tool-darwin-arm64": MACHO,
      "bin/tool-linux-arm64": ARM64,
      "bin/tool-linux-amd64": X64,
      "lib/x86_64/libfoo.so.1": X64,
      "lib/aarch64/libfoo.so.1": ARM64,
    },
    "in gems for other platforms": {
      "vendor/bundle/ruby/3.3.0/gems/nokogiri-1.18.0-arm64-darwin/lib/nokogiri/3.3/nokogiri.so": MACHO,
      "vendor/bundle/ruby/3.3.0/gems/nokogiri-1.18.0-x86_64-linux-gnu/lib/nokogiri/3.3/nokogiri.so": X64,
    },
    "in a Python package whose RECORD lists one that fits": {
      "debugpy-1.8.0.dist-info/RECORD":
        "debugpy/attach_linux_x86.so,sha256=a,1\ndebugpy/_vendored/trace.cpython-312-x86_64-linux-gnu.so,sha256=b,2\n",
      "debugpy/attach_linux_x86.so": elfOf(3),
      "debugpy/_vendored/trace.cpython-312-x86_64-linux-gnu.so": X64,
    },
    "that an earlier install left beside a Python module, in a directory below the task root": {
      "vendor/painter-1.2.0.dist-info/RECORD": "_single.cpython-312-x86_64-linux-gnu.so,sha256=a,1\n",
      "vendor/_single.cpython-312-x86_64-linux-gnu.so": X64,
      "vendor/_single.cpython-312-darwin.so": MACHO,
    },
    "that only macOS or Windows loads": {
      "vendor/libfoo.dylib": MACHO,
      "vendor/foo.dll": PE,
      "vendor/foo.exe": PE,
      "vendor/notifier.app/Contents/MacOS/notifier": MACHO,
      "node_modules/fsevents/fsevents.node": MACHO,
    },
    "in fixtures of tests": {
      "elftools/test/testfiles/arm.so": ARM,
      "node_modules/file-type/fixture/a.so": ARM,
      "node_modules/file-type/fixtures/b.so": ARM,
    },
    "that are firmware, and data to a program": { "firmware/loader.so": elfOf(247) },
  };
  for (const [what, files] of Object.entries(cases)) {
    it(what, async () => {
      assert.deepEqual(told(await nativeFindings(files, { mode: 0o755 })), []);
    });
  }
});

describe("check warns once of a package without native code for the image", () => {
  const cases: readonly (readonly [string, Files, path: string, says: RegExp])[] = [
    [
      "sharp, copied from a Mac",
      {
        "node_modules/@img/sharp-darwin-arm64/lib/sharp-darwin-arm64.node": MACHO,
        "node_modules/@img/sharp-libvips-darwin-arm64/lib/libvips.node": MACHO,
      },
      "node_modules/@img/sharp-darwin-arm64/lib/sharp-darwin-arm64.node",
      /is for macOS on arm64, and the image is for x86_64; no file of the package sharp fits \(and 1 more file\) npm install --os=linux --cpu=x64 --libc=glibc$/,
    ],
    [
      "esbuild, copied from Windows",
      { "node_modules/@esbuild/win32-x64/esbuild.exe": PE },
      "node_modules/@esbuild/win32-x64/esbuild.exe",
      /package esbuild fits npm install --os=linux/,
    ],
    [
      "a package in pnpm's store",
      {
        "node_modules/.pnpm/@img+sharp-darwin-arm64@0.33.5/node_modules/@img/sharp-darwin-arm64/s.node":
          MACHO,
      },
      "node_modules/.pnpm/@img+sharp-darwin-arm64@0.33.5/node_modules/@img/sharp-darwin-arm64/s.node",
      /package sharp fits pnpm install --os=linux --cpu=x64 --libc=glibc \(before pnpm 10\.14: pnpm install --force\)$/,
    ],
    [
      "a package in yarn's .yarn/unplugged",
      {
        ".yarn/unplugged/@img-sharp-darwin-arm64-npm-0.33.5-1a/node_modules/@img/sharp-darwin-arm64/s.node":
          MACHO,
      },
      ".yarn/unplugged/@img-sharp-darwin-arm64-npm-0.33.5-1a/node_modules/@img/sharp-darwin-arm64/s.node",
      /package sharp fits yarn config set --json supportedArchitectures .* && yarn install$/,
    ],
    [
      "a module that its install script compiled",
      { "node_modules/better-sqlite3/build/Release/better_sqlite3.node": MACHO },
      "node_modules/better-sqlite3/build/Release/better_sqlite3.node",
      /npm_config_platform=linux npm_config_arch=x64 npm rebuild better-sqlite3; /,
    ],
    [
      "a package with prebuilds for FreeBSD and Android only",
      {
        "node_modules/argon2/prebuilds/android-x64/argon2.node": elf({ needed: ["libdl.so", "libc.so"] }),
        "node_modules/argon2/prebuilds/freebsd-x64/argon2.node": elf({
          needed: ["libthr.so.3", "libc.so.7"],
        }),
      },
      "node_modules/argon2/prebuilds/android-x64/argon2.node",
      /is for Android on x86_64.*no file of the package argon2 fits \(and 1 more file\)/,
    ],
    [
      "Prisma without an engine for Amazon Linux",
      { "node_modules/.prisma/client/libquery_engine-darwin-arm64.dylib.node": MACHO },
      "node_modules/.prisma/client/libquery_engine-darwin-arm64.dylib.node",
      /binaryTargets = \["native", "rhel-openssl-3\.0\.x"\]/,
    ],
    [
      "a distribution with another name than its module",
      {
        "pillow-11.0.0.dist-info/RECORD":
          "PIL/_imaging.cpython-312-darwin.so,sha256=a,1\nPIL/_webp.cpython-312-darwin.so,,\n",
        "PIL/_imaging.cpython-312-darwin.so": MACHO,
        "PIL/_webp.cpython-312-darwin.so": MACHO,
      },
      "PIL/_imaging.cpython-312-darwin.so",
      /pip install --target \. --upgrade --platform manylinux2014_x86_64 --platform manylinux_2_28_x86_64 --only-binary=:all: --python-version 3\.12 --no-deps pillow==11\.0\.0$/,
    ],
    [
      "a distribution in a directory below the task root",
      {
        "vendor/PyNaCl-1.5.0.dist-info/RECORD": "nacl/_sodium.abi3.so,sha256=a,1\n",
        "vendor/nacl/_sodium.abi3.so": MACHO,
      },
      "vendor/nacl/_sodium.abi3.so",
      /pip install --target vendor .* PyNaCl==1\.5\.0$/,
    ],
    [
      "a distribution in a virtual environment, beside distributions in the task root",
      {
        "six-1.16.0.dist-info/RECORD": "six.abi3.so,,\n",
        ".venv/lib/python3.12/site-packages/numpy/core/_m.cpython-312-darwin.so": MACHO,
      },
      ".venv/lib/python3.12/site-packages/numpy/core/_m.cpython-312-darwin.so",
      /package numpy fits pip install --target \.venv\/lib\/python3\.12\/site-packages .* numpy$/,
    ],
    [
      "a program of a wheel, which pip moves to bin/",
      { "ruff-0.8.0.dist-info/RECORD": "../../bin/ruff,sha256=a,1\nruff/__init__.py,,\n", "bin/ruff": MACHO },
      "bin/ruff",
      /package ruff fits pip install .* ruff==0\.8\.0$/,
    ],
    [
      "a .NET library for other systems only",
      { "runtimes/linux-arm/native/libx.so": ARM, "runtimes/linux-arm64/native/libx.so": ARM64 },
      "runtimes/linux-arm/native/libx.so",
      /and 1 more file\) dotnet publish -r linux-x64 --self-contained false$/,
    ],
    [
      "the app's own libraries",
      { "lib/liba.so": ARM64, "lib/libb.so": ARM64, "lib/libc.so": X64 },
      "lib/liba.so",
      /is for Linux on arm64.*and 1 more file\) build it for linux\/amd64: GOOS=linux GOARCH=amd64/,
    ],
  ];
  for (const [what, files, path, says] of cases) {
    it(what, async () => {
      const findings = await nativeFindings(files, { mode: 0o755 });
      assert.deepEqual(told(findings), [["warning", `/var/task/${path}`]]);
      assert.match(`${findings[0]?.message} ${findings[0]?.hint}`, says);
    });
  }

  it("with the directory of its package.json in the command, or a word that it is missing", async () => {
    const sharp = "node_modules/@img/sharp-darwin-arm64/s.node";
    const hintOf = async (files: Files) => (await nativeFindings(files))[0]?.hint;
    assert.equal(
      await hintOf({ [`api/${sharp}`]: MACHO, "api/package.json": "{}" }),
      "cd api && npm install --os=linux --cpu=x64 --libc=glibc",
    );
    assert.equal(
      await hintOf({ [`api/${sharp}`]: MACHO }),
      "where its package.json is: npm install --os=linux --cpu=x64 --libc=glibc",
    );
  });

  it("each copy of a package that it compiles for itself", async () => {
    const findings = await nativeFindings({
      "node_modules/bcrypt/build/Release/bcrypt.node": X64,
      "node_modules/old/node_modules/bcrypt/build/Release/bcrypt.node": MACHO,
    });
    assert.deepEqual(told(findings), [
      ["warning", "/var/task/node_modules/old/node_modules/bcrypt/build/Release/bcrypt.node"],
    ]);
  });

  it("a package with musl's files only, and not one that has glibc's too", async () => {
    const musl = elf({ needed: ["libc.musl-x86_64.so.1"] });
    const files = { "node_modules/@img/sharp-linuxmusl-x64/lib/s.node": musl };
    assert.match((await nativeFindings(files))[0]?.message ?? "", /linked with musl.*package sharp/);
    const both = { ...files, "node_modules/@img/sharp-linux-x64/lib/s.node": elf({ needed: ["libc.so.6"] }) };
    assert.deepEqual(await nativeFindings(both), []);
  });

  it("a module that asks for a newer glibc, although others of its package do not", async () => {
    const newer = elf({ needed: ["libc.so.6"], versions: ["GLIBC_2.38"] });
    const findings = await nativeFindings({
      "node_modules/a/build/Release/a.node": newer,
      "node_modules/a/build/Release/b.node": X64,
    });
    assert.deepEqual(
      findings.map(({ rule, severity }) => [rule, severity]),
      [["native-glibc", "warning"]],
    );
  });
});

describe("check refuses native code for another platform that Lambda starts", () => {
  const cases: readonly (readonly [
    string,
    Files,
    path: string,
    config?: Readonly<Record<string, unknown>>,
  ])[] = [
    [
      "as the entry point",
      { main: ARM64 },
      "var/task/main",
      { Entrypoint: ["/var/task/main"], Labels: null },
    ],
    [
      "as the entry point, found in PATH",
      { "/opt/bin/serve": MACHO },
      "opt/bin/serve",
      { Entrypoint: ["serve"], Labels: null },
    ],
    [
      "as CMD without an entry point",
      { main: PE },
      "var/task/main",
      { Entrypoint: null, Cmd: ["./main"], Labels: null },
    ],
    ["as the bootstrap", { "/var/runtime/bootstrap": ARM64 }, "var/runtime/bootstrap"],
    ["as an extension", { "/opt/extensions/agent": ARM64 }, "opt/extensions/agent"],
    [
      "as the interpreter of an extension",
      { "/opt/extensions/agent": "#!/opt/agent/node\n", "/opt/agent/node": ARM64 },
      "opt/agent/node",
    ],
    [
      "as the wrapper",
      { "/opt/wrapper": ARM64 },
      "opt/wrapper",
      { Env: ["AWS_LAMBDA_EXEC_WRAPPER=/opt/wrapper"] },
    ],
    [
      "as the handler's module, which Python takes before app.py",
      { "app.abi3.so": MACHO },
      "var/task/app.abi3.so",
    ],
  ];
  for (const [what, files, path, config] of cases) {
    it(what, async () => {
      const findings = await nativeFindings(files, { mode: 0o755, ...(config && { config }) });
      assert.deepEqual(told(findings), [["error", `/${path}`]]);
    });
  }

  it("and a program that asks for a newer glibc than the base has, but not one with a loader of its own", async () => {
    const asking = (interpreter: string) =>
      elf({ needed: ["libc.so.6"], versions: ["GLIBC_2.38"], interpreter });
    const config = { Entrypoint: ["/var/task/main"], Labels: null };
    const refused = await nativeFindings(
      { main: asking("/lib64/ld-linux-x86-64.so.2") },
      { mode: 0o755, config },
    );
    assert.deepEqual(
      refused.map(({ rule, severity }) => [rule, severity]),
      [["native-glibc", "error"]],
    );
    const own = await nativeFindings({ main: asking("/opt/glibc/ld.so") }, { mode: 0o755, config });
    assert.deepEqual(own, []);
  });

  it("but not what lies below an extension's own directory, or a handler module that Python does not take", async () => {
    const findings = await nativeFindings(
      { "/opt/extensions/agent.d/plugin": ARM64, "app.cpython-312-darwin.so": MACHO },
      { mode: 0o755 },
    );
    assert.deepEqual(told(findings), [["warning", "/opt/extensions/agent.d/plugin"]]);
  });
});

/** Twenty thousand files took minutes when each was compared with each other; the limit only ends such a run. */
const HANGS = { timeout: 120_000 };

describe("check of 20,000 native files for another architecture", () => {
  it("of as many packages tells of each, and of one app tells once", HANGS, async () => {
    const paths = Array.from({ length: 20_000 }, (_, index) => index);
    const packages = paths.map((index) => `node_modules/p${index}/prebuilds/darwin-arm64/p.node`);
    const own = paths.map((index) => `lib/${index}/library${index}-darwin.so`);
    assert.equal((await problemsIn(packages)).length, 20_000);
    assert.equal((await problemsIn(own)).length, 1);
  });
});

const ENTRY = { kind: "file", mode: 0o644, uid: 0, gid: 0, mtime: 0, size: ARM64.length, link: "" } as const;

/** What the rule says of foreign files at these paths in the task root. */
async function problemsIn(paths: readonly string[]) {
  const settings: ImageConfig = {
    ...{ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } },
    config: { Entrypoint: ["/lambda-entrypoint.sh"], Cmd: ["app.handler"] },
  };
  const [contents, view] = [new FileContents(settings, []), new MergedView()];
  for (const path of paths.map((one) => `var/task/${one}`)) {
    view.add(0, { ...ENTRY, name: path, path }, path);
    contents.take(path, 0, partOf(ARM64.length, ARM64, Buffer.alloc(0)));
  }
  const files = { view, contents, whole: true, ownFrom: 0 };
  const facts = { settings, files, layers: [], bytes: 0, snapstart: false, today: new Date(0) };
  return "check" in nativeArchitecture ? listOf(await nativeArchitecture.check(facts)) : [];
}

describe("names of platforms", () => {
  it("end the names of npm packages for one platform, and of no others", () => {
    const cases: Readonly<Record<string, string | undefined>> = {
      "@img/sharp-linuxmusl-x64": "@img/sharp",
      "@esbuild/linux-mips64el": "@esbuild/",
      "@rollup/rollup-linux-powerpc64le-gnu": "@rollup/rollup",
      "@swc/core-linux-arm-gnueabihf": "@swc/core",
      "@oxc-parser/binding-wasm32-wasi": "@oxc-parser/binding",
      "@rollup/rollup-linux-loongarch64-gnu": "@rollup/rollup",
      "@next/swc-win32-arm64-msvc": "@next/swc",
      "turbo-darwin-64": "turbo",
      "sass-embedded-linux-musl-riscv64": "sass-embedded",
      "crc-32": undefined,
      "@node-rs/bcrypt": undefined,
      linux: undefined,
      sharp: undefined,
    };
    const found = Object.keys(cases).map((name) => [name, beforePlatform(name)]);
    assert.deepEqual(Object.fromEntries(found), cases);
  });

  it("names of platforms are taken out of the names of files, with the versions of systems and of OpenSSL", () => {
    const cases: Readonly<Record<string, string>> = {
      "libquery_engine-debian-openssl-1.1.x": "libquery-engine",
      "libquery_engine-linux-arm64-openssl-3.0.x": "libquery-engine",
      "osx.10.12-x64": "",
      "linux-musl-armhf": "",
      "browser-wasm": "",
      "linux-ppc64le": "",
      "node-v115-linux-x86_64": "node-v115",
      "tool-2.1": "tool-2-1",
    };
    const found = Object.keys(cases).map((name) => [name, withoutPlatform(name)]);
    assert.deepEqual(Object.fromEntries(found), cases);
  });
});
