import type { HandlerRules, Verdict } from "./app-files.ts";

/** `com.example.App::handleRequest`; without the method for a class that implements RequestHandler. */
export const java: HandlerRules = byForm(
  /^[\p{L}_$][\p{L}\p{N}_$.]*(?:::[\p{L}_$][\p{L}\p{N}_$]*)?$/u,
  "package.Class::method",
);

/** `Assembly::Namespace.Type::Method`; the assembly alone for an executable one. */
export const dotnet: HandlerRules = byForm(
  /^[\p{L}\p{N}_.-]+(?:::[\p{L}\p{N}_.+`]+::[\p{L}\p{N}_]+)?$/u,
  "Assembly::Namespace.Type::Method",
);

/** Compiled code: what the handler names is not read, only how it is written. */
function byForm(form: RegExp, written: string): HandlerRules {
  return {
    usual: [],
    places: () => [],
    check: (handler): Promise<Verdict> =>
      Promise.resolve(
        form.test(handler) ? { ok: true } : { ok: false, problem: `is not of the form ${written}` },
      ),
    suggest: () => Promise.resolve([]),
  };
}
