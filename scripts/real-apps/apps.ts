import { cApp, debianApp, goApp, javaApp, nodeApp, pnpmWorkspace } from "./make.ts";

/** A built app: its directory, and the versions of its packages. */
export interface MadeApp {
  readonly directory: string;
  /** For example `express 5.1.0`. */
  readonly versions: readonly string[];
}

export interface RealApp {
  readonly name: string;
  /** The value of --base. */
  readonly base: string;
  /** The programs that making the app requires. */
  readonly needs: readonly string[];
  /** Creates the app below an empty directory. */
  readonly make: (work: string) => Promise<MadeApp>;
  /** More flags of build. */
  readonly flags?: readonly string[];
  /** The event, and a text that the response must contain. */
  readonly call: Call;
}

interface Call {
  readonly event: readonly string[];
  readonly answer: string;
}

/** Native modules that npm compiles on this machine need the Node that compiled them. */
const HOST_NODE = `nodejs:${process.versions.node.split(".")[0]}`;
const NPM = ["npm"];
const COMPILED = ["npm", "g++", "make", "python3"];

/**
 * The output of these frameworks has several files that export a handler, so the flag names one.
 */
const LAMBDA_JS = ["--handler", "lambda.handler"];

/** Sends a request to the function URL; each app returns the name of its framework. */
const web = (framework: string): Call => ({
  event: ["--sample", "function-url"],
  answer: JSON.stringify({ framework }).slice(1, -1),
});
const ask = (event: unknown, answer: string): Call => ({ event: ["--event", JSON.stringify(event)], answer });
const name = { name: "Ada" };

const npm = (
  app: string,
  base: string,
  call: Call,
  { needs = NPM, output = ".", flags = [] }: { needs?: string[]; output?: string; flags?: string[] } = {},
): RealApp => ({
  ...{ name: app, base, needs, call, flags, make: (work) => nodeApp(app, work, output) },
});

export const APPS: readonly RealApp[] = [
  npm("express", "nodejs:22", web("express")),
  npm("fastify", "nodejs:22", web("fastify")),
  npm("hono", "nodejs:24", web("hono")),
  npm("nest", "nodejs:22", web("nest")),
  npm("next", "nodejs:22", web("next"), {
    output: ".next/standalone",
    flags: LAMBDA_JS,
  }),
  npm("nuxt", "nodejs:22", web("nuxt"), { output: ".output/server" }),
  npm("sveltekit", "nodejs:22", web("sveltekit"), { flags: LAMBDA_JS }),
  npm("astro", "nodejs:22", web("astro"), { flags: LAMBDA_JS }),
  npm("react-router", "nodejs:22", web("react-router")),
  npm("solid-start", "nodejs:22", web("solid-start"), { output: ".output/server" }),
  npm("esbuild", "nodejs:22", web("esbuild"), { output: "dist" }),
  npm("bcrypt-6", "nodejs:22", ask({ password: "secret" }, '{"matches":true,"other":false}')),
  npm("bcrypt-5", HOST_NODE, ask({ password: "secret" }, '{"matches":true,"other":false}'), {
    needs: COMPILED,
  }),
  npm("sharp", "nodejs:22", ask({ width: 16 }, '{"format":"webp","width":4}')),
  npm("better-sqlite3", HOST_NODE, ask(name, '{"names":1,"last":"Ada"}'), { needs: COMPILED }),
  npm("prisma", HOST_NODE, ask(name, '{"id":1,"name":"Ada"}'), { needs: COMPILED }),
  {
    ...{ name: "pnpm-workspace", base: "nodejs:22", needs: NPM, make: pnpmWorkspace },
    call: ask(name, '"greeting":"Hello Ada, in 1m"'),
  },
  {
    ...{ name: "numpy-pandas", base: "python:3.11", needs: ["apt-get", "dpkg-deb"] },
    make: (work) => debianApp("numpy-pandas", work, ["python3-numpy", "python3-pandas"]),
    call: ask({ values: [1, 2, 6] }, '{"mean": 3.0, "solved": [1.0, 2.0]}'),
  },
  {
    ...{ name: "django", base: "python:3.11", needs: ["apt-get", "dpkg-deb"] },
    make: (work) => debianApp("django", work, ["python3-django"]),
    call: web("django"),
  },
  {
    ...{ name: "java", base: "java:17", needs: ["javac", "jar", "jlink"], make: javaApp },
    ...{ flags: ["--handler", "example.App::handleRequest"], call: ask(name, '"greeting":"Hello Ada"') },
  },
  {
    ...{ name: "go", base: "provided:al2023", needs: ["go"], make: goApp },
    call: ask(name, '"greeting":"Hello Ada"'),
  },
  {
    ...{ name: "c", base: "provided:al2023", needs: ["gcc"], make: cApp },
    call: ask(name, '{"compiled":true,"event":{"name":"Ada"}}'),
  },
];
