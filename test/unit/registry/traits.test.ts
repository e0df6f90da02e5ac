import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { traitsOf } from "../../../src/registry/traits.ts";
import { corpus } from "../../support/corpora.ts";

const HOSTS: Readonly<Record<string, string>> = {
  "123456789012.dkr.ecr.eu-west-1.amazonaws.com": "ecr",
  "123456789012.dkr.ecr.eu-west-1.amazonaws.com:443": "ecr",
  "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com": "ecr",
  "123456789012.dkr-ecr.eu-west-1.on.aws": "ecr",
  "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn": "ecr",
  "123456789012.dkr.ecr.eu-west-1.amazonaws.com.example.org": "plain",
  "x123456789012.dkr.ecr.eu-west-1.amazonaws.com": "plain",
  "public.ecr.aws": "ecr-public",
  "ecr-public.aws.com": "ecr-public",
  "evil-public.ecr.aws": "plain",
  "ghcr.io": "ghcr",
  "europe-west1-docker.pkg.dev": "artifact-registry",
  "eu.gcr.io": "artifact-registry",
  "team.azurecr.io": "acr",
  "docker.io": "docker-hub",
  "quay.io": "quay",
  "127.0.0.1:5000": "plain",
  "registry.example.com": "plain",
};

describe("the ways of a registry", () => {
  for (const [host, name] of Object.entries(HOSTS)) {
    it(`at ${host} are those of ${name}`, () => assert.equal(traitsOf(host).name, name));
  }

  it("at ECR send parts of at least 5 MiB and do not believe its Range", () => {
    const { minChunk, chunkSize, trustsRange, afterCut } = traitsOf(
      "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    );
    assert.ok(chunkSize >= minChunk && minChunk === 5 * 1024 * 1024);
    assert.deepEqual([trustsRange, afterCut], [false, "go-on"]);
  });

  it("at ECR Public ask for no blob by HEAD and mount none", () => {
    const { headsBlobs, mounts } = traitsOf("public.ecr.aws");
    assert.deepEqual([headsBlobs, mounts], [false, false]);
  });

  for (const host of ["ghcr.io", "europe-west1-docker.pkg.dev"]) {
    it(`at ${host} never send chunks`, () =>
      assert.equal(traitsOf(host).wholeUpTo, Number.POSITIVE_INFINITY));
  }

  interface HostCase {
    readonly id: string;
    readonly from: string;
    readonly input: string;
    readonly expect: { readonly error?: unknown };
  }
  // The invalid image URIs are about what follows the host: test/unit/oci/reference.test.ts.
  const cases = corpus<HostCase>("ecr-hosts").cases.filter(
    ({ from }) => !from.endsWith("ParseImageURIInvalid"),
  );
  it("are ECR's where amazon-ecr-credential-helper says so", () => {
    for (const { id, input, expect } of cases) {
      const host = input.replace(/^https?:\/\//, "").split("/")[0] ?? "";
      const isEcr = ["ecr", "ecr-public"].includes(traitsOf(host).name);
      assert.equal(isEcr, expect.error === undefined, `${id}: ${input}`);
    }
  });
});
