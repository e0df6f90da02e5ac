import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import { ENVIRONMENT, layBaseFiles } from "../../../scripts/demo/base.ts";
import { ExecutionEnvironment } from "../../../src/runtime/execution.ts";
import type { InvocationReport } from "../../../src/runtime/report.ts";
import { prepareRoot, sandboxLauncher } from "../../../src/runtime/sandbox/launcher.ts";
import { probeBubblewrap, probeNamespaces, type SandboxTools } from "../../../src/runtime/sandbox/tools.ts";
import { read } from "../../support/local-function.ts";
import { withoutNamespaces } from "../../support/without-namespaces.ts";

const kinds = [
  ["namespaces", await probeNamespaces()],
  ["bubblewrap", await probeBubblewrap()],
] as const;

/** What a function can see and do, as it tells it itself. */
const LOOK = `
  const fs = require("node:fs");
  const { spawn } = require("node:child_process");
  process.on("SIGTERM", () => {
    fs.writeSync(1, "function saw SIGTERM\\n");
    if (process.env.MODE !== "ignore SIGTERM") process.exit();
  });
  const attempt = (work) => { try { return work(); } catch (error) { return error.code; } };
  exports.handler = async (event) => event.print ? console.log(event.print) : event.exit ? process.exit(3) : event.hang ? new Promise((done) => setTimeout(done, 60_000)) : ({
    uid: process.getuid(), gid: process.getgid(),
    root: attempt(() => fs.readdirSync("/").sort()),
    above: attempt(() => fs.readdirSync("/proc/1/root/..").sort()),
    task: attempt(() => fs.writeFileSync("/var/task/new", "")),
    dev: attempt(() => fs.writeFileSync("/dev/new", "")),
    // The mode that it has: on the machine's own file nothing would change.
    devices: ["null", "zero", "full", "random", "urandom"].map((name) => attempt(() => fs.chmodSync("/dev/" + name, 0o666))),
    kernel: attempt(() => fs.writeFileSync("/proc/sys/kernel/hostname", "other")),
    null: attempt(() => fs.writeFileSync("/dev/null", "x") ?? "written"),
    temporary: attempt(() => fs.writeFileSync("/tmp/new", "") ?? fs.readdirSync("/tmp")),
    secret: attempt(() => fs.readFileSync(event.secret, "utf8")),
    closed: attempt(() => fs.readFileSync("/var/task/closed", "utf8")),
    processes: fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).length,
    child: attempt(() => spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true }).pid > 0),
    fetched: event.url && await fetch(event.url).then((response) => response.status, (error) => error.cause.code),
    variables: process.env,
  });`;

const EXTENSION = `#!/var/lang/bin/node
  const api = "http://" + process.env.AWS_LAMBDA_RUNTIME_API + "/2020-01-01/extension";
  const register = { method: "POST", headers: { "lambda-extension-name": "watcher" }, body: '{"events":["INVOKE","SHUTDOWN"]}' };
  const wait = () => new Promise((done) => setTimeout(done, 200));
  (async () => {
    if (process.env.MODE === "crash") process.exit(7);
    await wait(); // the runtime is ready before
    const { headers } = await fetch(api + "/register", register);
    for (let type; type !== "SHUTDOWN"; ) {
      const response = await fetch(api + "/event/next", { headers: { "lambda-extension-identifier": headers.get("lambda-extension-identifier") } });
      const event = await response.json();
      type = event.eventType;
      await wait();
      console.log("watcher saw " + type + " " + (event.shutdownReason ?? ""));
    }
    process.exit();
  })();
`;

