import type { Language } from "../lambda/bases.ts";
import { languageOf } from "../lambda/handler/language.ts";
import { type ImageFacts, startsAsAws } from "./facts.ts";

/** The language of the function: from the table of bases, from ENTRYPOINT and ENV, or from the runtime in the image. */
export function languageIn(facts: ImageFacts): Language | undefined {
  const settings = facts.settings.config ?? {};
  return (
    facts.base?.repository ??
    languageOf(settings, settings.Entrypoint) ??
    (startsAsAws(facts) ? fromRuntime(facts) : undefined)
  );
}

const RUNTIMES: readonly (readonly [RegExp, Language])[] = [
  [/^python3/, "python"],
  [/^node$/, "nodejs"],
  [/^java$/, "java"],
  [/^dotnet$/, "dotnet"],
  [/^ruby$/, "ruby"],
];

/** AWS's bases have their language in /var/lang/bin. */
function fromRuntime({ files: { view } }: ImageFacts): Language | undefined {
  const programs = view.list("var/lang/bin");
  return RUNTIMES.find(([name]) => programs.some((program) => name.test(program)))?.[1];
}
