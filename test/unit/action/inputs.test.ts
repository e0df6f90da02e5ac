import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { commandLine, inputFlags } from "../../../action/inputs.ts";
import { summaryOf } from "../../../action/summary.ts";
import { actionYml } from "../../../scripts/docs/action-yml.ts";
import { built } from "../../support/cli/cli.ts";

const flags = await inputFlags();

describe("the inputs of the GitHub Action", () => {
  it("action.yml says what the options of build say (npm run docs)", async () => {
    const written = readFileSync(new URL("../../../action/action.yml", import.meta.url), "utf8");
    assert.equal(written, await actionYml());
  });

  const CASES: readonly (readonly [Readonly<Record<string, string>>, readonly string[]])[] = [
    [{ INPUT_BASE: "", INPUT_TAG: " \n " }, []],
    [{ INPUT_INSTALL: "true" }, ["--install"]],
    [{ INPUT_INSTALL: "false" }, []],
    [{ INPUT_INSTALL: "npm-lock" }, ["--install=npm-lock"]],
    [{ "INPUT_NO-CHECK": "TRUE" }, ["--no-check"]],
    [{ "INPUT_NO-CHECK": "false" }, []],
    [{ "INPUT_BUILD-ARG": "A=1\r\nB=2" }, ["--build-arg=A=1", "--build-arg=B=2"]],
    [{ INPUT_CMD: '["python", "-m", "app"]' }, ['--cmd=["python", "-m", "app"]']],
    [{ INPUT_DIRECTORY: "-odd" }, ["--", "-odd"]],
  ];
  for (const [environment, words] of CASES)
    it(`the inputs ${JSON.stringify(environment)} become ${words.join(" ") || "no flag"}`, () => {
      assert.deepEqual(commandLine(flags, environment), ["build", ...words]);
    });
});

describe("the job summary of the GitHub Action", () => {
  it("shows names and messages as they are: none is Markdown or HTML", () => {
    const name = "a|b\n# <img src=x> [l](http://x) `c` **d**";
    const layers = built.layers.map((layer) => ({ ...layer, name }));
    const warning = { type: "warning", message: name, hint: "</li>" } as const;
    const summary = summaryOf({ result: { ...built, layers }, events: [warning], failure: name });
    const escaped = "a\\|b \\# \\<img src\\=x\\> \\[l\\]\\(http\\:\\/\\/x\\) \\`c\\` \\*\\*d\\*\\*";
    assert.ok(summary.includes(`\n| ${escaped} | built | 3 | 900 B |`), summary);
    assert.ok(summary.includes(`\n- ${escaped}<br>fix: \\<\\/li\\>\n`), summary);
    assert.ok(summary.startsWith(`## lambda-pack: the build failed\n\n${escaped}\n`), summary);
  });

  it("stays below 1 MiB, which is all that a runner takes, and says that there is more", () => {
    const warning = { type: "warning", message: "*".repeat(5000) } as const;
    const events = Array.from({ length: 5000 }, () => warning);
    const summary = summaryOf({ result: undefined, events, failure: undefined });
    assert.ok(Buffer.byteLength(summary) < 1024 * 1024, `${summary.length}`);
    assert.match(summary, /- and 4800 more in the log\n/);
  });
});
