import assert from "node:assert/strict";
import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type CollectOptions, collect, type SourceFile } from "../../../src/layer/collect.ts";
import { makeFifo, makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

type More = Partial<CollectOptions>;

async function filesOf(options: CollectOptions): Promise<readonly SourceFile[]> {
  return [...(await collect(options)).files];
}

async function pathsOf(tree: Tree, more: More = {}): Promise<readonly string[]> {
  const files = await filesOf({ directory: makeTree(tree), target: "/var/task", ...more });
  return files.map(({ path }) => path);
}

function refused(directory: string, code: string, message: RegExp, more: More = {}): Promise<void> {
  return assert.rejects(collect({ directory, target: "/var/task", ...more }), { code, message });
}

/** root may read everything: tests of permissions run as nobody. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe("collecting", () => {
  it("puts files under the target, sorted by the bytes of their names in the tar", async () => {
    const directory = makeTree({
      "b/x": "1",
      "b.txt": "2",
      "a-": "3",
      "\u{1f600}": "4",
      "\uff5e": "5",
      B: "6",
    });
    const files = await filesOf({ directory, target: "/opt/" });
    const paths = files.map(({ entry }) => entry.path);
    assert.deepEqual(paths, ["opt/B", "opt/a-", "opt/b.txt", "opt/b/x", "opt/\uff5e", "opt/\u{1f600}"]);
  });

  it("keeps empty directories and leaves the others to what is in them", async () => {
    assert.deepEqual(await pathsOf({ "full/file": "", empty: null, "nest/empty": null }), [
      "empty",
      "full/file",
      "nest/empty",
    ]);
  });

  it("counts what is not a directory, and bytes", async () => {
    const directory = makeTree({ a: "12345", b: { link: "a" }, c: null, "d/e": "1" });
    const { count, bytes } = await collect({ directory, target: "/" });
    assert.deepEqual({ count, bytes }, { count: 3, bytes: 6 });
  });

  it("makes modes 0644 and 0755, by the owner's right to execute", async () => {
    const directory = makeTree({
      a: { file: "", mode: 0o600 },
      b: { file: "", mode: 0o700 },
      c: { file: "", mode: 0o4777 },
      d: { file: "", mode: 0o611 },
    });
    const files = await filesOf({ directory, target: "/" });
    const modes = files.map(({ entry }) => (entry.kind === "file" ? entry.mode : 0));
    assert.deepEqual(modes, [0o644, 0o755, 0o755, 0o644]);
  });

  it("on Windows, tells what is executable from a script's first line or ELF's magic number", async () => {
    const directory = makeTree({
      elf: "\u007fELF\u0001",
      script: "#!/bin/sh\n",
      text: { file: "text", mode: 0o755 },
      tiny: "#",
    });
    const files = await filesOf({ directory, target: "/", platform: "win32" });
    const executable = files.filter(({ entry }) => entry.kind === "file" && entry.mode === 0o755);
    assert.deepEqual(
      executable.map(({ path }) => path),
      ["elf", "script"],
    );
  });

  it("on Windows, writes what a link points to with slashes", async () => {
    const directory = makeTree({ "a/file": "", link: { link: "a\\file" } });
    const files = await filesOf({ directory, target: "/", platform: "win32" });
    assert.deepEqual(files[1]?.entry, { kind: "symlink", path: "link", target: "a/file" });
  });

  it("stores two names of one file as two files", async () => {
    const directory = makeTree({ a: "content" });
    linkSync(join(directory, "a"), join(directory, "b"));
    const files = await filesOf({ directory, target: "/" });
    assert.deepEqual(
      files.map(({ entry }) => entry.kind),
      ["file", "file"],
    );
  });

  it("leaves out history and credentials wherever they are, even if the ignore file wants them", async () => {
    const tree = {
      ".dockerignore": "!.npmrc\n!**/.git",
      ".git/HEAD": "",
      ".npmrc": "",
      "a/.aws/credentials": "",
      "a/.ssh/id_ed25519": "",
      "a/.docker/config.json": "",
      "b/.netrc": "",
      "b/.pypirc": "",
      "b/.DS_Store": "",
      "b/.svn/x": "",
      "b/.hg/x": "",
      "c/.git": "gitdir: elsewhere",
      "c/.gitkeep": "",
      "c/.docker/other": "",
    };
    assert.deepEqual(await pathsOf(tree), ["a/.docker", "b", "c/.docker/other", "c/.gitkeep"]);
  });
});
describe("links", () => {
  it("stay links and are not followed: loops, dangling ones and links to directories", async () => {
    const directory = makeTree({
      "a/file": "",
      "a/self": { link: "self" },
      "a/up": { link: ".." },
      "to-a": { link: "a" },
      dangling: { link: "nothing" },
    });
    const { files, warnings } = await collect({ directory, target: "/" });
    assert.deepEqual(
      [...files].map(({ path, entry }) => `${path} ${entry.kind}`),
      ["a/file file", "a/self symlink", "a/up symlink", "dangling symlink", "to-a symlink"],
    );
    assert.deepEqual(warnings, []);
  });

  it("may be the source directory itself", async () => {
    const link = join(temporaryDirectory(), "link");
    symlinkSync(makeTree({ file: "" }), link);
    const { count } = await collect({ directory: `${link}/`, target: "/" });
    assert.equal(count, 1);
  });
});

