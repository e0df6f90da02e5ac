import { posix } from "node:path";
import type { Language } from "../../../lambda/bases.ts";
import { starterOf } from "../../../lambda/handler/language.ts";
import { type ImageFacts, lookUp, startsAsAws } from "../../facts.ts";
import { listOf, type Problem, type Problems, type Rule } from "../../rule.ts";
import { languageIn } from "../../runtime.ts";

interface Client {
  /** Matches its path, anywhere in the image. */
  readonly at: RegExp;
  readonly add: string;
  readonly start: string;
}

/** AWS's clients as they are installed (AWS, "Using an alternative base image"). */
const CLIENTS: Readonly<Partial<Record<Language, Client>>> = {
  python: {
    at: /(?:^|\/)awslambdaric\/(?:__main__|bootstrap)\.py$|^opt\/lambda-pack\/python_bootstrap\.py$/,
    add: "build with --runtime-client, or pip install --target . awslambdaric",
    start: `--entrypoint '["/usr/local/bin/python", "-m", "awslambdaric"]'`,
  },
  nodejs: {
    at: /(?:^|\/)node_modules\/aws-lambda-ric\/(?:package\.json|index\.mjs|bin\/index\.mjs)$|^opt\/lambda-pack\/node-client\.mjs$/,
    add: "build with --runtime-client, or npm install aws-lambda-ric",
    start: `--entrypoint '["/usr/local/bin/node", "/var/task/node_modules/.bin/aws-lambda-ric"]'`,
  },
  java: {
    at: /(?:^|\/)aws-lambda-java-runtime-interface-client[^/]*\.jar$/,
    add: "com.amazonaws:aws-lambda-java-runtime-interface-client in pom.xml or build.gradle",
    start: `--entrypoint '["/opt/java/openjdk/bin/java", "-cp", "/var/task/*:/var/task/lib/*", "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"]'`,
  },
  ruby: {
    at: /(?:^|\/)aws_lambda_ric(?:-[\d.]+)?\/(?:lib\/aws_lambda_ric\.rb|bin\/aws_lambda_ric)$/,
    add: "gem install aws_lambda_ric",
    start: `--entrypoint /usr/local/bundle/bin/aws_lambda_ric`,
  },
  dotnet: {
    at: /(?:^|\/)Amazon\.Lambda\.RuntimeSupport\.dll$/,
    add: "dotnet add package Amazon.Lambda.RuntimeSupport",
    start: "--entrypoint with the path of the app's executable",
  },
};

/** The AWS Lambda Web Adapter, which lets a web server be the function. */
export const ADAPTER = "opt/extensions/lambda-adapter";

/** AWS's bases have a client of Lambda's Runtime API; over any other it has to be added. */
export const runtimeClient: Rule = {
  id: "runtime-client",
  severity: "error",
  expects:
    "over another base than AWS's, the image has a runtime interface client, and ENTRYPOINT or CMD starts it",
  otherwise: "Runtime.ExitError, or Sandbox.Timedout after the 10 s of the init phase",
  check: clientProblems,
};

/** Returns the problems in the layers that were read; other layers may resolve them. */
export function clientProblems(facts: ImageFacts): readonly Problem[] {
  return listOf(problemsOf(facts));
}

function problemsOf(facts: ImageFacts): Problems {
  if (facts.brokenConfig || startsAsAws(facts) || facts.files.view.get(ADAPTER)) return [];
  const starter = starterOf(startWords(facts));
  const language = languageIn(facts) ?? languageOfFiles(facts);
  if (starter === "client") return clientMissing(facts, language);
  if (language && language !== "provided" && language !== "go") return nothingStarts(facts, language);
  return (facts.settings.config?.Entrypoint ?? []).length > 0 ? speaksItself(facts) : unknownClient();
}

/** Returns whether the image starts a runtime interface client. */
export function startsClient(facts: ImageFacts): boolean {
  return starterOf(startWords(facts)) === "client";
}

