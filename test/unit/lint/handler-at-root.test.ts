import assert from "node:assert/strict";
import { it } from "node:test";
import { check } from "../../../src/index.ts";
import { BASE_LAYER, file, withConfig, writeImage } from "../../support/images/check-image.ts";

for (const [what, files, expected] of [
  ["is found where the working directory is the root", ["fn.py"], 0],
  ["is missing where it is in neither", ["other.py"], 1],
] as const)
  it(`a handler that a runtime interface client starts ${what}`, async () => {
    const image = withConfig({
      Entrypoint: ["/var/lang/bin/python3.12", "-m", "awslambdaric"],
      WorkingDir: "/",
      Cmd: ["fn.handler"],
    });
    const app = files.map((name) => file(name, "def handler(event, context):\n    return 1\n"));
    const source = await writeImage({ ...image, layers: [BASE_LAYER, app] });
    const { findings } = await check({ source, cache: false, environment: {} });
    assert.equal(findings.filter(({ rule }) => rule === "handler").length, expected);
  });
