import { architectureOf } from "../../oci/platform.ts";
import {
  type ImageFacts,
  lookUp,
  programPlaces,
  startsAsAws,
  taskRoot,
  variables,
  within,
} from "../facts.ts";
import { startsClient } from "../rules/image/runtime-client.ts";
import { languageIn } from "../runtime.ts";
import { interpreterIn } from "../shebang.ts";

/** Returns the real paths of the files that Lambda starts or loads before any code of the app. */
export function startedFiles(facts: ImageFacts): ReadonlySet<string> {
  const bootstrap = startsAsAws(facts) ? ["/var/runtime/bootstrap"] : [];
  const extensions = facts.files.view.list("opt/extensions").map((name) => `/opt/extensions/${name}`);
  const programs = [...entryPoint(facts), ...bootstrap, ...extensions, ...wrapperOf(facts)];
  const started = programs.flatMap((path) => realPath(path, facts));
  const interpreters = started.flatMap((path) => interpreterOf(path, facts));
  return new Set([...started, ...interpreters, ...clientLibraries(facts), ...handlerBinary(facts)]);
}

/** Libraries that AWS's clients for Node and Python load before the handler. */
const CLIENT_LIBRARY =
  /(?:^|\/)(?:node_modules\/aws-lambda-ric\/(?:[^/]+\/)*rapid-client\.node|runtime_client\.[^/]+\.so)$/;

/** Returns none if one of them fits: a client has one for each version or platform. */
function clientLibraries(facts: ImageFacts): readonly string[] {
  if (!startsClient(facts)) return [];
  const found = [...facts.files.contents.binaries].filter(([path]) => CLIENT_LIBRARY.test(path));
  const architecture = architectureOf(facts.settings);
  const fits = found.some(
    ([, { format, machines }]) =>
      format === "elf" && architecture !== undefined && machines.includes(architecture),
  );
  return fits ? [] : found.map(([path]) => path);
}

function realPath(path: string, facts: ImageFacts): readonly string[] {
  const place = lookUp(facts, path);
  if (!place.known || !place.entry || place.entry.kind === "directory") return [];
  const { kind, link, path: real } = place.entry;
  return [kind === "hardlink" ? link.replace(/^\.?\/+/, "") : real];
}

function entryPoint(facts: ImageFacts): readonly string[] {
  const { Entrypoint: entry = [], Cmd: cmd = [] } = facts.settings.config ?? {};
  const [program = ""] = entry.length > 0 ? entry : cmd;
  return program === "" ? [] : placeOf(program, facts);
}

function placeOf(program: string, facts: ImageFacts): readonly string[] {
  return programPlaces(program, facts)
    .filter((path) => realPath(path, facts).length > 0)
    .slice(0, 1);
}

/** OS-only runtimes do not use the wrapper (AWS, "Modifying the runtime environment"). */
export function wrapperOf(facts: ImageFacts): readonly string[] {
  const language = languageIn(facts);
  const wrapper = variables(facts).get("AWS_LAMBDA_EXEC_WRAPPER");
  const isHonoured = startsAsAws(facts) && language !== "provided" && language !== "go";
  return isHonoured && wrapper?.startsWith("/") ? [wrapper] : [];
}

function interpreterOf(path: string, facts: ImageFacts): readonly string[] {
  const { program = "", byName } = interpreterIn(facts.files.contents.texts.get(path)) ?? {};
  if (program === "") return [];
  const places = byName === undefined ? [program] : placeOf(byName, facts);
  return places.flatMap((place) => realPath(place, facts));
}

function handlerBinary(facts: ImageFacts): readonly string[] {
  const word = facts.settings.config?.Cmd?.at(-1);
  const language = languageIn(facts);
  if (word === undefined || word.startsWith("/") || !startsAsAws(facts)) return [];
  const path = word.slice(0, Math.max(word.lastIndexOf("."), 0));
  if (language === "go") return firstOf([word], facts);
  if (language === "nodejs")
    return firstOf(
      [".js", ".mjs", ".cjs", ".node"].map((end) => path + end),
      facts,
    );
  if (language !== "python") return [];
  const module = path.replaceAll(".", "/");
  return firstOf([`${module}/__init__.py`, ...pythonModules(module, facts)], facts);
}

/** Returns the files that Python tries, in the order of importlib.machinery.all_suffixes(). */
function pythonModules(module: string, facts: ImageFacts): readonly string[] {
  const root = taskRoot(facts);
  const slash = module.lastIndexOf("/") + 1;
  const directory = [root, module.slice(0, slash)].join("/").replace(/\/+$/, "");
  const machine = facts.settings.architecture === "arm64" ? "aarch64" : "x86_64";
  const tag = new RegExp(`^\\.cpython-\\d+-${machine}-linux-gnu\\.so$`);
  const name = module.slice(slash);
  const tagged = facts.files.view
    .list(directory)
    .filter((file) => file.startsWith(name) && tag.test(file.slice(name.length)))
    .map((file) => module.slice(0, slash) + file);
  return [...tagged, ...[".abi3.so", ".so", ".py"].map((end) => module + end)];
}

function firstOf(names: readonly string[], facts: ImageFacts): readonly string[] {
  const root = taskRoot(facts);
  for (const name of names) {
    const [real] = realPath(`/${root}/${name}`, facts);
    if (real !== undefined && within(root, real) !== undefined) return [real];
  }
  return [];
}
