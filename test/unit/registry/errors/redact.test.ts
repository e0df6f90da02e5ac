import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { printable, redactText, redactUrl } from "../../../../src/registry/errors/redact.ts";
import { corpus } from "../../../support/corpora.ts";

interface Case {
  readonly name: string;
  readonly input: string;
  readonly expect: { readonly redacted: string };
}

describe("a redacted URL", () => {
  const table = corpus<Case>("redaction");
  for (const { name, input, expect } of table.cases) {
    it(`of "${name}" is what Amazon's tools show`, () => assert.equal(redactUrl(input), expect.redacted));
  }

  const cases: readonly (readonly [string, string])[] = [
    ["https://user:hunter2@host/path", "https://user:xxxxx@host/path"],
    ["https://ghp_token@host/path", "https://xxxxx@host/path"],
    ["https://host/p?a=1&a=2#token=3", "https://host/p?a=redacted&a=redacted#"],
    ["https://host/p?flag", "https://host/p?flag=redacted"],
    ["host/p?token=1", "host/p?token=redacted"],
    ["https://host/p?q=a@b:c", "https://host/p?q=redacted"],
  ];
  for (const [input, expected] of cases) {
    it(`of ${input} keeps no secret`, () => assert.equal(redactUrl(input), expected));
  }
});

describe("redacted text", () => {
  const canary = "c4naryS3cret0123";
  const texts: readonly string[] = [
    `Authorization: Basic ${canary}==`,
    `"authorization":"Bearer ${canary}"`,
    `Proxy-Authorization: Basic ${canary}`,
    `the header was Bearer ${canary}`,
    `{"token":"${canary}","expires_in":300}`,
    `{"access_token": "a${canary}"}`,
    `{"Username":"AWS","password":"quote \\" ${canary}"}`,
    `{"identitytoken":"${canary}"}`,
    `{"auth":"${canary}"}`,
    `{"secretAccessKey":"${canary}"}`,
    `GET https://host/x?X-Amz-Signature=${canary}&X-Amz-Security-Token=${canary} failed`,
    `X-Amz-Signature=${canary}`,
    `AWS4-HMAC-SHA256 Credential=${canary}/20261123/eu, SignedHeaders=host, Signature=${canary}`,
    `refresh_token=${canary}&service=x`,
    `redirected to https://user:${canary}@host/`,
    `jwt eyJhbGciOi.eyJpc3MiOi.${canary}`,
  ];
  for (const text of texts) {
    it(`of ${text.replaceAll(canary, "…")} keeps no secret`, () =>
      assert.equal(redactText(text).includes(canary), false));
  }

  it("keeps what is not a secret", () => {
    const text =
      "no basic auth credentials; the Bearer token expired; repository:app:pull,push at https://host/v2/";
    assert.equal(redactText(text), text);
  });
});

describe("printable text", () => {
  it("printable text has no escape sequences, control characters or direction marks", () => {
    assert.equal(printable("\u001b[31mred\u001b[0m\u0007\u009b \u202egnp.exe\u0000"), "red gnp.exe");
  });

  it("printable text is one line", () => assert.equal(printable("  one\r\n\ttwo  "), "one two"));

  it("printable text is no longer than its limit", () =>
    assert.equal(printable("x".repeat(50), 10), `${"x".repeat(10)}…`));
});
