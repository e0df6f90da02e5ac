import { afterToken, type Tokens } from "./tokens.ts";

/** How many parameters the function that begins here has; undefined where none begins. */
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

/** As `Function.prototype.length` counts them: up to the first default value or rest parameter. */
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
