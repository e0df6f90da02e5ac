import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import { compileTests } from "../../../scripts/build/tests.ts";
import { tryRun } from "../../support/run.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const FAILING = `import assert from "node:assert/strict";
import { it } from "node:test";
import { address } from "./support/address.ts";

interface Absent {
  readonly key: string;
}

it("fails", (_: unknown) => assert.equal(address, null as Absent | null));
`;

it("a failing test that was compiled shows the TypeScript file and line, and its modules know their source", async () => {
  const root = makeTree({
    "package.json": '{ "type": "module" }',
    "test/failing.test.ts": FAILING,
    "test/support/address.ts": "export const address: string = import.meta.url;\n",
  });
  const [compiled = ""] = await compileTests(root, join(temporaryDirectory(), "out"), [
    "test/failing.test.ts",
  ]);
  const args = ["--enable-source-maps", "--test-reporter=spec", compiled];
  const { status, stdout } = await tryRun(process.execPath, args, { env: { NODE_TEST_CONTEXT: "" } });
  assert.equal(status, 1);
  assert.match(stdout, /test at \S*test\/failing\.test\.ts:9:1/);
  assert.match(stdout, /at \S* \(\S*test\/failing\.test\.ts:9:36\)/);
  assert.ok(stdout.includes(`file://${join(root, "test/support/address.ts")}`), stdout);
});
