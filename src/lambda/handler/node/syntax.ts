import { afterToken, type Tokens } from "../tokens.ts";

/** Returns the number of parameters of the function that begins here; undefined if none does. */
export function parametersOf(tokens: Tokens, at: number): number | undefined {
  const isAsync = tokens.text(at) === "async" && !tokens.startsLine(at + 1);
  const first = isAsync ? at + 1 : at;
  if (tokens.text(first) === "function") {
    const bracket = tokens.text(first + 1) === "*" ? first + 2 : first + 1;
    return parametersIn(tokens, tokens.text(bracket) === "(" ? bracket : bracket + 1);
  }
  if (tokens.kind(first) === "word" && tokens.text(first + 1) === "=>") return 1;
  const end = tokens.text(first) === "(" ? tokens.closing(first) : undefined;
  return end !== undefined && tokens.text(end + 1) === "=>" ? parametersIn(tokens, first) : undefined;
}

/**
 * Counts parameters as `Function.prototype.length`: up to the first default value or rest
 * parameter.
 */
export function parametersIn(tokens: Tokens, bracket: number): number {
  const end = tokens.closing(bracket) ?? bracket;
  let count = 0;
  let isNew = true;
  for (let index = bracket + 1; index < end; index = afterToken(tokens, index)) {
    const text = tokens.text(index);
    if (text === "...") return count;
    if (text === "=") return count - 1;
    if (text === ",") isNew = true;
    else if (isNew) {
      count += 1;
      isNew = false;
    }
  }
  return count;
}

/** Returns whether it is a static import or `import.meta`, not a dynamic import or a key. */
export function isImport(tokens: Tokens, index: number): boolean {
  if (tokens.text(index) !== "import") return false;
  const next = tokens.text(index + 1);
  if (next === ".") return tokens.text(index + 2) === "meta";
  return (
    tokens.kind(index + 1) === "string" || next === "{" || next === "*" || tokens.kind(index + 1) === "word"
  );
}

/** Returns an identifier, or the text of a string. */
export function nameAt(tokens: Tokens, index: number): string | undefined {
  const text = tokens.text(index);
  if (tokens.kind(index) === "word") return text;
  return tokens.kind(index) === "string" ? text.slice(1, -1) : undefined;
}

/** Skips at most three of these words. */
export function skip(tokens: Tokens, at: number, words: RegExp): number {
  let index = at;
  while (index < at + 3 && words.test(tokens.text(index))) index += 1;
  return index;
}
