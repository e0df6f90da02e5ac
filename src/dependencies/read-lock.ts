import { LambdaPackError } from "../errors.ts";

/** @throws LOCK_INVALID where `read` throws that the document is wrong; `again` is the command that writes it. */
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
