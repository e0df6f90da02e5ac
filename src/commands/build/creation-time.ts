import { LambdaPackError } from "../../errors.ts";
import type { Environment } from "../../session/plan.ts";

/** 9999-12-31T23:59:59Z: beyond it RFC 3339, which the config uses, has no form. */
const LAST_SECOND = 253_402_300_799;

/**
 * The time of everything that a build adds to an image: SOURCE_DATE_EPOCH in whole seconds
 * (reproducible-builds.org), else one second after the epoch, because some readers take the epoch
 * itself for "no time".
 * @throws SOURCE_DATE_EPOCH_INVALID.
 */
export function creationTime(environment: Environment): Date {
  const text = environment["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return new Date(1000);
  if (/^\d{1,12}$/.test(text) && Number(text) <= LAST_SECOND) return new Date(Number(text) * 1000);
  throw new LambdaPackError(
    "SOURCE_DATE_EPOCH_INVALID",
    `SOURCE_DATE_EPOCH is ${JSON.stringify(text.slice(0, 40))}, not a number of seconds since 1970`,
    { hint: "for example SOURCE_DATE_EPOCH=$(git log -1 --format=%ct), or unset it" },
  );
}
