/** The directory of the code in AWS's bases. */
const TASK_ROOT = "/var/task";

/**
 * Returns the directory of the function's code: WORKDIR, or else /var/task. A relative path counts
 * as not set, and so does `/`, which BuildKit sets for every image from scratch.
 */
export function taskRootOf(config: { readonly WorkingDir?: string | undefined } | undefined): string {
  const directory = config?.WorkingDir ?? "";
  return /^\/+[^/]/.test(directory) ? directory : TASK_ROOT;
}
