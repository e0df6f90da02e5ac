import { writeFileSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import type { LockFile, Selection } from "../../../dependencies/detect.ts";
import { planInstallation } from "../../../dependencies/plan.ts";
import type { InstalledFile, InstallRequest } from "../../../dockerfile/assemble.ts";
import { refuse } from "../../../dockerfile/instructions.ts";
import type { InstallStep } from "../../../dockerfile/stage.ts";
import type { LambdaPackError } from "../../../errors.ts";
import { isNever } from "../../../layer/ignore/never.ts";
import type { Session } from "../../../session/session.ts";
import { runInstallation } from "../install.ts";
import { type BaseImages, sitePackages } from "./images.ts";

/** The lock files of each package manager, in order of precedence. */
const LOCKS: Readonly<
  Record<Exclude<InstallStep["manager"], "pip">, readonly Pick<LockFile, "way" | "file">[]>
> = {
  npm: [
    { way: "npm-lock", file: "npm-shrinkwrap.json" },
    { way: "npm-lock", file: "package-lock.json" },
  ],
  pnpm: [{ way: "pnpm", file: "pnpm-lock.yaml" }],
  yarn: [{ way: "yarn", file: "yarn.lock" }],
  uv: [{ way: "uv-lock", file: "uv.lock" }],
  poetry: [{ way: "poetry", file: "poetry.lock" }],
};

/**
 * Installs the packages of one RUN line for the base of its stage, as `--install` does.
 * @throws DOCKERFILE_REFUSED if its lock file was not copied, and what the installation throws
 */
export async function installStep(
  request: InstallRequest,
  bases: BaseImages,
  session: Session,
): Promise<readonly InstalledFile[]> {
  const { step, reference } = request;
  const target = targetOf(request, bases);
  const { emit: onEvent } = session;
  const workDirectory = await session.cache.makeWorkDirectory();
  const { lockFile, selection } = lockFileOf(request, workDirectory);
  const plan = { lockFiles: [lockFile], selection };
  const installation = await planInstallation(plan, bases.known(reference), session);
  if (!installation) return [];
  for (const warning of [...installation.warnings, ...leftOut(step)])
    onEvent({ type: "warning", ...warning });
  const { way, packages } = installation;
  const lock = { way, lockFile: lockFile.file };
  onEvent({ type: "dependencies-planned", ...lock, packages: packages.length, leftOut: [] });
  const installed = await runInstallation(installation, workDirectory, session);
  onEvent({ type: "dependencies-ready", ...lock, how: "installed", packages: installed.packages });
  return installed.entries.flatMap((entry) =>
    entry.kind === "directory" || isNever(entry.path)
      ? []
      : [{ path: posix.join(target, entry.path), entry }],
  );
}

/** Warns that dependencies for development, which a function does not need, are left out. */
function leftOut({ file, line, dev, command }: InstallStep) {
  if (!dev) return [];
  const message = `${file}:${line}: RUN ${command}: dependencies for development are left out`;
  return [{ message, hint: "say so in the command: npm ci --omit=dev, uv export --no-dev" }];
}

function targetOf({ step, reference }: InstallRequest, bases: BaseImages): string {
  if (step.target.kind !== "site-packages") return step.target.path;
  const path = sitePackages(bases.facts(reference), bases.known(reference).image.settings.config?.Env ?? []);
  if (path !== undefined) return path;
  throw refuse(
    step,
    `RUN ${step.command}: it is not known where the Python of ${reference} looks for packages`,
    'name the directory: --target "$LAMBDA_TASK_ROOT"',
  );
}

interface Wanted {
  readonly lockFile: LockFile;
  readonly selection: Selection;
}

const NOTHING_MORE: Selection = { extras: [], groups: [] };

function lockFileOf(request: InstallRequest, workDirectory: string): Wanted {
  const { step } = request;
  if (!step.dependencies) throw unsupported(step, "--no-deps");
  const exported = step.requirements
    .map((path) => request.exports.get(path))
    .find((one) => one !== undefined);
  if (exported) {
    if (step.requirements.length + step.packages.length > 1)
      throw unsupported(step, "an export beside other packages");
    return {
      lockFile: lockIn(request, exported.manager, exported.directory),
      selection: selectionOf(exported),
    };
  }
  if (step.manager !== "pip" && step.requirements.length + step.packages.length === 0)
    return { lockFile: lockIn(request, step.manager, step.directory), selection: selectionOf(step) };
  return { lockFile: requirementsFile(request, workDirectory), selection: NOTHING_MORE };
}

/** Removes the group `dev`; {@link leftOut} warns of it. */
function selectionOf({ extras, groups }: Selection): Selection {
  return { extras, groups: groups.filter((name) => name !== "dev") };
}

function unsupported(step: InstallStep, what: string): LambdaPackError {
  return refuse(
    step,
    `RUN ${step.command}: ${what} is not supported`,
    "leave it out, or install before lambda-pack build and COPY the directory",
  );
}

/** Returns the lock file that an instruction above copied to `directory`. */
function lockIn({ step, files }: InstallRequest, manager: keyof typeof LOCKS, directory: string): LockFile {
  const found = LOCKS[manager]
    .map((lock) => ({ ...lock, node: files.find(posix.join(directory, lock.file).slice(1)) }))
    .find(({ node }) => node?.kind === "file");
  if (found?.node?.kind !== "file")
    throw refuse(
      step,
      `RUN ${step.command}: no instruction above copies ${LOCKS[manager].at(-1)?.file} to ${directory}`,
      `COPY it before, and write it first where there is none`,
    );
  const { way, node } = found;
  return { way, directory: dirname(node.source), file: basename(node.source), member: "" };
}

const REQUIREMENTS = "requirements.txt";

/**
 * Returns the requirements of the line: the file itself, or a new one that names the files,
 * packages and indexes of the line.
 */
function requirementsFile(request: InstallRequest, workDirectory: string): LockFile {
  const { step } = request;
  const sources = step.requirements.map((path) => sourceOf(request, path));
  const constraints = step.constraints.map((path) => sourceOf(request, path));
  const pip = { way: "pip", file: REQUIREMENTS, member: "" } as const;
  const [source] = sources;
  const isPlain =
    constraints.length + step.packages.length + step.indexes.length === 0 && sources.length === 1;
  if (isPlain && source !== undefined && basename(source) === REQUIREMENTS)
    return { ...pip, directory: dirname(source) };
  const lines = [
    ...step.indexes.map((url, index) => `${index === 0 ? "--index-url" : "--extra-index-url"} ${url}`),
    ...sources.map((path) => `-r ${path}`),
    ...constraints.map((path) => `-c ${path}`),
    ...step.packages,
  ];
  writeFileSync(join(workDirectory, REQUIREMENTS), lines.map((line) => `${line}\n`).join(""));
  return { ...pip, directory: workDirectory };
}

/** Returns the file on this machine that an instruction above copied to `path`. */
function sourceOf({ step, files }: InstallRequest, path: string): string {
  const node = files.find(path.slice(1));
  if (node?.kind === "file" && node.offset === undefined) return node.source;
  throw refuse(step, `RUN ${step.command}: no instruction above copies ${path}`, "COPY it before");
}