/** Returns whether the client that the image starts is not in the layers that were read. */
export function lacksClient(facts: ImageFacts): boolean {
  const language = languageIn(facts) ?? languageOfFiles(facts);
  const client = language && CLIENTS[language];
  return startsClient(facts) && !(client && hasFile(facts, client.at));
}

function startWords({ settings: { config = {} } }: ImageFacts): readonly string[] {
  return config.Entrypoint?.length ? config.Entrypoint : (config.Cmd ?? []);
}

function clientMissing(facts: ImageFacts, language: Language | undefined): Problems {
  const client = language && CLIENTS[language];
  if (!client || !facts.files.whole || hasFile(facts, client.at)) return [];
  return {
    message: "the image starts a runtime interface client that it does not have",
    hint: `add it: ${client.add}`,
  };
}

/** Reports no client, unless a program names AWS_LAMBDA_RUNTIME_API and may be one. */
function nothingStarts(facts: ImageFacts, language: Language): Problems {
  const client = CLIENTS[language];
  if (!client || usesVariable(facts)) return [];
  if (hasFile(facts, client.at)) return notStarted(facts, client);
  return {
    message: `nothing in the image speaks Lambda's Runtime API: no runtime interface client for ${language}`,
    hint: `${client.add}, and ${client.start}`,
    severity:
      facts.files.whole || (facts.settings.config?.Entrypoint ?? []).length === 0 ? "error" : "warning",
  };
}

/** Reports an error, or with an ENTRYPOINT, whose program may start the client, a warning. */
function notStarted({ settings: { config = {} } }: ImageFacts, client: Client): Problem {
  const starts = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].join(" ");
  return {
    message: `the image starts ${starts || "nothing"}, not the runtime interface client that it has`,
    hint: client.start,
    severity: (config.Entrypoint ?? []).length > 0 ? "warning" : "error",
  };
}

/** Reports a program without the name of the variable: its client would contain it. */
function speaksItself(facts: ImageFacts): Problems {
  const [program = ""] = facts.settings.config?.Entrypoint ?? [];
  const place = lookUp(facts, program);
  if (!place.known || !place.entry) return [];
  const { contents } = facts.files;
  if (!contents.binaries.get(place.entry.path) || contents.speakers.get(place.entry.path) !== false)
    return [];
  return {
    message: "the entry point does not speak Lambda's Runtime API: it never names AWS_LAMBDA_RUNTIME_API",
    path: program,
    hint: "link the runtime client of its language (aws-lambda-go, lambda_runtime for Rust), or add the web adapter: /opt/extensions/lambda-adapter",
    severity: "warning",
  };
}

function unknownClient(): Problem {
  return {
    message: "the image has no ENTRYPOINT, and no runtime interface client that is known",
    hint: "build on one of AWS's bases, or add the client of the language and --entrypoint to start it",
    severity: "warning",
  };
}

function usesVariable(facts: ImageFacts): boolean {
  const { Entrypoint: entry = [], Cmd: cmd = [], WorkingDir: directory = "/" } = facts.settings.config ?? {};
  return [...entry, ...cmd].some((word) => {
    const place = lookUp(facts, posix.resolve("/", directory, word));
    return place.known && place.entry && facts.files.contents.speakers.get(place.entry.path);
  });
}

function hasFile({ files: { view } }: ImageFacts, pattern: RegExp): boolean {
  for (const { path } of view.entries()) if (pattern.test(path)) return true;
  return false;
}

const SOURCES: readonly (readonly [RegExp, Language])[] = [
  [/^[^/]+\.py$/, "python"],
  [/^[^/]+\.[cm]?js$/, "nodejs"],
  [/^[^/]+\.rb$/, "ruby"],
];

function languageOfFiles(facts: ImageFacts): Language | undefined {
  const names = facts.files.view.list("var/task");
  return SOURCES.find(([name]) => names.some((one) => name.test(one)))?.[1];
}
