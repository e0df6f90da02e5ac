import { type ImageFacts, taskRoot } from "../facts.ts";
import { count, type Problems, some } from "../rule.ts";

/** Gems in AWS's Ruby bases: the AWS SDK, and gems that come with Ruby. */
const IN_RUNTIME = /^(?:aws-sdk(?:-|$)|aws-|jmespath$|json$|bundler$|rake$)/;

/** Finds a Gemfile whose gems are not in vendor/bundle, where AWS's Ruby runtime looks. */
export function missingGems(facts: ImageFacts): Problems {
  const root = taskRoot(facts);
  const { view, contents } = facts.files;
  const gems = gemsIn(contents.text(`${root}/Gemfile`) ?? "").filter((name) => !IN_RUNTIME.test(name));
  const places = [`${root}/vendor/bundle/ruby`, "opt/ruby/gems", `${root}/.bundle/bundle`];
  if (gems.length === 0 || places.some((place) => view.list(place).length > 0)) return [];
  return {
    message: `${count(gems.length, "gem")} of the Gemfile ${gems.length === 1 ? "is" : "are"} not installed: ${some(gems, gems.length, 5)}`,
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