/** Listens for telemetry, and prints at the end what it has received. */
const LISTENER = `#!/var/lang/bin/node
  const api = "http://" + process.env.AWS_LAMBDA_RUNTIME_API;
  const seen = [];
  const server = require("node:http").createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push(...JSON.parse(Buffer.concat(chunks)));
    response.end();
  });
  (async () => {
    await new Promise((ready) => server.listen(4243, "sandbox.localdomain", ready));
    const register = { method: "POST", headers: { "lambda-extension-name": "listener" }, body: '{"events":["INVOKE","SHUTDOWN"]}' };
    const registered = await fetch(api + "/2020-01-01/extension/register", register);
    const headers = { "lambda-extension-identifier": registered.headers.get("lambda-extension-identifier") };
    await fetch(api + "/2022-07-01/telemetry", { method: "PUT", headers, body: JSON.stringify({
      schemaVersion: "2022-12-13", types: ["platform", "function", "extension"],
      buffering: { maxItems: 1000, maxBytes: 262144, timeoutMs: 25 },
      destination: { protocol: "HTTP", URI: "http://sandbox.localdomain:4243/" },
    }) });
    console.log("listener is here");
    for (let type; type !== "SHUTDOWN"; ) {
      type = (await (await fetch(api + "/2020-01-01/extension/event/next", { headers })).json()).eventType;
    }
    console.log("received " + JSON.stringify(seen));
    process.exit();
  })();
`;

describe("the root of a sandbox", () => {
  const passwdAfter = (t: TestContext, before?: string) => {
    const root = mkdtempSync(join(tmpdir(), "lambda-pack-root-"));
    t.after(() => rmSync(root, { recursive: true, force: true }));
    mkdirSync(join(root, "etc"));
    if (before !== undefined) writeFileSync(join(root, "etc/passwd"), before);
    prepareRoot(root, { network: false });
    return readFileSync(join(root, "etc/passwd"), "utf8");
  };
  const user = "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n";

  it("gives Lambda's user its name, so that os.homedir() of Node answers", (t) => {
    assert.equal(passwdAfter(t), user);
    assert.equal(passwdAfter(t, "root:x:0:0::/root:/bin/sh"), `root:x:0:0::/root:/bin/sh\n${user}`);
  });

  it("keeps the image's own user of that number", (t) => {
    const own = "app:x:993:990::/app:/bin/sh\n";
    assert.equal(passwdAfter(t, own), own);
  });
});

