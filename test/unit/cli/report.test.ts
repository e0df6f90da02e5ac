import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { failureOf } from "../../../src/cli/failure.ts";
import { jsonReporter } from "../../../src/cli/report/json.ts";
import { canRedraw, openReporter } from "../../../src/cli/report/open.ts";
import { plainReporter } from "../../../src/cli/report/plain.ts";
import type { Reporter } from "../../../src/cli/report/reporter.ts";
import { quietReporter } from "../../../src/cli/report/reporter.ts";
import { Tally } from "../../../src/cli/report/tally.ts";
import { terminalReporter } from "../../../src/cli/report/terminal.ts";
import { widthOf, wrap } from "../../../src/cli/text/wrap.ts";
import { LambdaPackError } from "../../../src/errors.ts";
import type { BuildEvent } from "../../../src/events.ts";
import { built, digestOf, pushed, screen } from "../../support/cli/cli.ts";
import { ReflowingScreen } from "../../support/cli/reflowing-screen.ts";

const to = "localhost:5000/app";
const A = digestOf("a");
const B = digestOf("b");
const C = digestOf("c");

/** A build and a push: when, and what happened. */
const story: readonly (readonly [atMs: number, event: BuildEvent])[] = [
  [300, { type: "base-resolved", reference: "python:3.12", digest: C, platform: "linux/amd64" }],
  [400, { type: "files-collected", directory: "app", files: 412, bytes: 3_100_000, leftOut: [] }],
  [500, { type: "layer-progress", name: "deps", bytes: 1_271_000, totalBytes: 3_100_000 }],
  [
    1200,
    {
      type: "layer-ready",
      name: "deps",
      digest: B,
      size: 900_000,
      files: 412,
      bytes: 3_100_000,
      how: "built",
      ms: 700,
    },
  ],
  [
    1210,
    {
      type: "layer-ready",
      name: "app",
      digest: A,
      size: 120,
      files: 1,
      bytes: 90,
      how: "reused",
      from: "localhost:5000/team/app:v41",
      ms: 1,
    },
  ],
  [1220, { type: "image-composed", digest: A, layers: 7, size: 150_000_000 }],
  [1300, { type: "blob-done", destination: to, digest: C, size: 140_000_000, how: "mounted" }],
  [1300, { type: "blob-done", destination: to, digest: A, size: 120, how: "present" }],
  [
    1400,
    {
      type: "request",
      method: "POST",
      url: "http://localhost:5000/v2/app/blobs/uploads/",
      status: 202,
      ms: 12,
    },
  ],
  [1500, { type: "blob-progress", destination: to, digest: B, sent: 450_000, size: 900_000 }],
  [
    1600,
    {
      type: "retrying",
      what: "uploading a layer",
      attempt: 2,
      waitMs: 1500,
      reason: "the connection was cut",
    },
  ],
  [1700, { type: "waiting", what: "localhost:5000 gave no answer", silentMs: 20_000, leftMs: 100_000 }],
  [12_000, { type: "blob-progress", destination: to, digest: B, sent: 800_000, size: 900_000 }],
  [12_500, { type: "warning", message: "clock is off", hint: "set it" }],
  [13_000, { type: "blob-done", destination: to, digest: B, size: 900_000, how: "uploaded" }],
  [13_100, { type: "image-published", reference: `${to}@${A}`, digest: A, tags: ["v1", "latest"] }],
];

function clock(): { now: () => number; at: number } {
  const state = { at: 0, now: () => state.at };
  return state;
}

function play(reporter: Reporter, time: { at: number }): void {
  for (const [atMs, event] of story) {
    time.at = atMs;
    reporter.event(event);
  }
  reporter.finish(built);
  reporter.close();
}

