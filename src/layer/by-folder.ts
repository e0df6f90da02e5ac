/** What `judge` says of the folder of a path, which is the first that it sees there. Asked once for paths of one folder that follow each other, as most of a collection do. */
export function byFolder<T>(judge: (folder: string, path: string) => T): (path: string) => T {
  let last: { readonly folder: string; readonly verdict: T } | undefined;
  return (path) => {
    const end = Math.max(0, path.lastIndexOf("/"));
    if (last?.folder.length === end && path.startsWith(last.folder)) return last.verdict;
    const folder = path.slice(0, end);
    last = { folder, verdict: judge(folder, path) };
    return last.verdict;
  };
}
