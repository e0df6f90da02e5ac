import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src", import.meta.url));
const rooms = ["oci", "layer", "registry", "layout", "cache", "lambda", "aws"];
const stories = ["build", "push", "story", "checking", "inspecting", "deploying"];

/** Which rooms each room may look into, beside itself, errors.ts and events.ts. A file at the root is a room of its own. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  cli: ["index", "api"],
  // A page shows what the programmatic interface answers, as the command line does.
  page: ["index"],
  index: [...stories, "page", ...rooms],
  // The calls of index, each loaded when it is made.
  api: ["index", "page", ...stories],
  build: ["push", "story", "checking", "deploying", ...rooms],
  push: ["story", ...rooms],
  // What several stories tell: a source, a destination, a session, what is pulled and packed.
  story: rooms,
  checking: ["build", "story", ...rooms],
  inspecting: ["story", ...rooms],
  deploying: ["build", "push", "story", ...rooms],
  aws: ["registry", "oci"],
  lambda: ["oci", "layer"],
  layer: ["oci"],
  registry: ["oci"],
  layout: ["oci"],
  // A cache is an OCI layout that forgets: it writes its blobs as a layout does.
  cache: ["oci", "layout"],
  oci: [],
  events: ["oci"],
  errors: [],
};

/** The one file through which each dependency comes in. */
const doors: Readonly<Record<string, (file: string) => boolean>> = {
  got: (file) => file === "registry/http.ts",
  hpagent: (file) => file === "registry/agent.ts",
  ora: (file) => file === "cli/report/terminal.ts",
  "p-limit": (file) => file === "push.ts",
  "@aws-sdk/client-ecr": (file) => file.startsWith("aws/"),
  "@aws-sdk/client-lambda": (file) => file.startsWith("aws/"),
};

interface Import {
  readonly file: string;
  readonly target: string;
}

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => /\.c?ts$/.test(name));
const imports: readonly Import[] = files.flatMap((file) => {
  const text = readFileSync(join(src, file), "utf8");
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\()"([^"]+)"/g)].map(([, target = ""]) => ({
    file,
    target,
  }));
});

function roomOf(file: string): string {
  const [first = "", ...rest] = file.split("/");
  if (rest.length > 0) return first;
  return first.replace(/\.ts$/, "");
}

function roomOfImport({ file, target }: Import): string {
  return roomOf(relative(src, join(src, dirname(file), target)));
}

describe("the house", () => {
  it("has imports that only point the way it is drawn", () => {
    const wrong = imports
      .filter(({ target }) => target.startsWith("."))
      .map((found) => ({ ...found, from: roomOf(found.file), to: roomOfImport(found) }))
      .filter(
        ({ from, to }) => from !== to && to !== "errors" && to !== "events" && !mayImport[from]?.includes(to),
      )
      .map(({ file, to }) => `${file} -> ${to}`);
    assert.deepEqual(wrong, []);
  });

  it("has one door for each dependency", () => {
    const outside = imports.filter(({ target }) => !target.startsWith(".") && !target.startsWith("node:"));
    const wrong = outside
      .filter(({ file, target }) => !doors[target]?.(file))
      .map(({ file, target }) => `${file} imports ${target}`);
    assert.deepEqual(wrong, []);
  });

  it("has no file that is two files: none longer than 250 lines", () => {
    const long = files.filter((file) => readFileSync(join(src, file), "utf8").split("\n").length > 251);
    assert.deepEqual(long, []);
  });
});
