import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { differenceText } from "../../../src/cli/answers/difference.ts";
import { inspectionText } from "../../../src/cli/answers/inspection.ts";
import { cutPath, percent, table } from "../../../src/cli/answers/rows.ts";
import { widthOf } from "../../../src/cli/text/wrap.ts";
import type { Difference, DiffOptions, InspectOptions } from "../../../src/index.ts";
import { digestOf, lambdaPack } from "../../support/cli/cli.ts";
import { sampleInspection } from "../../support/cli/inspections.ts";
import { temporaryDirectory } from "../../support/trees.ts";

const plain = (text: string) => text;
const EVIL = "evil\u001b[2J\u202e\nname";
const inspection = sampleInspection({
  files: {
    "usr/lib/libcrypto.so": 4_000_000,
    "var/task/a/very/long/way/down/to/some/module/that/nobody/knows/index.js": 700_000,
    [`var/task/${EVIL}`]: 300_000,
    "var/task/日本語.txt": 200_000,
  },
  createdBy: `RUN ${EVIL} ${"x".repeat(200)}`,
  env: ["PATH=/bin", `E=${EVIL}`],
});
const none = { count: 0, paths: [] };
const difference: Difference = {
  before: {
    reference: `oci:${EVIL}`,
    digest: digestOf("a"),
    mediaType: "m",
    platform: "linux/amd64",
    size: 2_000_000,
  },
  after: {
    reference: "oci:b",
    digest: digestOf("b"),
    mediaType: "m",
    platform: "linux/amd64",
    size: 1_500_000,
  },
  same: false,
  config: [
    { field: "Cmd", before: ["a"], after: ["b", EVIL] },
    { field: "Env.NEW", after: "1" },
  ],
  base: { before: digestOf("c"), after: digestOf("d") },
  layers: [
    { change: "kept", after: { index: 0, digest: digestOf("1"), size: 5 } },
    {
      change: "recompressed",
      before: { index: 1, digest: digestOf("2"), size: 5 },
      after: { index: 1, digest: digestOf("3"), size: 6 },
    },
    {
      change: "changed",
      before: { index: 2, digest: digestOf("4"), size: 5 },
      after: { index: 2, digest: digestOf("5"), size: 6, createdBy: "lambda-pack: app" },
      why: {
        ...{ before: 50, after: 50, added: none, removed: none, reordered: false },
        changed: {
          kind: none,
          link: none,
          mode: none,
          owner: none,
          attributes: none,
          content: { count: 1, paths: [EVIL] },
          mtime: { count: 50, paths: ["a"] },
        },
      },
    },
  ],
  files: {
    added: { count: 1, bytes: 5 },
    removed: { count: 0, bytes: 0 },
    changed: { count: 2, bytes: -10 },
    list: [
      { path: "new", change: "added", after: { kind: "file", mode: 0o644, size: 5, link: "", layer: 1 } },
      {
        ...{ path: EVIL, change: "changed", what: ["content", "mode"] },
        before: { kind: "file", mode: 0o644, size: 15, link: "", layer: 1 },
        after: { kind: "file", mode: 0o755, size: 5, link: "", layer: 1 },
      },
    ],
  },
};

describe("what inspect and diff show", () => {
  for (const columns of [20, 40, 60, 80, 200]) {
    it(`what inspect and diff show has no line wider than ${columns} columns`, () => {
      for (const text of [
        inspectionText(inspection, columns, plain),
        differenceText(difference, columns, plain),
      ])
        assert.deepEqual(
          text.split("\n").filter((line) => widthOf(line) > columns),
          [],
        );
    });
  }

  it("what inspect and diff show has nothing in it that moves a cursor or turns text around", () => {
    for (const text of [inspectionText(inspection, 80, plain), differenceText(difference, 80, plain)])
      assert.deepEqual(text.replaceAll("\n", "").match(/[\p{Cc}\u202e]/gu), null);
  });

  it("what inspect and diff show is what people look for in an image, at 80 columns", () => {
    const lines = inspectionText(inspection, 80, plain).split("\n");
    for (const line of [
      "size        1.7 MB stored, 5.2 MB unpacked",
      "cmd         app.handler",
      "  1  1.3 MB    4.0 MB      1       -  2.0 MB  sha256:aaaaaaaaaaaa  base",
      "  2  400 kB    1.2 MB      3  2.0 MB       -  sha256:bbbbbbbbbbbb  app",
      "largest of 4 files, 5.2 MB",
      "  4.0 MB  #1    /usr/lib/libcrypto.so",
      "hidden by higher layers: 1 file, 2.0 MB",
      "  2.0 MB  #1<2  /usr/bin/openssl",
    ])
      assert.ok(lines.includes(line), `${line}\n${lines.join("\n")}`);
  });

  it("says at 40 columns what the table has no room for", () => {
    const text = inspectionText(inspection, 40, plain);
    assert.match(text, /^ {5}hides 1 file, 2\.0 MB$/m);
    assert.match(text, /…\/nobody\/knows\/index\.js$/m);
  });

  it("folds a config value that is too wide, so that what differs at its end is seen", () => {
    const long = "x".repeat(60);
    const config = [{ field: "Env.A", before: `${long}1`, after: `${long}2` }];
    const text = differenceText({ ...difference, config }, 40, plain).replaceAll(/\n {4}/g, "");
    assert.match(text, /^ {2}- Env\.A ?x{60}1$/m);
    assert.match(text, /^ {2}\+ Env\.A ?x{60}2$/m);
  });

  it("what inspect and diff show is why layers changed", () => {
    const text = differenceText(difference, 80, plain);
    assert.match(
      text,
      /^ {2}~ 2 {2}recompressed {2}6 B\n {6}the same files, compressed by another encoder or at another level$/m,
    );
    assert.match(text, /^ {2}~ 3 {2}changed {2}6 B {2}lambda-pack: app\n {6}other content: 1: \/evil/m);
    assert.match(text, /^ {6}other time: all 50 entries$/m);
    assert.match(text, /^ {2}- Cmd \["a"\]$/m);
    assert.match(text, /content -10 B, mode 0644 -> 0755$/m);
  });
});

