import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseBuildOptions } from "../../../src/commands/build/plan.ts";
import { parseCheckOptions } from "../../../src/commands/check/plan.ts";
import { openRoot } from "../../../src/layer/source-root.ts";
import { toPosixPath } from "../../../src/oci/explicit-registry.ts";
import { parseImageLocation, parseTargets } from "../../../src/session/image-location.ts";
import { makeTree } from "../../support/trees.ts";

const build = (more: object) => parseBuildOptions({ directory: makeTree({ a: "" }), to: "oci:out", ...more });

describe("a path that is written for Windows", { skip: process.platform === "win32" }, () => {
  for (const [what, hint, parse] of [
    ["source directory .\\src", /^write \.\/src$/, () => openRoot(".\\src")],
    ["source directory C:\\app", /^write \/mnt\/c\/app$/, () => openRoot("C:\\app")],
    ["destination .\\out", /^write oci:\.\/out for a directory$/, () => parseTargets(".\\out", [])],
    ["destination C:\\out", /^write oci:\/mnt\/c\/out for a directory$/, () => parseTargets("C:\\out", [])],
    ["layout oci:.\\out", /^write oci:\.\/out$/, () => parseTargets("oci:.\\out", [])],
    [
      "archive C:\\a\\b.tar",
      /^write docker-archive:\/mnt\/c\/a\/b\.tar$/,
      () => parseImageLocation("docker-archive:C:\\a\\b.tar"),
    ],
    ["base .\\base", /^write oci:\.\/base for a directory$/, () => build({ base: ".\\base" })],
    ["ignore file .\\x", /^write \.\/x$/, () => build({ base: "scratch", ignoreFile: ".\\x" })],
    [
      "image to check D:\\img",
      /^write oci:\/mnt\/d\/img for a directory$/,
      () => parseCheckOptions({ source: "D:\\img" }),
    ],
  ] as const)
    it(`a path that is written for Windows is told with the right form: the ${what}`, () =>
      assert.throws(parse, { hint }));

  it("a path that is written for Windows is understood as a handler", () => {
    const { command } = build({ base: "nodejs:22", handler: "src\\app.handler" });
    assert.equal(command.handler, "src/app.handler");
  });

  it("a path that is written for Windows is left as it is on Windows", () =>
    assert.equal(toPosixPath("C:\\app", "win32"), undefined));
});
