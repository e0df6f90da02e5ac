/** Where installers put packages, each as a folder: npm; pip with a virtual environment; Bundler. */
const FOLDERS: readonly RegExp[] = [
  /^(?:.*?\/)??node_modules\/((?:@[^/]+\/)?[^/]+)\//,
  /^(?:.*?\/)??site-packages\/([^/]+)/,
  /^vendor\/bundle\/[^/]+\/[^/]+\/(?:extensions\/[^/]+\/[^/]+|gems|specifications)\/([^/]+)/,
];

/** `-1.26.4.dist-info`, `.libs`, `-2.0.jar`: what is not the name. */
const TAIL = /(?:-\d[^/]*?)?(?:\.(?:dist-info|egg-info|data|libs|gemspec|jar|pth|py|so))?$/;

/**
 * The package that a path of installed files belongs to, without version: `numpy` for `numpy/x.py`, `numpy.libs/x.so` and `numpy-1.26.4.dist-info/RECORD`.
 * What lies in no known place belongs to its topmost folder.
 */
export function packageOf(path: string): string {
  for (const folder of FOLDERS) {
    const [, name] = folder.exec(path) ?? [];
    if (name !== undefined) return plain(name);
  }
  const [top = "", second] = path.split("/");
  return plain(top === "lib" && second?.endsWith(".jar") ? second : top);
}

function plain(name: string): string {
  return name.replace(TAIL, "").replaceAll("_", "-").toLowerCase() || name;
}
