import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AssembleContext, assembleStages } from "../../../src/dockerfile/assemble.ts";
import { type FileTree, MemoryTree } from "../../../src/dockerfile/trees.ts";
import type { Entry } from "../../../src/tar/entry.ts";
import { planText } from "../../support/images/dockerfile.ts";

const BASE = "public.ecr.aws/lambda/python:3.13";

function treeOf(...paths: readonly string[]): MemoryTree {
  const tree = new MemoryTree();
  for (const path of paths)
    tree.put(path, { kind: "file", mode: 0o644, size: 1, source: `/context/${path}` });
  return tree;
}

interface Given {
  readonly context?: FileTree;
  /** Files of images by reference. */
  readonly images?: Readonly<Record<string, FileTree>>;
}

async function assemble(
  text: string,
  { context = treeOf(), images = {} }: Given = {},
): Promise<readonly string[]> {
  const read: string[] = [];
  const given: AssembleContext = {
    context,
    baseFiles: () => ({ isDirectory: (path) => ["/", "/var/task", "/opt"].includes(path) }),
    imageFiles: async (reference, paths) => {
      read.push(`${reference} ${paths.join(" ")}`);
      return images[reference];
    },
    install: async ({ step, exports }) => {
      const where = step.target.kind === "site-packages" ? "/site" : step.target.path;
      const from = step.requirements.map((path) => (exports.has(path) ? "lock" : path)).join();
      const path = `${where}/${step.manager}`;
      return [{ path, entry: { kind: "file", path, mode: 0o644, size: 1, source: from } }];
    },
  };
  const files = await assembleStages(planText(text), given);
  return [...files.entries(new Map()).map(describeEntry), ...read.map((line) => `read ${line}`)];
}

function describeEntry(entry: Entry): string {
  if (entry.kind === "directory") return `${entry.path}/`;
  if (entry.kind === "symlink") return `${entry.path} -> ${entry.target}`;
  return `${entry.path}${entry.mode === 0o755 ? " 0755" : ""} from ${entry.source}`;
}

describe("assembleStages", () => {
  it("puts a later file over an earlier one, and changes modes of both", async () => {
    const text = `FROM ${BASE}\nCOPY a b ./\nCOPY b a\nRUN chmod +x a && mkdir -p data /var/task`;
    assert.deepEqual(await assemble(text, { context: treeOf("a", "b") }), [
      "var/task/a 0755 from /context/b",
      "var/task/b from /context/b",
      "var/task/data/",
    ]);
  });

  it("copies what an earlier stage copied and installed, and what only its image has", async () => {
    const text = `FROM ${BASE} AS build
COPY r.txt .
RUN pip install -r r.txt -t /asset
FROM ${BASE}
COPY --from=build /asset ./
COPY --from=build /usr/lib/x.so /var/task/r.txt ./lib/`;
    const images = { [BASE]: treeOf("usr/lib/x.so", "usr/lib/y.so") };
    assert.deepEqual(await assemble(text, { context: treeOf("r.txt"), images }), [
      "var/task/lib/r.txt from /context/r.txt",
      "var/task/lib/x.so from /context/usr/lib/x.so",
      "var/task/pip from /var/task/r.txt",
      `read ${BASE} asset`,
      `read ${BASE} usr/lib/x.so var/task/r.txt`,
    ]);
  });

  it("joins a directory of a stage with the same directory of its image", async () => {
    const text = `FROM debian AS build\nCOPY a /srv/\nFROM ${BASE}\nCOPY --from=build /srv ./`;
    const images = { debian: treeOf("srv/b", "srv/a") };
    assert.deepEqual(
      (await assemble(text, { context: treeOf("a"), images })).filter((line) => !line.startsWith("read")),
      ["var/task/a from /context/a", "var/task/b from /context/srv/b"],
    );
  });

  it("begins with the files of the stage that FROM names", async () => {
    const text = `FROM ${BASE} AS deps\nCOPY a ./\nFROM deps\nCOPY b ./`;
    assert.deepEqual(await assemble(text, { context: treeOf("a", "b") }), [
      "var/task/a from /context/a",
      "var/task/b from /context/b",
    ]);
  });

  it("copies from an image by its reference", async () => {
    const text = `FROM ${BASE}\nCOPY --from=example.com/adapter:1 /adapter /opt/extensions/adapter`;
    assert.deepEqual(await assemble(text, { images: { "example.com/adapter:1": treeOf("adapter") } }), [
      "opt/extensions/adapter from /context/adapter",
      "read example.com/adapter:1 adapter",
    ]);
  });

  it("installs from the lock behind a requirements file that was exported, and lets it be removed", async () => {
    const text = `FROM ${BASE}
RUN uv export --no-dev -o /tmp/r.txt && uv pip install -r /tmp/r.txt --target . && rm /tmp/r.txt`;
    assert.deepEqual(await assemble(text), ["var/task/uv from lock"]);
  });

  const REFUSED: readonly (readonly [name: string, text: string, message: RegExp])[] = [
    [
      "chmod of a file of the base",
      "RUN chmod +x /lambda-entrypoint.sh",
      /:2: chmod \/lambda-entrypoint\.sh: no instruction/,
    ],
    ["rm of a file of the base", "RUN rm -rf /var/lang", /:2: rm \/var\/lang: no instruction/],
    [
      "a file where a directory is",
      "COPY a /opt/x/a/b\nCOPY a /opt/x",
      /:3: COPY puts a file where a directory is/,
    ],
    [
      "a directory below a file",
      "COPY a /opt/x\nCOPY a /opt/x/y/",
      /:3: COPY to \/opt\/x\/y\/a: \/opt\/x is not a directory/,
    ],
  ];
  for (const [name, lines, message] of REFUSED)
    it(`refuses ${name}`, async () => {
      const made = assemble(`FROM ${BASE}\n${lines}`, { context: treeOf("a") });
      await assert.rejects(made, { code: "DOCKERFILE_REFUSED", message });
    });
});
