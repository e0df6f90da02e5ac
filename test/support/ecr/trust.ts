import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";

/**
 * The directory of the authority that this process trusts since it started, if it is one of ours (trusting.ts leaves its key
 * beside the certificate). undefined: a new authority must be made, and only child processes can trust it.
 */
export function trustedAuthority(): string | undefined {
  const file = process.env["NODE_EXTRA_CA_CERTS"];
  if (file === undefined) return undefined;
  const directory = dirname(file);
  return existsSync(join(directory, "ca.key")) ? directory : undefined;
}
