import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src", import.meta.url));
const rooms = ["oci", "layer", "registry", "layout", "cache", "lambda", "aws", "page"];

/** Which rooms each room may look into, beside itself, errors.ts and events.ts. The files at the root that tell a build are the room `story`. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  cli: ["index", "api"],
  // A page shows what the programmatic interface answers, as the command line does.
  page: ["index"],
  index: ["story", ...rooms],
  // The calls of index, each loaded when it is made.
  api: ["index", "story", "page"],
  story: rooms,
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
  "tar-stream": (file) => file === "layer/tar.ts",
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
  const name = first.replace(/\.ts$/, "");
  return ["index", "api", "errors", "events"].includes(name) ? name : "story";
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
