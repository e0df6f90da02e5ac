import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { before, it } from "node:test";
import { build } from "../../../src/index.ts";
import { describeReal } from "../../support/components/components.ts";
import { filesInLayout } from "../../support/images/built-layout.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

/** A package with a build for each platform, in packages of their own. */
const MANIFEST = JSON.stringify({
  name: "app",
  version: "1.0.0",
  dependencies: { "@parcel/watcher": "2.5.1" },
  devDependencies: { "left-pad": "1.3.0" },
});

interface Manager {
  readonly name: string;
  readonly packages: readonly string[];
  /** Writes the lock and installs nothing. */
  readonly lock: readonly [string, ...string[]];
}

const MANAGERS: readonly Manager[] = [
  { name: "pnpm", packages: ["pnpm@10"], lock: ["pnpm", "install", "--lockfile-only"] },
  { name: "yarn", packages: ["@yarnpkg/cli-dist@4"], lock: ["yarn", "install", "--mode=update-lockfile"] },
  { name: "bun", packages: ["bun@1"], lock: ["bun", "install", "--lockfile-only"] },
];

describeReal("packages for arm64 from the lock of another package manager", ["npm"], () => {
  const tools = temporaryDirectory();
  let environment: Readonly<Record<string, string | undefined>>;
  before(() => {
    const packages = MANAGERS.flatMap((one) => one.packages);
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--prefix", tools, ...packages], {
      stdio: "pipe",
    });
    const path = `${join(tools, "node_modules", ".bin")}:${process.env["PATH"]}`;
    environment = {
      ...process.env,
      PATH: path,
      YARN_GLOBAL_FOLDER: join(tools, "yarn"),
      YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
    };
  });

  for (const { name, lock } of MANAGERS) {
    it(`are installed by ${name} itself: the target's build, and nothing of this machine or for development`, async () => {
      const directory = makeTree({
        "index.js": "exports.handler = 1\n",
        "package.json": MANIFEST,
        ".yarnrc.yml": "enableTelemetry: false\n",
      });
      const [program, ...args] = lock;
      execFileSync(program, args, { cwd: directory, env: environment, stdio: "pipe" });
      const layout = join(temporaryDirectory(), "out");
      const { dependencies } = await build({
        directory,
        base: "scratch",
        arch: "arm64",
        cmd: ["index.handler"],
        check: false,
        install: true,
        to: `oci:${layout}`,
        cacheDir: join(temporaryDirectory(), "cache"),
        environment,
      });
      assert.equal(dependencies?.way, name);
      const paths = [...(await filesInLayout(layout)).keys()].filter((path) =>
        path.includes("node_modules/"),
      );
      const native = paths.filter((path) => path.endsWith(".node"));
      assert.deepEqual(native, ["var/task/node_modules/@parcel/watcher-linux-arm64-glibc/watcher.node"]);
      assert.ok(paths.some((path) => path.endsWith("node_modules/@parcel/watcher/index.js")));
      const odd = paths.filter((path) => /left-pad|\/\.bin\/|node_modules\/\./.test(path));
      assert.deepEqual(odd, []);
      assert.ok(
        dependencies.packages.some((one) => one.name === "@parcel/watcher" && one.version === "2.5.1"),
      );
    });
  }
});