describe("plain progress", () => {
  it("plain progress is a line for each event that is worth one, and a heartbeat", () => {
    const stderr = screen();
    const time = clock();
    play(plainReporter({ stderr, environment: {}, now: time.now }, false), time);
    assert.equal(
      stderr.text(),
      [
        "[  0.3s] base python:3.12  linux/amd64  sha256:cccccccccccc",
        "[  0.4s] files app  412 files  3.1 MB",
        "[  1.2s] layer deps  412 files  3.1 MB -> 900 kB  built at 4.4 MB/s",
        "[  1.2s] layer app  1 file  90 B -> 120 B  reused from app:v41",
        "[  1.2s] image sha256:aaaaaaaaaaaa  7 layers  150 MB",
        "[  1.6s] retry uploading a layer: the connection was cut; attempt 2 in 1.5 s",
        "[  1.7s] wait localhost:5000 gave no answer for 20.0 s; given up in 1 min 40 s",
        "[ 12.0s] ... uploading 88 % · 800 kB of 900 kB · 33 kB/s · 3 s left",
        "warning: clock is off",
        "  fix: set it",
        "[ 13.1s] sent localhost:5000/app:v1,latest  1 present, 1 mounted, 1 uploaded (900 kB)",
        "[ 13.1s] done in 1.2 s, 900 B sent",
        "",
      ].join("\n"),
    );
  });

  it("shows requests and blobs when it is asked to be verbose", () => {
    const stderr = screen();
    const time = clock();
    play(plainReporter({ stderr, environment: {}, now: time.now }, true), time);
    assert.match(
      stderr.text(),
      /^\[ {2}1\.4s\] http POST http:\/\/localhost:5000\/v2\/app\/blobs\/uploads\/ {2}202 {2}12 ms$/m,
    );
    assert.match(stderr.text(), /^\[ {2}1\.3s\] blob sha256:cccccccccccc {2}140 MB {2}mounted$/m);
  });

  it("says at the end where the time went, when it was long or that is asked for", () => {
    const told = (ms: number, verbose: boolean) => {
      const stderr = screen();
      const result = { ...built, stats: { ...built.stats, ms } };
      plainReporter({ stderr, environment: {}, now: () => 0 }, verbose).finish(result);
      return stderr.text().split("\n")[0];
    };
    const spent = "[  0.0s] time collect 10 ms, fingerprint 20 ms, pack 0.7 s, send 0.5 s";
    assert.equal(told(2001, false), spent);
    assert.equal(told(300, true), spent);
    assert.match(told(300, false) ?? "", /done/);
  });

  it("says that nothing was sent after a dry run", () => {
    const stderr = screen();
    plainReporter({ stderr, environment: {}, now: () => 0 }, false).finish(built);
    assert.equal(stderr.text(), "[  0.0s] done in 1.2 s, nothing was sent\n");
  });

  it("lets no control character of others through", () => {
    const stderr = screen();
    const reporter = plainReporter({ stderr, environment: {}, now: () => 0 }, false);
    reporter.event({ type: "warning", message: "a\u001b[31mb\r\n::error::c\u0007\u202ed" });
    assert.equal(stderr.text(), "warning: a [31mb ::error::c d\n");
  });
});

describe("json progress", () => {
  it("json progress is one event per line, and the error in the same form", () => {
    const stderr = screen();
    const time = clock();
    const reporter = jsonReporter({ stderr, now: time.now }, false);
    play(reporter, time);
    reporter.fail(failureOf(new LambdaPackError("DENIED", "no", { hint: "ask" })));
    const lines = stderr
      .text()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.slice(0, -1),
      story.map(([, event]) => event),
    );
    assert.deepEqual(lines.at(-1), { type: "error", code: "DENIED", message: "no", hint: "ask" });
  });

  it("tells the same bytes at most every 100 ms, and always their end", () => {
    const stderr = screen();
    const time = clock();
    const reporter = jsonReporter({ stderr, now: time.now }, false);
    for (const [at, sent] of [
      [0, 1],
      [50, 2],
      [120, 3],
      [130, 10],
    ] as const) {
      time.at = at;
      reporter.event({ type: "blob-progress", destination: to, digest: A, sent, size: 10 });
    }
    assert.deepEqual(stderr.text().match(/"sent":\d+/g), ['"sent":1', '"sent":3', '"sent":10']);
  });
});

describe("a warning", () => {
  const problem = {
    message: "--jobs has no effect: nothing is downloaded in this run",
    hint: "leave out --jobs\nor name a registry",
  };

  it("a warning is printed as an error is: what is wrong, and below it the next step", () => {
    const stderr = screen();
    const reporter = plainReporter({ stderr, environment: {}, now: () => 0 }, false);
    reporter.event({ type: "warning", ...problem });
    reporter.fail(failureOf(new LambdaPackError("USAGE", problem.message, problem)));
    const [warning, error] = ["warning", "error"].map(
      (level) => `${level}: ${problem.message}\n  fix: leave out --jobs\n  or name a registry\n`,
    );
    assert.equal(stderr.text(), `${warning}${error}`);
  });

  for (const [name, open] of [
    ["plain", async (io: Parameters<typeof plainReporter>[0]) => plainReporter(io, false, wrap)],
    ["tty", (io: Parameters<typeof plainReporter>[0]) => terminalReporter(io, false)],
  ] as const)
    it(`and an error are broken between words, within 40 columns of a terminal with --progress ${name}`, async () => {
      const stderr = screen(40);
      const reporter = await open({ stderr, environment: {}, now: () => 0 });
      reporter.event({ type: "warning", ...problem });
      reporter.fail(failureOf(new LambdaPackError("USAGE", problem.message, problem)));
      const text = stripVTControlCharacters(stderr.text());
      const said = text.split(/[\r\n]/).filter((line) => /[a-z]{4}/.test(line) && !/starting/.test(line));
      assert.deepEqual(said, [
        "warning: --jobs has no effect: nothing",
        "  is downloaded in this run",
        "  fix: leave out --jobs",
        "  or name a registry",
        "error: --jobs has no effect: nothing",
        "  is downloaded in this run",
        "  fix: leave out --jobs",
        "  or name a registry",
      ]);
    });
});

