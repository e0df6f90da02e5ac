import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseEcrHost } from "../../../../src/aws/ecr/names.ts";
import { corpus } from "../../../support/corpora.ts";

interface Case {
  readonly input: string;
  readonly from: string;
  readonly expect: {
    readonly error?: boolean;
    readonly service?: "ecr" | "ecr-public";
    readonly accountId?: string;
    readonly region?: string;
    readonly fips?: boolean;
    readonly ecrArnRef?: string;
  };
}

const cases = corpus<Case>("ecr-hosts").cases;
/** The tables have URLs and image names; here a host is what a parsed reference has. */
const hostOf = (input: string) => input.replace(/^https:\/\//, "").split("/", 1)[0] ?? "";
/** The containerd resolver's bad cases are about the rest of the name; one of them is about the host. */
const badHost = ({ input, from, expect }: Case) =>
  expect.error === true &&
  (from.startsWith("amazon-ecr-credential-helper") || !/\.ecr\.us-west-2\./.test(input));

describe("the name of an ECR registry", () => {
  for (const one of cases) {
    const host = hostOf(one.input);
    if (badHost(one) || one.expect.service === "ecr-public") {
      it(`${JSON.stringify(host)} is not a private ECR registry`, () =>
        assert.equal(parseEcrHost(host), undefined));
    } else if (one.expect.error !== true) {
      it(`${host} tells account, region and FIPS`, () => {
        const { accountId, region, fips } = expected(one);
        const parsed = parseEcrHost(host);
        assert.deepEqual([parsed?.accountId, parsed?.region, parsed?.fips], [accountId, region, fips]);
      });
    }
  }

  it("tells dual stack by its dash", () => {
    assert.equal(parseEcrHost("123456789012.dkr-ecr.eu-west-1.on.aws")?.dualStack, true);
    assert.equal(parseEcrHost("123456789012.dkr.ecr.eu-west-1.amazonaws.com")?.dualStack, false);
  });

  it("with FIPS is read on the classic name too", () => {
    assert.deepEqual(parseEcrHost("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com"), {
      accountId: "123456789012",
      region: "us-gov-west-1",
      fips: true,
      dualStack: false,
    });
  });

  for (const host of [
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
    "evil.example.123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com:8443",
    "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012xdkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.evil.example/.amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com\n",
  ]) {
    it(`${JSON.stringify(host)} gets no login`, () => assert.equal(parseEcrHost(host), undefined));
  }
});

function expected({ expect: { accountId, region, fips = false, ecrArnRef } }: Case) {
  const [, , , arnRegion, arnAccount] = ecrArnRef?.split(":") ?? [];
  return { accountId: accountId ?? arnAccount, region: region ?? arnRegion, fips };
}
