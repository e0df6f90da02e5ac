import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "../../../src/index.ts";
import { describeReal } from "../../support/components/components.ts";
import { installPackages } from "../../support/components/npm-packages.ts";
import { bytesOf } from "../../support/images/random-content.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { run, TYPESCRIPT } from "../../support/run.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const ROWS = 24;

interface Step {
  /** What the output since the step before has to match. */
  readonly after: string;
  readonly columns?: number;
  readonly keys?: string;
}

interface Shown {
  readonly status: number;
  /** What stands on the screen in the end, without trailing space. */
  readonly screen: string;
  /** Every state that the live line had. */
  readonly live: readonly string[];
  readonly isCursorHidden: boolean;
  readonly raw: string;
}

/** The part of @xterm/headless that the tests use. */
interface Terminal {
  write(data: Uint8Array, done: () => void): void;
  resize(columns: number, rows: number): void;
  readonly buffer: {
    readonly active: {
      readonly length: number;
      getLine(row: number): { translateToString(trim: boolean): string } | undefined;
    };
  };
}

/** Passes bytes on, at most so many a second. */
function slowly(target: string, bytesPerSecond: number): Server {
  const [name = "", port] = target.split(":");
  return createServer((client) => {
    const upstream = connect(Number(port), name);
    upstream.pipe(client);
    client.on("data", (bytes) => {
      client.pause();
      upstream.write(bytes);
      setTimeout(() => client.resume(), (bytes.length * 1000) / bytesPerSecond);
    });
    const end = () => [client, upstream].forEach((socket: Socket) => void socket.destroy());
    for (const socket of [client, upstream]) socket.on("error", end).on("close", end);
  });
}

describeReal("progress on a real terminal", ["python3", "npm"], () => {
  let newTerminal: (columns: number) => Terminal;
  let registry: TestRegistry;
  let server: Server;
  let layout: string;

  before(async () => {
    const packages = await installPackages(["@xterm/headless@6.0.0"]);
    const { Terminal } = createRequire(join(packages, "package.json"))("@xterm/headless");
    newTerminal = (columns) => new Terminal({ cols: columns, rows: ROWS, allowProposedApi: true });
    registry = await TestRegistry.start();
    server = slowly(registry.host, 4_000_000).listen(0, "127.0.0.1");
    layout = join(temporaryDirectory(), "image");
    const directory = makeTree({
      bootstrap: { file: "#!/bin/sh\n", mode: 0o755 },
      data: bytesOf("data", 8_000_000),
    });
    await build({ directory, base: "scratch", to: `oci:${layout}`, check: false, cache: false });
  });
  after(async () => {
    server.close();
    await registry.stop();
  });

  async function shown(argv: readonly string[], columns: number, steps: readonly Step[]): Promise<Shown> {
    const bin = fileURLToPath(new URL("../../../src/cli/bin.cts", import.meta.url));
    const command = [process.execPath, ...TYPESCRIPT, bin, ...argv];
    const plan = {
      argv: ["sh", "-c", 'echo before; exec "$@"', "sh", ...command],
      columns,
      rows: ROWS,
      steps,
    };
    const script = fileURLToPath(new URL("../../support/components/on-terminal.py", import.meta.url));
    const environment = {
      CI: "",
      TERM: "xterm-256color",
      NO_COLOR: "1",
      LAMBDA_PACK_CACHE_DIR: temporaryDirectory(),
    };
    const told = await run("python3", [script, JSON.stringify(plan)], { env: environment });
    const terminal = newTerminal(columns);
    let status = -1;
    let raw = "";
    for (const [what, value] of told
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))) {
      if (what === "size") terminal.resize(value, ROWS);
      if (what === "status") status = value;
      if (what !== "output") continue;
      const bytes = Buffer.from(value, "base64");
      raw += bytes;
      await new Promise<void>((done) => terminal.write(bytes, done));
    }
    const { active } = terminal.buffer;
    const lines = Array.from(
      { length: active.length },
      (_, row) => active.getLine(row)?.translateToString(true) ?? "",
    );
    const live = [...raw.matchAll(/[⠀-⣿] ([ -~]*)/g)].map(([, text = ""]) => text);
    return {
      status,
      raw,
      live,
      screen: lines.join("\n").trimEnd(),
      isCursorHidden: raw.lastIndexOf("\u001b[?25l") > raw.lastIndexOf("\u001b[?25h"),
    };
  }

  /** A repository of its own has none of the blobs. */
  const push = (repository: string) => {
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    return ["push", `oci:${layout}`, `127.0.0.1:${port}/${repository}:v1`, "--no-cache"];
  };

  for (const columns of [40, 80]) {
    it(`a push at ${columns} columns ends with lines only, and no part of the live line is left`, async () => {
      const { status, screen, live, isCursorHidden } = await shown(push(`at${columns}`), columns, []);
      assert.equal(status, 0, screen);
      assert.match(screen, /^sent {4}127\.0\.0\.1/m);
      assert.match(screen, /^done {4}in .*MB sent$/m);
      assert.doesNotMatch(screen, /[⠀-⣿]|uploading|\[=/);
      assert.equal(isCursorHidden, false);
      if (columns === 80)
        assert.ok(
          live.some((line) =>
            /^uploading {2}\[=*>? *\] +\d+ % {2}[\d.]+ MB of 8\.0 MB {2}[\d.]+ MB\/s {2}\d+ s left$/.test(
              line,
            ),
          ),
          live.join("\n"),
        );
      assert.ok(live.every((line) => line.length + 2 < columns));
    });
  }

  it("Ctrl-C during an upload leaves the lines, an end, and the cursor", async () => {
    const { status, screen, isCursorHidden } = await shown(push("stopped"), 40, [
      { after: "uploading", keys: "\u0003" },
    ]);
    assert.equal(status, 130, screen);
    assert.match(
      screen,
      /^before\nstopping \(press Ctrl-C again to force\)\nstopped nothing was left half-written$/m,
    );
    assert.doesNotMatch(screen, /uploading|\^C/);
    assert.equal(isCursorHidden, false);
  });

  it("a terminal that gets narrower and wider keeps one live line and the lines above it", async () => {
    const steps = [
      { after: "s left", columns: 30 },
      { after: "uploading", columns: 70 },
      { after: "uploading", columns: 45 },
    ];
    const { status, screen } = await shown(push("resized"), 120, steps);
    assert.equal(status, 0, screen);
    assert.match(screen, /^before\nsent /);
    assert.doesNotMatch(screen, /uploading|\[=|s left/);
  });

  it("an error takes the place of the live line", async () => {
    const { status, screen, isCursorHidden } = await shown(
      ["push", `oci:${layout}`, "127.0.0.1:1/app:v1"],
      60,
      [],
    );
    assert.notEqual(status, 0);
    assert.match(screen, /^error: /m);
    assert.doesNotMatch(screen, /[⠀-⣿]/);
    assert.equal(isCursorHidden, false);
  });

  it("the live line is drawn over in place: the cursor is hidden once and shown once", async () => {
    const { raw } = await shown(push("once"), 80, []);
    assert.equal(raw.split("\u001b[?25l").length, 2);
  });
});