describe("quiet progress", () => {
  it("quiet progress is errors and nothing else", () => {
    const stderr = screen();
    const reporter = quietReporter({ stderr, environment: {} }, false);
    play(reporter, clock());
    reporter.stopping("SIGINT");
    assert.equal(stderr.text(), "");
    reporter.fail(failureOf(new LambdaPackError("DENIED", "no")));
    assert.equal(stderr.text(), "error: no\n");
  });
});

describe("progress on a terminal", () => {
  for (const columns of [20, 40, 80]) {
    it(`keeps its live line within ${columns} columns`, async () => {
      const stderr = screen(columns);
      const time = clock();
      const reporter = await terminalReporter({ stderr, environment: {}, now: time.now }, false);
      play(reporter, time);
      // The frames of the spinner are braille or, where the terminal has no Unicode, one of -\|/ .
      const live = stderr
        .text()
        .split(/\r|\n/)
        .map(stripVTControlCharacters)
        .filter((line) => /^[⠀-⣿\-\\|/] /.test(line));
      assert.ok(live.length > 0);
      assert.deepEqual(
        live.filter((line) => widthOf(line.replace(/[⠀-⣿]/, "*")) >= columns),
        [],
      );
    });
  }

  it("leaves a line for each thing that was done, in columns", async () => {
    const stderr = screen(80);
    const time = clock();
    play(await terminalReporter({ stderr, environment: {}, now: time.now }, false), time);
    const lines = stripVTControlCharacters(stderr.text()).split(/\r|\n/);
    for (const line of [
      "base    python:3.12  linux/amd64  sha256:cccccccccccc",
      "layer   deps  412 files  3.1 MB -> 900 kB  built at 4.4 MB/s",
      "retry   uploading a layer: the connection was cut; attempt 2 in 1.5 s",
      "sent    localhost:5000/app:v1,latest  1 present, 1 mounted, 1 uploaded (900 kB)",
      "done    in 1.2 s, 900 B sent",
    ]) {
      assert.ok(lines.includes(line), `${line}\nis not in\n${lines.join("\n")}`);
    }
  });

  it("stops its live line before an error, and does not draw again", async () => {
    const stderr = screen(80);
    const reporter = await terminalReporter({ stderr, environment: {}, now: () => 0 }, false);
    reporter.fail(failureOf(new LambdaPackError("DENIED", "no", { hint: "ask" })));
    reporter.close();
    assert.ok(
      stripVTControlCharacters(stderr.text()).endsWith("error: no\n  fix: ask\n\r"),
      JSON.stringify(stderr.text()),
    );
  });

  it("draws its line in one place on a terminal that wraps it when it gets narrower", async (t) => {
    const screen = new ReflowingScreen(120);
    const time = clock();
    const io = { stderr: screen.output, environment: {}, now: time.now };
    const reporter = await terminalReporter(io, false);
    t.after(reporter.close);
    for (const columns of [30, 70, 25, 110]) {
      time.at += 1000;
      reporter.event({ type: "blob-progress", destination: to, digest: A, sent: time.at, size: 10_000 });
      screen.resize(columns);
      reporter.event({ type: "file-written", path: `a${columns}`, what: "b" });
    }
    const lines = screen.text.split("\n");
    assert.deepEqual(
      lines.slice(0, -1),
      [30, 70, 25, 110].map((columns) => `wrote   a${columns}  b`),
    );
    assert.match(lines.at(-1) ?? "", /uploading.*40 %/);
    reporter.close();
    assert.equal(screen.text.split("\n").length, 4);
  });

  for (const [why, columns, environment] of [
    ["a pipe", undefined, {}],
    ["a terminal of 0 columns, on which ora hangs", 0, {}],
    ["CI", 80, { CI: "true" }],
    ["a dumb terminal", 80, { TERM: "dumb" }],
  ] as const) {
    it(`progress on a terminal is not drawn on ${why}`, () => {
      assert.equal(canRedraw({ stderr: screen(columns), environment }), false);
    });
  }

  it("progress on a terminal is drawn on a terminal, also where CI says false", () => {
    assert.equal(canRedraw({ stderr: screen(80), environment: { CI: "false", TERM: "xterm" } }), true);
  });

  it("that is requested but cannot be shown there is plain", async () => {
    const stderr = screen();
    const io = {
      stderr,
      stdout: stderr,
      environment: {},
      now: () => 0,
      exit: () => {},
      signals: process,
      load: never,
    };
    const reporter = await openReporter({ json: false, progress: "tty", quiet: false, verbose: false }, io);
    reporter.finish(pushed);
    assert.equal(stderr.text(), "[  0.0s] done in 1.2 s, nothing was sent\n");
  });
});

