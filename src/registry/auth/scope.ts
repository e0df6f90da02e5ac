/**
 * Scopes as distribution's token servers read them: `repository:<name>:<actions>`. One for each
 * resource, actions joined and sorted, `*` alone where it is among them, the list sorted: equal
 * demands give equal lists, so they share a token. What has no such form stays as it is.
 */
export function mergeScopes(scopes: readonly string[]): readonly string[] {
  const resources = new Map<string, Set<string>>();
  const others = new Set<string>();
  for (const scope of scopes.flatMap((text) => text.split(" "))) {
    const { resource, actions } = split(scope);
    if (resource === undefined) others.add(scope);
    else resources.set(resource, new Set([...(resources.get(resource) ?? []), ...actions]));
  }
  const merged = [...resources].map(([resource, actions]) => ({
    resource,
    actions: mergeActions([...actions]),
  }));
  const named = merged.filter(({ actions }) => actions.length > 0);
  others.delete("");
  return [...others, ...named.map(({ resource, actions }) => `${resource}:${actions.join(",")}`)].sort();
}

/** Sorted, each once; `*` swallows the others. */
export function mergeActions(actions: readonly string[]): readonly string[] {
  if (actions.includes("*")) return ["*"];
  return [...new Set(actions)].filter((action) => action !== "").sort();
}

/**
 * True when nothing but reading is asked for, which a public registry may grant without a login.
 */
export function readsOnly(scopes: readonly string[]): boolean {
  return scopes.every((scope) => split(scope).actions.every((action) => action === "pull"));
}

/** The name of a resource may hold colons (a port); its type and its actions do not. */
function split(scope: string): { readonly resource?: string; readonly actions: readonly string[] } {
  const [first, last] = [scope.indexOf(":"), scope.lastIndexOf(":")];
  if (first < 0 || first === last) return { actions: [] };
  return { resource: scope.slice(0, last), actions: scope.slice(last + 1).split(",") };
}
