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
  it("the ways of a registry are ECR's where amazon-ecr-credential-helper says so", () => {
    for (const { id, input, expect } of cases) {
      const host = input.replace(/^https?:\/\//, "").split("/")[0] ?? "";
      const isEcr = ["ecr", "ecr-public"].includes(traitsOf(host).name);
      assert.equal(isEcr, expect.error === undefined, `${id}: ${input}`);
    }
  });
});
