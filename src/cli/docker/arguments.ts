import { parseArgs } from "node:util";
import { misuse } from "../../errors.ts";

/** The commands of docker that are possible without containers. */
export type DockerCommand =
  | { readonly kind: "login"; readonly host: string; readonly username: string }
  | { readonly kind: "inspect"; readonly name: string }
  | { readonly kind: "images"; readonly reference: string | undefined }
  | { readonly kind: "tag"; readonly from: string; readonly to: string }
  | { readonly kind: "push"; readonly name: string }
  | { readonly kind: "load"; readonly archive: string }
  | ({ readonly kind: "build" } & DockerBuild)
  /** Used by the construct lambda-pack/cdk; docker has no such command. `options` is JSON. */
  | { readonly kind: "pack"; readonly directory: string; readonly options: string }
  | { readonly kind: "version" };

export interface DockerBuild {
  readonly directory: string;
  readonly names: readonly string[];
  readonly file: string | undefined;
  readonly stage: string | undefined;
  readonly platform: string | undefined;
  readonly buildArgs: readonly string[];
  readonly labels: readonly string[];
}

interface DockerRequest {
  /** The directory given by `--config`, which holds Docker's config.json. */
  readonly config: string | undefined;
  readonly command: DockerCommand;
}

const many = { type: "string", multiple: true } as const;
const one = { type: "string" } as const;
const flag = { type: "boolean" } as const;

const BUILD = {
  ...{
    "build-arg": many,
    label: many,
    tag: { ...many, short: "t" },
    file: { ...one, short: "f" },
    target: one,
  },
  ...{
    platform: one,
    "build-context": many,
    secret: many,
    ssh: many,
    network: one,
    output: { ...many, short: "o" },
  },
  ...{
    "cache-from": many,
    "cache-to": many,
    "no-cache": flag,
    quiet: { ...flag, short: "q" },
    progress: one,
  },
  ...{ load: flag, pull: flag, provenance: one, sbom: one },
} as const;

/** Options of docker build that would change the image and are not supported. */
const IMPOSSIBLE = ["build-context", "secret", "ssh"] as const;

/**
 * Parses a command line of docker.
 * @throws USAGE for a command or option that needs a container or a daemon
 */
export function parseDocker(argv: readonly string[]): DockerRequest {
  const [first = "", second = "", ...rest] = argv;
  if (first === "--config") return { config: second, command: parseCommand(rest) };
  if (first.startsWith("--config="))
    return { config: first.slice("--config=".length), command: parseCommand(argv.slice(1)) };
  return { config: undefined, command: parseCommand(argv) };
}

function parseCommand([name = "", ...argv]: readonly string[]): DockerCommand {
  if (name === "image" || name === "buildx") return parseCommand(argv);
  if (name === "--version" || name === "-v" || name === "version") return { kind: "version" };
  const parser = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (parser) return parser(argv);
  throw misuse(
    `lambda-pack-docker ${name} is not possible: it builds and pushes images, and runs no containers`,
    name === "run" || name === "create" || name === "cp"
      ? "bundle with a local command: bundling.local.tryBundle in the CDK"
      : "it knows login, build, load, tag, push, inspect and images",
  );
}

const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => DockerCommand>> = {
  login(argv) {
    const { values, positionals } = read("login", argv, {
      ...{ username: { ...one, short: "u" }, "password-stdin": flag, password: { ...one, short: "p" } },
    });
    const [host] = positionals;
    if (host === undefined || values.username === undefined || values["password-stdin"] !== true)
      throw misuse(
        "login needs --username, --password-stdin and a host",
        "the password is read from standard input only",
      );
    return { kind: "login", host: host.replace(/^https?:\/\/|\/$/g, ""), username: values.username };
  },
  inspect(argv) {
    const { positionals } = read("inspect", argv, { format: { ...one, short: "f" }, type: one });
    return { kind: "inspect", name: only("inspect", positionals) };
  },
  images(argv) {
    const { values } = read("images", argv, {
      format: one,
      filter: { ...many, short: "f" },
      quiet: { ...flag, short: "q" },
    });
    return {
      kind: "images",
      reference: values.filter?.find((filter) => filter.startsWith("reference="))?.slice("reference=".length),
    };
  },
  tag(argv) {
    const [from, to, ...more] = read("tag", argv, {}).positionals;
    if (from === undefined || to === undefined || more.length > 0)
      throw misuse("tag needs two names", "write tag FROM TO");
    return { kind: "tag", from, to };
  },
  push(argv) {
    const { positionals } = read("push", argv, { quiet: { ...flag, short: "q" } });
    return { kind: "push", name: only("push", positionals) };
  },
  load(argv) {
    const { values } = read("load", argv, { input: { ...one, short: "i" }, quiet: { ...flag, short: "q" } });
    if (values.input === undefined) throw misuse("load needs --input", "write load --input FILE");
    return { kind: "load", archive: values.input };
  },
  pack([directory, options, ...more]) {
    if (directory === undefined || options === undefined || more.length > 0)
      throw misuse("pack needs two arguments", "write pack DIRECTORY OPTIONS, the options as JSON");
    return { kind: "pack", directory, options };
  },
  build(argv) {
    const { values, positionals } = read("build", argv, BUILD);
    const impossible = IMPOSSIBLE.find((name) => values[name] !== undefined);
    if (impossible !== undefined)
      throw misuse(
        `build --${impossible} is not possible without Docker`,
        `leave it out: no RUN of a Dockerfile is executed`,
      );
    const output = values.output?.find((text) => !/^type=(?:docker|image|registry)\b/.test(text));
    if (output !== undefined)
      throw misuse(`build --output=${output} is not possible`, "leave it out, and push the image");
    return {
      kind: "build",
      directory: only("build", positionals),
      names: values.tag ?? [],
      file: values.file,
      stage: values.target,
      platform: values.platform,
      buildArgs: values["build-arg"] ?? [],
      labels: values.label ?? [],
    };
  },
};

type OptionTypes = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>;

function read<T extends OptionTypes>(command: string, argv: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw misuse(
      `${command}: ${error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error)}`,
      "leave it out, or use Docker for this image",
    );
  }
}

function only(command: string, [first, ...more]: readonly string[]): string {
  if (first === undefined || more.length > 0)
    throw misuse(`${command} needs one argument`, `write ${command} NAME`);
  return first;
}
