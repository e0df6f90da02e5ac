import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { text as readText } from "node:stream/consumers";
import { ARCHITECTURE } from "../../commands/options/common.ts";
import { LambdaPackError, misuse } from "../../errors.ts";
import type { BuildEvent } from "../../events.ts";
import type { BuildOptions, Environment } from "../../index.ts";
import { failureOf } from "../failure.ts";
import { type Api, type Output, write } from "../io.ts";
import { printProblem } from "../report/problem.ts";
import { type DockerBuild, type DockerCommand, parseDocker } from "./arguments.ts";
import { type LocalImage, type LocalState, openState } from "./images.ts";

/** The streams, environment and other inputs of the command. */
interface DockerIo {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Environment;
  /** The directory that relative paths refer to. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly version: string;
  readonly load: () => Promise<Pick<Api, "build" | "push">>;
}

/** The exit status of docker and podman for an image that does not exist. */
const ABSENT = 1;
const FAILED = 1;

/**
 * Runs the docker commands that the CDK calls. `build` checks and packs; `push` builds from the
 * cache into the registry. Returns the exit status; never throws.
 */
export async function dockerMain(argv: readonly string[], io: DockerIo): Promise<number> {
  try {
    const { config, command } = parseDocker(argv);
    const environment = config === undefined ? io.environment : { ...io.environment, DOCKER_CONFIG: config };
    const state = openState(environment);
    return await run(command, { ...io, environment, state });
  } catch (error) {
    printProblem("error", failureOf(error), io);
    return FAILED;
  }
}

interface Run extends DockerIo {
  readonly state: LocalState;
}

async function run(command: DockerCommand, io: Run): Promise<number> {
  switch (command.kind) {
    case "version":
      await write(io.stdout, `lambda-pack-docker ${io.version}\n`);
      return 0;
    case "login": {
      const password = (await readText(io.stdin)).replace(/\r?\n$/, "");
      await io.state.keepLogin(command.host, { username: command.username, password });
      await write(io.stdout, "Login Succeeded\n");
      return 0;
    }
    case "inspect":
      return inspect(command.name, io);
    case "images":
      await write(
        io.stdout,
        imageNames(command.reference, io.state)
          .map((name) => `${name}\n`)
          .join(""),
      );
      return 0;
    case "tag":
      await io.state.keep({ ...imageOf(command.from, io.state), name: command.to });
      return 0;
    case "load":
      return load(resolve(io.directory, command.archive), io);
    case "build":
      return build(command, io);
    case "pack":
      return pack(command, io);
    case "push":
      return push(command.name, io);
  }
}

async function inspect(name: string, { state, stdout }: Run): Promise<number> {
  const image = state.find(name);
  if (!image || !isThere(image)) return ABSENT;
  await write(stdout, `${JSON.stringify([image])}\n`);
  return 0;
}

function isThere(image: LocalImage): boolean {
  return existsSync(image.kind === "build" ? image.options.directory : image.path);
}

/** Lists the names that match a filter such as `*\/*:<tag>`, of which only the tag is compared. */
function imageNames(reference: string | undefined, state: LocalState): readonly string[] {
  const tag = reference === undefined ? undefined : reference.slice(reference.lastIndexOf(":"));
  return state
    .all()
    .filter(isThere)
    .map(({ name }) => name)
    .filter((name) => tag === undefined || name.endsWith(tag));
}

function imageOf(name: string, state: LocalState): LocalImage {
  const image = state.find(name);
  if (image) return image;
  throw new LambdaPackError("IMAGE_NOT_FOUND", `there is no local image ${name}`, {
    hint: "build it first, with the same CDK_DOCKER and the same cache",
  });
}

async function load(path: string, { state, stdout }: Run): Promise<number> {
  const name = `lambda-pack.local/${resolve(path)
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^-+/, "")}:latest`;
  await state.keep({ kind: "archive", name, path });
  await write(stdout, `Loaded image: ${name}\n`);
  return 0;
}

async function build(command: DockerBuild, io: Run): Promise<number> {
  const { platform } = command;
  const architecture = ARCHITECTURE.parse(platform);
  if (platform !== undefined && architecture === undefined)
    throw misuse(`Lambda does not run ${platform}`, "write linux/amd64 or linux/arm64");
  const directory = resolve(io.directory, command.directory);
  const options: BuildOptions = {
    directory,
    file: resolve(directory, command.file ?? "Dockerfile"),
    buildArg: pairs(command.buildArgs, io.environment),
    label: pairs(command.labels, {}),
    ...(command.stage !== undefined && { stage: command.stage }),
    ...(architecture && { arch: architecture }),
  };
  const api = await io.load();
  const { digest } = await api.build({ ...options, ...context(io), dryRun: true });
  for (const name of command.names) await io.state.keep({ kind: "build", name, options, digest });
  await write(io.stdout, `${digest}\n`);
  return 0;
}

/** Options with paths relative to the source directory. */
const PATHS = ["file", "ignoreFile", "lockFile", "envFile"] as const;

/** Builds a directory for the construct lambda-pack/cdk, and prints the image's local name. */
async function pack({ directory: place, options: json }: Packing, io: Run): Promise<number> {
  const directory = resolve(io.directory, place);
  const options = { ...readOptions(json), directory };
  const paths = PATHS.map((name) => [name, inDirectory(directory, options[name])]);
  const all: BuildOptions = { ...options, ...Object.fromEntries(paths) };
  const { build: buildImage } = await io.load();
  const { digest } = await buildImage({ ...all, ...context(io), dryRun: true });
  const name = `lambda-pack-${createHash("sha256").update(JSON.stringify(all)).digest("hex")}`;
  await io.state.keep({ kind: "build", name, options: all, digest });
  await write(io.stdout, `${name}\n`);
  return 0;
}

type Packing = Extract<DockerCommand, { kind: "pack" }>;

/** Parses the options; `build` validates them. */
function readOptions(json: string): Partial<BuildOptions> {
  try {
    const options: unknown = JSON.parse(json);
    if (typeof options === "object" && options !== null) return options;
  } catch {
    // Reported below.
  }
  throw misuse("the options of pack are not a JSON object");
}

function inDirectory(directory: string, path: string | readonly string[] | undefined) {
  return typeof path === "object"
    ? path.map((one) => resolve(directory, one))
    : path && resolve(directory, path);
}

/** Parses `K=V` pairs. As in docker, a `K` alone takes its value from the environment. */
function pairs(words: readonly string[], environment: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words.flatMap((word) => {
      const at = word.indexOf("=");
      const [name, value] = at < 0 ? [word, environment[word]] : [word.slice(0, at), word.slice(at + 1)];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

async function push(name: string, io: Run): Promise<number> {
  const image = imageOf(name, io.state);
  const api = await io.load();
  const result =
    image.kind === "build"
      ? await api.build({ ...image.options, ...context(io), to: name })
      : await api.push({ source: `docker-archive:${image.path}`, to: name, ...context(io) });
  if (image.kind === "build" && result.digest !== image.digest)
    printProblem(
      "warning",
      { message: `${name} has changed since it was built: it was ${image.digest}` },
      io,
    );
  await write(io.stdout, `${result.reference}\n`);
  return 0;
}

function context(io: Run) {
  const { environment, signal, state } = io;
  return {
    environment: withLogins(environment, state),
    signal,
    onEvent: (event: BuildEvent) => {
      if (event.type === "warning") printProblem("warning", event, io);
    },
  };
}

/** Adds this command's logins, which were made for this push and win over those of other tools. */
function withLogins(environment: Environment, state: LocalState): Environment {
  const own = Object.entries(state.logins()).map(([host, { username, password }]) => [
    host,
    { auth: Buffer.from(`${username}:${password}`).toString("base64") },
  ]);
  if (own.length === 0) return environment;
  const config = givenConfig(environment["DOCKER_AUTH_CONFIG"] || "{}");
  const auths = "auths" in config && typeof config.auths === "object" ? config.auths : {};
  return {
    ...environment,
    DOCKER_AUTH_CONFIG: JSON.stringify({ ...config, auths: { ...auths, ...Object.fromEntries(own) } }),
  };
}

function givenConfig(text: string): object {
  try {
    const given: unknown = JSON.parse(text);
    return typeof given === "object" && given !== null ? given : {};
  } catch {
    // The parser's message could quote a secret.
    throw new LambdaPackError("CREDENTIALS_INVALID", "DOCKER_AUTH_CONFIG is not JSON", {
      hint: "correct it, or unset it",
    });
  }
}
