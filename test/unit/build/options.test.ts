import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import * as api from "../../../src/index.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const directory = makeTree({ "app.py": "" });
const cacheDirectory = join(temporaryDirectory(), "cache");
const BUILD = { directory, base: "python:3.12", environment: {}, cacheDir: cacheDirectory, to: "oci:out" };

interface Refusal {
  readonly code?: string;
  readonly message: RegExp;
  readonly hint?: RegExp;
}

/** As a JavaScript caller may call: with anything. Nothing is done, not even the cache is opened. */
async function refuses(call: (options: never) => unknown, options: unknown, refusal: Refusal): Promise<void> {
  const { code = "USAGE", message, hint = /./ } = refusal;
  const error = await Promise.resolve()
    .then(() => call(options as never)) // what JavaScript would let through
    .then(
      () => assert.fail("was not refused"),
      (thrown: unknown) => thrown,
    );
  assert.ok(error instanceof api.LambdaPackError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  assert.match(error.hint ?? "none", hint);
  assert.equal(existsSync(cacheDirectory), false);
}

describe("options of build", () => {
  const CASES: Readonly<Record<string, readonly [options: unknown, refusal: Refusal]>> = {
    "an unknown option, with the nearest one": [
      { ...BUILD, architectur: "arm64" },
      { message: /no option "architectur"/, hint: /did you mean arch\?/ },
    ],
    "an unknown option that is like none": [
      { ...BUILD, zzzzzzzzzz: 1 },
      { message: /zzzzzzzzzz/, hint: /its options are directory, base/ },
    ],
    "options that are not an object": ["app", { message: /takes an object with options, not "app"/ }],
    "no options at all": [undefined, { message: /takes an object with options, not undefined/ }],
    "a list of options": [[BUILD], { message: /takes an object with options/ }],
    "a missing directory": [{ ...BUILD, directory: undefined }, { message: /needs the option directory/ }],
    "a missing base where no file tells it": [
      { ...BUILD, directory: makeTree({ "notes.txt": "" }), base: undefined },
      { message: /cannot choose a base image: no file in/, hint: /--base/ },
    ],
    "a directory that is a number": [
      { ...BUILD, directory: 7 },
      { message: /directory should be a string.*not 7/ },
    ],
    "an empty directory name": [{ ...BUILD, directory: "" }, { message: /directory should be a string/ }],
    "an architecture that nobody has": [{ ...BUILD, arch: "sparc" }, { message: /not "sparc"/ }],
    "an architecture named as a method of objects": [
      { ...BUILD, arch: "constructor" },
      { message: /not "constructor"/ },
    ],
    "jobs beyond 64": [
      { ...BUILD, jobs: 65 },
      { message: /jobs should be a whole number from 1 to 64, not 65/ },
    ],
    "jobs as a string": [{ ...BUILD, jobs: "4" }, { message: /jobs should be .* not "4"/ }],
    "a level of 0": [{ ...BUILD, level: 0 }, { message: /level should be a whole number from 1 to 9/ }],
    "a level that is not a number": [{ ...BUILD, level: Number.NaN }, { message: /level should be/ }],
    "a format that there is not": [
      { ...BUILD, format: "zip" },
      { message: /format should be auto, docker or oci/ },
    ],
    "a tag that is a number": [{ ...BUILD, tag: 1 }, { message: /tag should be a string or a list/ }],
    "an environment variable that is a number": [{ ...BUILD, env: { A: 1 } }, { message: /env should be/ }],
    "an environment variable without a name": [{ ...BUILD, env: { "": "x" } }, { message: /env should be/ }],
    "a layer without a pattern": [{ ...BUILD, layer: [{ name: "a" }] }, { message: /layer should be/ }],
    "a layer rule with a pattern that means nothing": [
      { ...BUILD, layer: [{ name: "a", glob: "[" }] },
      { code: "USAGE", message: /--layer a/ },
    ],
    "an ignore file with a pattern that means nothing": [
      { ...BUILD, directory: makeTree({ "app.py": "", ".dockerignore": "a\n[" }) },
      { code: "IGNORE_PATTERN", message: /^\.dockerignore line 2: "\["/ },
    ],
    "an exclude pattern that means nothing": [
      { ...BUILD, exclude: ["["] },
      { code: "USAGE", message: /--exclude/ },
    ],
    "a function where true or false is due": [
      { ...BUILD, dryRun: () => true },
      { message: /dryRun should be true or false, not a function/ },
    ],
    "a signal that is none": [{ ...BUILD, signal: {} }, { message: /signal should be an AbortSignal/ }],
    "an onEvent that is not a function": [
      { ...BUILD, onEvent: "log" },
      { message: /onEvent should be a function/ },
    ],
    "an environment with a number": [
      { ...BUILD, environment: { A: 1 } },
      { message: /environment should be/ },
    ],
    "a value that cannot be shown as JSON": [{ ...BUILD, directory: 5n }, { message: /not a bigint/ }],
    "a directory that does not exist": [
      { ...BUILD, directory: "/nowhere" },
      { code: "DIRECTORY_UNREADABLE", message: /\/nowhere/ },
    ],
    "an ignore file that does not exist": [
      { ...BUILD, ignoreFile: "/nowhere/x" },
      { code: "FILE_UNREADABLE", message: /\/nowhere\/x/ },
    ],
    "a base that is not a reference": [
      { ...BUILD, base: "Python:3" },
      { code: "REFERENCE_INVALID", message: /Python/ },
    ],
    "a destination that is not a reference": [
      { ...BUILD, to: "https://x" },
      { code: "REFERENCE_INVALID", message: /https/ },
    ],
    "no destination": [{ ...BUILD, to: [] }, { message: /no destination/ }],
    "a tag that is none": [{ ...BUILD, tag: ["not a tag"] }, { message: /not a tag/ }],
    "a target that is not absolute": [
      { ...BUILD, target: "var" },
      { message: /not an absolute path/, hint: /a stage of a Dockerfile is named with --stage/ },
    ],
    "a rule that there is not": [{ ...BUILD, allow: ["nonsense"] }, { message: /"nonsense" is not a rule/ }],
    "a reuseFrom that is not a reference": [
      { ...BUILD, reuseFrom: "A B" },
      { code: "REFERENCE_INVALID", message: /A B/ },
    ],
    "locked and updateBase together": [
      { ...BUILD, locked: true, updateBase: true },
      { message: /locked and updateBase exclude each other/ },
    ],
    "reuseFrom without a cache": [
      { ...BUILD, reuseFrom: "oci:before", cache: false },
      { message: /--reuse-from has no effect: the cache is off/ },
    ],
    "createRepo where no destination is in ECR": [
      { ...BUILD, createRepo: true, to: ["oci:out", "registry.test/app"] },
      { message: /--create-repo has no effect/ },
    ],
    "a time that is none": [
      { ...BUILD, environment: { SOURCE_DATE_EPOCH: "x" } },
      { code: "SOURCE_DATE_EPOCH_INVALID", message: /"x"/ },
    ],
    "a wrong variable for jobs": [
      { ...BUILD, environment: { LAMBDA_PACK_JOBS: "many" } },
      { message: /LAMBDA_PACK_JOBS should be a whole number from 1 to 64, not "many"/ },
    ],
  };
  for (const [what, [options, refusal]] of Object.entries(CASES))
    it(`build refuses ${what} before it opens anything`, () => refuses(api.build, options, refusal));

  it("build takes an option that is undefined as one that is not given", async () => {
    const options = { ...BUILD, jobs: undefined, handler: undefined, directory: "/nowhere" };
    await refuses(api.build, options, { code: "DIRECTORY_UNREADABLE", message: /nowhere/ });
  });
});

describe("options of other commands", () => {
  const CALLS: Readonly<Record<string, readonly [call: (options: never) => unknown, options: object]>> = {
    push: [api.push, { source: "oci:a", to: "oci:b" }],
    check: [api.check, { source: "oci:a" }],
    inspect: [api.inspect, { source: "oci:a" }],
    diff: [api.diff, { before: "oci:a", after: "oci:b" }],
    bases: [api.listBases, {}],
    "cache info": [api.cacheInfo, {}],
    "cache prune": [api.pruneCache, {}],
    "cache verify": [api.verifyCache, {}],
  };
  for (const [name, [call, options]] of Object.entries(CALLS)) {
    it(`${name} refuses an unknown option and names the nearest one`, () =>
      refuses(
        call,
        { ...options, cacheDirectry: "x" },
        {
          message: new RegExp(`^${name} has no option "cacheDirectry"`),
          hint: /did you mean cacheDir\?/,
        },
      ));
    it(`${name} refuses an option of a wrong type`, () =>
      refuses(call, { ...options, cacheDir: 5 }, { message: /^cacheDir should be a string/ }));
    it(`${name} refuses options that are not an object`, () =>
      refuses(call, 5, { message: /takes an object/ }));
  }

  it("push takes the words of other tools for an architecture", () =>
    refuses(
      api.push,
      { source: "oci:missing", to: "oci:b", arch: "amd64" },
      { code: "IMAGE_NOT_FOUND", message: /missing/ },
    ));

  it("push refuses an architecture that nobody has", () =>
    refuses(
      api.push,
      { source: "oci:a", to: "oci:b", arch: "sparc" },
      { message: /arch should be x86_64 or arm64/ },
    ));

  it("check of a directory refuses what a build of it would refuse", () =>
    refuses(api.check, { source: directory, base: "python:3.12", target: "var" }, { message: /absolute/ }));

  it("check of a directory whose files tell no language needs a base", () =>
    refuses(
      api.check,
      { source: makeTree({ "notes.txt": "" }) },
      { message: /cannot choose a base image: no file in/ },
    ));

  it("cache prune refuses a negative number of bytes", () =>
    refuses(api.pruneCache, { keep: -1 }, { message: /keep should be a number of bytes or a size/ }));

  it("inspect refuses a file of this disk whose format is not given", () => {
    const path = join(temporaryDirectory(), "image.tar");
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "");
    return refuses(api.inspect, { source: path }, { message: /is a file/, hint: /oci-archive:/ });
  });
});
