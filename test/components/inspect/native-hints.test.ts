import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type BuildEvent, build, check, type Finding } from "../../../src/index.ts";
import { describeReal } from "../../support/components/components.ts";
import { elf } from "../../support/formats/elf.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { run, tryRun } from "../../support/run.ts";

const { CI, PATH = "" } = process.env;
const work = mkdtempSync(join(tmpdir(), "lambda-pack-native-hints-"));
const QUIET = { npm_config_audit: "false", npm_config_fund: "false", npm_config_update_notifier: "false" };
const PNPM = "pnpm@10.15.0";
const YARN = "@yarnpkg/cli-dist@4.9.1";

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  await publishBase(registry, "lambda/nodejs", "22", lambdaBase("x86_64"), lambdaBase("arm64"));
  await publishBase(registry, "lambda/python", "3.12", lambdaBase("x86_64"), lambdaBase("arm64"));
});
after(async () => {
  await registry.stop();
  rmSync(work, { recursive: true, force: true });
});

type Architecture = "x86_64" | "arm64";

function asked(directory: string, base: string, architecture: Architecture) {
  const environment = { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: work };
  return { base, arch: architecture, cache: false, environment, directory } as const;
}

async function findings(
  directory: string,
  base: string,
  architecture: Architecture,
): Promise<readonly Finding[]> {
  const { directory: source, ...options } = asked(directory, base, architecture);
  const { findings: found } = await check({ source, ...options });
  return found.filter(({ rule }) => rule.startsWith("native-"));
}

/** Builds the image, and returns what the build says of native code. */
async function warningsOfBuild(directory: string, base: string, architecture: Architecture) {
  const events: BuildEvent[] = [];
  const to = `oci:${mkdtempSync(join(work, "image-"))}/out`;
  const { digest } = await build({
    ...asked(directory, base, architecture),
    to,
    onEvent: (event) => events.push(event),
  });
  assert.match(digest, /^sha256:/);
  return events.flatMap((event) =>
    event.type === "warning" && event.message.includes("(native-") ? [event.message] : [],
  );
}

