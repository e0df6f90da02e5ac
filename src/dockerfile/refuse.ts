import { LambdaPackError } from "../errors.ts";

/**
 * Where an instruction stands: the file as the user named it, and its first line, counted from 1. An option that copies as
 * an instruction does has its own text in place of the file, and line 0.
 */
export interface Position {
  readonly file: string;
  readonly line: number;
}

/** Something that `docker build` would do and that has no effect in Lambda or in this build. */
export interface Note extends Position {
  readonly message: string;
}

/** Makes the error for an instruction that cannot be done: what it is, why, and what to do instead. */
export function refuse({ file, line }: Position, problem: string, fix: string): LambdaPackError {
  return new LambdaPackError("DOCKERFILE_REFUSED", `${line === 0 ? file : `${file}:${line}`}: ${problem}`, {
    hint: fix,
  });
}

/** Joins several errors to one, so that a user sees every line that has to change at once. */
export function joinRefusals(errors: readonly LambdaPackError[]): LambdaPackError | undefined {
  const [first, ...more] = errors;
  if (!first || more.length === 0) return first;
  const hints = new Set(errors.flatMap(({ hint }) => hint ?? []));
  return new LambdaPackError(first.code, errors.map(({ message }) => message).join("\n"), {
    hint: [...hints].join("; "),
  });
}