describe("what is left out", () => {
  it("what is left out is told by .lambdaignore rather than .dockerignore, and neither is packed", async () => {
    const tree = { ".lambdaignore": "a", ".dockerignore": "b", a: "", b: "", Dockerfile: "" };
    assert.deepEqual(await pathsOf(tree), ["Dockerfile", "b"]);
  });

  it("what is left out is told by .dockerignore if there is no other", async () => {
    assert.deepEqual(
      await pathsOf({ ".dockerignore": "*\n!src/*.py", "src/a.py": "", "src/b.txt": "", c: "" }),
      ["src/a.py"],
    );
  });

  it("what is left out is told by the named file, which is not packed either", async () => {
    const directory = makeTree({ "ignore/rules": "a", a: "", b: "" });
    const files = await filesOf({ directory, target: "/", ignoreFile: join(directory, "ignore/rules") });
    assert.deepEqual(
      files.map(({ path }) => path),
      ["b", "ignore"],
    );
  });

  it("what is left out is told by --exclude after the ignore file", async () => {
    const tree = { ".dockerignore": "!a", a: "", b: "", c: "" };
    assert.deepEqual(await pathsOf(tree, { exclude: ["/a", "*", "!b"] }), ["b"]);
  });

  it("what is left out is our own output, through links too", async () => {
    const directory = makeTree({ "out/index.json": "", "cache/x": "", app: "" });
    const link = join(temporaryDirectory(), "link");
    symlinkSync(directory, link);
    const output = [join(link, "out"), join(directory, "cache"), join(directory, "not/yet")];
    const files = await filesOf({ directory, target: "/", output });
    assert.deepEqual(
      files.map(({ path }) => path),
      ["app"],
    );
  });

  it("may be what could not be packed: a bad name, a FIFO, an unreadable directory", async () => {
    const directory = makeTree({ ".dockerignore": "*.tmp\nsecret\n", "a.tmp": "", "secret/x": "", b: "" });
    makeFifo(join(directory, "fifo.tmp"));
    writeFileSync(
      Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff]), Buffer.from(".tmp")]),
      "",
    );
    chmodSync(join(directory, "secret"), 0);
    chmodSync(directory, 0o755);
    await asNobody(async () => {
      const files = await filesOf({ directory, target: "/" });
      assert.deepEqual(
        files.map(({ path }) => path),
        ["b"],
      );
    });
    chmodSync(join(directory, "secret"), 0o700);
  });

  it("names the file and line of a pattern that means nothing", () =>
    refused(
      makeTree({ ".dockerignore": "a\n\n[", a: "" }),
      "IGNORE_PATTERN",
      /^\.dockerignore line 3: "\["/,
    ));

  it("names the file and line of a pattern with a NUL byte", () =>
    refused(
      makeTree({ ".dockerignore": "a\nb\0c\n", a: "" }),
      "IGNORE_PATTERN",
      /^\.dockerignore line 2: "b\\u0000c": it has a NUL byte, which no path has$/,
    ));

  it("names --exclude when that is what means nothing", () =>
    refused(makeTree({ a: "" }), "USAGE", /^--exclude: /, { exclude: ["a["] }));

  it("what is left out is not told by an empty --exclude", () =>
    refused(makeTree({ a: "" }), "USAGE", /^--exclude: "": it is empty/, { exclude: [" "] }));

  it("must be a file that exists when it is named", () =>
    refused(makeTree({ a: "" }), "FILE_UNREADABLE", /nothing-here/, { ignoreFile: "nothing-here" }));
});