/** Types the hint into a shell in the app's directory, and expects that check and build then find nothing. */
async function followHint(
  directory: string,
  base: string,
  architecture: Architecture,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Finding[]> {
  const found = await findings(directory, base, architecture);
  assert.deepEqual([...new Set(found.map(({ severity }) => severity))], ["warning"]);
  for (const hint of new Set(found.map(({ hint: one }) => one.replace(/ \(before .*| *; if .*/, ""))))
    await run("sh", ["-c", hint], { cwd: directory, env: { ...QUIET, ...env } });
  assert.deepEqual(await findings(directory, base, architecture), []);
  assert.deepEqual(await warningsOfBuild(directory, base, architecture), []);
  return found;
}

function nodeApp(name: string, packageJson: unknown): string {
  const directory = join(work, name);
  mkdirSync(directory);
  writeFileSync(join(directory, "index.js"), "exports.handler = async (event) => event;\n");
  writeFileSync(join(directory, "package.json"), JSON.stringify(packageJson));
  return directory;
}

const DEPENDENCIES = { lightningcss: "1.29.1", "@node-rs/bcrypt": "1.10.7" };

describeReal("the hint for native code of Node", ["npm"], () => {
  let isOffline: string | false = false;
  before(async () => {
    const view = ["view", PNPM, "version", "--fetch-retries=0"];
    const answer = await tryRun("npm", view, { env: QUIET, limitMs: 60_000 }).catch(() => undefined);
    if (answer?.status !== 0 && CI !== "true") isOffline = "the npm registry cannot be reached";
  });
  const online = (name: string, test: () => Promise<void>) =>
    it(name, async (context) => (isOffline ? context.skip(isOffline) : test()));

  /** PATH with a package manager from the npm registry in front. */
  async function pathWith(manager: string): Promise<string> {
    const tools = mkdtempSync(join(work, "tools-"));
    await run("npm", ["install", "--prefix", tools, manager], { env: QUIET });
    return [join(tools, "node_modules/.bin"), PATH].join(delimiter);
  }

  for (const [system, cpu] of [
    ["darwin", "arm64"],
    ["win32", "x64"],
    ["linux", "x64"],
  ] as const)
    online(`replaces the packages that npm installed for ${system} on ${cpu}`, async () => {
      const app = nodeApp(`npm-${system}`, { dependencies: DEPENDENCIES });
      await run("npm", ["install", `--os=${system}`, `--cpu=${cpu}`], { cwd: app, env: QUIET });
      const found = await followHint(app, "nodejs:22", "arm64");
      assert.equal(found.length, 2); // one for each package
    });

  online("adds the packages that pnpm left out", async () => {
    const app = nodeApp("pnpm", { dependencies: DEPENDENCIES });
    const env = { ...QUIET, PATH: await pathWith(PNPM) };
    await run("pnpm", ["install", "--os=darwin", "--cpu=arm64"], { cwd: app, env });
    const found = await followHint(app, "nodejs:22", "x86_64", env);
    assert.match(found[0]?.hint ?? "", /^pnpm install/);
  });

  online("replaces the packages in yarn's .yarn/unplugged", async () => {
    const app = nodeApp("yarn", { dependencies: DEPENDENCIES });
    const architectures = 'supportedArchitectures: { os: ["darwin"], cpu: ["arm64"] }';
    writeFileSync(join(app, "yarn.lock"), "");
    writeFileSync(
      join(app, ".yarnrc.yml"),
      `nodeLinker: pnp\nenableTelemetry: false\nenableGlobalCache: false\n${architectures}\n`,
    );
    const env = { ...QUIET, PATH: await pathWith(YARN), YARN_ENABLE_IMMUTABLE_INSTALLS: "false" };
    await run("yarn", ["install"], { cwd: app, env });
    const found = await followHint(app, "nodejs:22", "x86_64", env);
    assert.match(found[0]?.hint ?? "", /^yarn config set/);
  });

  online("is not needed for bcrypt 6, which brings a file for each platform", async () => {
    const app = nodeApp("bcrypt", { dependencies: { bcrypt: "6.0.0" } });
    await run("npm", ["install", "--ignore-scripts"], { cwd: app, env: QUIET });
    for (const architecture of ["x86_64", "arm64"] as const)
      assert.deepEqual(await warningsOfBuild(app, "nodejs:22", architecture), []);
  });

  it("runs the install script of a package that downloads its binary, for Linux", async () => {
    const thing = join(work, "thing");
    mkdirSync(thing);
    const macho = "cffaedfe0c000001";
    writeFileSync(
      join(thing, "install.js"),
      `const { mkdirSync, writeFileSync } = require("node:fs");
const { npm_config_platform: os = "darwin", npm_config_arch: cpu = "arm64" } = process.env;
mkdirSync("build/Release", { recursive: true });
const bytes = os === "linux" && cpu === "x64" ? "${elf().toString("hex")}" : "${macho}";
writeFileSync("build/Release/thing.node", Buffer.from(bytes, "hex"));
`,
    );
    const manifest = { name: "thing", version: "1.0.0", scripts: { install: "node install.js" } };
    writeFileSync(join(thing, "package.json"), JSON.stringify(manifest));
    const archive = (await run("npm", ["pack", thing, "--silent"], { cwd: work })).trim();
    const app = nodeApp("rebuild", { dependencies: { thing: `file:../${archive}` } });
    await run("npm", ["install", "--offline"], { cwd: app, env: QUIET });
    await followHint(app, "nodejs:22", "x86_64");
  });
});

/** Makes a wheel of files that are given as hex. */
const WHEEL = `
import base64, hashlib, json, sys, zipfile
directory, name, version, platform, files = sys.argv[1:5] + [json.loads(sys.argv[5])]
tag, info = f"cp312-cp312-{platform}", f"{name}-{version}.dist-info"
contents = {path: bytes.fromhex(text) for path, text in files.items()}
contents[f"{info}/METADATA"] = f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n".encode()
contents[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: false\\nTag: {tag}\\n".encode()
digest = lambda text: base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
record = [f"{path},sha256={digest(text)},{len(text)}" for path, text in contents.items()] + [f"{info}/RECORD,,"]
contents[f"{info}/RECORD"] = ("\\n".join(record) + "\\n").encode()
with zipfile.ZipFile(f"{directory}/{name}-{version}-{tag}.whl", "w") as wheel:
    for path, text in contents.items(): wheel.writestr(path, text)
`;

describeReal("the hint for native code of Python", ["pip", "python3"], () => {
  const macho = "cffaedfe0c000001";
  const linux = { x86_64: elf().toString("hex"), arm64: elf({ machine: "arm64" }).toString("hex") };
  const wheels = join(work, "wheels");
  const env = { PIP_NO_INDEX: "1", PIP_FIND_LINKS: wheels, PIP_DISABLE_PIP_VERSION_CHECK: "1" };

  before(async () => {
    mkdirSync(wheels);
    const platforms = [
      ["macosx_11_0_arm64", "darwin", macho],
      ["manylinux_2_28_x86_64", "x86_64-linux-gnu", linux.x86_64],
      ["manylinux2014_aarch64", "aarch64-linux-gnu", linux.arm64],
    ] as const;
    for (const [platform, tag, bytes] of platforms) {
      const files = {
        "imaging/__init__.py": "",
        [`imaging/_core.cpython-312-${tag}.so`]: bytes,
        [`_single.cpython-312-${tag}.so`]: bytes,
      };
      await run("python3", ["-c", WHEEL, wheels, "painter", "1.2.0", platform, JSON.stringify(files)]);
    }
  });

  for (const architecture of ["x86_64", "arm64"] as const)
    for (const directory of [".", "vendor"])
      it(`replaces what pip installed for macOS in ${directory}, for ${architecture}`, async () => {
        const app = mkdtempSync(join(work, "python-"));
        writeFileSync(join(app, "app.py"), "def handler(event, context):\n    return event\n");
        const platform = ["--platform", "macosx_11_0_arm64", "--python-version", "3.12"];
        const where = ["--target", directory, ...platform, "--only-binary=:all:"];
        await run("pip", ["install", ...where, "painter"], { cwd: app, env });
        const found = await followHint(app, "python:3.12", architecture, env);
        assert.equal(found.length, 1);
        assert.match(found[0]?.hint ?? "", /painter==1\.2\.0$/);
      });
});

describe("the hint for native code of the app", () => {
  it("names the words of Go, Cargo and the architecture", async () => {
    const app = mkdtempSync(join(work, "own-"));
    writeFileSync(join(app, "app.py"), "def handler(event, context):\n    return event\n");
    writeFileSync(join(app, "libown.so"), elf());
    const [finding] = await findings(app, "python:3.12", "arm64");
    assert.match(finding?.hint ?? "", /GOOS=linux GOARCH=arm64 .*--target aarch64-unknown-linux-musl/);
  });
});
