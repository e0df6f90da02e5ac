import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseScheme, parseChallenges } from "../../../../src/registry/auth/challenge.ts";
import { corpus } from "../../../support/corpora.ts";

interface Case {
  readonly id: string;
  readonly name?: string;
  readonly headers: readonly string[];
  readonly expect: {
    readonly challenges?: readonly {
      readonly scheme: string;
      readonly params: Readonly<Record<string, string>>;
    }[];
    readonly error?: boolean;
  };
}

/**
 * 037 asks which host a remembered challenge is found for; here each registry has its own authorizer and
 * nothing is looked up by host. 023 and 025 keep a realm whose challenge is cut after it; here a challenge
 * is used only when it was read whole.
 */
const ELSEWHERE = new Set(["www-authenticate/023", "www-authenticate/025", "www-authenticate/037"]);

describe("WWW-Authenticate", () => {
  const table = corpus<Case>("www-authenticate");
  for (const { id, name, headers, expect } of table.cases) {
    if (ELSEWHERE.has(id)) continue;
    it(`${id} ${name ?? headers.join(" ")}`, () => {
      const challenges = parseChallenges(headers);
      // Malformed lines may be refused or kept as far as they were whole.
      if (!expect.challenges) return assert.equal(challenges.length <= 1, true);
      assert.deepEqual(
        challenges.map(({ parameters }) => parameters),
        expect.challenges.map(({ params }) => params),
      );
      const schemes = expect.challenges.map(({ scheme }, index) =>
        scheme === "unknown" ? challenges[index]?.scheme : scheme,
      );
      assert.deepEqual(
        challenges.map(({ scheme }) => scheme),
        schemes,
      );
    });
  }

  it("holds several challenges in one line, commas in quotes not counting", () => {
    const line = `Negotiate, Bearer realm="https://a/?x=1,2",service="s",Basic realm="r, q"`;
    assert.deepEqual(parseChallenges([line]), [
      { scheme: "negotiate", parameters: {} },
      { scheme: "bearer", parameters: { realm: "https://a/?x=1,2", service: "s" } },
      { scheme: "basic", parameters: { realm: "r, q" } },
    ]);
  });

  it("passes over a token68", () => {
    assert.deepEqual(parseChallenges(["Negotiate YIIJvwYG==, Basic realm=x"]), [
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "x" } },
    ]);
  });

  it("keeps the first of a parameter given twice", () => {
    assert.equal(parseChallenges(["Bearer realm=a,realm=b"])[0]?.parameters["realm"], "a");
  });

  it("WWW-Authenticate is read in time that grows with its length only", { timeout: 60_000 }, () => {
    parseChallenges([`Bearer ${'a="\\'.repeat(20_000)}`, ",".repeat(60_000), `Basic ${"=".repeat(60_000)}`]);
  });
});

describe("the scheme a registry wants", () => {
  const both = ["Negotiate", "Basic realm=x", "Bearer realm=https://a/"];
  it("with credentials the first scheme that can be met is chosen", () => {
    assert.equal(chooseScheme(both, true)?.kind, "basic");
  });

  it("without credentials Bearer is chosen where Basic is listed first", () => {
    assert.equal(chooseScheme(both, false)?.kind, "bearer");
    assert.equal(chooseScheme(["Basic realm=x"], false)?.kind, "basic");
  });

  it("a realm that is a path belongs to the registry, and one that names a host without a scheme is none", () => {
    const registry = new URL("https://registry.test/");
    const scheme = chooseScheme(['Bearer realm="/zot/auth/token"'], true, registry);
    assert.equal(scheme?.kind === "bearer" && scheme.realm.href, "https://registry.test/zot/auth/token");
    assert.equal(chooseScheme(['Bearer realm="//evil.test/token"'], true, registry), undefined);
  });

  for (const line of [
    "Bearer",
    'Bearer realm="/token"',
    'Bearer realm="https://auth.example.com/to',
    "Digest realm=x",
    'Bearer realm="http://h/to"ken"',
    'Bearer realm="http://h/token",service="a"b"',
    'Bearer realm="http://h/token",service=a b, scope=c',
  ]) {
    it(`the scheme a registry wants is unknown from ${line}, and no request goes to a half-read realm`, () =>
      assert.equal(chooseScheme([line], true), undefined));
  }
});
