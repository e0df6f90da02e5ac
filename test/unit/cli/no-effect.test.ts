import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { flagsOf, outputFlags } from "../../../src/cli/arguments/flags.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { main } from "../../../src/cli/main.ts";
import type { Run } from "../../../src/commands/options/no-effect.ts";
import { screen } from "../../support/cli/cli.ts";
import { makeTree } from "../../support/trees.ts";

/** Where a flag has no effect: a run, and why. */
interface Warned {
  readonly run: Run;
  readonly why: string;
}
/** Where a flag is refused: the rest of the command line, and the message. */
interface Refused {
  readonly argv: readonly string[];
  readonly message: RegExp;
}
type Modes = Readonly<Record<string, "always" | Warned | Refused>>;

function warned(why: string, values: Run["values"], facts: Partial<Run> = {}): Warned {
  return { why, run: { values, usesRegistry: false, ...facts } };
}

function refused(message: RegExp, ...argv: readonly string[]): Refused {
  return { message, argv };
}

function each<T>(names: string, mode: T): Readonly<Record<string, T>> {
  return Object.fromEntries(names.split(" ").map((name) => [name, mode]));
}

const found = { emptyLayers: [], unmatched: [], unneeded: [], installs: false };
const noRegistry = warned("no image of this run is in a registry", {});
const noChecks = warned("the checks are skipped", { check: false });
const inBundle = warned("a bundle has only what the handler imports", { bundle: true });
const noInstall = warned("nothing is installed", { install: "none" });
const unbuilt = warned("the directory runs as it is, and nothing is downloaded", {}, { runsUnbuilt: true });
const onScratch = warned("scratch is not an image", {}, { base: "scratch" });
const onImage = warned("the source is an image, not a directory", {}, { isImage: true });

const TRANSFER: Modes = {
  ...each("jobs cache offline", "always"),
  cacheDir: warned("there is no cache", { cache: false }),
  ...each("insecureRegistry registryTimeout trustRealm allowPrivate", noRegistry),
};
/** The flags of a build that say what is in the image. */
const CONTENT: Modes = {
  handler: warned("cmd says what starts", { cmd: ["node"] }),
  install: warned("the bundle has all of its packages", {}, { found }),
  layer: warned('no file is left for "a"', {}, { found: { ...found, emptyLayers: ["a"] } }),
  exclude: warned('"a" leaves out no file', {}, { found: { ...found, unmatched: ["a"] } }),
  ...each("ignoreFile omitDev", inBundle),
  allowSecret: warned('no secret was found in "a"', {}, { found: { ...found, unneeded: ["a"] } }),
  allow: noChecks,
  deep: warned("scratch has no files", {}, { base: "scratch" }),
};
const CONFIGURED: Modes = {
  all: refused(/--all needs a configuration file/, "--all"),
  config: refused(/--config has no effect on oci:x/, "oci:x", "--config", "lambda-pack.jsonc"),
};
const NO_FILE = /--filter-changed has no effect without a configuration file/;

const DIRECTORY = "base arch label target format level reuseFrom extra group bundle";
const PARTS = "copyFrom add lambdaLayer extension runtimeClient";