function never(): Promise<never> {
  return Promise.reject(new Error("not to be called"));
}

describe("the live line", () => {
  type Story = readonly (readonly [atMs: number, event: BuildEvent])[];
  function tallyOf(story: Story): Tally {
    const tally = new Tally();
    for (const [at, event] of story) tally.add(event, at);
    return tally;
  }
  const lineAt = (now: number, ...story: Story) => tallyOf(story).line(now);
  const upload = (at: number, digest: typeof A, sent: number, size: number) =>
    [at, { type: "blob-progress", destination: to, digest, sent, size }] as const;
  const packing = (at: number, bytes: number) =>
    [at, { type: "layer-progress", name: "deps", bytes, totalBytes: 120_000_000 }] as const;
  const uploads: Story = [
    upload(0, A, 0, 100_000_000),
    upload(0, B, 0, 95_000_000),
    upload(0, C, 0, 5_000_000),
    [1000, { type: "blob-done", destination: to, digest: C, size: 5_000_000, how: "uploaded" }],
    upload(2000, A, 40_000_000, 100_000_000),
  ];

  it("says what is packed, how far and of how much", () => {
    assert.equal(lineAt(0, packing(0, 49_200_000)), "packing 41 % · 49 MB of 120 MB");
  });

  it("counts the layers of this build that are not begun yet", () => {
    const collected = {
      type: "files-collected",
      directory: "app",
      files: 9,
      bytes: 200_000_000,
      leftOut: [],
    } as const;
    assert.equal(lineAt(0, [0, collected], packing(0, 50_000_000)), "packing 25 % · 50 MB of 200 MB");
  });

  it("leaves out layers that come from the cache", () => {
    const collected = {
      type: "files-collected",
      directory: "app",
      files: 9,
      bytes: 200_000_000,
      leftOut: [],
    } as const;
    const cached = { digest: B, size: 9, files: 1, bytes: 80_000_000, how: "cached", ms: 1 } as const;
    const story: Story = [
      [0, collected],
      [0, { type: "layer-ready", name: "app", ...cached }],
    ];
    assert.equal(lineAt(0, ...story, packing(0, 60_000_000)), "packing 50 % · 60 MB of 120 MB");
  });

  it("says what is downloaded", () => {
    const progress = {
      type: "download-progress",
      digest: A,
      received: 12_000_000,
      size: 45_000_000,
    } as const;
    assert.equal(lineAt(0, [0, progress]), "downloading 26 % · 12 MB of 45 MB");
  });

  it("says what is uploaded, how fast and how long it takes, over all blobs", () => {
    assert.equal(lineAt(2000, ...uploads), "uploading 22 % · 45 MB of 200 MB · 23 MB/s · 7 s left");
  });

  it("takes more time for what is left while no byte moves", () => {
    const at = (now: number) => /[^·]* left$/.exec(lineAt(now, ...uploads))?.[0]?.trim();
    assert.deepEqual([at(2000), at(4000), at(40_000)], ["7 s left", "14 s left", "2 min 18 s left"]);
  });

  it("says neither speed nor time when an upload had to start again", () => {
    assert.equal(
      lineAt(1000, upload(0, A, 50, 100), upload(1000, A, 0, 100)),
      "uploading 0 % · 0 B of 100 B",
    );
  });

  it("starts its sum again when all has arrived and something new begins", () => {
    const done = { type: "blob-done", destination: to, digest: A, size: 100, how: "uploaded" } as const;
    assert.equal(
      lineAt(9000, upload(0, A, 50, 100), [1000, done], upload(9000, B, 10, 40)),
      "uploading 25 % · 10 B of 40 B",
    );
  });

  it("counts packages while they are installed", () => {
    const at = (packages: number, received: number) =>
      ({ type: "install-progress", packages, total: 125, received, files: 1, bytes: 1 }) as const;
    assert.equal(
      lineAt(1000, [0, at(0, 0)], [1000, at(50, 4_000_000)]),
      "installing 40 % · 50 of 125 packages · 4.0 MB/s",
    );
  });

  it("of an empty layer is not divided by nothing", () => {
    const empty = { type: "layer-progress", name: "app", bytes: 0, totalBytes: 0 } as const;
    assert.equal(lineAt(0, [0, empty]), "packing 100 % · 0 B of 0 B");
  });

  it("says the step while no bytes move", () => {
    assert.equal(lineAt(0, [0, { type: "image-composed", digest: A, layers: 1, size: 1 }]), "sending");
  });

  for (const [columns, line] of [
    [115, "uploading  [======>                       ]   22 %  45 MB of 200 MB  23 MB/s  7 s left"],
    [75, "uploading  [==>         ]   22 %  45 MB of 200 MB  23 MB/s  7 s left"],
    [62, "uploading  [==>         ]   22 %  45 MB of 200 MB  7 s left"],
    [45, "uploading   22 %  45 MB of 200 MB  7 s left"],
    [35, "uploading   22 %  7 s left"],
    [20, "uploading   22 %"],
  ] as const) {
    it(`leaves out what matters least in ${columns} columns`, () => {
      assert.equal(tallyOf(uploads).bar(2000, columns), line);
      assert.ok(line.length <= columns);
    });
  }
});

