import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { appOf, nodeFunction, read } from "../../support/local-function.ts";
import { PROGRAM } from "../../support/run.ts";
import { until } from "../../support/time.ts";

function isAlive(pid: number): boolean {
  try {
    // A zombie waits for its parent only.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** A function that starts a child in its process group and one that leaves it, and tells the three numbers. */
const BUSY = `
  const { spawn } = require("node:child_process");
  const start = (detached) => spawn("sleep", ["600"], { detached, stdio: "ignore" }).pid;
  exports.handler = async () => [process.pid, start(false), start(true)];`;

const linux = process.platform === "linux" ? false : "needs /proc";

describe("the processes of a function on this machine", { skip: linux }, () => {
  it("end with the function, also one that left the process group", async (t) => {
    const local = await nodeFunction(t, { "index.js": BUSY });
    const pids = read(await local.invoke({})).value as number[];
    assert.deepEqual(pids.map(isAlive), [true, true, true]);
    await local.environment.stop();
    await until(() => !pids.some(isAlive), `${pids} have ended`);
  });

  it("the processes of a function on this machine have no descriptor that the caller of lambda-pack left open", async (t) => {
    const directory = appOf(t, {
      "index.js": `exports.handler = async () => {
        const { readdirSync, readlinkSync } = require("node:fs");
        const linkOf = (fd) => { try { return readlinkSync("/proc/self/fd/" + fd); } catch { return ""; } };
        return readdirSync("/proc/self/fd").map(linkOf);
      };`,
      secret: "",
    });
    const secret = join(directory, "secret");
    const stdio = [
      ...Array<"ignore">(1),
      "pipe" as const,
      ...Array<"ignore">(58).fill("ignore"),
      openSync(secret, "r"),
    ];
    const child = spawnSync(process.execPath, [...PROGRAM, "invoke", directory], { stdio });
    const open = JSON.parse(String(child.output[1])) as readonly string[];
    assert.equal(open.includes(secret), false, open.join(" "));
  });

  it("end when the function ends its own process", async (t) => {
    const source = `${BUSY}
      exports.handler = async () => {
        const pids = [start(false), start(true)];
        require("node:fs").writeFileSync(process.env.PIDS, pids.join(" "));
        process.exit(1);
      };`;
    const directory = appOf(t, {});
    const file = join(directory, "pids");
    const local = await nodeFunction(t, { "index.js": source }, { variables: { PIDS: file } });
    await local.invoke({});
    const pids = readFileSync(file, "utf8").split(" ").map(Number);
    await until(() => !pids.some(isAlive), `${pids} have ended`);
  });

  it("end when the process that started the function is killed with SIGKILL", async (t) => {
    const directory = appOf(t, { "app/index.js": BUSY });
    const file = join(directory, "pids");
    const parent = parentOf(join(directory, "app"), file);
    t.after(() => parent.kill("SIGKILL"));
    await until(() => existsSync(file), "the function has answered");
    const pids: number[] = JSON.parse(readFileSync(file, "utf8"));
    assert.deepEqual(pids.map(isAlive), [true, true, true]);
    parent.kill("SIGKILL");
    await until(() => !pids.some(isAlive), `${pids} have ended`);
  });
});

/** Another process that runs the function in `app`, writes its answer to `file`, and waits. */
function parentOf(app: string, file: string): ChildProcess {
  const from = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const source = `
    import { renameSync, writeFileSync } from "node:fs";
    import { ExecutionEnvironment } from ${from("../../../src/runtime/execution.ts")};
    import { nodeLauncher } from ${from("../../../src/runtime/host/launcher.ts")};
    const launcher = nodeLauncher({ directory: ${JSON.stringify(app)}, node: process.execPath, version: "20.0.0" });
    const facts = { name: "f", handler: "index.handler", memoryMb: 128, region: "us-east-1", variables: {}, ...launcher.facts };
    const environment = await ExecutionEnvironment.start({ facts, launcher, timeoutMs: 20000, onLog: () => {} });
    const { outcome } = await environment.invoke({ requestId: "1", payload: Buffer.from("{}") });
    writeFileSync(${JSON.stringify(`${file}.new`)}, outcome.body);
    renameSync(${JSON.stringify(`${file}.new`)}, ${JSON.stringify(file)});
    setInterval(() => {}, 1000);`;
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  return spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
