import { copyFileSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const MOUNT_POINTS = ["tmp", "proc", "dev"];
const NETWORK_FILES = ["resolv.conf", "hosts"];
/**
 * Lambda's user. Its home directory does not exist; without a line in passwd, Node's os.homedir()
 * throws.
 */
const USER = "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin";

/**
 * Prepares an unpacked image for a sandbox: creates the mount points, adds Lambda's user, and
 * copies this machine's name servers if the network is shared. Must run before the directories get
 * their final modes.
 */
export function prepareRoot(root: string, { network }: { readonly network: boolean }): void {
  for (const name of MOUNT_POINTS) ensureDirectory(join(root, name));
  ensureDirectory(join(root, "var"));
  ensureDirectory(join(root, "var/task"));
  ensureDirectory(join(root, "etc"));
  addUser(join(root, "etc/passwd"));
  if (!network) return;
  for (const name of NETWORK_FILES) {
    const place = join(root, "etc", name);
    rmSync(place, { recursive: true, force: true });
    copyIfThere(join("/etc", name), place);
  }
}

/** Adds Lambda's user, unless the image has a user with the same number. */
function addUser(place: string): void {
  const isFile = lstatSync(place, { throwIfNoEntry: false })?.isFile() === true;
  const lines = isFile ? readFileSync(place, "utf8").split("\n").filter(Boolean) : [];
  if (lines.some((line) => line.split(":")[2] === "993")) return;
  rmSync(place, { recursive: true, force: true });
  writeFileSync(place, [...lines, USER, ""].join("\n"), { mode: 0o644 });
}

/** Creates a directory; replaces a link, which could lead out of the image. */
function ensureDirectory(place: string): void {
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found) rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
}

function copyIfThere(from: string, to: string): void {
  try {
    copyFileSync(from, to);
  } catch {
    // the function then has no name server
  }
}
