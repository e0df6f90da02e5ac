import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseTargets } from "../../../src/session/image-location.ts";

/** What is typed after --to, what is wrong with it, and what to write. */
const refused: readonly (readonly [to: string, message: RegExp, hint: RegExp])[] = [
  ["myapp", /names no registry/, /oci:myapp for a directory; docker\.io\/library\/myapp for Docker Hub/],
  ["team/app:v1", /names no registry/, /docker\.io\/team\/app:v1 for Docker Hub/],
  ["oci", /names no file or directory/, /write oci:PATH/],
  ["out.tar", /does not say its format/, /oci-archive:out\.tar or docker-archive:out\.tar/],
  [
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    /names a registry without a repository/,
    /add the repository: 123456789012\.dkr\.ecr\.eu-west-1\.amazonaws\.com\/app:v1/,
  ],
  ["./out", /is a path/, /write oci:\.\/out/],
  ["/tmp/out", /is a path/, /write oci:\/tmp\/out/],
  ["https://host.example/app", /is a URL/, /write host\.example\/app/],
  ["docker://host.example/app", /is a URL/, /write host\.example\/app/],
  ["docker-daemon:app", /Docker daemon/, /docker-archive:app\.tar/],
];

describe("a destination", () => {
  for (const [to, message, hint] of refused)
    it(`${to} is refused as a destination, and the message says what to write`, () => {
      assert.throws(() => parseTargets(to, []), { code: "REFERENCE_INVALID", message, hint });
    });

  for (const to of [
    "localhost/app",
    "localhost:5000/app:v1",
    "docker.io/library/app",
    "ghcr.io/a/b",
    "[::1]:5000/app",
  ])
    it(`${to} names a registry`, () => {
      assert.equal(parseTargets(to, [])[0]?.location.kind, "registry");
    });
});
