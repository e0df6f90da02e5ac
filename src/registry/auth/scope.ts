/**
 * Merges scopes of the form that distribution's token servers read, `repository:<name>:<actions>`,
 * into one for each resource, with {@link mergeActions}, and sorts them: equal requests give equal
 * lists, so they share a token. Scopes of another form stay as they are.
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

/** Returns the actions sorted and without duplicates; `*` replaces all others. */
export function mergeActions(actions: readonly string[]): readonly string[] {
  if (actions.includes("*")) return ["*"];
  return [...new Set(actions)].filter((action) => action !== "").sort();
}

/** Returns whether the scopes only pull, which a public registry may allow without a login. */
export function readsOnly(scopes: readonly string[]): boolean {
  return scopes.every((scope) => split(scope).actions.every((action) => action === "pull"));
}

/** A resource name may contain colons (a port); its type and its actions do not. */
function split(scope: string): { readonly resource?: string; readonly actions: readonly string[] } {
  const [first, last] = [scope.indexOf(":"), scope.lastIndexOf(":")];
  if (first < 0 || first === last) return { actions: [] };
  return { resource: scope.slice(0, last), actions: scope.slice(last + 1).split(",") };
}
