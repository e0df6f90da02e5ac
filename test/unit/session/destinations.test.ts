import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseSource, parseTargets } from "../../../src/session/image-location.ts";

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

/** Names that are close to those of a repository in ECR, as destination and as source. */
const closeToEcr: typeof refused = [
  [
    "12345678901.dkr.ecr.eu-west-1.amazonaws.com/app",
    /names the account 12345678901, and an AWS account has 12 digits$/,
    /aws sts get-caller-identity/,
  ],
  ["1234-5678-9012.dkr-ecr.eu-west-1.on.aws/app:v1", /account 1234-5678-9012, .* 12 digits$/, /get-caller-/],
  [
    "arn:aws:ecr:eu-west-1:123456789012:repository/app",
    /is the ARN of a repository, and not an image reference$/,
    /^write 123456789012\.dkr\.ecr\.eu-west-1\.amazonaws\.com\/app$/,
  ],
  [
    "arn:aws-cn:ecr:cn-north-1:123456789012:repository/team/app:v1",
    /is the ARN of a repository/,
    /^write 123456789012\.dkr\.ecr\.cn-north-1\.amazonaws\.com\.cn\/team\/app:v1$/,
  ],
  ["arn:aws:lambda:eu-west-1:123456789012:function:f", /is an ARN/, /^write <account>\.dkr\.ecr/],
];

describe("a source", () => {
  for (const [source, message, hint] of closeToEcr)
    it(`${source} is refused as a source, and the message says what to write`, () => {
      assert.throws(() => parseSource(source, {}), { code: "REFERENCE_INVALID", message, hint });
    });
});

describe("a destination", () => {
  for (const [to, message, hint] of [...refused, ...closeToEcr])
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
