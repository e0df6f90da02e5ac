import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { it } from "node:test";
import { ExecutionEnvironment } from "../../../src/runtime/execution.ts";
import { prepareRoot, sandboxLauncher } from "../../../src/runtime/sandbox/launcher.ts";
import { probeNamespaces } from "../../../src/runtime/sandbox/tools.ts";

const PERL = "/usr/bin/perl";
const ROUNDS = 12;

/** A runtime that asks for an event and writes at once what it reads, as AWS's client for Ruby logs an error. */
const RUNTIME = `$| = 1; socket(S, 2, 1, 0); connect(S, pack("S n C4 x8", 2, 9001, 127, 0, 0, 1)) or die;
syswrite(S, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n");
sysread(S, $_, 1000); syswrite(STDOUT, "the connection has ended\\n"); sleep 60;`;

const probe = await probeNamespaces();
const skip = "reason" in probe ? probe.reason : !existsSync(PERL) && "there is no perl";

it("a runtime in the sandbox does not see its connection end before it is stopped itself", {
  skip,
}, async (t) => {
  if (!("tools" in probe)) return;
  const root = mkdtempSync(join(tmpdir(), "lambda-pack-root-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const libraries = execFileSync("ldd", [PERL], { encoding: "utf8" }).matchAll(/(\/\S+)\s+\(0x/g);
  for (const file of [PERL, ...[...libraries].map(([, path = ""]) => path)]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(realpathSync(file), join(root, file));
  }
  prepareRoot(root, { network: false });
  const launcher = sandboxLauncher({
    ...{ tools: probe.tools, root, directory: "/var/task", taskRoot: "/var/task", socketDirectory: root },
    ...{ command: [PERL, "-e", RUNTIME], variables: { LC_ALL: "C" }, node: process.execPath },
  });
  const facts = {
    name: "f",
    handler: "f.f",
    memoryMb: 128,
    region: "us-east-1",
    variables: {},
    ...launcher.facts,
  };
  let log = "";
  for (let round = 0; round < ROUNDS; round++) {
    const onLog = (chunk: Uint8Array | string) => {
      log += Buffer.from(chunk as Uint8Array).toString();
    };
    const environment = await ExecutionEnvironment.start({ facts, launcher, timeoutMs: 5000, onLog });
    assert.equal((await environment.init)?.kind, "ready");
    await environment.stop();
  }
  assert.doesNotMatch(log, /the connection has ended/);
});
