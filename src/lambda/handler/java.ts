import {
  type AppFiles,
  type Candidate,
  type HandlerRules,
  POSSIBLE,
  PROVEN,
  type Verdict,
} from "./app-files.ts";
import type { ZipNames } from "./zip-names.ts";

/** `com.example.App::handleRequest`; a RequestHandler without the method. */
const FORM = /^([\p{L}_$][\p{L}\p{N}_$.]*)(?:::[\p{L}_$][\p{L}\p{N}_$]*)?$/u;
const JAR = /\.jar$/;
/** AWS's class loader reads these and classes in the task root (CustomerClassLoader.getUrls). */
const LOADED_JAR = /^lib\/[^/]+\.jar$/;
const OWN_CLASS = /(?:^|\/)[^/$]*Handler[^/$]*\.class$/;
const NOT_OWN = /^(?:com\/amazonaws|software\/amazon|org\/apache|io\/netty|[A-Z]+-INF)\//;
/** Where executable archives of Spring Boot and of servlet containers keep their classes. */
const NESTED = /^(?:BOOT|WEB)-INF\/classes\//;
const MAX_JARS = 500;

/** Requires that the class file exists in the directory or in a jar; does not check the method. */
export const java: HandlerRules = {
  usual: [],
  places: (handler) => [fileOf(handler)],
  check,
  candidates,
};

function fileOf(handler: string): string {
  return `${(FORM.exec(handler)?.[1] ?? "").replaceAll(".", "/")}.class`;
}

interface Jar {
  readonly path: string;
  readonly names: ZipNames;
}

/** Returns the names in the jar that this accepts. */
function namesIn({ names }: Jar, isAccepted: (name: string) => boolean): readonly string[] {
  return names === "not a zip" ? [] : (names?.filter(isAccepted) ?? []);
}

async function check(handler: string, app: AppFiles): Promise<Verdict> {
  if (!FORM.test(handler)) return { ok: false, problem: "is not of the form package.Class::method" };
  const file = fileOf(handler);
  if (app.names.has(file)) return PROVEN;
  const isFile = (name: string) => name === file;
  const jars = await jarsIn(app);
  const loaded = jars.filter(({ path }) => LOADED_JAR.test(path));
  if (loaded.some((jar) => namesIn(jar, isFile).length > 0)) return PROVEN;
  const elsewhere = classElsewhere(file, jars) ?? classBelow(file, app);
  if (elsewhere) return elsewhere;
  const broken = loaded.find(({ names }) => names === "not a zip");
  if (broken)
    return {
      ok: false,
      problem: `needs ${file}, and ${broken.path} is not a jar: it is no zip file, or was cut short`,
      hint: `copy the jar there again: mvn package, gradle jar; if ${broken.path} is a pointer of Git LFS: git lfs pull`,
    };
  if (loaded.some(({ names }) => names === undefined)) return POSSIBLE;
  const near = classNames(app, loaded, (name) => basename(name) === basename(file));
  const [, method = ""] = /^[^:]*(::.*)$/.exec(handler) ?? [];
  const source = [...app.names].find((name) => /(?:^|\/)src\/.*\.(?:java|kt)$/.test(name));
  const why = jars.length === 0 && source !== undefined ? ` (${source} has to be compiled first)` : "";
  return {
    ok: false,
    problem: `needs ${file} in the root of the app, or in a jar of its directory lib${why}`,
    near: near.map((name) => name + method),
  };
}

function classElsewhere(file: string, jars: readonly Jar[]): Verdict | undefined {
  const isNested = (name: string) => NESTED.test(name) && name.replace(NESTED, "") === file;
  const nested = jars.find((jar) => namesIn(jar, isNested).length > 0);
  if (nested)
    return {
      ok: false,
      problem: `is inside ${nested.path} in BOOT-INF or WEB-INF, which only Spring Boot's own launcher reads`,
      hint: `build a plain jar with the shade plugin, or unpack it: unzip ${nested.path} -d x, then BOOT-INF/classes/* to the root and BOOT-INF/lib to lib`,
    };
  const jar = jars.find(
    (one) => !LOADED_JAR.test(one.path) && namesIn(one, (name) => name === file).length > 0,
  );
  return (
    jar && {
      ok: false,
      problem: `is in ${jar.path}, where Lambda's class loader does not look`,
      hint: `mkdir -p lib && mv ${jar.path} lib/`,
    }
  );
}

/** Finds the class below another directory, such as Maven's target/classes. */
function classBelow(file: string, { names }: AppFiles): Verdict | undefined {
  const path = [...names].find((name) => name.endsWith(`/${file}`));
  if (path === undefined) return undefined;
  const directory = path.slice(0, -file.length - 1);
  return {
    ok: false,
    problem: `is in ${directory}, where Lambda's class loader does not look`,
    hint: `build the directory ${directory} instead, with the jars of its dependencies in ${directory}/lib`,
  };
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

async function jarsIn(app: AppFiles): Promise<readonly Jar[]> {
  const paths = [...app.names].filter((name) => JAR.test(name)).slice(0, MAX_JARS);
  return Promise.all(paths.map(async (path) => ({ path, names: await app.namesInJar?.(path) })));
}

function classNames(
  { names }: AppFiles,
  jars: readonly Jar[],
  isAccepted: (name: string) => boolean,
): readonly string[] {
  const isOwn = (name: string) => isAccepted(name) && !NOT_OWN.test(name);
  const found = [...[...names].filter(isOwn), ...jars.flatMap((jar) => namesIn(jar, isOwn))];
  return found.map((name) => name.replace(/\.class$/, "").replaceAll("/", "."));
}

async function candidates(app: AppFiles): Promise<readonly Candidate[]> {
  const loaded = (await jarsIn(app)).filter(({ path }) => LOADED_JAR.test(path));
  const found = classNames(app, loaded, (name) => OWN_CLASS.test(name));
  return found.map((name) => ({ handler: `${name}::handleRequest`, isLikely: false }));
}
