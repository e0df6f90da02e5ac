import { type Flag, flagsOf, quote } from "../src/cli/arguments/flags.ts";
import { misuse } from "../src/errors.ts";
import type { Environment, LambdaPackError } from "../src/index.ts";

/** Flags about the output that a step of a workflow has no use for. */
const LEFT_OUT = new Set(["--help", "--json", "--progress", "--quiet", "--version"]);

/** The flags of `build` that are inputs of the action, under their names without `--`. */
export async function inputFlags(): Promise<readonly Flag[]> {
  const { build } = await import("../src/cli/commands/build.ts");
  return flagsOf(build).filter(({ name }) => !LEFT_OUT.has(name));
}

/**
 * The command line of `build` for the inputs of a step. Each word is passed as it is: no shell reads it.
 * @throws USAGE for a switch that is neither true nor false
 */
export function commandLine(flags: readonly Flag[], environment: Environment): readonly string[] {
  const words = flags.flatMap((flag) => wordsOf(flag, input(flag.name.slice(2), environment)));
  const directories = lines(input("directory", environment));
  const end = directories.length === 0 ? [] : ["--", ...directories];
  return ["build", ...words, ...lines(input("args", environment)), ...end];
}

/** A runner gives a step its inputs as variables: INPUT_, and the name in capitals. */
export function input(name: string, environment: Environment): string {
  return environment[`INPUT_${name.toUpperCase()}`]?.trim() ?? "";
}

/** Returns whether a switch is true. @throws USAGE for a value that is neither true nor false */
export function isOn(name: string, environment: Environment): boolean {
  const text = input(name, environment);
  if (/^(?:true|false|)$/i.test(text)) return /^true$/i.test(text);
  throw neitherTrueNorFalse(name, text);
}

function neitherTrueNorFalse(name: string, text: string): LambdaPackError {
  return misuse(
    `the input ${name} should be true or false, not ${quote(text)}`,
    `write ${name}: true, or leave it out`,
  );
}

function wordsOf({ name, form, off }: Flag, text: string): readonly string[] {
  if (text === "") return [];
  if (form.kind === "each") return lines(text).map((line) => `${name}=${line}`);
  const isSwitch = form.kind === "switch";
  if (!isSwitch && form.alone === undefined) return [`${name}=${text}`];
  if (/^true$/i.test(text)) return [name];
  if (/^false$/i.test(text)) return off === undefined ? [] : [off];
  if (!isSwitch) return [`${name}=${text}`];
  throw neitherTrueNorFalse(name.slice(2), text);
}

function lines(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
