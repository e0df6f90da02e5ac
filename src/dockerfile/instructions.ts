import { createRequire } from "node:module";
import { LambdaPackError } from "../errors.ts";
import { redactText } from "../registry/errors/redact.ts";

/**
 * The position of an instruction: the file as the user named it, and its first line, counted from
 * 1. An option that copies like an instruction has its own text as the file, and line 0.
 */
export interface Position {
  readonly file: string;
  readonly line: number;
}

/** A note about something that `docker build` does, but that has no effect here or in Lambda. */
export interface Note extends Position {
  readonly message: string;
}

/**
 * Creates the error for an unsupported instruction: the instruction, the reason, and what to do
 * instead.
 */
export function refuse({ file, line }: Position, problem: string, fix: string): LambdaPackError {
  const place = line === 0 ? file : `${file}:${line}`;
  return new LambdaPackError("DOCKERFILE_REFUSED", `${place}: ${redactText(problem)}`, {
    hint: redactText(fix),
  });
}

/** Joins several errors into one, so that the user sees all lines to change at once. */
export function joinRefusals(errors: readonly LambdaPackError[]): LambdaPackError | undefined {
  const [first, ...more] = errors;
  if (!first || more.length === 0) return first;
  const hints = new Set(errors.flatMap(({ hint }) => hint ?? []));
  return new LambdaPackError(first.code, errors.map(({ message }) => message).join("\n"), {
    hint: [...hints].join("; "),
  });
}

/** An instruction with its continued lines joined and comments removed. */
export interface Instruction extends Position {
  /** In upper case: `COPY`. */
  readonly keyword: string;
  /** The flags in order; `--chmod=755` is `{ name: "chmod", value: "755" }`. */
  readonly flags: readonly Flag[];
  /** The text after the flags. */
  readonly text: string;
  /** The strings of the exec form, if the text is a JSON array of strings. */
  readonly json: readonly string[] | undefined;
  /** The escape character: a backslash, or the one set by `# escape=`. */
  readonly escapeCharacter: string;
}

interface Flag {
  readonly name: string;
  readonly value: string;
}

/** Loaded on first use, because it takes 30 ms and most builds have no Dockerfile. */
const loadParser = (): typeof import("dockerfile-ast") => createRequire(import.meta.url)("dockerfile-ast");

const HEREDOC = /(?:^|[\s(])<<-?["']?[A-Za-z_]/;
const HEREDOC_KEYWORDS = new Set(["COPY", "ADD", "RUN"]);

/**
 * Reads the instructions of a Dockerfile in order, without interpreting them.
 * @throws DOCKERFILE_REFUSED for a heredoc
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

/**
 * Joins the lines of an instruction. Like Docker, removes comments and empty lines between them.
 */
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