describe("an error", () => {
  const told = (error: unknown, verbose = false, environment = {}) => {
    const stderr = screen();
    quietReporter({ stderr, environment }, verbose).fail(failureOf(error));
    return stderr.text();
  };
  const system = (code: string, message: string) => Object.assign(new Error(message), { code });

  it("an error is what failed and the next step", () => {
    const error = new LambdaPackError("REPOSITORY_NOT_FOUND", "host/app does not exist", {
      hint: "create it",
    });
    assert.equal(told(error), "error: host/app does not exist\n  fix: create it\n");
  });

  it("says as one clause what the system said, however deep", () => {
    const cause = new Error("request failed", {
      cause: system("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:1"),
    });
    const error = new LambdaPackError("REGISTRY_UNREACHABLE", "no answer from host", { cause });
    assert.equal(told(error), "error: no answer from host (ECONNREFUSED: nothing answers there)\n");
  });

  it("uses the system's own words for what has good ones", () => {
    const error = new LambdaPackError("WRITE_FAILED", "a cannot be written", {
      cause: system("ENOSPC", "x"),
    });
    assert.equal(told(error), "error: a cannot be written (ENOSPC: no space left on device)\n");
  });

  it("an error does not say twice what the message says", () => {
    const cause = system("ENOSPC", "x");
    assert.equal(
      told(new LambdaPackError("WRITE_FAILED", "no room: ENOSPC", { cause })),
      "error: no room: ENOSPC\n",
    );
  });

  it("that nobody foresaw is called a bug", () => {
    assert.match(
      told(new TypeError("x is not a function")),
      /^error: x is not a function\n {2}fix: this is a bug in lambda-pack; .*\n$/,
    );
    const missing = Object.assign(new Error("Cannot find package 'x'"), { code: "ERR_MODULE_NOT_FOUND" });
    assert.match(
      told(missing),
      /fix: a package that lambda-pack needs is missing: install lambda-pack again/,
    );
    assert.match(told("thrown text"), /^error: thrown text\n {2}fix: this is a bug/);
  });

  it("shows stack traces, of causes too, only when asked", () => {
    const error = new LambdaPackError("DENIED", "no", { cause: new Error("deep") });
    assert.doesNotMatch(told(error), /at /);
    assert.match(told(error, true), /LambdaPackError: no\n {6}at .*caused by: Error: deep\n {6}at /s);
  });

  it("whose causes go in a circle still ends", () => {
    const error = new Error("round");
    error.cause = error;
    assert.match(told(error), /^error: round\n/);
  });

  it("an error is an annotation as well in GitHub Actions", () => {
    const error = new LambdaPackError("DENIED", "50 % of a: b, c", { hint: "ask\nhim" });
    assert.equal(
      told(error, false, { GITHUB_ACTIONS: "true" }).split("\n").at(-2),
      "::error title=lambda-pack DENIED::50 %25 of a: b, c%0Afix: ask%0Ahim",
    );
  });

  it("cannot end its annotation and begin another command", () => {
    const text = told(new LambdaPackError("DENIED", "a\r\n::set-output name=x::y"), false, {
      GITHUB_ACTIONS: "true",
    });
    assert.deepEqual(text.match(/^::[a-z-]+/gm), ["::error"]);
  });
});
