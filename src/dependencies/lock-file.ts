import { readFileSync } from "node:fs";
import { parse } from "smol-toml";
import { LambdaPackError } from "../errors.ts";
import { field, items, type Json, optional } from "../oci/json.ts";

/**
 * Reads a file of the project or of a package manager's settings.
 * @param name the file in the message
 * @throws FILE_UNREADABLE
 */
export function readFile(path: string, hint = "make it a file that this user can read", name = path): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new LambdaPackError("FILE_UNREADABLE", `cannot read ${name}`, { hint, cause });
  }
}

/**
 * Runs `read` and turns its error about the document into LOCK_INVALID.
 * @param again the command that writes the lock again
 */
export function readLock<T>(file: string, again: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof LambdaPackError) || error.code !== "IMAGE_INVALID") throw error;
    throw new LambdaPackError("LOCK_INVALID", error.message, {
      hint: `restore ${file} from version control, or write it again: ${again}`,
      cause: error,
    });
  }
}

/** Parses TOML. @throws LOCK_INVALID that names the file and the line */
export function parseToml(text: string, file: string): Json {
  try {
    return { value: parse(text), path: file };
  } catch (error) {
    const [reason = ""] = error instanceof Error ? error.message.split("\n") : [];
    throw new LambdaPackError("LOCK_INVALID", `${file} is not TOML: ${reason}`, {
      hint: `restore ${file} from version control, or write it again`,
      cause: error,
    });
  }
}

export const MAX_ITEMS = 100_000;

/** Returns the items of an array; none if the field is absent. */
export function listIn(json: Json, name: string): readonly Json[] {
  return optional(field(json, name), (list) => items(list, MAX_ITEMS)) ?? [];
}

/** Parses a URL of a lock. @throws LOCK_INVALID */
export function urlIn(text: string, where: string, base?: URL): URL {
  if (URL.canParse(text, base?.href)) return new URL(text, base);
  throw lockInvalid(`${where} is not a URL: ${text}`, "correct it, or write the lock again");
}

/** Creates the error for a lock file that is damaged, too old, or out of date. */
export function lockInvalid(message: string, hint: string): LambdaPackError {
  return new LambdaPackError("LOCK_INVALID", message, { hint });
}

/** Creates the error for a package that cannot be installed for the target. */
export function unavailable(message: string, hint: string): LambdaPackError {
  return new LambdaPackError("DEPENDENCY_UNAVAILABLE", message, { hint });
}
