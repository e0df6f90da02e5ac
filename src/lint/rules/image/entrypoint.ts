import { type ImageFacts, lookUp, programPlaces, startsAsAws, taskRoot } from "../../facts.ts";
import { hintsFor } from "../../native/hints.ts";
import type { Problem, Problems, Rule } from "../../rule.ts";
import { executableProblems } from "../../shebang.ts";
import { ADAPTER, clientProblems } from "./runtime-client.ts";

/**
 * AWS's troubleshooting page says that the entry point must not be a symlink, but AWS's own
 * examples start /usr/local/bin/python, which is one in Docker's official images: a link is a
 * warning.
 */
export const entrypoint: Rule = {
  id: "entrypoint",
  severity: "error",
  expects:
    "ENTRYPOINT, or else CMD, begins with the absolute path of a file that can be executed and is not a link, and its interpreter exists",
  otherwise: "Runtime.InvalidEntrypoint, or Couldn't find valid bootstrap(s)",
  check(facts) {
    if (facts.brokenConfig) return [];
    const { Entrypoint: entry = [], Cmd: cmd = [] } = facts.settings.config ?? {};
    const [program] = entry.length > 0 ? entry : cmd;
    if (program === undefined || program === "")
      return {
        message: "the image has neither ENTRYPOINT nor CMD",
        hint: "give it --entrypoint, or build on a base that has one",
      };
    // A handler in CMD is not a program: the rule runtime-client reports what has to start it.
    if (entry.length === 0 && clientProblems(facts).length > 0) return [];
    return [adapterUnused(facts), program.startsWith("/") ? atPath(program, facts) : byName(program, facts)];
  },
};

function adapterUnused(facts: ImageFacts): Problems {
  if (!startsAsAws(facts) || !facts.files.view.get(ADAPTER)) return [];
  return {
    message: "the image has the web adapter, and AWS's own entry point starts no web server",
    path: "/lambda-entrypoint.sh",
    hint: `--entrypoint with the words of the server, for example --entrypoint '["node", "server.js"]'`,
    severity: "warning",
  };
}

/** Checks a path relative to WORKDIR, or a name that is looked up in PATH. */
function byName(program: string, facts: ImageFacts): Problems {
  const places = programPlaces(program, facts);
  const found = places.map((path) => ({ path, place: lookUp(facts, path) }));
  const there = found.find(({ place }) => place.known && place.entry?.kind === "file");
  if (there)
    return {
      message: `the entry point ${program} is not an absolute path`,
      hint: `--entrypoint ${there.path}`,
      severity: "warning",
    };
  if (found.some(({ place }) => !place.known)) return [];
  return {
    message: `the entry point ${program} is not in the image; looked for ${places.slice(0, 3).join(", ")}`,
    hint: "give --entrypoint the absolute path of an executable",
  };
}

function atPath(program: string, facts: ImageFacts): Problems {
  const place = lookUp(facts, program);
  if (!place.known) return [];
  if (!place.entry)
    return {
      message: "the entry point is not in the image",
      path: program,
      hint: "correct --entrypoint, or add the file",
    };
  const { kind, path: real } = place.entry;
  const asWritten = facts.files.view.get(program.replace(/^\/+/, ""));
  const linked: Problems =
    asWritten?.kind === "symlink"
      ? {
          message: `the entry point is a link to ${asWritten.link}`,
          path: program,
          hint: `if Lambda reports Runtime.InvalidEntrypoint: --entrypoint /${real}`,
          severity: "warning",
        }
      : [];
  if (kind !== "file" && kind !== "hardlink")
    return [
      linked,
      { message: `the entry point is a ${kind}`, path: program, hint: "name the executable itself" },
    ];
  return [linked, executableProblems("the entry point", program, place.entry, facts)];
}

/** `/lambda-entrypoint.sh` ends with status 142 for other than one argument. */
export const oneWordCommand: Rule = {
  id: "one-word-command",
  severity: "error",
  expects: "under AWS's own entry point CMD is exactly one word, the handler",
  otherwise: "Runtime.ExitError: exit status 142",
  check(facts) {
    const { Entrypoint: entry = [], Cmd: cmd = [] } = facts.settings.config ?? {};
    if (!startsAsAws(facts) || entry.length + cmd.length === 2) return [];
    const has = cmd.length === 0 ? "the image has no CMD" : `CMD is ${JSON.stringify(cmd)}`;
    return { message: `${has}, and has to be one word, the handler`, hint: "--handler app.handler" };
  },
};

export const workdir: Rule = {
  id: "workdir",
  severity: "error",
  expects: "WORKDIR is the absolute path of a directory that all users may enter",
  otherwise: "Runtime.InvalidWorkingDir",
  check(facts) {
    const directory = facts.settings.config?.WorkingDir ?? "";
    if (directory === "") return [];
    if (!directory.startsWith("/"))
      return {
        message: `WORKDIR is ${JSON.stringify(directory)}, not an absolute path`,
        hint: "--workdir /var/task",
      };
    const place = lookUp(facts, directory);
    if (!place.known) return [];
    const { entry } = place;
    if (!entry)
      return {
        message: "WORKDIR is not in the image",
        path: directory,
        hint: "put the code there with --target, or set --workdir to where it is",
      };
    if (entry.kind !== "directory")
      return {
        message: `WORKDIR is a ${entry.kind}`,
        path: directory,
        hint: "--workdir with the path of a directory",
      };
    return (entry.mode & 0o001) === 0
      ? [{ message: "only its owner may enter WORKDIR", path: directory, hint: `chmod 755 ${directory}` }]
      : [];
  },
};

/** What `/lambda-entrypoint.sh` of an OS-only base starts. */
const BOOTSTRAP = "/var/runtime/bootstrap";

export const bootstrap: Rule = {
  id: "bootstrap",
  severity: "error",
  expects:
    "over AWS's OS-only base, /var/runtime/bootstrap exists, can be executed, is neither empty nor a link, and is an ELF file or a script whose interpreter exists",
  otherwise: "Runtime.InvalidEntrypoint; Couldn't find valid bootstrap(s): [/var/runtime/bootstrap]",
  check(facts) {
    if (!startsAsAws(facts)) return [];
    const place = lookUp(facts, BOOTSTRAP);
    if (!place.known) return facts.base?.repository === "provided" ? [noBootstrap(facts)] : [];
    if (!place.entry) return [noBootstrap(facts)];
    const asWritten = facts.files.view.get(BOOTSTRAP.slice(1));
    if (asWritten?.kind === "symlink")
      return [bootstrapProblem(`it is a link to ${asWritten.link}`, "put the executable itself there")];
    const text = facts.files.contents.texts.get(place.entry.path);
    if (text && !/^\uFEFF?#!/.test(text))
      return bootstrapProblem(
        "the bootstrap is neither an ELF file nor a script: it does not begin with #!",
        `begin it with #!/bin/sh; or ${hintsFor(facts).build}`,
      );
    return executableProblems("the bootstrap", BOOTSTRAP, place.entry, facts);
  },
};

function bootstrapProblem(message: string, hint: string): Problem {
  return { message, path: BOOTSTRAP, hint };
}

function noBootstrap(facts: ImageFacts): Problem {
  const elsewhere = facts.files.view.get(`${taskRoot(facts)}/bootstrap`);
  return bootstrapProblem(
    elsewhere
      ? `the bootstrap is at /${elsewhere.path}, where a container image does not look for it`
      : "there is no bootstrap",
    "lambda-pack build puts the app's bootstrap there; or start the program itself with --entrypoint",
  );
}
