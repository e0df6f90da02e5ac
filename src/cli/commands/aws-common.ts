import type { Flag } from "../command.ts";
import { value } from "../flags.ts";
import { quote, text, wrong } from "../values.ts";

export const REGION_FLAG: Flag<string | undefined> = value(text, {
  placeholder: "REGION",
  summary: "the region, where no URI or ARN names it",
  defaultText: "AWS_REGION, AWS_DEFAULT_REGION, the profile's",
});

/** `10%` or `0.1`. */
export function share(word: string, { name }: { readonly name: string }): number {
  const [, digits = "", percent] = /^(\d{1,3}(?:\.\d{1,4})?|0?\.\d{1,4})(%?)$/.exec(word) ?? [];
  const number = digits === "" ? Number.NaN : Number(digits) / (percent === "%" ? 100 : 1);
  if (number > 0 && number < 1) return Math.round(number * 10_000) / 10_000;
  throw wrong(
    `${name} should be between 0 and 1, as 0.1 or 10%, not ${quote(word)}`,
    `without ${name} the new version gets all of the calls`,
  );
}
