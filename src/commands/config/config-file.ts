/**
 * The configuration file of a project. Alone here: what only names it does not load what reads it.
 */
export const CONFIG_FILE = "lambda-pack.jsonc";
