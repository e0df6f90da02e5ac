import { statSync } from "node:fs";
import { type LambdaPackError, misuse } from "../../../errors.ts";
import { languageOf, starterOf } from "../../../lambda/handler/language.ts";
import type { Collection } from "../../../layer/collect.ts";
import type { MergedView } from "../../../rootfs/view/merged-view.ts";
import { programPath } from "../../../runtime/launcher.ts";
import type { Entry } from "../../../tar/entry.ts";
import { baseView } from "../base/base-links.ts";
import { collectionOf } from "../collect.ts";
import { type Part, type PartContext, refusePart } from "./part.ts";

/** A runtime interface client as a part, and the entry point that starts it. */
export interface RuntimeClient {
  readonly part: Part;
  readonly entrypoint: readonly string[];
}

type ClientLanguage = "nodejs" | "python";

/** Source code only, which fits every architecture and libc. */
const PROGRAMS: Readonly<Record<ClientLanguage, readonly string[]>> = {
  nodejs: ["native-stand-in.cjs", "node-client.mjs", "node-handler.mjs", "node-log.mjs", "node-stream.mjs"],
  python: ["python_bootstrap.py", "python_client.py", "python_runtime_client.py"],
};
const INTERPRETERS: Readonly<Record<ClientLanguage, RegExp>> = {
  nodejs: /^node$/,
  python: /^python3?$/,
};
const PLACE = "opt/lambda-pack";

/**
 * Adds the runtime interface client for the base's interpreter. If the app's packages contain AWS's
 * own client, that one is started, with a replacement for its compiled part.
 * @throws USAGE for a base that has a client; COMPOSITION_REFUSED if no interpreter can be chosen
 */
export async function addRuntimeClient(
  app: Collection,
  { base, taskRoot, session }: PartContext,
): Promise<RuntimeClient> {
  const { config = {} } = base.image.settings;
  if (starterOf(config.Entrypoint) === "aws")
    throw misuse(`--runtime-client has no effect: ${base.reference} has AWS's own client`, "leave it out");
  const view = await baseView(base.image, session.signal);
  const found = (["nodejs", "python"] as const).flatMap((language) => {
    const path = interpreterIn(view, INTERPRETERS[language], pathOf(config.Env));
    return path === undefined ? [] : [{ language, path }];
  });
  const language = languageOf(config, config.Entrypoint) ?? languageOfApp(app);
  const chosen = found.length === 1 ? found[0] : found.find((one) => one.language === language);
  if (!chosen) throw noInterpreter(base.reference, found.length);
  return { part: partOf(chosen.language), entrypoint: entrypointOf(chosen, app, taskRoot) };
}

function pathOf(env: readonly string[] = []): readonly string[] {
  const path = env.findLast((line) => line.startsWith("PATH="))?.slice("PATH=".length);
  return (path ?? "/usr/local/bin:/usr/bin:/bin").split(":").filter((directory) => directory.startsWith("/"));
}

/** Finds the interpreter and follows links, because Lambda may refuse a link as entry point. */
function interpreterIn(view: MergedView, name: RegExp, directories: readonly string[]): string | undefined {
  for (const directory of directories) {
    const real = view.resolve(directory)?.path;
    if (real === undefined) continue;
    for (const program of view.list(real)) {
      const entry = name.test(program) ? view.resolve(`${real}/${program}`) : undefined;
      if (entry?.kind === "file" && (entry.mode & 0o001) !== 0) return `/${entry.path}`;
    }
  }
  return undefined;
}

const SOURCES: readonly (readonly [RegExp, ClientLanguage])[] = [
  [/^[^/]+\.[cm]?js$/, "nodejs"],
  [/^[^/]+\.py$/, "python"],
];

/** Returns the language of the files at the top level, if there is only one. */
function languageOfApp({ files }: Collection): ClientLanguage | undefined {
  const found = SOURCES.filter(([name]) => files.some(({ path }) => name.test(path)));
  return found.length === 1 ? found[0]?.[1] : undefined;
}

function entrypointOf(
  { language, path }: { readonly language: ClientLanguage; readonly path: string },
  { files }: Collection,
  taskRoot: string,
): readonly string[] {
  if (language === "python") return [path, "-u", `/${PLACE}/python_bootstrap.py`];
  const own = AWS_CLIENTS.find((client) => files.some((file) => file.path === client));
  if (own === undefined) return [path, `/${PLACE}/node-client.mjs`];
  return [path, "--require", `/${PLACE}/native-stand-in.cjs`, `${taskRoot.replace(/\/+$/, "")}/${own}`];
}

/** Version 4 of aws-lambda-ric is started by `index.mjs`, older ones by `bin/index.mjs`. */
const AWS_CLIENTS = ["node_modules/aws-lambda-ric/index.mjs", "node_modules/aws-lambda-ric/bin/index.mjs"];

function partOf(language: ClientLanguage): Part {
  return { name: "runtime-client", files: collectionOf(PROGRAMS[language].map(programEntry)) };
}

function programEntry(name: string): Entry {
  const source = programPath(name);
  return { kind: "file", path: `${PLACE}/${name}`, mode: 0o644, size: statSync(source).size, source };
}

function noInterpreter(reference: string, count: number): LambdaPackError {
  return count === 0
    ? refusePart(
        `--runtime-client: ${reference} has neither node nor python3 in its PATH`,
        "name another base, or link the runtime client of the language into the program",
      )
    : refusePart(
        `--runtime-client: ${reference} has node and python3, and the files do not show which one starts`,
        "name a base that has one of the two",
      );
}
