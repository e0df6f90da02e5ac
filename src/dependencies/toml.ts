import { parse } from "smol-toml";
import { LambdaPackError } from "../errors.ts";
import type { Json } from "../oci/json.ts";

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
