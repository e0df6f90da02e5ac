import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { filesWithSecrets } from "../../support/cli/secrets.ts";
import { type FaultPlan, failing } from "../../support/ecr/http/faults.ts";
import { runInWorld } from "../../support/ecr/run.ts";
import { ecrWorld } from "../../support/ecr/world.ts";
import { refusal, status } from "../../support/reliability/faults/fault-kind.ts";
import { layOut, seededImage } from "../../support/reliability/image.ts";

const image = seededImage("canaries", 20_000, 20_000);
const OUTPUTS = [["--verbose"], ["--verbose", "--progress", "json"], ["--verbose", "--json"]] as const;

const TROUBLES: readonly (readonly [string, FaultPlan])[] = [
  ["all goes well", () => undefined],
  [
    "every kind of request fails once",
    failing("head-blob start-upload put-blob put-manifest", status(503), { times: 3 }),
  ],
  ["the manifest is denied", failing("put-manifest", refusal(403, "DENIED", "not authorized"))],
  [
    "the token has expired",
    failing("put-blob", refusal(403, "DENIED", "Your authorization token has expired.")),
  ],
  [
    "an upload is sent elsewhere",
    failing("start-upload", {
      do: "headers",
      headers: { location: "https://169.254.169.254/v2/x?token=abc" },
    }),
  ],
  ["storage refuses a signed address", failing("storage", status(403))],
  ["AWS gives no login", failing("GetAuthorizationToken", refusal(400, "AccessDeniedException"))],
];

// In the process itself every fault of the lists is played with canaries: test/support/reliability/play.ts looks for them each time.
describe("the command's output holds no secret", { concurrency: 4 }, () => {
  for (const [name, plan] of TROUBLES) {
    for (const flags of OUTPUTS) {
      it(`when ${name}, with ${flags.join(" ")}`, async (t) => {
        const world = await ecrWorld();
        t.after(() => world.stop());
        world.ecr.repository("app");
        for (const origin of [world.ecr.storageOrigin, world.api.origin]) origin.fault = plan;
        world.ecr.fault = plan;
        const to = `${world.registry}/app:v1`;
        const layout = await layOut(world.directory, image);
        const [told, out] = [join(world.directory, "told.json"), join(world.directory, "out")];
        const more = [...flags, "--metadata-file", told];
        const sent = await runInWorld(world, ["push", `oci:${layout}:v1`, to, ...more]);
        const got = await runInWorld(world, ["push", to, `oci:${out}:v1`, ...more]);
        const said = [sent, got].map(({ stdout, stderr }) => stdout + stderr).join("\n");
        assert.ok(said.length > 0);
        assert.deepEqual(world.leaks(said), []);
        // The world's directory is HOME: the cache, the layouts, what --metadata-file left.
        assert.deepEqual(filesWithSecrets(world.directory, world.leaks), []);
        assert.deepEqual(world.strayAuthorizations(), []);
      });
    }
  }
});
