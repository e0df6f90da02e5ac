import { copyFileSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const MOUNT_POINTS = ["tmp", "proc", "dev"];
const NETWORK_FILES = ["resolv.conf", "hosts"];

/**
 * Makes the places of an unpacked image that a sandbox mounts over, and gives it this machine's name servers where it
 * shares the network. Must run before the directories get their final modes.
 */
export function prepareRoot(root: string, { network }: { readonly network: boolean }): void {
  for (const name of MOUNT_POINTS) ensureDirectory(join(root, name));
  ensureDirectory(join(root, "var"));
  ensureDirectory(join(root, "var/task"));
  if (!network) return;
  ensureDirectory(join(root, "etc"));
  for (const name of NETWORK_FILES) {
    const place = join(root, "etc", name);
    rmSync(place, { recursive: true, force: true });
    copyIfThere(join("/etc", name), place);
  }
}

/** A link there would lead out of the image. */
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
    // the function then finds no name server
  }
}
