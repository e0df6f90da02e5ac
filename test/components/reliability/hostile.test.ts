import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOSTILITIES, meet } from "../../support/reliability/hostile/hostile.ts";

const LIMIT = 256 * 1024 * 1024;
const CLEAR = /^(REGISTRY_ANSWER|DENIED|IMAGE_INVALID|CONTENT_MISMATCH|CREDENTIALS_INVALID)$/;

describe("a hostile registry", { concurrency: 4 }, () => {
  for (const hostility of HOSTILITIES) {
    it(`costs at most 256 MB of memory and ends in a short error: ${hostility.name}`, async () => {
      const { code, message, peak } = await meet(hostility);
      assert.match(code, CLEAR);
      assert.ok(message < 2000, `a message of ${message} characters`);
      assert.ok(peak < LIMIT, `${peak} bytes`);
    });
  }
});
