import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { watchSignals } from "../../../src/cli/run.ts";
import { LambdaPackError } from "../../../src/errors.ts";
import { built, lambdaPack } from "../../support/cli/cli.ts";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const argv = ["build", "--base", "x"];

async function makeDirectory(test: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "lambda-pack-cli-"));
  test.after(() => rm(path, { recursive: true }));
  return path;
}

const failing = () => Promise.reject(new LambdaPackError("DENIED", "no"));

describe("stdout", () => {
  it("carries one line, the image by digest", async () => {
    assert.equal((await lambdaPack(argv)).stdout, `${built.reference}\n`);
  });

  it("carries with --json one object of exactly these fields", async () => {
    const secret = {
      ...built,
      more: "not for stdout",
      layers: built.layers.map((layer) => ({ ...layer, more: 1 })),
    };
    const { stdout } = await lambdaPack([...argv, "--json"], { build: async () => secret });
    assert.equal(stdout.indexOf("\n"), stdout.length - 1);
    assert.deepEqual(JSON.parse(stdout), built);
    assert.deepEqual(Object.keys(JSON.parse(stdout)), [
      ...["digest", "reference", "destinations", "platform", "base", "layers", "stats"],
    ]);
  });

  it("names the handler that a build has found", async () => {
    const { stdout } = await lambdaPack([...argv, "--json"], {
      build: async () => ({ ...built, handler: "app.handler" }),
    });
    assert.equal(JSON.parse(stdout).handler, "app.handler");
  });

  it("stdout has no base after a push", async () => {
    const { stdout } = await lambdaPack(["push", "oci:a", "oci:b", "--json"]);
    assert.deepEqual(Object.keys(JSON.parse(stdout)), [
      ...["digest", "reference", "destinations", "platform", "layers", "stats"],
    ]);
  });

  it("stdout has a base without digest if that is scratch", async () => {
    const build = async () => ({ ...built, base: { reference: "scratch" } });
    const { stdout } = await lambdaPack([...argv, "--json"], { build });
    assert.deepEqual(JSON.parse(stdout).base, { reference: "scratch" });
  });

  it("carries nothing when the work fails", async () => {
    assert.equal((await lambdaPack([...argv, "--json"], { build: failing })).stdout, "");
  });
});

describe("stderr", () => {
  it("stderr is empty with --quiet when all goes well", async () => {
    assert.equal((await lambdaPack([...argv, "--quiet"])).stderr, "");
  });

  it("stderr is one event per line with --progress json", async () => {
    const { stderr } = await lambdaPack([...argv, "--progress", "json"], { build: failing });
    assert.deepEqual(JSON.parse(stderr), { type: "error", code: "DENIED", message: "no" });
  });

  it("follows LAMBDA_PACK_PROGRESS if no flag says otherwise", async () => {
    const environment = { LAMBDA_PACK_PROGRESS: "none" };
    assert.equal((await lambdaPack(argv, { environment })).stderr, "");
    assert.notEqual((await lambdaPack([...argv, "--progress", "plain"], { environment })).stderr, "");
  });
});

describe("--json", () => {
  it("an error with --json is one JSON object on stderr, and stdout is empty", async () => {
    const { status, stdout, stderr } = await lambdaPack([...argv, "--json"], { build: failing });
    assert.deepEqual([status, stdout], [4, ""]);
    assert.deepEqual(JSON.parse(stderr), { type: "error", code: "DENIED", message: "no" });
  });

  it("wrong usage with --json is one JSON object on stderr", async () => {
    const { status, stderr } = await lambdaPack(["biuld", "--json"]);
    assert.equal(status, 2);
    assert.deepEqual(JSON.parse(stderr), {
      type: "error",
      code: "USAGE",
      message: 'unknown command "biuld"',
      hint: "did you mean build?",
    });
  });

  it("a warning with --json is a JSON object on a line of stderr", async () => {
    const build: typeof import("../../../src/index.ts").build = async ({ onEvent }) => {
      onEvent?.({ type: "warning", message: "old base\u009b31m" });
      return built;
    };
    const { stdout, stderr } = await lambdaPack([...argv, "--json"], { build });
    assert.equal(JSON.parse(stdout).digest, built.digest);
    assert.equal(stderr, '{"type":"warning","message":"old base\\u009b31m"}\n');
  });
});

