import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { corpus } from "../../support/corpora.ts";

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

interface AnyCase {
  readonly id?: string;
  readonly kind?: string;
}

/** Cases of tables that are read, which a test leaves out or answers otherwise, and why. */
const LEFT_OUT: readonly (readonly [
  table: string,
  reason: string,
  is: (one: AnyCase, text: string) => boolean,
])[] = [
  [
    "www-authenticate",
    "asks for which host a remembered challenge is found; here each registry has its own authorizer",
    ({ id }) => id === "www-authenticate/037",
  ],
  [
    "registry-http",
    "a loopback registry may have its token server on another loopback port (ggcr#2258)",
    ({ id }) => id === "registry-http/065",
  ],
  [
    "registry-http",
    "an IPv6 address without brackets is the host of no URL, and no reference can name one",
    ({ kind }, text) => kind === "canonical-host-port" && text.includes('"2001:db8::1"'),
  ],
  [
    "registry-http",
    "an invalid upload is not repeated as it is: a new session is started (registry-upload.test.ts)",
    ({ kind }, text) => kind === "retryable" && text.includes("BLOB_UPLOAD_INVALID"),
  ],
  [
    "registry-http",
    "a header that is not UTF-8 comes as latin1 from node:http, and is shown as such",
    ({ kind }, text) => kind === "Warning-header" && text.includes("$base64"),
  ],
  [
    "image-refs-oracle",
    "Docker takes every registered algorithm of digests; Lambda and ECR know sha256 only: refused",
    (_, text) => /@(sha384|sha512):/.test(text),
  ],
  [
    "platforms",
    "versions and features tell builds of Windows apart; Lambda runs linux, and they are not read",
    (_, text) => /Version|Features/.test(text),
  ],
  [
    "platforms",
    "nothing asks whether two platforms are equal: whether one serves the other is what is asked",
    ({ kind }, text) => kind === "equals" && !/Version|Features/.test(text),
  ],
  [
    "oci-json",
    "the file oci-layout is read with its folder (layout-failures.test.ts)",
    ({ kind }) => kind === "image-layout",
  ],
];

const folder = fileURLToPath(new URL("../..", import.meta.url));
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

  for (const [table, reason, is] of LEFT_OUT) {
    const cases = corpus<AnyCase>(table)?.cases;
    const left = cases?.filter((one) => is(one, JSON.stringify(one))).length ?? 0;
    const count = cases ? `${left} of ${cases.length}` : "the tables are not here";
    it(`${table}.json, not followed (${count}): ${reason}`, () => {
      assert.ok(cases === undefined || left < cases.length);
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
