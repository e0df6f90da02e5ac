import { createRequire } from "node:module";
import { type Position, refuse } from "./refuse.ts";

/** One instruction, with continued lines joined and comments between them removed. */
export interface Instruction extends Position {
  /** In capital letters: `COPY`. */
  readonly keyword: string;
  /** `--chmod=755` is `{ name: "chmod", value: "755" }`, in the order of the file. */
  readonly flags: readonly Flag[];
  /** What follows the flags. */
  readonly text: string;
  /** The strings of the exec form, where the text is a JSON array of strings. */
  readonly json: readonly string[] | undefined;
  /** The character that escapes the next one: a backslash, or what `# escape=` says. */
  readonly escapeCharacter: string;
}

export interface Flag {
  readonly name: string;
  readonly value: string;
}

/** Loaded with the first Dockerfile: it takes 30 ms, and most builds have none. */
const loadParser = (): typeof import("dockerfile-ast") => createRequire(import.meta.url)("dockerfile-ast");

const HEREDOC = /(?:^|[\s(])<<-?["']?[A-Za-z_]/;
const HEREDOC_KEYWORDS = new Set(["COPY", "ADD", "RUN"]);

/**
 * Reads the instructions of a Dockerfile in their order. Knows nothing of what they mean.
 * @throws DOCKERFILE_REFUSED for a heredoc.
 */
export function readInstructions(text: string, file: string): readonly Instruction[] {
  const source = text.replace(/^\ufeff/, "").replace(/\r\n/g, "\n");
  const dockerfile = loadParser().DockerfileParser.parse(source);
  const escapeCharacter = dockerfile.getEscapeCharacter();
  const lines = source.split("\n");
  return dockerfile.getInstructions().map((found) => {
    const { start, end } = found.getRange();
    const keyword = found.getKeyword();
    const position = { file, line: start.line + 1 };
    const body = joinLines(lines.slice(start.line, end.line + 1), escapeCharacter);
    if (HEREDOC_KEYWORDS.has(keyword) && HEREDOC.test(body))
      throw refuse(
        position,
        `${keyword} with a heredoc (<<) needs a shell or a file that is not there`,
        "write the content to a file and COPY that file",
      );
    const { flags, rest } = takeFlags(body.replace(/^\s*\S+\s*/, ""));
    return { ...position, keyword, flags, text: rest, json: jsonStrings(rest), escapeCharacter };
  });
}

/** Docker removes comment lines and empty lines inside a continued instruction. */
function joinLines(lines: readonly string[], escapeCharacter: string): string {
  const continued = escapeCharacter === "\\" ? /\\[ \t]*$/ : /`[ \t]*$/;
  return lines
    .filter((line, index) => index === 0 || !/^\s*(?:#|$)/.test(line))
    .map((line) => line.replace(continued, ""))
    .join("")
    .trim();
}

function takeFlags(body: string): { readonly flags: readonly Flag[]; readonly rest: string } {
  const flags: Flag[] = [];
  let rest = body;
  for (let found = nextFlag(rest); found; found = nextFlag(rest)) {
    flags.push({ name: found[1] ?? "", value: found[2] ?? "" });
    rest = rest.slice(found[0].length);
  }
  return { flags, rest };
}

function nextFlag(text: string): RegExpExecArray | null {
  return /^--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)/.exec(text);
}

function jsonStrings(text: string): readonly string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((one) => typeof one === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}
