import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatReference, parseReference } from "../../../src/oci/reference.ts";
import { corpus } from "../../support/corpora.ts";

interface Case {
  readonly input: string;
  readonly expect: {
    readonly error?: unknown;
    readonly canonical?: string;
    readonly registry?: string;
    readonly repository?: string;
    readonly tag?: string;
    readonly digest?: string;
  };
}

const table = corpus<Case>("image-refs-oracle");
/** Docker accepts any registered algorithm; Lambda and ECR know sha256 only. */
const unsupported = (input: string) => /@(sha384|sha512):/.test(input);

describe("a reference", () => {
  for (const { input, expect } of table.cases) {
    if (typeof input !== "string" || unsupported(input)) continue;
    it(`${JSON.stringify(input.slice(0, 60))} is read as Docker reads it`, () => {
      if (expect.error !== undefined)
        return assert.throws(() => parseReference(input), { code: "REFERENCE_INVALID" });
      const reference = parseReference(input);
      assert.equal(formatReference(reference), expect.canonical);
      assert.equal(reference.registry, expect.registry);
      assert.equal(reference.repository, expect.repository);
      assert.equal(reference.tag, expect.tag);
      assert.equal(reference.digest, expect.digest);
    });
  }
});
