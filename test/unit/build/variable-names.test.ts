import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { build, inspect } from "../../../src/index.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const options = () => ({ to: `oci:${join(temporaryDirectory(), "out")}`, cache: false, environment: {} });

async function envOf(to: string): Promise<readonly string[]> {
  const { config } = await inspect({ source: to, cache: false, environment: {} });
  return config.env;
}

describe("a variable named __proto__", () => {
  it("a variable named __proto__ is set in the image when it is an option of build", async () => {
    const given = options();
    const env: Record<string, string> = JSON.parse('{"A":"1","__proto__":"x"}');
    const directory = makeTree({ "index.mjs": "" });
    await build({ directory, base: "scratch", cmd: ["index.handler"], check: false, env, ...given });
    assert.deepEqual(await envOf(given.to), ["A=1", "__proto__=x"]);
  });

  it("a variable named __proto__ is set in the image when a Dockerfile has it in ENV", async () => {
    const given = options();
    const lines = [
      "FROM scratch",
      "ENV __proto__=x",
      "ENV B=$__proto__",
      "COPY index.mjs /",
      'CMD ["index.handler"]',
    ];
    const directory = makeTree({ "index.mjs": "", Dockerfile: lines.join("\n") });
    await build({ directory, file: join(directory, "Dockerfile"), check: false, ...given });
    assert.deepEqual(await envOf(given.to), ["__proto__=x", "B=x"]);
  });
});
