import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BOMBS, COMMANDS } from "../../support/reliability/hostile/bombs.ts";
import { placed, survive } from "../../support/reliability/hostile/meet-bomb.ts";

const LIMIT = 256 * 1024 * 1024;

for (const bomb of BOMBS.filter(({ quick }) => quick?.length !== 0)) {
  describe(`${bomb.name} costs at most 256 MB, and is told of`, { concurrency: 3 }, () => {
    for (const command of bomb.quick ?? COMMANDS) {
      it(`by ${command}`, async (t) => {
        const registry = await placed(bomb);
        t.after(() => registry.stop());
        const { flaw, peak } = await survive(bomb, command, registry);
        assert.equal(flaw, undefined);
        assert.ok(peak < LIMIT, `${peak} bytes`);
      });
    }
  });
}
