import { LambdaPackError } from "../errors.ts";

/** Paths of one image that are held: no function needs as many, and they take some 100 MB. */
export const MAX_PATHS = 300_000;

/** The error for more paths than {@link MAX_PATHS}: what comes after them is not read. */
export function tooManyEntries(what: "image" | "layer"): LambdaPackError {
  return new LambdaPackError(
    "IMAGE_INVALID",
    `the ${what} has more than ${MAX_PATHS} files and directories: the rest was not read`,
    { hint: "leave out what the function does not use" },
  );
}
