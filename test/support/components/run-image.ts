import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { functionError, type Outcome } from "../../../src/runtime/api/invocation.ts";
import { startRuntimeApi } from "../../../src/runtime/api/server.ts";
import { functionVariables } from "../../../src/runtime/environment.ts";
import { run, tryRun } from "../run.ts";
import { componentPath } from "./components.ts";

export interface ImageRun {
  /** One for each event, in order. */
  readonly outcomes: readonly { readonly kind: Outcome["kind"]; readonly body: string }[];
  /** What the container wrote to stdout and stderr. */
  readonly output: string;
}

/** Lambda's own user and group for functions. */
const SANDBOX_USER = { uid: 993, gid: 990 };

/**
 * Pulls an image (`docker://host:port/repo:tag`, `oci:DIR:tag`) with skopeo, unpacks it with umoci, runs it under runc as Lambda
 * would, with `environment` (`K=V`) on top, hands it the events one after the other and takes it down again.
 * Rejects with the container's output when it ends before it has answered.
 */
export async function runImage(
  image: string,
  events: readonly unknown[],
  environment: readonly string[] = [],
): Promise<ImageRun> {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-run-"));
  try {
    const layout = join(directory, "image");
    const linux = ["--override-os", "linux", "--override-arch", "amd64"];
    await run("skopeo", ["copy", "-q", "--src-tls-verify=false", ...linux, image, `oci:${layout}:run`]);
    const bundle = join(directory, "bundle");
    await run("umoci", ["unpack", "--image", `${layout}:run`, bundle]);
    return await runBundle(bundle, join(directory, "state"), events, environment);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function runBundle(
  bundle: string,
  state: string,
  events: readonly unknown[],
  environment: readonly string[],
): Promise<ImageRun> {
  const api = await startRuntimeApi({ functionName: "hello", functionVersion: "$LATEST", handler: "" });
  const container = startContainer(
    bundle,
    state,
    [...lambdaVariables(api.address), ...environment],
    (reason) => api.invocations.end(functionError("Runtime.ExitError", reason.message)),
  );
  try {
    const outcomes: ImageRun["outcomes"][number][] = [];
    for (const event of events) {
      const outcome = await api.invocations.invoke(invocationOf(event));
      if (outcome.kind === "error" && outcome.errorType === "Runtime.ExitError")
        throw new Error(`the container did not answer:\n${container.output()}`);
      outcomes.push({ kind: outcome.kind, body: outcome.body.toString() });
    }
    return { outcomes, output: container.output() };
  } finally {
    await container.stop();
    await api.close();
  }
}

function invocationOf(event: unknown) {
  return {
    ...{ requestId: randomUUID(), traceId: "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0" },
    ...{
      functionArn: "arn:aws:lambda:us-east-1:123456789012:function:hello",
      deadlineMs: Date.now() + 20_000,
    },
    payload: Buffer.from(JSON.stringify(event)),
  };
}

/** What Lambda sets for every function, but for what the image says itself. */
function lambdaVariables(api: string): readonly string[] {
  const facts = {
    name: "hello",
    handler: "",
    memoryMb: 128,
    region: "us-east-1",
    taskRoot: "",
    variables: {},
  };
  const { _HANDLER, LAMBDA_TASK_ROOT, ...variables } = functionVariables(facts, api, Date.now());
  return Object.entries(variables).map(([name, value]) => `${name}=${value}`);
}

function startContainer(
  bundle: string,
  state: string,
  environment: readonly string[],
  onEnd: (reason: Error) => void,
) {
  asLambdaWould(join(bundle, "config.json"), environment);
  const id = `lambda-pack-${randomUUID()}`;
  const chunks: Buffer[] = [];
  const runc = ["--root", state];
  const child = spawn(componentPath("runc") ?? "runc", [...runc, "run", "--bundle", bundle, id], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((done) => {
    child.once("error", (error) => {
      onEnd(error);
      done();
    });
    child.once("close", (status) => {
      onEnd(new Error(`the container ended with ${status}`));
      done();
    });
  });
  const stop = async () => {
    await tryRun("runc", [...runc, "delete", "--force", id]);
    await ended;
  };
  return { output: () => Buffer.concat(chunks).toString(), stop };
}

interface BundleConfig {
  readonly process: Record<string, unknown> & {
    readonly env: readonly string[];
    readonly capabilities: Readonly<Record<string, unknown>>;
  };
  readonly root: Record<string, unknown>;
  readonly mounts: readonly { readonly destination: string }[];
  readonly linux: Record<string, unknown> & { readonly namespaces: readonly { readonly type: string }[] };
}

/** The host's network is needed to reach the Runtime API; the mounts left out do not work without a network namespace and cgroups of one's own. */
const LEFT_OUT = ["/sys", "/sys/fs/cgroup", "/etc/resolv.conf"];
const TMP = {
  ...{ destination: "/tmp", type: "tmpfs", source: "tmpfs" },
  options: ["nosuid", "nodev", "mode=1777", "size=512m"],
};

/** Rewrites runc's config: read-only root, /tmp to write in, Lambda's user, no capabilities, no new privileges. */
function asLambdaWould(file: string, environment: readonly string[]): void {
  const config = JSON.parse(readFileSync(file, "utf8")) as BundleConfig;
  const { resources: _resources, uidMappings: _uids, gidMappings: _gids, ...linux } = config.linux;
  const changed = {
    ...config,
    process: {
      ...config.process,
      ...{ terminal: false, noNewPrivileges: true, user: SANDBOX_USER },
      env: [...config.process.env.filter((line) => !/^(HOME|TERM)=/.test(line)), ...environment],
      capabilities: Object.fromEntries(Object.keys(config.process.capabilities).map((set) => [set, []])),
    },
    root: { ...config.root, readonly: true },
    mounts: [...config.mounts.filter(({ destination }) => !LEFT_OUT.includes(destination)), TMP],
    linux: {
      ...linux,
      namespaces: linux.namespaces.filter(({ type }) => type !== "user" && type !== "network"),
    },
  };
  writeFileSync(file, JSON.stringify(changed));
}
