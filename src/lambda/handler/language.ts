import type { RunSettings } from "../../oci/image.ts";
import type { Language } from "../bases.ts";

/** What starts the function, by the image's ENTRYPOINT. */
export type Starter =
  /** `/lambda-entrypoint.sh`: CMD must be exactly one word, the handler. */
  | "aws"
  /** A runtime interface client: CMD is the handler. */
  | "client"
  /** Another program: CMD is its arguments. */
  | "own"
  /** CMD is the program. */
  | "none";

/**
 * The names of runtime interface clients: awslambdaric (Python), aws-lambda-ric (Node),
 * aws_lambda_ric (Ruby), Java's class, and those that `--runtime-client` adds.
 */
const CLIENT =
  /aws[-_]?lambda[-_]?ric|lambda\.runtime\.api\.client|^\/opt\/lambda-pack\/(?:node-client\.mjs|python_bootstrap\.py)$/;

export function starterOf(entrypoint: readonly string[] | undefined): Starter {
  const [program] = entrypoint ?? [];
  if (program === undefined) return "none";
  if (program.endsWith("/lambda-entrypoint.sh")) return "aws";
  return entrypoint?.some((word) => CLIENT.test(word)) ? "client" : "own";
}

/** Variables of Docker's official images and of AWS's dotnet base; other AWS bases have none. */
const VARIABLES: Readonly<Record<string, Language>> = {
  PYTHON_VERSION: "python",
  NODE_VERSION: "nodejs",
  JAVA_HOME: "java",
  JAVA_VERSION: "java",
  DOTNET_VERSION: "dotnet",
  RUBY_VERSION: "ruby",
};

const PROGRAMS: readonly (readonly [RegExp, Language])[] = [
  [/(?:^|\/)python[\d.]*$|awslambdaric/, "python"],
  [/(?:^|\/)(?:node|npx|aws-lambda-ric)$/, "nodejs"],
  [/(?:^|\/)java$/, "java"],
  [/(?:^|\/)dotnet$/, "dotnet"],
  [/(?:^|\/)(?:ruby|bundle|aws_lambda_ric)$/, "ruby"],
];

/** Returns the language of other bases than AWS's: by ENTRYPOINT's program, or else by ENV. */
export function languageOf(
  { Env: env = [] }: RunSettings,
  entrypoint: readonly string[] = [],
): Language | undefined {
  for (const word of entrypoint) {
    const known = PROGRAMS.find(([program]) => program.test(word));
    if (known) return known[1];
  }
  const named = env.map((line) => VARIABLES[line.split("=", 1)[0] ?? ""]).filter((one) => one !== undefined);
  return new Set(named).size === 1 ? named[0] : undefined;
}

/** The directory of the code in AWS's bases. */
const TASK_ROOT = "/var/task";

/**
 * Returns the directory of the function's code: WORKDIR, or else /var/task. A relative path counts
 * as not set, and so does `/`, which BuildKit sets for every image from scratch.
 */
export function taskRootOf(config: { readonly WorkingDir?: string | undefined } | undefined): string {
  const directory = config?.WorkingDir ?? "";
  return /^\/+[^/]/.test(directory) ? directory : TASK_ROOT;
}