describe("in GitHub Actions", () => {
  const environment = { GITHUB_ACTIONS: "true" };

  it("a warning of a build is an annotation, and what it quotes is not a workflow command", async () => {
    const build: typeof import("../../../src/index.ts").build = async ({ onEvent }) => {
      onEvent?.({ type: "warning", message: "x\n::error::y ##[group]z", hint: "do it" });
      return built;
    };
    const { stderr } = await lambdaPack(argv, { build, environment });
    const commands = stderr.split("\n").filter((line) => /^\s*::|##\[/.test(line));
    assert.deepEqual(commands, ["::warning title=lambda-pack::x%0A::error::y ##[group]z%0Afix: do it"]);
  });

  it("digest and reference are outputs of the step", async (test) => {
    const output = join(await makeDirectory(test), "output");
    await writeFile(output, "before=1\n");
    await lambdaPack(argv, { environment: { ...environment, GITHUB_OUTPUT: output } });
    assert.equal(
      await readFile(output, "utf8"),
      `before=1\ndigest=${built.digest}\nreference=${built.reference}\n`,
    );
  });

  it("a reference of two lines is one output of the step, and adds no other", async (test) => {
    const output = join(await makeDirectory(test), "output");
    const build = async () => ({ ...built, reference: "oci:a\nadded=1" });
    await lambdaPack(argv, { build, environment: { ...environment, GITHUB_OUTPUT: output } });
    const [, end] = /^reference<<(end-[0-9a-f-]{36})$/m.exec(await readFile(output, "utf8")) ?? [];
    assert.equal(
      await readFile(output, "utf8"),
      `digest=${built.digest}\nreference<<${end}\noci:a\nadded=1\n${end}\n`,
    );
  });
});

describe("--metadata-file", () => {
  it("holds the same object as --json", async (test) => {
    const path = join(await makeDirectory(test), "image.json");
    const { stdout } = await lambdaPack([...argv, "--json", "--metadata-file", path]);
    assert.equal(await readFile(path, "utf8"), stdout);
  });

  it("--metadata-file is not made, nor anything beside it, when the work fails", async (test) => {
    const directory = await makeDirectory(test);
    await lambdaPack([...argv, "--metadata-file", join(directory, "image.json")], { build: failing });
    assert.deepEqual(await readdir(directory), []);
  });

  it("keeps what it held before when the work fails", async (test) => {
    const path = join(await makeDirectory(test), "image.json");
    await writeFile(path, "before");
    await lambdaPack([...argv, "--metadata-file", path], { build: failing });
    assert.equal(await readFile(path, "utf8"), "before");
  });

  it("whose directory is not there is told before any work", async (test) => {
    const path = join(await makeDirectory(test), "missing", "image.json");
    const { status, stderr, builds } = await lambdaPack([...argv, "--metadata-file", path, "--quiet"]);
    assert.deepEqual([status, builds.length], [1, 0]);
    assert.equal(
      stderr,
      `error: ${path} cannot be written (ENOENT: no such file or directory)\n  fix: create the directory ${dirname(path)} first\n`,
    );
  });

  it("that is a directory is an error, and leaves nothing beside it", async (test) => {
    const directory = await makeDirectory(test);
    const path = await mkdtemp(join(directory, "taken-"));
    const { status, stdout } = await lambdaPack([...argv, "--metadata-file", path]);
    assert.deepEqual([status, stdout, (await readdir(directory)).length], [1, "", 1]);
  });
});

describe("a signal", () => {
  const untilAborted: (options: { readonly signal?: AbortSignal }) => Promise<never> = async ({ signal }) => {
    await once(signal ?? new AbortController().signal, "abort");
    throw new LambdaPackError("ABORTED", "stopped before the end");
  };

  for (const [name, want, more] of [
    ["SIGINT", 130, "press Ctrl-C again to force"],
    ["SIGTERM", 143, "a second SIGTERM ends it at once"],
  ] as const) {
    it(`${name} aborts the work, exits ${want}, and leaves no listener`, async () => {
      const signals = new EventEmitter();
      setImmediate(function send() {
        if (!signals.emit(name)) setImmediate(send);
      });
      const { status, stdout, stderr } = await lambdaPack(argv, { signals, build: untilAborted });
      assert.deepEqual([status, stdout], [want, ""]);
      assert.equal(stderr, `[  0.0s] stopping (${more})\n[  0.0s] stopped nothing was left half-written\n`);
      assert.equal(signals.listenerCount(name), 0);
    });
  }

  for (const [words, name, outcome] of [
    [["dev", "."], "SIGINT", "the server and its functions"],
    [["invoke", "."], "SIGINT", "the function"],
    [["deploy", ".", "--function", "app"], "SIGTERM", "the same deploy again does the rest"],
    [["prune", "team/app"], "SIGINT", "the same command again does the rest"],
    [["repo", "create", "team/app"], "SIGTERM", "the same command again does the rest"],
    [["check", "."], "SIGINT", "by Ctrl-C"],
    [["inspect", "oci:x"], "SIGTERM", "by SIGTERM"],
    [["status", "app"], "SIGTERM", "by SIGTERM"],
  ] as const)
    it(`that stops ${words[0]} is followed by what that means for ${words[0]}`, async () => {
      const signals = new EventEmitter();
      const stop: typeof untilAborted = (options) => {
        setImmediate(() => signals.emit(name));
        return untilAborted(options);
      };
      const aws = {
        ...{ dev: stop, invoke: stop, deploy: stop, prune: stop, createRepository: stop },
        ...{ check: stop, inspect: stop, status: stop },
      };
      const { stderr } = await lambdaPack(words, { signals, aws });
      assert.equal(stderr.split("\n").at(-2), `[  0.0s] stopped ${outcome}`);
    });

  it("that comes when all is done changes nothing", async () => {
    const signals = new EventEmitter();
    const build = async () => {
      signals.emit("SIGINT");
      return built;
    };
    assert.deepEqual((await lambdaPack(argv, { signals, build })).status, 0);
  });

  it("a signal does not hide another error of the work that it stopped", async () => {
    const signals = new EventEmitter();
    const build = () => {
      signals.emit("SIGTERM");
      return failing();
    };
    const { status, stderr } = await lambdaPack([...argv, "--quiet"], { signals, build });
    assert.deepEqual([status, stderr], [143, "error: no\n"]);
  });
});

/** The real entry, or a process whose work never ends by itself. */
function start(code: string | undefined, ...words: readonly string[]): ChildProcess {
  const what =
    code === undefined ? [source("../../../src/cli/bin.cts"), ...words] : ["--input-type=module", "-e", code];
  return spawn(process.execPath, ["--import", "tsx", ...what], {
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function endless(stops: boolean): string {
  return `
    const { main } = await import(${JSON.stringify(source("../../../src/cli/main.ts"))});
    const build = ({ signal }) => new Promise((_, reject) => {
      setInterval(() => {}, 1000);
      process.stderr.write("working\\n");
      if (${stops}) signal.addEventListener("abort", () => reject(signal.reason));
    });
    const io = { environment: {}, signals: process, exit: process.exit, now: () => 0, load: async () => ({ build }) };
    process.exit(await main(["build", "--base", "x"], { stdout: process.stdout, stderr: process.stderr, ...io }));`;
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: string[] = [];
  for await (const chunk of stream ?? []) chunks.push(String(chunk));
  return chunks.join("");
}

describe("a second signal", () => {
  it("ends the process at once, whatever the first one was", () => {
    const signals = new EventEmitter();
    const exits: number[] = [];
    const { close } = watchSignals({ signals, exit: (status) => exits.push(status) }, () => {});
    signals.emit("SIGTERM");
    assert.deepEqual(exits, []);
    signals.emit("SIGINT");
    assert.deepEqual(exits, [130]);
    close();
  });
});

describe("a real process", { concurrency: 3 }, () => {
  for (const [name, want] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    for (const [what, stops] of [
      ["stops", true],
      ["does not stop", false],
    ] as const) {
      it(`whose work ${what} on ${name} exits ${want}`, { timeout: 60_000 }, async () => {
        const child = start(endless(stops));
        await once(child.stderr ?? child, "data");
        child.kill(name);
        const [status] = await once(child, "exit");
        assert.equal(status, want);
      });
    }
  }

  it("whose stdout nobody reads any more is silent about it", async () => {
    const child = start(undefined, "build", "--help");
    child.stdout?.destroy();
    const [stderr, [status]] = await Promise.all([textOf(child.stderr), once(child, "exit")]);
    assert.deepEqual([stderr, status], ["", 0]);
  });

  it("whose stderr nobody reads any more still exits as it should", async () => {
    const child = start(undefined, "biuld");
    child.stderr?.destroy();
    const [stdout, [status]] = await Promise.all([textOf(child.stdout), once(child, "exit")]);
    assert.deepEqual([stdout, status], ["", 2]);
  });

  it("prints no colours into a pipe", async () => {
    const child = start(undefined, "biuld");
    const stderr = await textOf(child.stderr);
    assert.equal(stderr, 'error: unknown command "biuld"\n  fix: did you mean build?\n');
  });
});
