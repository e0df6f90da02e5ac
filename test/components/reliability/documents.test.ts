import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BAD_DOCUMENTS } from "../../support/reliability/documents.ts";
import { meetDocument } from "../../support/reliability/play-document.ts";

for (const on of ["ecr", "plain"] as const) {
  describe(`a build over an image at ${on}`, { concurrency: 4 }, () => {
    for (const bad of BAD_DOCUMENTS.filter(({ only }) => (only ?? on) === on)) {
      it(`ends with ${bad.ends}: ${bad.name}`, async () => {
        assert.equal((await meetDocument(bad, on)).flaw, undefined);
      });
    }
  });
}
