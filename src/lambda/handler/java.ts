import { type AppFiles, type HandlerRules, namesWhere, nameWhere, type Verdict } from "./app-files.ts";

/** `com.example.App::handleRequest`; without the method for a class that implements RequestHandler. */
const FORM = /^([\p{L}_$][\p{L}\p{N}_$.]*)(?:::[\p{L}_$][\p{L}\p{N}_$]*)?$/u;
/** Where Lambda's Java runtime looks: classes in the task root, jars in it and in lib. */
const JAR = /^(?:lib\/)?[^/]+\.jar$/;
const OWN_CLASS = /(?:^|\/)[^/$]*Handler[^/$]*\.class$/;
const NOT_OWN = /^(?:com\/amazonaws|software\/amazon|org\/apache|io\/netty)\//;
const MOST_JARS = 500;

/** The class is looked for by its file, in the directory and in the jars; the method in it is not. */
export const java: HandlerRules = {
  usual: [],
  places: (handler) => [fileOf(handler)],
  check,
  suggest,
};

function fileOf(handler: string): string {
  return `${(FORM.exec(handler)?.[1] ?? "").replaceAll(".", "/")}.class`;
}

async function check(handler: string, app: AppFiles): Promise<Verdict> {
  if (!FORM.test(handler)) return { ok: false, problem: "is not of the form package.Class::method" };
  const file = fileOf(handler);
  if (app.names.has(file)) return { ok: true };
  const jars = jarsIn(app);
  const lists = await Promise.all(jars.map((jar) => app.namesInJar(jar)));
  // A jar whose list cannot be read may have it.
  if (lists.some((names) => names === undefined || names.includes(file))) return { ok: true };
  const near = inAppOrJars(app, lists, (name) => basename(name) === basename(file));
  const [, method = ""] = /^[^:]*(::.*)$/.exec(handler) ?? [];
  const source = nameWhere(app.names, (name) => /(?:^|\/)src\/.*\.(?:java|kt)$/.test(name));
  const why = jars.length === 0 && source !== undefined ? ` (${source} has to be compiled first)` : "";
  return {
    ok: false,
    problem: `needs ${file} in the root of the app or in a jar of it or of its lib${why}`,
    near: near.map((name) => classOf(name) + method),
  };
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function jarsIn({ names }: AppFiles): readonly string[] {
  return namesWhere(names, (name) => JAR.test(name)).slice(0, MOST_JARS);
}

/** Of what is in the app, then of what is in its jars. */
function inAppOrJars(
  { names }: AppFiles,
  jars: readonly (readonly string[] | undefined)[],
  isMeant: (name: string) => boolean,
): readonly string[] {
  return [...namesWhere(names, isMeant), ...jars.flatMap((list) => list?.filter(isMeant) ?? [])];
}

/** Classes that call themselves handlers, of the app's own: in its root, or in the jars there. */
async function suggest(app: AppFiles): Promise<readonly string[]> {
  const lists = await Promise.all(jarsIn(app).map((jar) => app.namesInJar(jar)));
  return inAppOrJars(app, lists, (name) => OWN_CLASS.test(name) && !NOT_OWN.test(name)).map(classOf);
}

function classOf(name: string): string {
  return name.replace(/\.class$/, "").replaceAll("/", ".");
}
