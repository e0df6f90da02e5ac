import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { build } from "../../../src/index.ts";
import { FakeEcr } from "../../support/ecr/ecr.ts";
import { ECR_QUOTAS } from "../../support/ecr/quirks.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const RUNNERS = 200;
/** Of one region: so many images can be tagged in a second, whoever asks. */
const IMAGES_PER_SECOND = ECR_QUOTAS["ecr:PutImage"] ?? 0;

/** Without TLS and a proxy: two hundred runners and all of AWS share the cores of this machine. */
const ecr = new FakeEcr({ quirks: { basicAuth: false, throttle: ECR_QUOTAS, createOnPush: [""] } });
let host: string;
before(async () => {
  host = new URL(await ecr.start()).host;
});
after(() => ecr.stop());

describe("a fleet of runners that push to Amazon ECR at the same moment", () => {
  it("ends without a failure under the quotas of a region", async (t) => {
    const startedAt = performance.now();
    const retries: number[] = [];
    const outcomes = await Promise.allSettled(
      Array.from({ length: RUNNERS }, async (_, runner) => {
        let again = 0;
        await build({
          directory: makeTree({ run: `runner ${runner}` }),
          ...{ base: "scratch", entrypoint: ["/var/task/run"], check: false },
          to: `${host}/fleet:${runner}`,
          cacheDir: join(temporaryDirectory(), "cache"),
          environment: { HOME: temporaryDirectory() },
          onEvent: ({ type }) => {
            if (type === "retrying") again += 1;
          },
        });
        retries.push(again);
      }),
    );
    const seconds = (performance.now() - startedAt) / 1000;
    const failed = outcomes.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
    t.diagnostic(
      `${RUNNERS} runners took ${seconds.toFixed(0)} s; the quotas allow ${(RUNNERS / IMAGES_PER_SECOND - 1).toFixed(0)} s; ${retries.reduce((sum, one) => sum + one, 0)} retries`,
    );
    assert.deepEqual(failed.slice(0, 3), [], `${failed.length} runners failed`);
    assert.equal(ecr.repository("fleet").tags.size, RUNNERS);
  });
});
