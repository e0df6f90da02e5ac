import { isAbsolute, posix } from "node:path";

/** A line of a requirements file, with its continuation lines and without comments. */
export interface RequirementLine {
  readonly text: string;
  /** true: it is in a file that `-c` names, which limits versions and installs nothing. */
  readonly isConstraint: boolean;
}

const INCLUDED = /^(?:-r|--requirement|-c|--constraint)[\s=]*("[^"]*"|'[^']*'|\S+)/;

/**
 * Reads a requirements file and, in their place, the files that it names with `-r` and `-c`,
 * relative to itself (pip docs, "Requirements File Format"). A line whose file is not there, or is
 * an address, stays as it is.
 * @param file relative to the directory of `read`, with `/` as separator
 * @param read returns the text of a file; undefined if it cannot be read
 */
export function requirementLines(
  file: string,
  read: (file: string) => string | undefined,
): readonly RequirementLine[] {
  const seen = new Set<string>();
  const linesOf = (name: string, isConstraint: boolean): readonly RequirementLine[] | undefined => {
    const text = read(name);
    if (text === undefined || seen.has(name)) return text === undefined ? undefined : [];
    seen.add(name);
    return logicalLines(text).flatMap((line) => {
      const included = INCLUDED.exec(line)?.[1]?.replace(/^(["'])(.*)\1$/, "$2");
      const place = included && (isAbsolute(included) ? included : posix.join(posix.dirname(name), included));
      const inside = place && linesOf(place, isConstraint || /^-(?:c|-constraint)/.test(line));
      return inside || [{ text: line, isConstraint }];
    });
  };
  return linesOf(file, false) ?? [];
}

function logicalLines(text: string): readonly string[] {
  return text
    .replace(/\\\r?\n/g, " ")
    .split(/\r?\n/)
    .map((line) => line.replace(/(?:^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
}

/** Returns the file of an include that is not there; undefined for another line and an address. */
export function missingFile({ text }: RequirementLine): string | undefined {
  const name = INCLUDED.exec(text)?.[1];
  return name === undefined || URL.canParse(name) ? undefined : name;
}

/**
 * Returns whether the lines decide which files are installed: every line is a package with hashes,
 * or an option about the index.
 */
export function areHashed(lines: readonly RequirementLine[]): boolean {
  const wanted = lines.filter(({ isConstraint }) => !isConstraint);
  const isOption = /^(?:-i|--(?:index-url|extra-index-url|trusted-host|require-hashes))\b/;
  return wanted.length > 0 && wanted.every(({ text }) => isOption.test(text) || / --hash=/.test(text));
}

/** Returns the first line that names a local directory or archive. */
export function localRequirement(lines: readonly RequirementLine[]): string | undefined {
  const local = /^(?:-e|--editable)[\s=]|^(?:[\w.-]+\s*@\s*)?(?:file:|\.{1,2}(?:\/|\s*(?:$|[[;])))/;
  return lines.find(({ text }) => local.test(text))?.text;
}