/** Each flag of each command: always of use, or a case in which it has no effect and that is said. */
const MODES: Readonly<Record<string, Modes>> = {
  build: {
    ...{ ...TRANSFER, ...CONTENT, ...CONFIGURED },
    ...each(`${DIRECTORY} ${PARTS} webAdapter to tag dryRun env envFile entrypoint cmd workdir`, "always"),
    ...each("file check snapstart lockFile iidfile", "always"),
    stage: refused(/--stage has no effect: there is no Dockerfile/, "APP", "--stage", "x"),
    buildArg: refused(/--build-arg has no effect: there is no Dockerfile/, "APP", "--build-arg", "a=b"),
    createRepo: warned("a dry run creates nothing", { dryRun: true }),
    ...each("lock updateBase locked", onScratch),
    filterChanged: refused(NO_FILE, "APP", "--filter-changed"),
  },
  push: { ...TRANSFER, ...each("tag arch forLambda iidfile", "always") },
  check: {
    ...{ ...TRANSFER, ...CONTENT, ...CONFIGURED },
    ...each("arch snapstart", "always"),
    ...each(`base file stage buildArg env envFile label entrypoint cmd workdir target ${PARTS}`, onImage),
    ...each("bundle format webAdapter handler layer exclude ignoreFile omitDev allowSecret", onImage),
    ...each("install extra group lockFile", onImage),
    askBase: warned("offline, no registry is asked", { offline: true }),
  },
  inspect: {
    ...{ ...TRANSFER, ...each("arch files", "always") },
    html: refused(/--html shows files, and --no-files reads none/, "oci:x", "--html", "x", "--no-files"),
  },
  diff: { ...TRANSFER, ...each("exitCode arch files why", "always") },
  import: { name: "always" },
  config: { config: "always", print: "always" },
  bases: {
    resolve: "always",
    ...each(Object.keys(TRANSFER).join(" "), warned("without --resolve no registry is asked", {})),
  },
  invoke: {
    ...each(Object.keys(TRANSFER).join(" "), unbuilt),
    ...each("event handler arch functionName timeout memory region env envFile", "always"),
    sample: refused(/--event and --sample exclude each other/, "APP", "--event", "1", "--sample", "sqs"),
    listSamples: refused(
      /--list-samples runs nothing: --event has no effect/,
      "--list-samples",
      "--event",
      "1",
    ),
    config: refused(/--config has no effect on APP/, "APP", "--config", "lambda-pack.jsonc"),
    base: refused(/--base has no effect on oci:x: it is not a directory/, "oci:x", "--base", "nodejs:22"),
    exclude: refused(/--exclude has no effect on oci:x/, "oci:x", "--exclude", "x"),
    install: refused(/--install has no effect on oci:x/, "oci:x", "--install"),
    bundle: refused(/--bundle has no effect on oci:x/, "oci:x", "--bundle"),
    file: refused(/--file has no effect on oci:x/, "oci:x", "--file", "Dockerfile"),
    ignoreFile: inBundle,
    ...each("extra group", noInstall),
    sandbox: refused(/--no-sandbox has no effect on APP/, "APP", "--no-sandbox"),
    network: refused(/--network has no effect on APP/, "APP", "--network"),
  },
  dev: {
    ...each(Object.keys(TRANSFER).join(" "), unbuilt),
    ...each(
      "handler base arch memory region env envFile exclude install bundle port inspect debugpy",
      "always",
    ),
    config: refused(/--config has no effect on APP/, "APP", "--config", "lambda-pack.jsonc"),
    functionName: warned("the configuration file names the functions", { config: "lambda-pack.jsonc" }),
    timeout: warned("no timeout applies under a debugger", { inspect: true }),
    ignoreFile: inBundle,
    ...each("extra group", noInstall),
    debugPort: refused(/--debug-port has no effect without --inspect/, "APP", "--debug-port", "1"),
  },
  cache: { cacheDir: "always", keep: refused(/cache info has no flag --keep/, "info", "--keep", "1") },
  completion: {},
  version: {},
};

describe("a flag that has no effect is refused or warned of: ", () => {
  for (const { name, load } of COMMANDS) {
    const modes = MODES[name];
    if (modes === undefined) continue; // those of AWS have tests of their own
    it(`${name}: every flag says where it has no effect`, async () => {
      const general = new Set(outputFlags().map(({ key }) => key));
      const flags = flagsOf(await load()).filter(({ key }) => !general.has(key));
      assert.deepEqual(flags.map(({ key }) => key).sort(), Object.keys(modes).sort());
      for (const { key, option } of flags) {
        const mode: Modes[string] | undefined = modes[key];
        if (mode !== undefined && typeof mode === "object" && "run" in mode)
          assert.equal(option.noEffect?.(mode.run), mode.why, `${name}: ${key}`);
      }
    });
    for (const [key, mode] of Object.entries(modes)) {
      if (mode === "always" || "run" in mode) continue;
      it(`${name}: ${key} is refused with ${mode.argv.join(" ")}`, async () => {
        const app = makeTree({ "index.mjs": "export const handler = () => 1;\n", "package.json": "{}" });
        const argv = [name, ...mode.argv].map((word) => (word === "APP" ? app : word));
        const { status, stderr } = await run(argv);
        assert.match(stderr.replaceAll(app, "APP"), mode.message);
        assert.equal(status, 2);
      });
    }
  }

  it("--quiet beside --progress or --verbose", async () => {
    for (const other of [["--verbose"], ["--progress", "plain"]]) {
      const { status, stderr } = await run(["version", "--quiet", ...other]);
      assert.match(stderr, /--quiet and --(verbose|progress) exclude each other/);
      assert.equal(status, 2);
    }
  });
});

async function run(argv: readonly string[]) {
  const [stdout, stderr] = [screen(), screen()];
  const status = await main(argv, {
    ...{ stdout, stderr, environment: {}, signals: process },
    exit: () => undefined,
    now: () => performance.now(),
    load: () => import("../../../src/cli/api.ts"),
  });
  return { status, stderr: stderr.text() };
}
