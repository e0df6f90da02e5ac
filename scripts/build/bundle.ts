import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Dependencies that come along in the package, one file each, as they are not always needed; smaller ones are part of ours. */
const VENDORED = ["got", "hpagent", "ora"] as const;

/** They are large, and get security fixes or new data of their own: they are installed. */
const INSTALLED = ["@aws-sdk/*", "tldts"];

const COMMON: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20.19", // the oldest that package.json allows
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
};

const OURS: BuildOptions = {
  ...COMMON,
  external: INSTALLED,
  plugins: [vendored()],
  sourcemap: "linked",
  sourcesContent: false,
};

/** In CommonJS everything is required: Node's loader of modules takes longer to start than the command. */
const COMMAND: BuildOptions = { ...OURS, format: "cjs", supported: { "dynamic-import": false } };

/** Node takes all that a CommonJS file exports for its default: so that has to be the default, with the names on it. */
const DEFAULT_AND_NAMES = "module.exports = Object.assign(module.exports.default ?? {}, module.exports);";

/** got speaks HTTP/2 through it, where it is told to, and we never do: with Node's own it takes 6 ms to load. */
const UNUSED = /^http2-wrapper$/;

/** Part of got makes two of these for messages that few ever see: with what Node knows of languages that takes 10 ms. */
const LIST_FORMAT_WHEN_USED = `class ListFormatWhenUsed {
  constructor(...how) { this.how = how; }
  format(list) { return new Intl.ListFormat(...this.how).format(list); }
}`;

/** Of program.cjs: that of a file beside the worker, and as deep as that of a source file. */
const URL_OF_LIBRARY = `require("node:url").pathToFileURL(require("node:path").join(__dirname, "../lib/main.js")).href`;

/**
 * All JavaScript of the package, in `folder`: `lib/` is the programmatic interface, modules that share chunks; `cli/` the command, an entry and the program in one file;
 * `vendor/` what both need of others. Gives the files that went in, relative to the repository.
 */
export async function bundle(folder: string): Promise<readonly string[]> {
  const lib = join(folder, "lib");
  const built = await Promise.all([
    build({
      ...COMMON,
      entryPoints: [...VENDORED],
      outdir: join(folder, "vendor"),
      outExtension: { ".js": ".cjs" },
      format: "cjs",
      plugins: [emptied(UNUSED)],
      define: { "Intl.ListFormat": "ListFormatWhenUsed" },
      banner: { js: LIST_FORMAT_WHEN_USED },
      footer: { js: DEFAULT_AND_NAMES },
    }),
    build({ ...OURS, entryPoints: ["src/index.ts"], outdir: lib, format: "esm", splitting: true }),
    build({ ...OURS, entryPoints: ["src/layer/encode/worker.ts"], outdir: lib, format: "esm" }),
    build({
      ...COMMAND,
      entryPoints: ["src/cli/bin.ts"],
      outfile: join(folder, "cli/program.cjs"),
      define: { "import.meta.url": "urlOfLibrary" },
      banner: { js: `const urlOfLibrary = ${URL_OF_LIBRARY};` },
    }),
    build({
      ...COMMAND,
      entryPoints: ["src/cli/bin.cts"],
      outfile: join(folder, "cli/bin.cjs"),
      plugins: [replaced(/^\.\/bin\.ts$/, () => "./program.cjs")],
    }),
  ]);
  return built.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
}

/** Every folder of the package is one deep. */
function vendored(): Plugin {
  return replaced(new RegExp(`^(?:${VENDORED.join("|")})$`), (name) => `../vendor/${name}.cjs`);
}

/** What `filter` names is another file of the package. */
function replaced(filter: RegExp, pathOf: (name: string) => string): Plugin {
  return {
    name: "replaced",
    setup({ onResolve }) {
      onResolve({ filter }, ({ path }) => ({ path: pathOf(path), external: true }));
    },
  };
}

function emptied(filter: RegExp): Plugin {
  return {
    name: "emptied",
    setup({ onResolve, onLoad }) {
      onResolve({ filter }, ({ path }) => ({ path, namespace: "emptied" }));
      onLoad({ filter: /.*/, namespace: "emptied" }, () => ({ contents: "export default {};" }));
    },
  };
}
