/** Where Lambda's own bases have the code. */
const TASK_ROOT = "/var/task";

/**
 * Gives the directory of the function's code: WORKDIR, else /var/task. BuildKit sets WORKDIR to `/`
 * for everything that starts from scratch, so that this and a relative path say nothing.
 */
export function taskRootOf(config: { readonly WorkingDir?: string | undefined } | undefined): string {
  const directory = config?.WorkingDir ?? "";
  return /^\/+[^/]/.test(directory) ? directory : TASK_ROOT;
}