for (const [kind, probe] of kinds) {
  const tools: SandboxTools = "tools" in probe ? probe.tools : { kind: "bubblewrap", bwrap: "" };
  describe(`the sandbox of ${kind}`, { skip: "reason" in probe && probe.reason }, () => {
    const root = mkdtempSync(join(tmpdir(), "lambda-pack-root-"));
    before(() => {
      layBaseFiles(root);
      mkdirSync(join(root, "var/task"), { recursive: true });
      writeFileSync(join(root, "var/task/index.js"), LOOK);
      writeFileSync(join(root, "var/task/closed"), "", { mode: 0o000 });
      prepareRoot(root, { network: false });
    });
    after(() => rmSync(root, { recursive: true, force: true }));

    interface Settings {
      readonly network?: boolean;
      readonly timeoutMs?: number;
      readonly variables?: Readonly<Record<string, string>>;
    }

    async function invoke(t: TestContext, event: object, settings: Settings = {}) {
      const started = await start(t, event, settings);
      return { ...started, seen: resultOf(started.report, started.log) };
    }

    async function start(t: TestContext, event: object, settings: Settings = {}) {
      const { network, timeoutMs = 20_000 } = settings;
      const sockets = mkdtempSync(join(tmpdir(), "lambda-pack-"));
      t.after(() => rmSync(sockets, { recursive: true, force: true }));
      const launcher = sandboxLauncher({
        ...{ tools, root, directory: "/var/task", taskRoot: "/var/task", socketDirectory: sockets },
        ...{
          command: ["/lambda-entrypoint.sh", "index.handler"],
          variables: ENVIRONMENT,
          node: process.execPath,
        },
        network,
      });
      const variables = { ...settings.variables, TOKEN: 'it\'s $HOME `id` "quoted"', root: "x", IFS: "abc" };
      const log: string[] = [];
      const environment = await ExecutionEnvironment.start({
        facts: {
          name: "f",
          handler: "index.handler",
          memoryMb: 128,
          region: "us-east-1",
          variables,
          ...launcher.facts,
        },
        ...{ launcher, timeoutMs, onLog: (chunk) => void log.push(String(chunk)) },
      });
      t.after(() => environment.stop());
      const payload = Buffer.from(JSON.stringify(event));
      const report = await environment.invoke({ requestId: randomUUID(), payload });
      return { environment, report, log };
    }

    it("shows a function the image and nothing of this machine", async (t) => {
      const secret = join(mkdtempSync(join(tmpdir(), "lambda-pack-secret-")), "key");
      writeFileSync(secret, "of this machine");
      t.after(() => rmSync(secret));
      const { seen } = await invoke(t, { secret });
      const image = ["dev", "etc", "lambda-entrypoint.sh", "lib", "lib64", "proc", "tmp", "usr", "var"];
      assert.deepEqual(
        (seen["root"] as string[]).filter((name) => !image.includes(name)),
        [],
      );
      assert.deepEqual(seen["above"], seen["root"]);
      assert.equal(seen["secret"], "ENOENT");
      // bubblewrap has a first process of its own.
      assert.equal(seen["processes"], kind === "namespaces" ? 1 : 2);
    });

    it("gives a function Lambda's user, a read-only root and a /tmp of its own", async (t) => {
      const { seen } = await invoke(t, {});
      assert.deepEqual([seen["uid"], seen["gid"]], [993, 990]);
      assert.deepEqual([seen["task"], seen["dev"], seen["closed"]], ["EROFS", "EROFS", "EACCES"]);
      assert.deepEqual(seen["temporary"], ["new"]);
    });

    it("lets a function that root started change no device and no setting of the kernel", async (t) => {
      const { seen } = await invoke(t, {});
      // What bubblewrap mounts read-only is not a device any more; it is for users who are not root.
      if (kind === "namespaces") assert.deepEqual(seen["devices"], Array(5).fill("EROFS"));
      assert.match(String(seen["kernel"]), /^(?:EROFS|EACCES)$/);
      assert.equal(seen["null"], "written");
    });

    it("passes variables with any text and name, and none of the caller's", async (t) => {
      process.env["LAMBDA_PACK_TEST_SECRET"] = "of the caller";
      t.after(() => delete process.env["LAMBDA_PACK_TEST_SECRET"]);
      const variables = (await invoke(t, {})).seen["variables"] as Record<string, string>;
      assert.equal(variables["TOKEN"], 'it\'s $HOME `id` "quoted"');
      assert.deepEqual([variables["root"], variables["IFS"]], ["x", "abc"]);
      const lambda =
        /^(?:AWS_|LAMBDA_(?:TASK_ROOT|RUNTIME_DIR)$|_HANDLER$|LANG$|TZ$|PATH$|NODE_VERSION$|TOKEN$|root$|IFS$|PWD$)/;
      assert.deepEqual(
        Object.keys(variables).filter((name) => !lambda.test(name)),
        [],
      );
    });

    it("has no network, and this machine's if that is asked for", async (t) => {
      const server = createServer((_, response) => response.end());
      await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
      t.after(() => server.close());
      const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
      assert.equal((await invoke(t, { url }, { network: true })).seen["fetched"], 200);
      if (tools.kind === "namespaces" && tools.ip)
        assert.equal((await invoke(t, { url })).seen["fetched"], "ECONNREFUSED");
    });

    it("ends with every process in it, and tells the memory of those alone", async (t) => {
      const { environment, report, log } = await invoke(t, {});
      assert.ok((report.maxMemoryMb ?? 0) > 10);
      await environment.stop();
      assert.doesNotMatch(log.join(""), /SIGTERM/);
      const { stdout } = await promisify(execFile)("ps", ["-eo", "args"]);
      assert.equal(stdout.split("\n").filter((line) => line.includes(root)).length, 0);
    });

    describe("with extensions in the image", {
      skip: kind === "bubblewrap" && "bubblewrap starts one program",
    }, () => {
      before(() => {
        const extensions = join(root, "opt/extensions");
        mkdirSync(extensions, { recursive: true });
        writeFileSync(join(extensions, "watcher"), EXTENSION, { mode: 0o755 });
        writeFileSync(join(extensions, "readme.txt"), "no extension");
      });
      after(() => rmSync(join(root, "opt"), { recursive: true }));

      it("starts them before the first event, waits for them after it, and tells them of the end", async (t) => {
        const { environment, log } = await invoke(t, {});
        assert.match(log.join(""), /watcher saw INVOKE \nEND /);
        await environment.stop();
        assert.match(log.join(""), /function saw SIGTERM\nwatcher saw SHUTDOWN spindown\n/);
      });

      it("kills a runtime that ignores SIGTERM before it tells them of the end", async (t) => {
        const { environment, log } = await start(t, {}, { variables: { MODE: "ignore SIGTERM" } });
        await environment.stop();
        assert.match(log.join(""), /function saw SIGTERM\nwatcher saw SHUTDOWN spindown\n/);
      });

      it("tells them that the function timed out", async (t) => {
        const { report, log } = await start(t, { hang: true }, { timeoutMs: 1500 });
        assert.equal(report.outcome.kind, "timeout");
        assert.match(log.join(""), /watcher saw SHUTDOWN timeout\n/);
      });

      it("tells them that the runtime ended, and how it ended is the function's error", async (t) => {
        const { report, environment, log } = await start(t, { exit: true });
        assert.match(report.outcome.body.toString(), /Runtime exited with error: exit status 3"/);
        await environment.stop();
        assert.match(log.join(""), /watcher saw SHUTDOWN failure\n/);
      });

      it("sends them platform events and log lines, as they subscribed to", async (t) => {
        const listener = join(root, "opt/extensions/listener");
        writeFileSync(listener, LISTENER, { mode: 0o755 });
        t.after(() => rmSync(listener));
        const { environment, log, report } = await start(t, { print: "a line of the function" });
        await environment.stop();
        const [, received = "[]"] = /^received (.*)$/m.exec(log.join("")) ?? [];
        const events: { type: string; record: Record<string, unknown> }[] = JSON.parse(received);
        const platform = events.filter(({ type }) => type.startsWith("platform."));
        assert.deepEqual(
          platform.map(({ type }) => type.replace("platform.", "")),
          ["initStart", "initRuntimeDone", "initReport", "start", "runtimeDone", "report"],
          log.join(""),
        );
        const linesOf = (kind: string) =>
          events.filter(({ type }) => type === kind).map(({ record }) => record);
        assert.match(linesOf("function").join("\n"), /^a line of the function$/m);
        assert.match(linesOf("extension").join("\n"), /^listener is here$/m);
        const { record } = platform.at(-1) ?? assert.fail("there is no report");
        assert.deepEqual([record["requestId"], record["status"]], [report.requestId, "success"]);
        assert.deepEqual(Object.keys(record["metrics"] as object).sort(), [
          ...["billedDurationMs", "durationMs", "initDurationMs", "maxMemoryUsedMB", "memorySizeMB"],
        ]);
      });

      it("fails if one of them ends before it is told to", async (t) => {
        const { report } = await start(t, {}, { variables: { MODE: "crash" } });
        assert.match(report.outcome.body.toString(), /the extension watcher has ended: exit status 7"/);
      });
    });
  });
}

describe("the search for a sandbox", { skip: "reason" in kinds[0][1] && kinds[0][1].reason }, () => {
  it("the search for a sandbox is refused, with the reason, if this machine allows no namespaces", async () => {
    const source = `
    import { probeNamespaces } from ${JSON.stringify(new URL("../../../src/runtime/sandbox/tools.ts", import.meta.url).href)};
    console.log(JSON.stringify(await probeNamespaces()));`;
    const { stdout } = await withoutNamespaces(["--import", "tsx", "--input-type=module", "-e", source]);
    assert.match(
      (JSON.parse(stdout) as { reason: string }).reason,
      /this machine allows no user namespaces \(unshare: /,
    );
  });
});

function resultOf(report: InvocationReport, log: readonly string[]): Record<string, unknown> {
  const { kind, value } = read(report);
  assert.equal(kind, "result", `${JSON.stringify(value)}\n${log.join("")}`);
  return value as Record<string, unknown>;
}
