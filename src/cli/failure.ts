import { getSystemErrorMap } from "node:util";
import { type ErrorCode, LambdaPackError } from "../errors.ts";

/** An error as it is reported to the user. */
export interface Failure {
  /** Undefined for an unexpected error, which is a bug. */
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly hint: string | undefined;
  /** Stack traces of the error and of its causes, for --verbose. */
  readonly trace: string;
}

const BUG = "this is a bug in lambda-pack; report it with the command line and the output of --verbose";
const INCOMPLETE = "a package that lambda-pack needs is missing: install lambda-pack again with npm";
const MAX_CAUSES = 8;

/** Returns what `--json` says about an error. */
export function failureJson({ code, message, hint }: Pick<LambdaPackError, "code" | "message" | "hint">) {
  return { code, message, hint };
}

export function failureOf(error: unknown): Failure {
  const chain = causesOf(error);
  const message = withClause(error instanceof Error ? error.message || error.name : String(error), chain);
  const trace = chain.map((one) => one.stack ?? String(one)).join("\ncaused by: ");
  return error instanceof LambdaPackError
    ? { code: error.code, message, hint: error.hint, trace }
    : { code: undefined, message, hint: isIncomplete(error) ? INCOMPLETE : BUG, trace };
}

/** Returns whether a package could not be loaded, as after an update without its new packages. */
function isIncomplete(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
}

/** Lists the error, its cause, the cause's cause and so on. */
function causesOf(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  let next = error;
  while (next instanceof Error && chain.length < MAX_CAUSES && !chain.includes(next)) {
    chain.push(next);
    next = next.cause ?? (next instanceof AggregateError ? next.errors[0] : undefined);
  }
  return chain;
}

/** Adds the system's error code and its meaning, if the message does not contain them. */
function withClause(message: string, chain: readonly Error[]): string {
  const code = chain.map(systemCode).find((one) => one !== undefined);
  if (code === undefined || message.includes(code)) return message;
  const words = WORDS.get(code) ?? messages().get(code);
  return words === undefined || message.includes(words)
    ? `${message} (${code})`
    : `${message} (${code}: ${words})`;
}

function systemCode(error: Error): string | undefined {
  const code = "code" in error && !(error instanceof LambdaPackError) ? error.code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** Replaces the messages of libuv that only a programmer understands, or that do not exist. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["ENOTFOUND", "the host name is not known"],
  ["EAI_AGAIN", "the host name cannot be looked up now"],
  ["ECONNREFUSED", "nothing answers there"],
  ["ECONNRESET", "the connection was cut"],
  ["EPIPE", "the connection was cut"],
  ["ETIMEDOUT", "no answer in time"],
]);

function messages(): ReadonlyMap<string, string> {
  return new Map(getSystemErrorMap().values());
}