describe("a source directory", () => {
  it("that does not exist is an error", () =>
    refused("/nothing/here", "DIRECTORY_UNREADABLE", /\/nothing\/here does not exist/));

  it("that is a file is an error", () =>
    refused(join(makeTree({ a: "" }), "a"), "DIRECTORY_UNREADABLE", /is not a directory/));

  it("that may not be read is an error", async () => {
    const directory = makeTree({ a: "" });
    chmodSync(directory, 0);
    await asNobody(() => refused(directory, "DIRECTORY_UNREADABLE", /permission denied/));
    chmodSync(directory, 0o700);
  });

  it("that is empty is an error", () => refused(makeTree({}), "DIRECTORY_EMPTY", /nothing to pack/));

  it("of which nothing is left is an error", () =>
    refused(makeTree({ a: "", "b/c": "" }), "DIRECTORY_EMPTY", /nothing to pack/, { exclude: ["*"] }));

  it("with a directory that may not be read is an error that names it", async () => {
    const directory = makeTree({ "open/file": "", "closed/file": "" });
    chmodSync(directory, 0o755);
    chmodSync(join(directory, "closed"), 0);
    await asNobody(() => refused(directory, "FILE_UNREADABLE", /closed: EACCES/));
    chmodSync(join(directory, "closed"), 0o700);
  });

  it("with a FIFO is an error that names it, and does not wait for a writer", () => {
    const directory = makeTree({ a: "" });
    makeFifo(join(directory, "pipe"));
    return refused(directory, "FILE_KIND", /pipe is a FIFO/);
  });

  it("with a socket is an error that names it", async () => {
    const directory = temporaryDirectory();
    const server = createServer().listen(join(directory, "sock"));
    try {
      await refused(directory, "FILE_KIND", /sock is a socket/);
    } finally {
      server.close();
    }
  });

  it("a source directory is given up when the caller's signal is aborted", () =>
    assert.rejects(
      collect({ directory: makeTree({ a: "" }), target: "/", signal: AbortSignal.abort(new Error("stop")) }),
      /stop/,
    ));

  for (const target of ["var/task", "/a/../b", "/a\nb", ""]) {
    it(`cannot go to ${JSON.stringify(target)}`, () =>
      refused(makeTree({ a: "" }), "USAGE", /absolute/, { target }));
  }
});

describe("a name", () => {
  for (const [name, shown] of [
    [Buffer.from("caf\u00e9", "latin1"), /"d\/caf\\xe9" .* not UTF-8/],
    [Buffer.from("two\nlines"), /"d\/two\\nlines" .* control character/],
    [Buffer.from("bell\u0007"), /"d\/bell\\u0007" .* control character/],
    [Buffer.from("delete\u007f"), /control character/],
    [Buffer.from(".wh.app"), /"d\/\.wh\.app" /],
    [Buffer.from(".wh..wh..opq"), /\.wh\./],
  ] as const) {
    it(`${JSON.stringify(name.toString("latin1"))} is refused, with the path`, () => {
      const directory = makeTree({ d: null });
      writeFileSync(Buffer.concat([Buffer.from(`${directory}/d/`), name]), "");
      return refused(directory, "FILE_NAME", shown);
    });
  }

  for (const name of [
    "-rf",
    " a b ",
    "back\\slash",
    "'quotes\"",
    "emoji \u{1f600}",
    "e\u0301",
    "\u00e9",
    "a.",
    "%s",
  ]) {
    it(`${JSON.stringify(name)} is fine`, async () => {
      assert.deepEqual(await pathsOf({ [name]: "" }), [name]);
    });
  }

  it("of 255 bytes is fine, and more is refused, as a target may make it", async () => {
    const directory = makeTree({ ["n".repeat(255)]: "" });
    await collect({ directory, target: "/" });
    await refused(directory, "FILE_NAME", /255 bytes/, { target: `/${"t".repeat(256)}` });
  });

  it("in a path of more than 4096 bytes is refused", () => {
    const target = `/${"target/".repeat(580)}`;
    return refused(makeTree({ ["n".repeat(100)]: "" }), "FILE_NAME", /4096 bytes/, { target });
  });

  it("may be a thousand directories deep", async () => {
    const path = `${"d/".repeat(1024)}file`;
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "d/".repeat(1024)), { recursive: true });
    writeFileSync(join(directory, path), "");
    const files = await filesOf({ directory, target: "/" });
    assert.deepEqual(
      files.map((file) => file.path),
      [path],
    );
    rmSync(directory, { recursive: true });
  });

  it("that a link points to is held to the same rules", () => {
    const directory = makeTree({ a: "" });
    symlinkSync(Buffer.from([0x61, 0xff]), join(directory, "link"));
    return refused(directory, "FILE_NAME", /"link" .* links to is not UTF-8/);
  });
});
