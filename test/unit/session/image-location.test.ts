import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "../../../src/oci/digest.ts";
import { parseImageLocation } from "../../../src/session/image-location.ts";

const digest = digestOf("an image");

describe("parseImageLocation", () => {
  const cases: readonly [string, object][] = [
    ["oci:out", { kind: "oci", path: "out" }],
    ["oci:out:v1", { kind: "oci", path: "out", tag: "v1" }],
    [`oci:out:v1@${digest}`, { kind: "oci", path: "out", tag: "v1", digest }],
    [`oci:out@${digest}`, { kind: "oci", path: "out", digest }],
    ["oci:c:v1", { kind: "oci", path: "c", tag: "v1" }],
    ["oci:a:b/c", { kind: "oci", path: "a:b/c" }],
    ["oci-archive:a:b.tar", { kind: "oci-archive", path: "a:b.tar" }],
    ["docker-archive:app.tar", { kind: "docker-archive", path: "app.tar" }],
  ];
  for (const [text, expected] of cases) {
    it(`parseImageLocation reads ${text.replace(digest, "<digest>")}`, () =>
      assert.deepEqual(parseImageLocation(text), expected));
  }

  it("parseImageLocation reads a path with a drive on Windows", () => {
    const path = "C:\\images\\out";
    assert.deepEqual(parseImageLocation(`oci:${path}`, "win32"), { kind: "oci", path });
    assert.deepEqual(parseImageLocation(`oci:${path}:v1`, "win32"), { kind: "oci", path, tag: "v1" });
  });

  it("parseImageLocation reads a text without a transport as a registry reference", () => {
    const location = parseImageLocation("127.0.0.1:5000/app:v1");
    assert.deepEqual(location, {
      kind: "registry",
      reference: { registry: "127.0.0.1:5000", repository: "app", tag: "v1" },
    });
  });

  it("parseImageLocation refuses a transport with nothing behind it and says how to write it", () => {
    assert.throws(() => parseImageLocation("oci:"), {
      code: "REFERENCE_INVALID",
      hint: "write oci:DIR or oci:DIR:tag",
    });
    assert.throws(() => parseImageLocation("docker-archive:"), { hint: "write docker-archive:image.tar" });
  });
});
