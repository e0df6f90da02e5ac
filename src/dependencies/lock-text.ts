import { parse } from "smol-toml";
import { LambdaPackError } from "../errors.ts";
import type { Json } from "../oci/json.ts";

/**
 * @throws LOCK_INVALID where `read` throws that the document is wrong; `again` is the command that
 * writes it.
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

/** @throws LOCK_INVALID naming the file, with the line where the text is not TOML. */
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
