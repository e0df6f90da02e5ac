import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { build, check, deploy, diff, importDockerfile, inspect, push } from "../../../src/index.ts";
import { layOut, seededImage } from "../../support/reliability/image.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const APP = { "index.mjs": "export const handler = async () => 1;\n" };
const quiet = { cache: false, environment: {} };

describe("the path of something else in place of an image", () => {
  it("push of a directory names the build that pushes it, with its destinations and tags", async () => {
    const source = makeTree(APP);
    await assert.rejects(push({ source, to: ["r.example/app:v1", "oci:out"], tag: "v2", ...quiet }), {
      code: "USAGE",
      message: `${source} is a directory, and it holds no image`,
      hint: `write lambda-pack build ${source} --to r.example/app:v1 --to oci:out --tag v2`,
    });
  });

  it("inspect and diff of a directory say to build its image first", async () => {
    const source = makeTree(APP);
    const refused = {
      code: "USAGE",
      hint: `build its image first with lambda-pack build ${source}, and name that`,
    };
    await assert.rejects(inspect({ source, ...quiet }), refused);
    await assert.rejects(diff({ before: "oci:x", after: source, ...quiet }), refused);
    await assert.rejects(push({ source: `oci:${source}`, to: "oci:out", ...quiet }), {
      code: "LAYOUT_INVALID",
      hint: `build an image of it first with lambda-pack build ${source}, and name that`,
    });
  });

  it("push and inspect of a layout without oci: say how it is written", async () => {
    const source = await layOut(temporaryDirectory(), seededImage("plain", 100));
    const refused = { code: "USAGE", hint: `write oci:${source}` };
    await assert.rejects(push({ source, to: "oci:out", ...quiet }), refused);
    await assert.rejects(inspect({ source, ...quiet }), refused);
  });

  it("every command that takes an image says how a file of an image is written", async () => {
    const source = join(temporaryDirectory(), "image.tar");
    writeFileSync(source, "");
    const refused = { code: "USAGE", hint: `write oci-archive:${source} or docker-archive:${source}` };
    await assert.rejects(push({ source, to: "oci:out", ...quiet }), refused);
    await assert.rejects(inspect({ source, ...quiet }), refused);
    await assert.rejects(diff({ before: source, after: "oci:x", ...quiet }), refused);
    await assert.rejects(check({ source, ...quiet }), refused);
    await assert.rejects(deploy({ source, function: "app", ...quiet }), refused);
  });
});

describe("a source that is neither a directory nor the name of an image", () => {
  it("check and deploy say that there is no such directory, and how an image is named", async () => {
    const refused = {
      code: "REFERENCE_INVALID",
      message: 'there is no directory zzz-qqq, and "zzz-qqq" names no registry',
    };
    await assert.rejects(check({ source: "zzz-qqq", ...quiet }), refused);
    await assert.rejects(deploy({ source: "zzz-qqq", function: "app", ...quiet }), refused);
  });

  it("check names the directory with a similar name", async () => {
    const root = makeTree({ "orders/index.mjs": "" });
    await assert.rejects(check({ source: join(root, "order"), ...quiet }), {
      code: "DIRECTORY_UNREADABLE",
      hint: `did you mean ${join(root, "orders")}? An image is named with its registry, or as oci:DIR`,
    });
  });

  it("push of a layout that is not there says how to write one", async () => {
    const path = join(temporaryDirectory(), "none");
    await assert.rejects(push({ source: `oci:${path}`, to: "oci:out", ...quiet }), {
      code: "IMAGE_NOT_FOUND",
      hint: `correct the path, or write an image there first with lambda-pack build DIR --to oci:${path}`,
    });
  });

  it("build refuses a destination whose name would break the line on stdout", async () => {
    const directory = makeTree({ "new\nline/index.mjs": "export const handler = async () => 1;\n" });
    await assert.rejects(build({ directory: join(directory, "new\nline"), base: "scratch", ...quiet }), {
      code: "REFERENCE_INVALID",
      message: '"oci:.lambda-pack/new\\nline" has a control character',
    });
  });

  it("import of a Dockerfile that is missing names no flag that import lacks", () => {
    assert.throws(() => importDockerfile({ file: "zzz/Dockerfile" }), {
      code: "FILE_UNREADABLE",
      hint: "name it as a path from here",
    });
  });
});
