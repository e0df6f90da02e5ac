import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { cliMarkdown } from "../../../scripts/cli-docs.ts";
import { COMMANDS, flagsOf } from "../../../src/cli/commands.ts";
import { flagName, widthOf } from "../../../src/cli/text.ts";
import { lambdaPack } from "../../support/cli.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const bin = join(root, "src/cli/bin.cts");

describe("help", () => {
  for (const columns of [20, 40, 80, 200]) {
    for (const argv of [["--help"], ["build", "--help"], ["push", "-h"]]) {
      it(`of ${argv.join(" ")} has no line wider than ${columns} columns`, async () => {
        const { status, stdout, stderr } = await lambdaPack(argv, { columns });
        assert.deepEqual([status, stderr], [0, ""]);
        assert.deepEqual(
          stdout.split("\n").filter((line) => widthOf(line) > columns),
          [],
        );
      });
    }
  }

  it("of a command names every flag", async () => {
    for (const command of COMMANDS) {
      const { stdout } = await lambdaPack(["help", command.name]);
      for (const key of Object.keys(flagsOf(command))) assert.ok(stdout.includes(`--${flagName(key)}`), key);
    }
  });

  it("wins over what is wrong beside it", async () => {
    const { status, stdout } = await lambdaPack(["build", "--bse", "--help"]);
    assert.equal(status, 0);
    assert.match(stdout, /^lambda-pack build:/);
  });

  it("lists only what can be done", async () => {
    const { stdout } = await lambdaPack(["--help"]);
    const [, commands = ""] = /Commands:\n((?: {2}.*\n)+)/.exec(stdout) ?? [];
    assert.deepEqual(
      commands.match(/^ {2}\w+/gm),
      [
        "build",
        "push",
        "check",
        "inspect",
        "invoke",
        "dev",
        "diff",
        "bases",
        "cache",
        "repo",
        "deploy",
        "status",
        "prune",
      ].map((name) => `  ${name}`),
    );
  });

  it("breaks a long example so that it can be pasted", async () => {
    const { stdout } = await lambdaPack(["push", "--help"], { columns: 80 });
    assert.match(stdout, /lambda-pack push oci:\.lambda-pack\/app \\\n {2}123456789012\.dkr/);
  });

  it("is what docs/cli.md says (node --import tsx scripts/write-cli-docs.ts)", () => {
    assert.equal(readFileSync(join(root, "docs/cli.md"), "utf8"), cliMarkdown());
  });
});

it("--version says what package.json says", async () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { status, stdout } = await lambdaPack(["--version"]);
  assert.deepEqual([status, stdout], [0, `${version}\n`]);
});

describe("what --help loads", () => {
  it("reaches from the entry, by static imports, only the words of the command line", () => {
    const reached = staticImports(join(root, "src/cli/bin.ts"), new Set());
    const outside = [...reached].filter((file) => !file.startsWith(join(root, "src/cli")));
    assert.deepEqual(outside, [join(root, "src/errors.ts")]);
    assert.equal(
      [...reached].some((file) => file.includes("report") || file.endsWith("run.ts")),
      false,
    );
  });

  it("is, when the real thing runs, no dependency and no room but cli", () => {
    const hook = `import { writeSync } from "node:fs";
      export async function load(url, context, next) { writeSync(2, "LOAD " + url + "\\n"); return next(url, context); }`;
    const register = `import { register } from "node:module"; register(${JSON.stringify(dataUrl(hook))});`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--import", dataUrl(register), bin, "--help"],
      { encoding: "utf8" },
    );
    const loaded = [...stderr.matchAll(/^LOAD (\S+)/gm)]
      .map(([, url = ""]) => url)
      .filter((url) => url.startsWith("file:"));
    assert.equal(status, 0);
    assert.match(stdout, /^lambda-pack: /);
    assert.ok(
      loaded.some((url) => url.includes("/src/cli/main.ts")),
      stderr,
    );
    assert.deepEqual(
      loaded.filter((url) => !/\/src\/(?:cli\/|errors\.ts)/.test(url)),
      [],
    );
  });
});

function dataUrl(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

function staticImports(file: string, seen: Set<string>): ReadonlySet<string> {
  if (seen.has(file) || !existsSync(file)) return seen;
  seen.add(file);
  const imports = readFileSync(file, "utf8").matchAll(
    /^(?:import|export)\s(?!type)[^;]*?from "(\.[^"]+)";/gm,
  );
  for (const [, target = ""] of imports) staticImports(join(dirname(file), target), seen);
  return seen;
}
