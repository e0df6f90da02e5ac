import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { corpus } from "./support/corpora.ts";

// The tables lie beside the repository: where they are not, there is nothing to be complete about.
const FILES = [
  "digests",
  "dockerignore",
  "dockerignore-cross",
  "ecr-hosts",
  "image-refs-oracle",
  "oci-json",
  "platforms",
  "redaction",
  "registry-http",
  "www-authenticate",
];

/** Kinds of registry-http.json that no test reads from the table, and why. */
const NOT_READ: Readonly<Record<string, string>> = {
  "content-length-header-values":
    "a function of containers/image that reads sizes from headers; here sizes come from descriptors, and another one in a header is damage (registry-faults-pull.test.ts)",
  "resume-decision after a broken blob body (policy; 64 KiB / 60 s thresholds)":
    "the policy of containers/image; this project's own is counted in tries without 1 MiB of progress (registry-retry.test.ts)",
  "foreign-layer-URL-allowed":
    "no URL of a foreign layer is ever fetched: oci/resolve.ts refuses such images",
};

const folder = fileURLToPath(new URL(".", import.meta.url));
const tests = readdirSync(folder)
  .filter((name) => name.endsWith(".test.ts") && name !== "corpora.test.ts")
  .map((name) => readFileSync(`${folder}/${name}`, "utf8"));

interface KindCase {
  readonly kind: string;
}

describe("the tables of other projects' authors", () => {
  for (const file of FILES) {
    it(`${file}.json has a test that reads it`, () => {
      assert.ok(tests.some((text) => text.includes(`("${file}")`)));
    });
  }

  const kinds = new Set((corpus<KindCase>("registry-http")?.cases ?? []).map(({ kind }) => kind));
  for (const kind of kinds) {
    const reason = NOT_READ[kind];
    it(`registry-http.json, ${kind}: ${reason === undefined ? "has a test" : `does not apply: ${reason}`}`, () => {
      const isRead = tests.some((text) => text.includes('"registry-http"') && text.includes(`"${kind}"`));
      assert.equal(isRead, reason === undefined);
    });
  }
});
