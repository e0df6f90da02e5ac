import { EventEmitter } from "node:events";
import { Writable } from "node:stream";
import type { Api, Io, Output } from "../../../src/cli/io.ts";
import { main } from "../../../src/cli/main.ts";
import type { BuildOptions, BuildResult, PushOptions, PushResult } from "../../../src/index.ts";
import { parseDigest } from "../../../src/oci/digest.ts";

// util.styleText looks at the process, not at what a test passes: the golden lines are those of a pipe.
delete process.env["FORCE_COLOR"];

export const digestOf = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`);

/** What a push of one layer gives. */
export const pushed: PushResult = {
  digest: digestOf("a"),
  reference: `localhost:5000/app@${digestOf("a")}`,
  destinations: [{ reference: `localhost:5000/app@${digestOf("a")}`, digest: digestOf("a") }],
  platform: "linux/amd64",
  layers: [{ name: "app", digest: digestOf("b"), diffId: digestOf("c"), size: 900, files: 3, how: "built" }],
  stats: {
    files: 3,
    bytes: 2000,
    sent: 900,
    received: 0,
    ms: 1234,
    spent: { install: 0, collect: 10, fingerprint: 20, pack: 700, send: 500 },
  },
};

export const built: BuildResult = { ...pushed, base: { reference: "python:3.12", digest: digestOf("d") } };

/** A stream that keeps what is written; `columns` makes a terminal of it. */
export function screen(columns?: number): Output & { readonly text: () => string } {
  const chunks: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  const move = (code: string) => (_by: number) => void chunks.push(code);
  return Object.assign(stream, {
    text: () => chunks.join(""),
    ...(columns !== undefined && {
      isTTY: true,
      columns,
      getColorDepth: () => 1,
      cursorTo: move("\r"),
      moveCursor: move(""),
      clearLine: move("\u001b[K"),
    }),
  });
}

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The options of every call of `build` and `push`. */
  readonly builds: readonly BuildOptions[];
  readonly pushes: readonly PushOptions[];
}

export interface Scene {
  readonly environment?: Io["environment"];
  readonly columns?: number;
  readonly signals?: EventEmitter;
  readonly exit?: (status: number) => void;
  readonly build?: Api["build"];
  /** What the commands that speak to AWS do. */
  readonly aws?: Partial<AwsApi>;
}

type AwsApi = Omit<Api, "build" | "push">;

const unasked = () => {
  throw new Error("the test did not expect this call");
};

const NO_AWS: AwsApi = {
  buildFunctions: unasked,
  checkFunctions: unasked,
  deployFunctions: unasked,
  showConfig: unasked,
  importDockerfile: unasked,
  check: unasked,
  listBases: unasked,
  createRepository: unasked,
  repositoryPolicy: unasked,
  iamPolicy: unasked,
  deploy: unasked,
  status: unasked,
  prune: unasked,
  cacheInfo: unasked,
  pruneCache: unasked,
  verifyCache: unasked,
  inspect: unasked,
  invoke: unasked,
  dev: unasked,
  diff: unasked,
  inspectionPage: unasked,
};

/** Runs the command line in this process; the work itself is `scene.build`, or is done at once. */
export async function lambdaPack(argv: readonly string[], scene: Scene = {}): Promise<Outcome> {
  const stdout = screen(scene.columns);
  const stderr = screen();
  const builds: BuildOptions[] = [];
  const pushes: PushOptions[] = [];
  const api: Api = {
    build: async (options) => {
      builds.push(options);
      return scene.build ? scene.build(options) : built;
    },
    push: async (options) => {
      pushes.push(options);
      return pushed;
    },
    ...NO_AWS,
    ...scene.aws,
  };
  const status = await main(argv, {
    stdout,
    stderr,
    environment: scene.environment ?? {},
    signals: scene.signals ?? new EventEmitter(),
    exit: scene.exit ?? (() => {}),
    now: () => 0,
    load: async () => api,
  });
  return { status, stdout: stdout.text(), stderr: stderr.text(), builds, pushes };
}
