import { LambdaPackError } from "../errors.ts";
import { type Instruction, type Position, readInstructions, refuse } from "./instructions.ts";
import { expandWord, type Lookup, WordError } from "./words.ts";

/** The base of a stage: an image, or an earlier stage. */
export type StageBase =
  | { readonly kind: "image"; readonly reference: string }
  | { readonly kind: "stage"; readonly stage: number };

/** A FROM with the instructions that follow it. */
export interface Stage extends Position {
  readonly number: number;
  /** The name after AS, in lower case. */
  readonly name: string | undefined;
  readonly base: StageBase;
  /** The value of `--platform`, with variables replaced. */
  readonly platform: string | undefined;
  readonly instructions: readonly Instruction[];
}

interface StageOptions {
  /** The file as the user named it. */
  readonly file: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** The platform for TARGETPLATFORM and similar arguments: `linux/arm64`. */
  readonly platform: string;
}

export interface Dockerfile {
  readonly stages: readonly Stage[];
  /** ARG before the first FROM. A stage sees one only after its own ARG with that name. */
  readonly globals: ReadonlyMap<string, string>;
  /** The names that any ARG declares. */
  readonly declared: ReadonlySet<string>;
}

/**
 * Parses a Dockerfile into stages.
 * @throws DOCKERFILE_REFUSED for a file without FROM, and for an invalid FROM
 */
export function readStages(text: string, { file, buildArgs, platform }: StageOptions): Dockerfile {
  const instructions = readInstructions(text, file);
  const first = instructions.findIndex(({ keyword }) => keyword === "FROM");
  if (first < 0)
    throw new LambdaPackError("DOCKERFILE_REFUSED", `${file} has no FROM`, {
      hint: "begin with FROM and a base image, for example FROM public.ecr.aws/lambda/python:3.13",
    });
  const globals = readGlobals(instructions.slice(0, first), platformArguments(platform), buildArgs);
  const stages: Stage[] = [];
  const starts = instructions.flatMap(({ keyword }, index) => (keyword === "FROM" ? [index] : []));
  for (const [number, start] of starts.entries()) {
    const [from, ...rest] = instructions.slice(start, starts[number + 1]);
    if (from) stages.push({ ...openStage(from, stages, (name) => globals.get(name)), instructions: rest });
  }
  return { stages, globals, declared: declaredNames(instructions) };
}

function declaredNames(instructions: readonly Instruction[]): ReadonlySet<string> {
  const args = instructions.filter(({ keyword }) => keyword === "ARG");
  return new Set(
    args.flatMap(({ text, escapeCharacter }) =>
      splitQuoted(text, escapeCharacter).map((word) => word.replace(/=.*/s, "")),
    ),
  );
}

/**
 * Returns BuildKit's platform arguments. Those of the build machine are set to the image's
 * platform, so that they do not affect the image.
 */
function platformArguments(platform: string): ReadonlyMap<string, string> {
  const [os = "", architecture = "", variant = ""] = platform.split("/");
  const values = { PLATFORM: platform, OS: os, ARCH: architecture, VARIANT: variant };
  return new Map(
    ["TARGET", "BUILD"].flatMap((side) =>
      Object.entries(values).map(([name, value]) => [`${side}${name}`, value] as const),
    ),
  );
}

function readGlobals(
  instructions: readonly Instruction[],
  platform: ReadonlyMap<string, string>,
  buildArgs: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  const globals = new Map(platform);
  for (const instruction of instructions) {
    if (instruction.keyword !== "ARG")
      throw refuse(instruction, `${instruction.keyword} stands before FROM`, "put it after FROM");
    for (const { name, value } of readArguments(instruction, (name) => globals.get(name))) {
      const given = buildArgs[name] ?? value;
      if (given !== undefined) globals.set(name, given);
    }
  }
  return globals;
}

/** Returns the names of ARG with their defaults. @throws DOCKERFILE_REFUSED */
export function readArguments(
  instruction: Instruction,
  lookup: Lookup,
): readonly { readonly name: string; readonly value: string | undefined }[] {
  return splitQuoted(instruction.text, instruction.escapeCharacter).map((word) => {
    const at = word.indexOf("=");
    if (at < 0) return { name: word, value: undefined };
    return { name: word.slice(0, at), value: expand(instruction, word.slice(at + 1), lookup) };
  });
}

/** Expands a word like {@link expandWord}. @throws DOCKERFILE_REFUSED with the line */
export function expand(instruction: Instruction, text: string, lookup: Lookup): string {
  try {
    return expandWord(text, lookup, instruction.escapeCharacter);
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    throw refuse(
      instruction,
      `${instruction.keyword}: ${error.message}`,
      "correct the line, or write the value out",
    );
  }
}

function openStage(
  instruction: Instruction,
  stages: readonly Stage[],
  lookup: Lookup,
): Omit<Stage, "instructions"> {
  const [image = "", as, name, ...more] = splitQuoted(instruction.text, instruction.escapeCharacter);
  if ((as !== undefined && (as.toLowerCase() !== "as" || name === undefined)) || more.length > 0)
    throw refuse(instruction, `FROM ${instruction.text} is not understood`, "write FROM image [AS name]");
  const reference = expand(instruction, image, lookup);
  if (reference === "")
    throw refuse(
      instruction,
      `FROM ${image} names no image: a variable is not set`,
      "give it with --build-arg, or an ARG with a value before FROM",
    );
  const earlier = stages.findLastIndex((stage) => stage.name === reference.toLowerCase());
  const platform = instruction.flags.find((flag) => flag.name === "platform")?.value;
  return {
    file: instruction.file,
    line: instruction.line,
    number: stages.length,
    name: name?.toLowerCase(),
    base: earlier < 0 ? { kind: "image", reference } : { kind: "stage", stage: earlier },
    platform: platform && expand(instruction, platform, lookup),
  };
}

/**
 * Finds the stage that `--from` or `--target` names, by name or number. Of several with the same
 * name, the last one wins.
 */
export function findStage(name: string, stages: readonly Stage[]): Stage | undefined {
  return (
    stages.findLast((stage) => stage.name === name.toLowerCase()) ??
    (/^\d+$/.test(name) ? stages[Number(name)] : undefined)
  );
}

/**
 * Splits text at white space that is neither quoted nor escaped. {@link expandWord} removes the
 * quotes.
 */
function splitQuoted(text: string, escapeCharacter: string): readonly string[] {
  const character = escapeCharacter === "\\" ? "\\\\[^]" : "`[^]";
  const word = new RegExp(`(?:${character}|'[^']*'?|"(?:${character}|[^"])*"?|[^\\s'"])+`, "g");
  return text.match(word) ?? [];
}

/**
 * Parses `A=1 B="two words"` of ENV and LABEL, or the old form `A the rest of the line`.
 * @throws WordError for a word without `=`
 */
export function splitAssignments(
  text: string,
  escapeCharacter: string,
): readonly (readonly [name: string, value: string])[] {
  const words = splitQuoted(text, escapeCharacter);
  const [first = ""] = words;
  if (!first.includes("=")) {
    const rest = text.slice(first.length).trim();
    if (rest === "") throw new WordError(`${first} has no value`);
    return [[first, rest]];
  }
  return words.map((word) => {
    const at = word.indexOf("=");
    if (at < 1) throw new WordError(`${word} is not NAME=VALUE`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
}
