import { chmod, link, rename, rm } from "node:fs/promises";
import { hasCode } from "../errors.ts";
import { type Access, FILE_MODE } from "./partial.ts";
import { writeFailed } from "./write-failed.ts";

/**
 * Errors that mean: another file system, one without links (FAT), no room for one more, or the file
 * is missing.
 */
const CANNOT = ["EXDEV", "EPERM", "EACCES", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "ENOENT"];

/**
 * Makes `to` a hard link to `from`, through the temporary name `partial` on the same file system.
 * Returns false, without any change, if that is not possible.
 * @throws WRITE_FAILED.
 */
export async function linkFile(from: string, partial: string, to: string, access: Access): Promise<boolean> {
  try {
    await link(from, partial);
  } catch (error) {
    if (hasCode(error, ...CANNOT)) return false;
    throw writeFailed(to, error);
  }
  try {
    // All links share one mode. The file in the cache stays private because its directory is.
    if (access === "shared") await chmod(partial, FILE_MODE.shared & ~process.umask());
    await rename(partial, to);
    return true;
  } catch (error) {
    throw writeFailed(to, error);
  } finally {
    // If `to` was a link to the same file already, a rename leaves both names (rename(2)).
    await rm(partial, { force: true });
  }
}
