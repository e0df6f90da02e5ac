/**
 * Loads a package when it is first needed. In a program that a bundler has turned into one ES
 * module, CommonJS packages that require Node's own modules fail ("Dynamic require of ..."); then
 * Node looks for the package in the node_modules directories above the program.
 */
export async function loadPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("Dynamic require of "))) throw error;
    const loaded: T = await import(name);
    return loaded;
  }
}
