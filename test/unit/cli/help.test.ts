import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { cliMarkdown } from "../../../scripts/docs/cli-docs.ts";
import { flagsOf } from "../../../src/cli/arguments/flags.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { widthOf } from "../../../src/cli/text/wrap.ts";
import { lambdaPack } from "../../support/cli/cli.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

describe("help", () => {
  for (const columns of [40, 80, 120]) {
    for (const argv of [["--help"], ["build", "--help"], ["push", "-h"]]) {
      it(`the help of ${argv.join(" ")} has no line wider than ${columns} columns`, async () => {
        const { status, stdout, stderr } = await lambdaPack(argv, { columns });
        assert.deepEqual([status, stderr], [0, ""]);
        // A reference that is wider than the terminal stays whole: it is pasted into a shell.
        const wide = stdout.split("\n").filter((line) => widthOf(line) > columns && /\s\S/.test(line.trim()));
        assert.deepEqual(wide, []);
      });
    }
  }

  it("the main page of the help has at most 40 lines of 80 columns", async () => {
    const { stdout } = await lambdaPack(["--help"], { columns: 80 });
    assert.ok(stdout.split("\n").length <= 40, stdout);
  });

  it("the help of a command names every flag of the command", async () => {
    for (const { name, load } of COMMANDS) {
      const { stdout } = await lambdaPack(["help", name]);
      for (const flag of flagsOf(await load())) assert.ok(stdout.includes(flag.name), `${name} ${flag.name}`);
    }
  });

  it("the help shows that the value of a flag that may stand alone follows an equals sign", async () => {
    const { stdout } = await lambdaPack(["build", "--help"]);
    assert.match(stdout, /^ {2}--install\[=HOW\] /m);
    assert.match(stdout, /^ {2}--web-adapter\[=VERSION\|IMAGE\]$/m);
  });

  it("the help of build has headings", async () => {
    const { stdout } = await lambdaPack(["build", "--help"]);
    for (const heading of ["Common", "Destination", "Image", "Files", "Checks", "Base lock", "Output"])
      assert.match(stdout, new RegExp(`^${heading}:$`, "m"));
  });

  it("--help wins over a mistake beside it", async () => {
    const { status, stdout } = await lambdaPack(["build", "--bse", "--help"]);
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: lambda-pack build /);
  });

  it("the main page of the help lists each command", async () => {
    const { stdout } = await lambdaPack(["--help"]);
    for (const { name, summary } of COMMANDS)
      assert.match(stdout, new RegExp(`^  ${name} +${summary}$`, "m"));
  });

  it("a long example in the help can be pasted into a shell", async () => {
    const { stdout } = await lambdaPack(["push", "--help"], { columns: 80 });
    assert.match(stdout, /lambda-pack push oci:\.lambda-pack\/app \\\n {2}123456789012\.dkr/);
  });

  it("docs/cli.md says what the options say (npm run docs)", async () => {
    assert.equal(readFileSync(join(root, "docs/cli.md"), "utf8"), await cliMarkdown());
  });
});

it("--version says what package.json says", async () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { status, stdout } = await lambdaPack(["--version"]);
  assert.deepEqual([status, stdout], [0, `${version}\n`]);
});

it("--help loads no dependency but commander, and no registry, layer or report code", () => {
  const script = join(root, "src/cli/bin.cts");
  const hook = `import { writeSync } from "node:fs";
    export async function load(url, context, next) { writeSync(2, "LOAD " + url + "\\n"); return next(url, context); }`;
  const register = `import { register } from "node:module"; register(${JSON.stringify(dataUrl(hook))});`;
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--import", dataUrl(register), script, "--help"],
    { encoding: "utf8" },
  );
  const loaded = [...stderr.matchAll(/^LOAD file:(\S+)/gm)].map(([, path = ""]) => path);
  assert.equal(status, 0);
  const allowed =
    /\/src\/(?:cli\/(?:arguments\/)?[\w-]+\.c?ts|commands\/options\/|errors\.ts|lambda\/nearest\.ts|cache\/location\.ts|oci\/platform\.ts)|\/package\.json|\/node_modules\/commander\//;
  assert.deepEqual(
    loaded.filter((path) => !allowed.test(path)),
    [],
  );
});

function dataUrl(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`;
}
