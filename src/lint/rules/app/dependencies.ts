import {
  developmentPackages,
  isInPackage,
  missingNodePackages,
  NPM_RECORDS,
} from "../../dependencies/node.ts";
import { editableInstalls, missingPythonPackages } from "../../dependencies/python.ts";
import { type ImageFacts, taskRoot, variables, within } from "../../facts.ts";
import { megabytes, type Problem, type Problems, quantity, type Rule, shortList } from "../../rule.ts";
import { languageIn } from "../../runtime.ts";
import { oncePerDirectory } from "../../visit.ts";

/** The app's dependencies have to be in the image: Lambda installs nothing. */
export const dependencies: Rule = {
  id: "dependencies",
  severity: "warning",
  expects:
    "what package.json, requirements.txt, pyproject.toml, Pipfile or Gemfile asks for is installed, and the jars in lib are zip files",
  otherwise:
    "Runtime.ImportModuleError: Cannot find module; No module named; cannot load such file; NoClassDefFoundError",
  check(facts) {
    // A base that is not in the table may have packages in layers that were not read.
    if (facts.files.lacksOwn || !(facts.files.whole || facts.base)) return [];
    const language = languageIn(facts);
    if (language === "nodejs") return missingNodePackages(facts);
    if (language === "python") return [missingPythonPackages(facts), editableInstalls(facts)];
    if (language === "java") return brokenJars(facts);
    return language === "ruby" ? missingGems(facts) : [];
  },
};

/** Gems in AWS's Ruby bases: the AWS SDK, and gems that come with Ruby. */
const IN_RUBY = /^(?:aws-sdk(?:-|$)|aws-|jmespath$|json$|bundler$|rake$)/;

/** Finds a Gemfile whose gems are not in vendor/bundle, where AWS's Ruby runtime looks. */
function missingGems(facts: ImageFacts): Problems {
  const root = taskRoot(facts);
  const { view, contents } = facts.files;
  const gems = gemsIn(contents.texts.get(`${root}/Gemfile`) ?? "").filter((name) => !IN_RUBY.test(name));
  const places = [`${root}/vendor/bundle/ruby`, "opt/ruby/gems", `${root}/.bundle/bundle`];
  if (gems.length === 0 || places.some((place) => view.list(place).length > 0)) return [];
  return {
    message: `${quantity(gems.length, "gem")} of the Gemfile ${gems.length === 1 ? "is" : "are"} not installed: ${shortList(gems, gems.length, 5)}`,
    path: `/${root}/Gemfile`,
    hint: "bundle config set --local path vendor/bundle && bundle config set --local without development:test && bundle install",
  };
}

function gemsIn(text: string): readonly string[] {
  const found: string[] = [];
  let isSkipped = false;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*group\b.*:(?:development|test)\b.*\bdo\s*$/.test(line)) isSkipped = true;
    else if (/^\s*end\s*$/.test(line)) isSkipped = false;
    const [, name] = /^\s*gem\s+["']([\w.-]+)["']/.exec(line) ?? [];
    if (name !== undefined && !isSkipped && !/group:?\s*(?:=>)?\s*\[?:(?:development|test)/.test(line))
      found.push(name);
  }
  return found;
}

/** Java ignores such a file, and then does not find its classes. */
function brokenJars(facts: ImageFacts): Problems {
  const root = taskRoot(facts);
  const broken = [...facts.files.contents.jars].flatMap(([path, names]) => {
    const inside = within(root, path);
    return names === "not a zip" && inside && /^lib\/[^/]+\.jar$/.test(inside) ? [inside] : [];
  });
  if (broken.length === 0) return [];
  return {
    message: `${quantity(broken.length, "jar")} that ${broken.length === 1 ? "is" : "are"} no zip file: ${shortList(broken.sort())}`,
    path: `/${root}/${broken[0]}`,
    hint: "copy the dependencies there again: mvn dependency:copy-dependencies, gradle installDist; for a pointer of Git LFS: git lfs pull",
  };
}

/** Python imports from a virtual environment only if it was started from there. */
export const virtualEnvironment: Rule = {
  id: "virtual-environment",
  severity: "warning",
  expects: "Python packages are where Lambda's runtime looks for them, not in a virtual environment",
  otherwise: "Runtime.ImportModuleError: No module named ...",
  visitor(facts) {
    const roots = environmentsIn(facts);
    const sum = { files: 0, bytes: 0, packages: new Set<string>() };
    return {
      visit({ path, kind, size }) {
        const root = roots.find((one) => path.startsWith(`${one}/`));
        if (root === undefined || kind !== "file") return;
        sum.files += 1;
        sum.bytes += size;
        const name = /\/site-packages\/([^/]+?)-[^/]*\.(?:dist|egg)-info\//.exec(path)?.[1];
        if (name !== undefined && !TOOLS.has(name)) sum.packages.add(name);
      },
      problems: () =>
        roots.slice(0, 1).map((root) => {
          const name = root.slice(root.lastIndexOf("/") + 1);
          const packages = shortList([...sum.packages].sort()) || "no packages";
          return {
            message: `${megabytes(sum.bytes)} in ${quantity(sum.files, "file")}: a virtual environment, in which Lambda does not look for packages (${packages})`,
            path: `/${root}`,
            hint: `pip install --target . -r requirements.txt (uv: uv export > requirements.txt first; poetry: poetry export), and add ${name}/ to .lambdaignore`,
          };
        }),
    };
  },
};

const TOOLS = new Set(["pip", "setuptools", "wheel"]);

function environmentsIn(facts: ImageFacts): readonly string[] {
  const root = taskRoot(facts);
  const path = variables(facts).get("PYTHONPATH") ?? "";
  return facts.files.view
    .list(root)
    .map((name) => `${root}/${name}`)
    .filter(
      (directory) => facts.files.view.get(`${directory}/pyvenv.cfg`) && !path.includes(`/${directory}/`),
    );
}

/** In bytes; less is reported as advice. */
const MANY_BYTES = 10_000_000;
const MIN_BYTES = 100_000;

/** Packages that only development needs are sent and stored, but no function loads them. */
export const developmentDependencies: Rule = {
  id: "development-dependencies",
  severity: "warning",
  expects: "node_modules holds no packages that only development needs",
  otherwise: "nothing, but they are sent, stored and counted",
  visitor(facts) {
    const root = taskRoot(facts);
    const packages = developmentPackages(facts.files.contents.texts.get(`${root}/${NPM_RECORDS}`));
    const isIn = oncePerDirectory(({ inside = "" }) => isInPackage(inside, packages));
    const sum = { files: 0, bytes: 0 };
    return {
      visit(file) {
        if (packages.size === 0 || file.kind !== "file" || !isIn(file)) return;
        sum.files += 1;
        sum.bytes += file.size;
      },
      problems: () => (sum.bytes < MIN_BYTES ? [] : [developmentProblem(packages, sum.bytes, root)]),
    };
  },
};

function developmentProblem(packages: ReadonlySet<string>, bytes: number, root: string): Problem {
  const names = [...packages].map((path) => path.slice(path.lastIndexOf("node_modules/") + 13)).sort();
  return {
    message: `${megabytes(bytes)} in ${quantity(names.length, "package")} that only development needs: ${shortList(names, names.length)}`,
    path: `/${root}/node_modules`,
    hint: "lambda-pack build --omit-dev leaves them out; or npm ci --omit=dev",
    severity: bytes >= MANY_BYTES ? "warning" : "info",
  };
}
