import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { EXIT_STATUS, exitStatus } from "../../../src/cli/exit.ts";
import { type ErrorCode, LambdaPackError } from "../../../src/errors.ts";
import { lambdaPack } from "../../support/cli/cli.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const codes = [...read("../../../src/errors.ts").matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(
  ([, code = ""]) => code,
);

/** design: 1 build failed, 2 wrong usage, 3 check found errors, 4 credentials or permission, 5 registry or network. */
const others: Readonly<Partial<Record<ErrorCode, number>>> = {
  USAGE: 2,
  REFERENCE_INVALID: 2,
  SOURCE_DATE_EPOCH_INVALID: 2,
  DOCKERFILE_REFUSED: 2,
  CONFIG_INVALID: 2,
  CHECK_FAILED: 3,
  CREDENTIALS_INVALID: 4,
  CREDENTIALS_HELPER: 4,
  DENIED: 4,
  REGISTRY_ANSWER: 5,
  REGISTRY_UNREACHABLE: 5,
  BLOBS_MISSING: 5,
  FUNCTION_BUSY: 5,
  INVOCATION_TIMEOUT: 124,
  ABORTED: 130,
};

describe("the exit status", () => {
  for (const [code, want] of Object.entries({ ...EXIT_STATUS, ...others })) {
    it(`of ${code} is ${code in others ? want : 1}`, async () => {
      const build = () => Promise.reject(new LambdaPackError(code as ErrorCode, "what failed"));
      const { status, stdout, stderr } = await lambdaPack(["build", "--base", "x", "--quiet"], { build });
      assert.deepEqual([status, stdout, stderr], [code in others ? want : 1, "", "error: what failed\n"]);
    });
  }

  it("of an error that a registry answered is that of its code", () => {
    assert.equal(
      exitStatus(new LambdaPackError("DENIED", "no", { answer: { status: 403, complaints: [] } })),
      4,
    );
  });

  it("of an error that nobody foresaw is 1", async () => {
    const build = () => Promise.reject(new TypeError("oops"));
    const { status, stderr } = await lambdaPack(["build", "--base", "x", "--quiet"], { build });
    assert.equal(status, 1);
    assert.match(stderr, /^error: oops\n {2}fix: this is a bug in lambda-pack/);
  });

  it("of what was done is 0", async () => {
    assert.equal((await lambdaPack(["build", "--base", "x"])).status, 0);
  });
});

describe("docs/errors.md", () => {
  const rows = [
    ...read("../../../docs/errors.md").matchAll(/^\| `([A-Z_]+)` \| (.+) \| (.+) \| (\d+) \|$/gm),
  ];

  it("docs/errors.md has every code of src/errors.ts, in its order", () => {
    assert.ok(codes.length > 20);
    assert.deepEqual(
      rows.map(([, code]) => code),
      codes,
    );
  });

  it("docs/errors.md has the exit status that the command line has", () => {
    const documented = Object.fromEntries(rows.map(([, code = "", , , status]) => [code, Number(status)]));
    assert.deepEqual(documented, { ...EXIT_STATUS });
  });
});
