import { chmod, link, rename, rm } from "node:fs/promises";
import { hasCode } from "../errors.ts";
import { type Access, FILE_MODE } from "./partial.ts";
import { writeFailed } from "./write-failed.ts";

/**
 * Another file system, or one without links (FAT), or no room for one more name; or the file is
 * gone.
 */
const CANNOT = ["EXDEV", "EPERM", "EACCES", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "ENOENT"];

/**
 * Gives the file `from` a second name, by way of `partial` on the same file system: afterwards `to`
 * is that file. false, and nothing has happened: it cannot be linked there. @throws WRITE_FAILED.
 */
export async function linkFile(from: string, partial: string, to: string, access: Access): Promise<boolean> {
  try {
    await link(from, partial);
  } catch (error) {
    if (hasCode(error, ...CANNOT)) return false;
    throw writeFailed(to, error);
  }
  try {
    // One file has one mode: in the cache it stays private through the directory that it is in.
    if (access === "shared") await chmod(partial, FILE_MODE.shared & ~process.umask());
    await rename(partial, to);
    return true;
  } catch (error) {
    throw writeFailed(to, error);
  } finally {
    // Where `to` was this very file already, a rename leaves both names (rename(2)).
    await rm(partial, { force: true });
  }
}
