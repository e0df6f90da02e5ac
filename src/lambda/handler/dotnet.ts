import { type AppFiles, type HandlerRules, PROVEN, type Verdict } from "./app-files.ts";

/** `Assembly::Namespace.Type::Method`, or only the assembly if it is executable. */
const FORM = /^([\p{L}\p{N}_.-]+)(?:::[\p{L}\p{N}_.+`]+::[\p{L}\p{N}_]+)?$/u;

/** Files only have to exist in the one directory that `dotnet publish` writes. */
export const dotnet: HandlerRules = {
  usual: [],
  places: (handler) => [`${assemblyOf(handler)}.dll`],
  check: (handler, app) => Promise.resolve(check(handler, app)),
  candidates: async (app) =>
    assemblies(app).map((name) => ({
      handler: `${name}::${name}.Function::FunctionHandler`,
      isLikely: false,
    })),
};

function assemblyOf(handler: string): string {
  return FORM.exec(handler)?.[1] ?? "";
}

/**
 * Requires one deps.json and one runtimeconfig.json: without them, or with several,
 * aws-lambda-dotnet's bootstrap.sh exits with status 104 or 105.
 */
function check(handler: string, app: AppFiles): Verdict {
  const assembly = assemblyOf(handler);
  if (assembly === "") return { ok: false, problem: "is not of the form Assembly::Namespace.Type::Method" };
  if (!app.names.has(`${assembly}.dll`)) return missing(handler, assembly, app);
  const [deps, config] = [/^[^/]+\.deps\.json$/, /^[^/]+\.runtimeconfig\.json$/].map((name) =>
    [...app.names].filter((one) => name.test(one)),
  );
  if (deps?.length !== 1)
    return {
      ok: false,
      problem: `needs exactly one .deps.json in the root of the app, which has ${deps?.join(", ") || "none"}`,
    };
  if (config?.length !== 1) {
    const why = "<GenerateRuntimeConfigurationFiles>true</GenerateRuntimeConfigurationFiles> makes it";
    return {
      ok: false,
      problem: `needs exactly one .runtimeconfig.json in the root of the app, which has ${config?.join(", ") || `none (${why})`}`,
    };
  }
  return PROVEN;
}

function missing(handler: string, assembly: string, app: AppFiles): Verdict {
  const elsewhere = [...app.names].find((name) => name.endsWith(`/${assembly}.dll`));
  const problem = `needs ${assembly}.dll in the root of the app`;
  if (elsewhere !== undefined)
    return {
      ok: false,
      problem: `${problem}; it is at ${elsewhere}`,
      hint: "dotnet publish -c Release -o publish, then build the directory publish",
    };
  const near = assemblies(app).map((name) => name + handler.slice(assembly.length));
  return { ok: false, problem, near };
}

function assemblies({ names }: AppFiles): readonly string[] {
  return [...names].flatMap((name) => /^([^/]+)\.deps\.json$/.exec(name)?.[1] ?? []);
}
