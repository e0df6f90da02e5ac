import { refuseWords } from "./arguments.ts";
import type { CommandContext, Outcome } from "./commands.ts";
import { losesPermissions, parseMode } from "./mode.ts";
import { ShellError, type Word } from "./shell.ts";

/** `mkdir -p DIR...`. */
export function makeDirectories(words: readonly Word[], context: CommandContext): readonly Outcome[] {
  return operands(words, /^(?:-p|-v|-pv|-vp|--parents|--verbose)$/).map(({ text }) => ({
    step: { ...context.position, kind: "mkdir", path: context.path(text) },
  }));
}

/** `chmod [-R] MODE FILE...`. */
export function changeModes(words: readonly Word[], context: CommandContext): readonly Outcome[] {
  const recursive = words.some(({ text }) => text === "-R" || text === "--recursive");
  const rest = words.filter(({ text }) => text !== "-R" && text !== "--recursive");
  const [first, ...paths] = rest;
  const mode = first && parseMode(first.text);
  if (!first || mode === undefined)
    throw new ShellError(`chmod ${first?.text ?? ""} is not a mode that is known`);
  if (paths.length === 0) throw new ShellError("chmod names no file");
  const lost = losesPermissions(first.text) ? [{ note: keptModes(first.text) }] : [];
  const steps = operands(paths, /^$/).map(({ text }) => ({
    step: { ...context.position, kind: "chmod", path: context.path(text), recursive, mode } as const,
  }));
  return [...steps, ...lost];
}

export function keptModes(mode: string): string {
  return `mode ${mode} becomes 0755 for files that their owner may execute and 0644 for others: Lambda runs a function as a user of its own`;
}

/** `chown` has no effect: everything in the image belongs to root, and everybody may read it. */
export function changeOwners(): readonly Outcome[] {
  return [
    { note: "chown has no effect: Lambda runs a function as a user of its own, who may read every file" },
  ];
}

const CACHES = /^(?:\/root|~)\/(?:\.cache|\.npm|\.local\/share\/pnpm)(?:\/|$)/;

/** `rm [-rf] FILE...`. Caches of package managers are not there to be removed: a build of ours leaves none. */
export function removeFiles(words: readonly Word[], context: CommandContext): readonly Outcome[] {
  return operands(words, /^-(?:r|f|rf|fr)$/, CACHES).flatMap(({ text }) =>
    CACHES.test(text)
      ? []
      : [{ step: { ...context.position, kind: "remove", path: context.path(text) } as const }],
  );
}

export function changeDirectory(
  [directory, ...rest]: readonly Word[],
  context: CommandContext,
): readonly Outcome[] {
  refuseWords(rest);
  if (!directory || directory.pattern || directory.text.startsWith("-"))
    throw new ShellError("cd names no directory");
  context.enter(directory.text);
  return [];
}

/** The words that are no options. @throws ShellError for other options, for patterns and for none. */
function operands(words: readonly Word[], options: RegExp, mayBePatterns = /^$/): readonly Word[] {
  const names = words.filter(({ text }) => !options.test(text));
  const odd = names.find(
    ({ text, pattern }) => text.startsWith("-") || (pattern && !mayBePatterns.test(text)),
  );
  if (odd)
    throw odd.pattern
      ? new ShellError(
          `${odd.text} is a pattern that takes a shell`,
          "name the files one by one, or use COPY --chmod",
        )
      : new ShellError(`the option ${odd.text} is not known`, `leave ${odd.text} out`);
  if (names.length === 0) throw new ShellError("nothing is named");
  return names;
}
