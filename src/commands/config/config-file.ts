/**
 * The configuration file of a project. This is a separate module so that code which only needs the
 * name does not load the parser.
 */
export const CONFIG_FILE = "lambda-pack.jsonc";