describe("a table", () => {
  it("a table has numbers at the right and is cut at the end only", () => {
    const lines = table(
      [{ title: "n", right: true }, { title: "name" }],
      [
        ["1", "a"],
        ["20", "long name"],
      ],
      12,
    );
    assert.deepEqual(lines, ["   n  name", "   1  a", "  20  long …"]);
  });

  it("keeps the end of a path", () => assert.equal(cutPath("a/b/c.txt", 6), "…c.txt"));

  it("a table has parts of a hundred", () =>
    assert.deepEqual([percent(0, 0), percent(1, 300), percent(1, 3)], ["0 %", "0.3 %", "33 %"]));
});

describe("the inspect command", () => {
  const page = "<!doctype html>";
  const scene = (asked: InspectOptions[]) => ({
    aws: {
      inspect: async (options: InspectOptions) => {
        asked.push(options);
        return inspection;
      },
      inspectionPage: async () => page,
    },
  });

  it("asks for what its flags say", async () => {
    const asked: InspectOptions[] = [];
    const argv = ["inspect", "oci:app", "--arch", "arm64", "--no-files", "--offline", "--no-cache"];
    assert.equal((await lambdaPack(argv, scene(asked))).status, 0);
    const [{ source, arch, files, offline, cache } = { source: "" }] = asked;
    assert.deepEqual([source, arch, files, offline, cache], ["oci:app", "arm64", false, true, false]);
  });

  it("answers with --json what the programmatic interface answers", async () => {
    const { stdout } = await lambdaPack(["inspect", "oci:app", "--json"], scene([]));
    assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(inspection)));
  });

  it("writes the page, and shows the text all the same", async () => {
    const file = join(temporaryDirectory(), "page.html");
    const { stdout } = await lambdaPack(["inspect", "oci:app", "--html", file], scene([]));
    assert.equal(readFileSync(file, "utf8"), page);
    assert.match(stdout, /^image {7}oci:app$/m);
  });

  it("refuses a page of files that are not read, and one in no directory, before it reads anything", async () => {
    const asked: InspectOptions[] = [];
    const both = await lambdaPack(["inspect", "oci:app", "--html", "x.html", "--no-files"], scene(asked));
    const nowhere = await lambdaPack(["inspect", "oci:app", "--html", "/none/such/x.html"], scene(asked));
    assert.deepEqual([both.status, nowhere.status, asked.length], [2, 1, 0]);
  });
});

describe("the diff command", () => {
  const run = async (argv: readonly string[], same: boolean) => {
    const asked: DiffOptions[] = [];
    const diff = async (options: DiffOptions) => {
      asked.push(options);
      return { ...difference, same };
    };
    const { status, stdout } = await lambdaPack(["diff", "oci:a", "oci:b", ...argv], { aws: { diff } });
    return { status, stdout, asked };
  };

  it("exits 0 whatever differs, and 3 with --exit-code", async () => {
    const statuses = [
      await run([], false),
      await run(["--exit-code"], false),
      await run(["--exit-code"], true),
    ];
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [0, 3, 0],
    );
  });

  it("asks for reasons only with --why", async () => {
    const [silent, told] = [await run([], false), await run(["--why", "--no-files"], false)];
    assert.deepEqual([silent.asked[0]?.why, silent.asked[0]?.files], [undefined, undefined]);
    assert.deepEqual([told.asked[0]?.why, told.asked[0]?.files], [true, false]);
  });

  it("says in one line that nothing differs", async () => {
    assert.equal((await run([], true)).stdout, `no difference: both are ${digestOf("b")}\n`);
  });
});
